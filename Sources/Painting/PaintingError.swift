import Checkpoints
import RasterFiles
import Tensors

/// What stops a painting, beyond what files themselves can have wrong. Every text is one line: what is wrong, with both
/// values, then the mend.
package enum PaintingError: Error, Equatable {
    /// The command line asks for something that cannot be (64).
    case usage(String)
    /// A picture or model does not fit what is asked of it (65).
    case unsuitable(String)
    /// An input is not there (66).
    case missing(String)
    /// The processor cannot do what is asked (69).
    case processorLacks(String)
    /// A library that is needed for this alone is not installed (69).
    case libraryMissing(String)
    /// An output cannot be made (73).
    case cannotCreate(String)
    /// Writing failed midway (74).
    case cannotWrite(String)
    /// A fault of ours (70).
    case fault(String)
    /// The user stopped it (130).
    case interrupted
}

/// The line for standard error and the exit code of any error that the layers below can throw.
package func reported(_ error: any Error) -> (line: String, code: Int32) {
    switch error {
    case let error as PaintingError:
        switch error {
        case .usage(let line): (line, 64)
        case .unsuitable(let line): (line, 65)
        case .missing(let line): (line, 66)
        case .processorLacks(let line), .libraryMissing(let line): (line, 69)
        case .cannotCreate(let line): (line, 73)
        case .cannotWrite(let line): (line, 74)
        case .fault(let line): (line + " This is a fault of Velatura's: please report it.", 70)
        case .interrupted: ("Interrupted.", 130)
        }
    case let error as PictureFileError: (error.description, error.exitCode)
    case let error as CheckpointError:
        switch error {
        case .missing(let line): (line, 66)
        case .invalid(let line): (line, 65)
        case .unreadable(let line): (line, 74)
        }
    case let error as EngineError:
        switch error {
        case .libraryMissing(let line):
            (
                line.prefix(1).uppercased() + line.dropFirst()
                    + ". Install oneDNN (Debian and Ubuntu: libdnnl2 or libdnnl3).", 69
            )
        case .spill(let line): (line, 74)
        case .operation(let line):
            ("A calculation failed: \(line). This is a fault of Velatura's: please report it.", 70)
        }
    default: ("Something unexpected failed (\(type(of: error))). This is a fault of Velatura's: please report it.", 70)
    }
}

import Painting
import RasterFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Inputs as a list of items: pictures as they are named, folders walked, each with its mask and its words.
struct ItemList {
    private(set) var items: [Item] = []
    /// The folder of the results, ending in "/", where a folder is among the inputs; nil for pictures alone.
    let folder: String?

    /// - Parameters:
    ///   - mask: a file for all, or a folder in which each picture has its own
    ///   - output: where results go, as it was given
    /// - Throws: ``PaintingError`` where a folder is not there or cannot be
    init(_ inputs: [String], mask: String?, output: String?) throws(PaintingError) {
        let pairing: MaskPairing? = if let mask { try MaskPairing(mask) } else { nil }
        guard let first = inputs.first(where: OutputPlan.isFolder) else {
            folder = nil
            items = inputs.map { input in
                var item = Item(input: input)
                item.pair(pairing, below: input.split(separator: "/").last.map(String.init) ?? input)
                return item
            }
            return
        }
        let folder = try Self.folder(output, for: first)
        self.folder = folder
        let arguments = Self.meant(CommandLine.arguments)
        for input in inputs {
            guard OutputPlan.isFolder(input) else {
                add(input, below: input.split(separator: "/").last.map(String.init) ?? input, pairing, arguments)
                continue
            }
            if let itself = PictureFolder.identity(input), itself == PictureFolder.identity(folder) {
                throw .usage("-o \(output ?? folder) is the folder of the pictures themselves. Give another.")
            }
            let isBeside = pairing.flatMap { PictureFolder.identity($0.path) } == PictureFolder.identity(input)
            let walked = try PictureFolder(input, without: [folder] + (isBeside ? [] : [mask].compactMap { $0 }))
            let files = isBeside && pairing != nil ? MaskPairing.withoutMasks(walked.files) : walked.files
            guard !files.isEmpty else {
                throw .missing(
                    "\(walked.path) holds no \(PictureFormat.readable.replacing(" and ", with: " or ")). Check the name."
                )
            }
            for file in files { add(walked.path + file, below: file, pairing, arguments) }
        }
    }

    private mutating func add(_ input: String, below: String, _ pairing: MaskPairing?, _ arguments: [String]) {
        var item = Item(input: input)
        item.subfolder = below.lastIndex(of: "/").map { String(below[...$0]) } ?? ""
        item.arguments = arguments
        item.pair(pairing, below: below)
        let words = MaskPairing.stem(input) + ".txt"
        if access(words, F_OK) == 0 { item.words = words }
        items.append(item)
    }

    /// The folder of a batch's results.
    static func folder(_ output: String?, for input: String) throws(PaintingError) -> String {
        guard let output else {
            throw .usage("\(input) is a folder. Give -o a folder for the results.")
        }
        if !output.hasSuffix("/"), !OutputPlan.isFolder(output) {
            if PictureFormat(path: output) != nil {
                throw .usage("The results of \(input) cannot all be written to \(output). Give -o a folder.")
            }
            if access(output, F_OK) == 0 {
                throw .cannotCreate(
                    "\(output) is a file, but a folder for the results of \(input) is expected. Give another -o.")
            }
        }
        return output.hasSuffix("/") ? output : output + "/"
    }

    /// The part of a command line that says what pictures are made, and how.
    static func meant(_ arguments: [String]) -> [String] {
        let others: Set = [
            "--keep-going", "--retry-failed", "--json", "--quiet", "--verbose", "--overwrite",
        ]
        return arguments.dropFirst().filter { !others.contains($0) }
    }
}

extension Item {
    /// Finds the picture's mask, or what keeps it from having one.
    ///
    /// - Parameter below: its path below the folder that the masks' folder follows
    mutating func pair(_ pairing: MaskPairing?, below: String) {
        switch pairing?.mask(for: input, below: below) {
        case .mask(let path): mask = path
        case .fault(let text): fault = .missing(text)
        case nil: break
        }
    }
}

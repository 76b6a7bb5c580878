import RasterFiles
import Tensors

/// Guesses of a painting's calls, each in a file of its own, so that one that was broken off goes on at the call where it
/// was. Everything else about a painting follows from its guesses and from noise that belongs to places.
final class GuessMemory {
    private let stem: String
    private let shape: [Int]
    /// Calls that were answered.
    private var calls = 0

    /// - Parameters:
    ///   - stem: how the files' names begin: folder, and what tells this painting from others
    ///   - shape: of the guesses
    init(stem: String, shape: [Int]) { (self.stem, self.shape) = (stem, shape) }

    private var path: String { "\(stem)-call\(calls + 1).f32" }

    /// The next guess, where it is known already.
    func next() throws -> Tensor? {
        let count = shape.reduce(1, *)
        guard let bytes = try? WholeFile.read(path, limit: count * 4), bytes.count == count * 4 else { return nil }
        calls += 1
        let values = bytes.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        }
        return Tensor(shape, values)
    }

    func keep(_ guess: Tensor) throws {
        let values = guess.values
        try values.withUnsafeBytes { bytes in
            try WholeFile.write(to: path) { (send) throws(PictureFileError) in try send(bytes) }
        }
        calls += 1
    }

    /// Lets go of everything that was kept.
    func forget() {
        for call in 1...max(1, calls) { WholeFile.remove("\(stem)-call\(call).f32") }
        calls = 0
    }
}

import Checkpoints
import RasterFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a batch has made so far, beside its results: `.velatura/journal.jsonl` in their folder.
///
/// The journal says which files are the batch's own; that a picture is finished is said by the picture: it stands under
/// its name with the recipe inside. So a line is written just before its result is renamed into place, and a run that is
/// killed between the two has lost nothing. Lines are only ever added, each with one call, and a last line that was cut
/// short is cut off. The lock on the file is the kernel's: it goes when the process goes, however it goes.
package final class Journal {
    /// The folder of the results, ending in "/".
    package let folder: String
    private let path: String
    private let file: Int32
    /// What was made under each name, oldest first.
    private var made: [String: [Mark]] = [:]
    /// Reasons of what failed, by what was to be done.
    private var failed: [String: Failure] = [:]
    /// The seed of the pictures that were not given one.
    package private(set) var seed: UInt64?

    /// What tells a result: the hashes of the recipe that it was made from and of its bytes.
    package struct Mark: Hashable, Sendable {
        package var recipe: String
        package var bytes: String

        package init(recipe: String, bytes: String) { (self.recipe, self.bytes) = (recipe, bytes) }
    }

    package struct Failure: Hashable, Sendable {
        package var reason: String
        package var code: Int32

        package init(reason: String, code: Int32) { (self.reason, self.code) = (reason, code) }
    }

    /// Opens the journal of a folder, and makes both where they are missing.
    ///
    /// - Throws: ``PaintingError/cannotCreate(_:)`` where another run has it, or it cannot be made
    package init(folder given: String) throws(PaintingError) {
        folder = given.hasSuffix("/") ? given : given + "/"
        path = folder + ".velatura/journal.jsonl"
        do throws(PictureFileError) {
            try WholeFile.makeFolder(folder + ".velatura", for: path)
        } catch {
            throw .cannotCreate(error.description)
        }
        file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard file >= 0 else { throw Self.fault(path, "cannot be created") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let fault = Self.fault(path, "cannot be locked")
            let process = isHeld ? (try? Self.lines(path))?.last { $0["run"].integer != nil }?["run"].integer : nil
            close(file)
            throw !isHeld
                ? fault
                : .cannotCreate(
                    "\(folder) is being painted into by another run\(process.map { ", process \($0)" } ?? ""). Wait for its end, or give another -o."
                )
        }
        do {
            try read()
        } catch {
            close(file)
            throw error
        }
    }

    deinit { close(file) }

    private static func fault(_ path: String, _ what: String) -> PaintingError {
        .cannotCreate("\(path) \(what): \(String(cString: strerror(errno)).lowercased()). Give another -o.")
    }

    // MARK: Reading

    private func read() throws(PaintingError) {
        guard let bytes = try? WholeFile.read(path) else { throw Self.fault(path, "cannot be read") }
        // What follows the last whole line was cut short.
        let whole = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        if whole < bytes.count, ftruncate(file, off_t(whole)) != 0 { throw Self.fault(path, "cannot be mended") }
        for line in Self.parsed(bytes[..<whole]) {
            if let seed = line["seed"].text.flatMap(UInt64.init) { self.seed = seed }
            if let name = line["made"].text, let recipe = line["recipe"].text, let bytes = line["bytes"].text {
                made[name, default: []].append(.init(recipe: recipe, bytes: bytes))
            }
            if let key = line["failed"].text, let reason = line["reason"].text {
                failed[key] = .init(reason: reason, code: Int32(clamping: line["code"].integer ?? 70))
            }
            if let key = line["mended"].text { failed[key] = nil }
        }
    }

    private static func lines(_ path: String) throws(PictureFileError) -> [JSON] {
        parsed(try WholeFile.read(path)[...])
    }

    private static func parsed(_ bytes: ArraySlice<UInt8>) -> [JSON] {
        bytes.split(separator: 0x0A).compactMap { line in
            line.withUnsafeBytes { line in
                line.baseAddress.flatMap { try? JSON(FileBytes(name: "journal", constant: $0, count: line.count)) }
            }
        }
    }

    // MARK: Writing

    private func add(_ members: [(String, JSONText)]) throws(PaintingError) {
        let line = Array((JSONText.object(members).string + "\n").utf8)
        var rest = line[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                throw .cannotWrite(
                    "\(path) could not be written: \(String(cString: strerror(errno)).lowercased()). Make room and run it again."
                )
            }
        }
    }

    /// Notes that a run begins, and the seed of what is not given one.
    package func begin(seed: UInt64?) throws(PaintingError) {
        self.seed = seed ?? self.seed
        try add([
            ("velatura", .text(Recipe.version)), ("run", .integer(Int(getpid()))),
            ("seed", seed.map { .text("\($0)") } ?? .null),
        ])
    }

    /// Whether anything failed that was not mended since.
    package var hasFailures: Bool { !failed.isEmpty }

    /// Notes that a result is about to stand under its name.
    ///
    /// - Parameter path: inside the folder
    package func make(_ path: String, _ mark: Mark) throws(PaintingError) {
        let name = name(of: path)
        made[name, default: []].append(mark)
        try add([("made", .text(name)), ("recipe", .text(mark.recipe)), ("bytes", .text(mark.bytes))])
    }

    package func fail(_ key: String, _ input: String, _ failure: Failure) throws(PaintingError) {
        failed[key] = failure
        try add([
            ("failed", .text(key)), ("input", .text(input)), ("code", .integer(Int(failure.code))),
            ("reason", .text(failure.reason)),
        ])
    }

    /// Forgets a failure, since it is tried again.
    package func mend(_ key: String) throws(PaintingError) {
        guard failed.removeValue(forKey: key) != nil else { return }
        try add([("mended", .text(key))])
    }

    // MARK: Asking

    package func failure(_ key: String) -> Failure? { failed[key] }

    package enum State: Sendable, Equatable {
        /// Nothing stands under the name.
        case missing
        /// What stands there was made from this recipe.
        case finished
        /// What stands there was made by this batch from another recipe, and nobody has changed it since.
        case outdated
        /// What stands there is not the batch's, or was worked on or cut short since.
        case foreign
    }

    /// What stands under a result's name.
    ///
    /// - Parameters:
    ///   - path: inside the folder
    ///   - recipes: hashes of the recipes, of which it is to be made from one
    ///   - carriesRecipe: whether such a result says so itself
    package func state(of path: String, recipes: [String], carriesRecipe: Bool) -> State {
        guard access(path, F_OK) == 0 else { return .missing }
        let glance = try? PictureFile.glance(path)
        let found = (glance?.metadata).flatMap(Recipe.hash(in:))
        if carriesRecipe, let found, recipes.contains(found), glance?.isWhole == true { return .finished }
        let marks = made[name(of: path)] ?? []
        guard !marks.isEmpty, let bytes = try? SHA256.hash(ReadableFile(path)) else { return .foreign }
        guard marks.contains(where: { $0.bytes == bytes }) else { return .foreign }
        let isWanted = !carriesRecipe && recipes.contains { marks.contains(.init(recipe: $0, bytes: bytes)) }
        return isWanted && found == nil ? .finished : .outdated
    }

    private func name(of path: String) -> String {
        path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
    }
}

import Raster
import RasterFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where results go and what form they have.
package struct OutputOptions: Sendable {
    /// A file, or a folder where it is one or ends in "/"; nil for beside the input.
    package var path: String?
    package var format: PictureFormat?
    /// Of JPEG, 1…100.
    package var quality = 95
    package var isQualityGiven = false
    /// Bits of a sample, 8 or 16; nil for the source's.
    package var depth: Int?
    /// Name without an ending; `{stem} {command} {skip} {seed}` are replaced.
    package var template: String?
    package var overwrite = false
    package var writesRecipe = true

    package init() {}

    /// The format of a result: as asked for, or as its ending says.
    package func format(at path: String) -> PictureFormat { format ?? PictureFormat(path: path) ?? .png }

    /// Bits that a picture is worked on in: its own, or more where a result is to have more and holds them.
    package func workingDepth(_ own: Int, at path: String) -> Int {
        max(own, min(depth ?? own, format(at: path).mostDepth))
    }

    /// Refuses a format that contradicts the output's ending, and endings of formats that are not written.
    ///
    /// - Throws: ``PaintingError/usage(_:)``
    package func checked() throws(PaintingError) -> OutputOptions {
        if path == "-" {
            throw .usage(
                "-o is -, but results are written to files, not to standard output. Give a file or a folder; ./- is a file of that name."
            )
        }
        guard let path, !OutputPlan.isFolder(path) else { return self }
        // A picture under such a name would not be what its name says.
        let name = path.split(separator: "/").last ?? ""
        if let dot = name.lastIndex(of: "."), dot != name.startIndex, PictureFormat(path: path)?.isWritten != true {
            throw .usage(
                "-o \(path) ends as \(name[name.index(after: dot)...]), which Velatura does not write. End it as .png, .jpg or .tif."
            )
        }
        if let ending = PictureFormat(path: path), let format, ending != format {
            throw .usage(
                "-o \(path) ends as \(ending.rawValue) but --format is \(format.rawValue). Leave --format out, or change the ending."
            )
        }
        if let template {
            throw .usage("--name is \(template), but -o \(path) names the file already. Leave one out.")
        }
        return self
    }
}

/// The names of a command's results, settled before anything is painted.
package struct OutputPlan {
    package var options: OutputOptions
    package var results: Int
    private let mayStand: Bool
    private var taken: [String: String] = [:]

    /// - Parameters:
    ///   - results: how many results the whole command has
    ///   - mayStand: whether a file that stands under a name is looked at later, when more is known of it
    package init(_ options: OutputOptions, results: Int, mayStand: Bool = false) {
        (self.options, self.results, self.mayStand) = (options, results, mayStand)
    }

    /// What tells one result from the others.
    package struct Result {
        package var stem: String
        package var command: String
        package var skip: String?
        package var seed: UInt64?
        /// The seed of all results of an input, which tells none from the others: only a template names it.
        package var soleSeed: UInt64?
        /// Folder of the input, "" for the current one.
        package var folder: String
        /// Below the folder of all results: "" or "a/b/".
        package var subfolder: String
        /// The format that holds what the input has, where nothing else is asked for.
        package var format: PictureFormat

        package init(
            input: String?, command: String, skip: String? = nil, seed: UInt64? = nil, soleSeed: UInt64? = nil,
            subfolder: String = ""
        ) {
            (self.soleSeed, self.subfolder) = (soleSeed, subfolder)
            let named = PagedPath(input ?? "")
            let parts = named.file.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            let name = parts.last ?? ""
            stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
            if stem.isEmpty { stem = name.isEmpty ? "picture" : name }
            if let page = named.page { stem += "-page\(page)" }
            let look = input.flatMap(PictureFile.look)
            format = look?.isFloat == true || look?.isOfInks == true ? .tiff : .png
            folder = parts.dropLast().joined(separator: "/") + (parts.count > 1 ? "/" : "")
            (self.command, self.skip, self.seed) = (command, skip, seed)
        }
    }

    /// The path of a result.
    ///
    /// - Throws: ``PaintingError`` when two results would share it, or a file stands there and may not be replaced
    package mutating func path(for result: Result) throws(PaintingError) -> String {
        let path: String
        if let given = options.path, !Self.isFolder(given) {
            guard results == 1 else {
                throw .usage(
                    "\(results) results cannot all be written to \(given). Give a folder, such as -o \(given)/ , or leave -o out."
                )
            }
            path = given
        } else {
            let name = options.template.map { Self.filled($0, result) } ?? Self.name(result)
            path = folder(of: result) + name + "." + (options.format ?? result.format).fileExtension
        }
        return try claimed(path, by: result.stem)
    }

    /// The path of something that belongs to all rungs of an input, such as "ladder.png".
    package mutating func path(beside result: Result, suffix: String) throws(PaintingError) -> String {
        var folder = folder(of: result)
        if let given = options.path, !Self.isFolder(given) {
            folder = String(given.reversed().drop { $0 != "/" }.reversed())
        }
        return try claimed(folder + result.stem + "-" + suffix, by: result.stem)
    }

    /// The path of the mask that goes with a result's picture, beside it and named so that the two pair: "a-mask.png" of "a.png".
    package mutating func path(ofMaskBeside path: String, of result: Result) throws(PaintingError) -> String {
        try claimed(MaskPairing.stem(path) + "-mask.png", by: result.stem)
    }

    private mutating func claimed(_ path: String, by stem: String) throws(PaintingError) -> String {
        let place = Self.place(of: path)
        if taken[place] != nil {
            throw .usage(
                "Two results would be written to \(path). Give --name a template with {stem}, {skip} or {seed}.")
        }
        taken[place] = stem
        let isTaken: Bool
        do throws(PictureFileError) {
            isTaken = try WholeFile.isTaken(path)
        } catch {
            throw .cannotCreate(error.description)
        }
        if !options.overwrite, !mayStand, isTaken {
            throw .cannotCreate("\(path) is there already. Pass --overwrite to replace it, or give another -o.")
        }
        try Self.checkFolder(above: path)
        return path
    }

    /// One name for one file, however it was reached: its folder with links and dots resolved, where there is one.
    private static func place(of path: String) -> String {
        let (folder, name) = split(path)
        guard let resolved = realpath(folder, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved) + "/" + name
    }

    /// Refuses a place where no file can be made, since a painting that cannot be kept is hours lost.
    private static func checkFolder(above path: String) throws(PaintingError) {
        var folder = split(path).folder
        var status = stat()
        // Folders that are missing are made, in the nearest one that is there.
        while stat(folder, &status) != 0, errno == ENOENT, folder != ".", folder != "/" {
            folder = split(folder).folder
        }
        if errno == ENOTDIR || status.st_mode & S_IFMT != S_IFDIR {
            throw .cannotCreate("\(path) cannot be created: \(folder) is not a folder. Give another -o.")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw .cannotCreate("\(path) cannot be created: nothing may be written to \(folder). Give another -o.")
        }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard let slash = path.lastIndex(of: "/") else { return (".", String(path)) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    private func folder(of result: Result) -> String {
        guard let given = options.path else { return result.folder }
        return (given.hasSuffix("/") ? given : given + "/") + result.subfolder
    }

    private static func name(_ result: Result) -> String {
        result.stem + "-" + result.command + (result.skip.map { "-skip\($0)" } ?? "")
            + (result.seed.map { "-seed\($0)" } ?? "")
    }

    private static func filled(_ template: String, _ result: Result) -> String {
        var text = template[...]
        var filled = ""
        let values = [
            "{stem}": result.stem, "{command}": result.command, "{skip}": result.skip ?? "",
            "{seed}": (result.seed ?? result.soleSeed).map(String.init) ?? "",
        ]
        while !text.isEmpty {
            if let (key, value) = values.first(where: { text.hasPrefix($0.key) }) {
                filled += value
                text = text.dropFirst(key.count)
            } else {
                filled.append(text.removeFirst())
            }
        }
        return filled
    }

    package static func isFolder(_ path: String) -> Bool {
        if path.hasSuffix("/") { return true }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

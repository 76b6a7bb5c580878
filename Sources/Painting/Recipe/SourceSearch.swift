import RasterFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Looks for what a recipe names, by hash: beside the picture, in the current folder, then in folders that were named.
package struct SourceSearch {
    private let folders: [String]
    private let deep: String?

    /// Files that are looked at where a name alone does not help, and folders beneath `find`.
    private static let mostFiles = 20_000

    /// - Parameters:
    ///   - picture: path of the picture that carries the recipe
    ///   - find: a folder that is searched with all that is in it
    package init(beside picture: String, find: String?) {
        let beside = picture.lastIndex(of: "/").map { String(picture[...$0]) } ?? ""
        folders = beside.isEmpty ? [""] : [beside, ""]
        deep = find.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
    }

    /// Where was looked, in words.
    package var places: String {
        (folders.map { $0.isEmpty ? "in the current folder" : "in \($0)" } + [deep.map { "in \($0)" }].compactMap { $0 })
            .joined(separator: ", nor ")
    }

    /// The file with this hash: under its own name first, then under any.
    package func file(named name: String, hash: String) -> String? {
        let all = folders + [deep].compactMap { $0 }
        // A name out of a file is only a name.
        if !name.contains("/") {
            for path in all.map({ $0 + name }) where Self.hash(path) == hash { return path }
        }
        return files { PictureFormat(path: $0) != nil }.first { Self.hash($0) == hash }
            .map { $0 + PagedPath(name).suffix }
    }

    /// The embedding with this hash. Prompts call it by its file's name, so under another one it would not be found.
    ///
    /// - Parameter hash: its first eight digits at least
    package func embedding(named name: String, hash: String) -> String? {
        guard hash.count >= 8 else { return nil }
        func has(_ path: String) -> Bool {
            Self.hash(path, limit: Self.mostBytes)?.hasPrefix(hash.lowercased()) == true
        }
        let names = EmbeddingFiles.endings.map { name + $0 }
        return files(names.contains).first(where: has)
            ?? files { names.map { $0.lowercased() }.contains($0.lowercased()) }.first(where: has)
    }

    /// The LoRA of this name with this hash.
    ///
    /// - Parameter hash: of the file, or the web UI's, at least eight digits; empty where it is not known
    package func adapter(named name: String, hash: String) -> String? {
        let named = files { file in NetworkFiles.endings.contains { file == "\(name).\($0)" } }
        if hash.isEmpty { return named.first }
        guard hash.count >= 8 else { return nil }
        func has(_ path: String) -> Bool {
            guard let found = try? AdapterFiles.hashes(path) else { return false }
            return found.whole.hasPrefix(hash.lowercased()) || found.webUI.hasPrefix(hash.lowercased())
        }
        return named.first(where: has)
    }

    /// The hypernetwork of this name with this hash.
    ///
    /// - Parameter hash: of the file, at least eight digits; empty where it is not known
    package func hypernetwork(named name: String, hash: String) -> String? {
        let named = files { file in NetworkFiles.endings.contains { file == "\(name).\($0)" } }
        if hash.isEmpty { return named.first }
        guard hash.count >= 8 else { return nil }
        return named.first { (try? HypernetworkFiles.hash($0))?.hasPrefix(hash.lowercased()) == true }
    }

    /// The learnt upscaler of this name with this hash.
    package func upscaler(named name: String, hash: String) -> String? {
        files { $0 == name }.first { Self.hash($0, limit: Self.mostUpscalerBytes) == hash }
    }

    /// Far more than any upscaler has.
    private static let mostUpscalerBytes = 1 << 30

    /// Of an embedding, as many as are ever read from one.
    private static let mostBytes = 1 << 27

    /// All files whose names are wanted.
    private func files(_ isWanted: (String) -> Bool) -> [String] {
        var left = Self.mostFiles
        return folders.flatMap { Self.files($0, deep: false, &left, isWanted) }
            + (deep.map { Self.files($0, deep: true, &left, isWanted) } ?? [])
    }

    /// Paths at which a model of this name could be: a folder, or one file under its name without the ending.
    package func models(named name: String) -> [String] {
        places(named: [name] + ["safetensors", "ckpt", "pt", "pth", "bin"].map { "\(name).\($0)" })
    }

    /// Paths at which an autoencoder of this name could be: a folder or a file.
    package func autoencoders(named name: String) -> [String] { places(named: [name]) }

    /// Folders and files of these names; files also deep in a folder that was named.
    private func places(named names: [String]) -> [String] {
        // A name out of a file is only a name.
        guard let name = names.first, !name.isEmpty, !name.contains("/"), name != "..", name != "." else { return [] }
        let near = (folders + [deep].compactMap { $0 }).flatMap { folder in names.map { folder + $0 } }
            .filter { access($0, F_OK) == 0 }
        return near + files(names.contains).filter { !near.contains($0) }
    }

    private static func hash(_ path: String, limit: Int = PictureFile.Limits().fileBytes) -> String? {
        var status = stat()
        guard stat(PagedPath(path).file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let bytes = try? WholeFile.read(path, limit: limit)
        else { return nil }
        return SHA256.hash(bytes)
    }

    private static func files(
        _ folder: String, deep: Bool, _ left: inout Int, _ isWanted: (String) -> Bool
    ) -> [String] {
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return [] }
        defer { closedir(stream) }
        var (files, inner): ([String], [String]) = ([], [])
        while left > 0, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            left -= 1
            var status = stat()
            // Links are not followed into other folders.
            guard lstat(folder + name, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR, deep { inner.append(folder + name + "/") }
            if status.st_mode & S_IFMT == S_IFREG, isWanted(name) { files.append(folder + name) }
        }
        return files.sorted() + inner.sorted().flatMap { Self.files($0, deep: true, &left, isWanted) }
    }
}

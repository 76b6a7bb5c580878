/// Which mask belongs to which picture: one file for all, or a folder in which each has its own by its stem.
///
/// `a.jpg` goes with `a.png`, `a_mask.png` or `a-mask.png` (or another format) in the same subfolder.
package struct MaskPairing: Sendable {
    /// As it was named.
    package let path: String
    /// Of a folder, the names of its pictures by their subfolder and the stem that they pair with; nil of a file.
    private let candidates: [String: [String]]?
    private let isFolder: Bool

    private static let endings = ["_mask", "-mask"]

    /// - Throws: ``PaintingError`` where it is not there
    package init(_ path: String) throws(PaintingError) {
        self.path = path
        isFolder = OutputPlan.isFolder(path)
        guard isFolder else {
            guard PictureFolder.identity(path) != nil else {
                throw .missing("\(path) is not there. Check the name and the folder.")
            }
            candidates = nil
            return
        }
        var candidates: [String: [String]] = [:]
        for file in try PictureFolder(path).files {
            let stem = Self.stem(file)
            candidates[stem, default: []].append(file)
            if let owner = Self.owner(ofStem: stem) { candidates[owner, default: []].append(file) }
        }
        self.candidates = candidates
    }

    /// The mask of a picture, or why there is none.
    package enum Choice: Sendable, Equatable {
        case mask(String)
        /// What is wrong; a full stop; the mend.
        case fault(String)
    }

    /// - Parameters:
    ///   - picture: its path
    ///   - below: its path below the folder that is painted, which the masks' folder follows
    package func mask(for picture: String, below: String) -> Choice {
        guard let candidates else { return .mask(path) }
        let folder = path.hasSuffix("/") ? path : path + "/"
        let itself = PictureFolder.identity(picture)
        // Where masks lie beside their pictures, a picture is no mask of its own, nor of one in another format.
        let besides = PictureFolder.identity(String(picture.dropLast(below.count)))
        let isBeside = besides != nil && besides == PictureFolder.identity(folder)
        let stem = Self.stem(below)
        let found = (candidates[stem] ?? []).filter {
            PictureFolder.identity(folder + $0) != itself && !(isBeside && Self.stem($0) == stem)
        }
        if found.count == 1 { return .mask(folder + found[0]) }
        let (place, name) = Self.split(stem)
        guard found.isEmpty else {
            let names = found.map { Self.split($0).name }.sorted()
            return .fault(
                "\(picture) has \(found.count) masks in \(folder + place): \(names.joined(separator: " and ")). Take all but one away."
            )
        }
        let wanted = isBeside ? "\(name)_mask or \(name)-mask" : "\(name), \(name)_mask or \(name)-mask"
        return .fault("\(picture) has no mask: \(folder + place) holds no \(wanted). Put one there.")
    }

    /// Without what is the mask of another: where both lie in one folder, masks are not painted.
    package static func withoutMasks(_ files: [String]) -> [String] {
        let stems = Set(files.map(stem))
        return files.filter { file in owner(ofStem: stem(file)).map { !stems.contains($0) } ?? true }
    }

    /// The path without the ending of its name.
    package static func stem(_ path: String) -> String {
        let (folder, name) = split(path)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return path }
        return folder + name[..<dot]
    }

    private static func owner(ofStem stem: String) -> String? {
        for ending in endings where stem.hasSuffix(ending) && !split(stem).name.elementsEqual(ending) {
            return String(stem.dropLast(ending.count))
        }
        return nil
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        return (String(path[...slash]), String(path[path.index(after: slash)...]))
    }
}

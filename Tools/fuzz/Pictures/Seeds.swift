import Foundation
import Raster
import RasterFiles

/// What the targets begin with: files of other programs, and what stands in them beside the samples.
enum Seeds {
    static func write(_ out: String, from folders: [String]) throws {
        let files = FileManager.default
        func keep(_ bytes: [UInt8], _ target: String, _ name: String) throws {
            let folder = "\(out)/\(target)"
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        for folder in folders {
            for name in try files.contentsOfDirectory(atPath: folder).sorted() {
                let path = "\(folder)/\(name)"
                guard let bytes = files.contents(atPath: path).map(Array.init) else { continue }
                if name.hasSuffix(".icc") {
                    let part: MetadataTarget.Part = ColourProfile.kind(bytes) == .inks ? .inkProfile : .profile
                    try keep([part.rawValue] + bytes, "metadata", name)
                }
                guard let format = PictureFormat(content: bytes) else { continue }
                try keep(bytes, format.rawValue, name)
                guard let metadata = try? PictureFile.read(path).metadata else { continue }
                let parts: [(MetadataTarget.Part, [UInt8]?)] = [
                    (.exif, metadata.exif), (.xmp, metadata.xmp), (.iptc, metadata.iptc), (.profile, metadata.profile),
                    (.comment, metadata.parameters.map { Array($0.utf8) }),
                ]
                for (part, body) in parts {
                    guard let body else { continue }
                    try keep([part.rawValue] + body, "metadata", "\(part)-\(name)")
                }
            }
        }
    }
}

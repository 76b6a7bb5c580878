import Fuzzing
import Raster
import RasterFiles
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A picture file: read whole and by strips, its colours looked at, written again and read back.
enum PictureTarget {
    /// Small enough for many files a second, large enough for several strips and tiles.
    static let limits = PictureFile.Limits(longestSide: 20_000, pixels: 1 << 18)
    static let writing = PictureFile.WriteOptions(compression: 1, threads: Threads(1))
    /// Of pictures with more pixels only the reading is of interest.
    private static let mostWritten = 1 << 12
    private static let file = PassingFile()

    static func run(_ bytes: [UInt8], _ format: PictureFormat) -> Bool {
        guard PictureFormat(content: Array(bytes.prefix(16))) == format else { return false }
        let whole = read { () throws(PictureFileError) in
            try PictureFile.decode(bytes, name: "it", limits: limits)
        }
        file.fill(bytes)
        _ = read { () throws(PictureFileError) in try PictureFile.glance(file.path, limits: limits) }
        compare(whole, bytes)
        if format == .tiff, let look = PictureFile.look(file.path) {
            let name = "it#page=\(1 + bytes.count % min(look.pages, 4))"
            _ = read { () throws(PictureFileError) in try PictureFile.decode(bytes, name: name, limits: limits) }
        }
        guard let whole, whole.size.area <= mostWritten else { return true }
        colours(whole)
        writeAgain(whole, as: [.png, .tiff, .jpeg][bytes.count % 3])
        return true
    }

    /// What reading gives, or nil where it is refused as files are.
    static func read<Result>(_ body: () throws(PictureFileError) -> Result) -> Result? {
        do throws(PictureFileError) {
            return try body()
        } catch {
            requireLine(error.description)
            // A page that is not there is the caller's.
            let isPage = if case .noSuchPage = error { true } else { false }
            require(error.exitCode == 65 || isPage, "\(error) is not the file's fault")
            return nil
        }
    }

    /// Strips refuse what the whole refuses, and are the same picture otherwise.
    private static func compare(_ whole: Picture?, _ bytes: [UInt8]) {
        // The scans of every other progressive file lie in a file.
        let held = bytes.count.isMultiple(of: 2) ? PictureReader.usualScans : 0
        do {
            let reader = try PictureReader(file.path, limits: limits, unrollingIn: file.folder, holding: held)
            var (samples, rows) = ([Float](), 0)
            try reader.read(samples: 1 + bytes.count % 4096) { strip, y in
                require(y == rows && strip.width == reader.size.width, "strips do not follow one another")
                rows += strip.height
                samples += strip.samples.floats
            }
            require(rows == reader.size.height, "\(rows) rows of \(reader.size)")
            require(whole != nil, "strips are read, and the whole is refused")
            guard let whole else { return }
            require(reader.size == whole.size && reader.metadata == whole.metadata, "strips are of another picture")
            require(
                samples.elementsEqual(whole.samples.floats) { $0.bitPattern == $1.bitPattern },
                "strips have other samples")
        } catch let error as PictureFileError {
            requireLine(error.description)
            require(whole == nil && error.exitCode == 65, "strips are refused, and the whole is read: \(error)")
        } catch {
            require(false, "\(error)")
        }
    }

    /// What the file says of its colours, acted on.
    static func colours(_ picture: Picture) {
        let (space, fault) = ColourSpace.read(picture.metadata, picture.channels)
        _ = fault.map { requireLine("It " + $0.description) }
        guard !space.isPlain else { return }
        _ = space.shown(picture)
    }

    static func writeAgain(_ picture: Picture, as format: PictureFormat) {
        do throws(PictureFileError) {
            let written = try PictureFile.encode(picture, as: format, options: writing)
            let again = try PictureFile.decode(written, name: "again")
            require(again.size == picture.size, "\(format.name): \(picture.size) comes back as \(again.size)")
            if format == .tiff || (format == .png && picture.depth <= 16) {
                require(
                    again.samples.floats.elementsEqual(picture.samples.floats) { $0.bitPattern == $1.bitPattern },
                    "\(format.name): other samples come back")
            }
        } catch {
            require(false, "what was read cannot be written: \(error)")
        }
    }
}

extension Picture.Samples {
    /// As numbers of one kind, exactly.
    var floats: [Float] {
        switch self {
        case .eight(let values): values.map(Float.init)
        case .sixteen(let values): values.map(Float.init)
        case .float(let values): values
        }
    }
}

/// A file without a name that only memory holds, filled anew for each run.
struct PassingFile {
    let folder = "/dev/shm"
    let path: String
    private let descriptor: Int32

    init() {
        var template = Array("\(folder)/velatura-fuzz-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        require(descriptor >= 0, "there is no passing file")
        unlink(template)
        path = "/proc/self/fd/\(descriptor)"
    }

    func fill(_ bytes: [UInt8]) {
        require(
            ftruncate(descriptor, off_t(bytes.count)) == 0 && pwrite(descriptor, bytes, bytes.count, 0) == bytes.count,
            "the passing file cannot be filled")
    }
}

import Raster

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Pixels of a picture that may be too many for memory: they lie in a file that has no name, and parts of them are asked for.
///
/// The file is gone with the process, however that ends. What is asked for is read and written by the kernel's own copy, so
/// that the store takes no memory of its own.
package final class PixelStore: @unchecked Sendable {
    package let size: PixelSize
    package let channels: Picture.Channels
    /// Bits of a sample, 8, 16 or 32.
    package let depth: Int
    /// What messages call the place.
    private let folder: String
    private let unnamed: UnnamedFile

    private var file: Int32 { unnamed.descriptor }
    private var pixelBytes: Int { channels.count * depth / 8 }

    /// - Parameter folder: on whose disk the pixels lie; it must be there
    /// Throws: `cannotCreate`; `writeFailed` where the disk has no room.
    package init(size: PixelSize, channels: Picture.Channels, depth: Int, in folder: String)
        throws(PictureFileError)
    {
        (self.size, self.channels, self.depth, self.folder) = (size, channels, depth, folder)
        unnamed = try UnnamedFile(
            bytes: size.area * channels.count * depth / 8, for: "the pixels of \(size)", in: folder)
    }

    /// Puts pixels in their place.
    ///
    /// Throws: `writeFailed`
    package func write(_ part: Picture, x: Int = 0, y: Int) throws(PictureFileError) {
        precondition(part.channels == channels && part.depth == depth, "a store holds pixels of one kind")
        precondition(
            Rectangle(x: x, y: y, width: part.width, height: part.height).fits(in: size), "pixels have a place")
        func all(_ bytes: UnsafeRawBufferPointer) -> Int32 {
            // Rows that are whole lie behind one another.
            let rows = part.width == size.width ? 1 : part.height
            let count = bytes.count / rows
            for row in 0..<rows {
                let piece = UnsafeRawBufferPointer(rebasing: bytes[row * count..<(row + 1) * count])
                let code = moved(piece.count, to: ((y + row) * size.width + x) * pixelBytes) { done, count, place in
                    piece.baseAddress.map { pwrite(file, $0 + done, count, place) } ?? 0
                }
                if code != 0 { return code }
            }
            return 0
        }
        let code =
            switch part.samples {
            case .eight(let values): values.withUnsafeBytes(all)
            case .sixteen(let values): values.withUnsafeBytes(all)
            case .float(let values): values.withUnsafeBytes(all)
            }
        if code != 0 { throw .writeFailed(path: folder, reason: systemReason(code)) }
    }

    /// The pixels of a part, which must lie inside.
    ///
    /// Throws: `readFailed`
    package func read(_ part: Rectangle) throws(PictureFileError) -> Picture {
        precondition(part.fits(in: size) && !part.size.isEmpty, "\(part) of \(size)")
        var code: Int32 = 0
        func filled<Sample>(_ type: Sample.Type) -> [Sample] {
            let count = part.size.area * channels.count
            return [Sample](unsafeUninitializedCapacity: count) { buffer, initialised in
                let bytes = UnsafeMutableRawBufferPointer(buffer)
                let rows = part.width == size.width ? 1 : part.height
                let stride = bytes.count / rows
                for row in 0..<rows where code == 0 {
                    code = moved(stride, to: ((part.y + row) * size.width + part.x) * pixelBytes) {
                        done, count, place in
                        bytes.baseAddress.map { pread(file, $0 + row * stride + done, count, place) } ?? 0
                    }
                }
                initialised = count
            }
        }
        let samples: Picture.Samples =
            switch depth {
            case 8: .eight(filled(UInt8.self))
            case 16: .sixteen(filled(UInt16.self))
            default: .float(filled(Float.self))
            }
        if code != 0 { throw .readFailed(path: folder, reason: systemReason(code)) }
        return Picture(size: part.size, channels: channels, samples: samples)
    }

    /// Moves `count` bytes however many go at once. Returns 0, or what was wrong.
    private func moved(_ count: Int, to place: Int, _ once: (_ done: Int, _ count: Int, _ place: off_t) -> Int) -> Int32
    {
        var done = 0
        while done < count {
            let moved = once(done, count - done, off_t(place + done))
            if moved > 0 { done += moved } else if moved == 0 { return EIO } else if errno != EINTR { return errno }
        }
        return 0
    }
}

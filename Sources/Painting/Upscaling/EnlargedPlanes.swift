import Raster
import Tensors

/// What a network makes of a picture, plane by plane: in memory, or in a file without a name where that is more than a
/// photograph.
final class EnlargedPlanes {
    let size: PixelSize
    let channelCount: Int
    private var values: [Float]
    private let file: SpillFile?

    /// What is held in memory at most.
    static let usualHold = 1 << 28

    /// - Throws: ``EngineError/spill(_:)`` where no file can be made
    init(_ size: PixelSize, channelCount: Int, holding bytes: Int = usualHold) throws {
        (self.size, self.channelCount) = (size, channelCount)
        let waits = Self.diskBytes(size, channelCount: channelCount, holding: bytes) > 0
        file = waits ? try SpillFile() : nil
        values = waits ? [] : [Float](repeating: 0, count: size.area * channelCount)
    }

    /// Bytes of disk that planes take; 0 where they are held.
    static func diskBytes(_ size: PixelSize, channelCount: Int, holding bytes: Int = usualHold) -> Int {
        let all = 4 * size.area * channelCount
        return all > bytes ? all : 0
    }

    /// Puts planes `[1, C, h, w]` at a place, from a channel on; they are clipped to 0…1.
    func write(_ part: Tensor, row: Int, column: Int, channel first: Int) throws {
        let (channels, height, width) = (part.shape[1], part.shape[2], part.shape[3])
        var line = [Float](repeating: 0, count: width)
        for place in 0..<channels * height {
            let (channel, y) = place.quotientAndRemainder(dividingBy: height)
            part.withPointer { source in
                for x in 0..<width { line[x] = min(max(source[place * width + x], 0), 1) }
            }
            let at = ((first + channel) * size.height + row + y) * size.width + column
            if let file {
                try line.withUnsafeBufferPointer { line in
                    if let base = line.baseAddress { try file.write(base, width, at: at) }
                }
            } else {
                values.replaceSubrange(at..<at + width, with: line)
            }
        }
    }

    /// Rows of the picture.
    func rows(_ rows: Range<Int>) throws -> FloatPicture {
        let count = rows.count * size.width
        var planes = [Float](repeating: 0, count: count * channelCount)
        for channel in 0..<channelCount {
            let at = (channel * size.height + rows.lowerBound) * size.width
            if let file {
                try planes.withUnsafeMutableBufferPointer { planes in
                    if let base = planes.baseAddress { try file.read(base + channel * count, count, at: at) }
                }
            } else {
                planes.replaceSubrange(channel * count..<(channel + 1) * count, with: values[at..<at + count])
            }
        }
        return FloatPicture(
            size: PixelSize(width: size.width, height: rows.count), channelCount: channelCount, planar: planes)
    }
}

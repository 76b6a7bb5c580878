import Checkpoints
import Tensors

/// A network that enlarges pictures, as a file has it.
package protocol Upscaler: Sendable {
    /// "RRDBNet", …
    var architecture: String { get }
    /// What it is made of, in words: "64 features, 23 blocks".
    var summary: String { get }
    /// How many times as long sides become.
    var factor: Int { get }
    /// Channels of the pictures that go in and come out: 1 or 3.
    var channels: Int { get }
    /// Where it may be cut: pixels of what goes in beyond which nothing changes a bit of a pixel's result in 32 bits, and of
    /// which first rows and columns have to be multiples; nil where everything hangs together.
    var locality: (reach: Int, multiple: Int)? { get }
    var engine: Engine { get }

    /// Work of one picture, and the bytes that wait between layers.
    func work(height: Int, width: Int) -> Work

    /// - Parameters:
    ///   - picture: `[1, channels, H, W]`, 0…1
    ///   - bands: how rows are cut
    ///   - emit: takes `[1, channels, h, w]`, about 0…1, which belong at a row and a column of the enlarged picture
    ///   - advance: told of work done, in the measure of ``work(height:width:)``; may throw to stop
    func enlarge(
        _ picture: Tensor, _ bands: UpscalingBands, emit: (_ part: Tensor, _ row: Int, _ column: Int) throws -> Void,
        advance: (_ operations: Double) throws -> Void
    ) throws
}

/// Opens a learned upscaler: safetensors or a torch archive, with the state alone or wrapped.
///
/// - Throws: ``CheckpointError`` where it is none that is known, or its tensors do not fit together
package func openUpscaler(_ file: TensorFile, on engine: Engine) throws(CheckpointError) -> any Upscaler {
    let known = try UpscalerFile(file)
    let ledger = WeightLedger([known.file])
    let scope = WeightScope(ledger, on: engine.forPart())
    let network: any Upscaler =
        switch known.architecture {
        case .rrdb: try RRDBNet(known, scope)
        case .compact: try CompactNet(known, scope)
        case .swin: try SwinIR(known, scope)
        }
    try ledger.close()
    return network
}

extension Upscaler {
    /// The whole picture at once. **Shape** `[1, channels, H, W]` → `[1, channels, H·factor, W·factor]`
    package func callAsFunction(_ picture: Tensor, bandBytes: Int? = nil) throws -> Tensor {
        let (height, width) = (picture.shape[2] * factor, picture.shape[3] * factor)
        var result = Tensor(unfilled: [1, channels, height, width])
        let bands = UpscalingBands(self, picture, bytes: bandBytes)
        try enlarge(picture, bands) { part, row, column in
            let (rows, columns) = (part.shape[2], part.shape[3])
            part.withPointer { source in
                result.withMutablePointer { out in
                    for line in 0..<channels * rows {
                        let (channel, y) = line.quotientAndRemainder(dividingBy: rows)
                        (out + (channel * height + row + y) * width + column)
                            .update(from: source + line * columns, count: columns)
                    }
                }
            }
        } advance: { _ in
        }
        return result
    }
}

extension Convolution {
    /// A convolution of an upscaler: always in one form, so that a pixel's sums are the same wherever the picture is cut.
    static func fixed(_ scope: WeightScope, from inputs: Int, to outputs: Int, kernel: Int = 3) -> Convolution {
        let engine = scope.engine
        return Convolution(
            scope.weights("weight", [outputs, inputs, kernel, kernel]), bias: scope.weights("bias", [outputs]),
            padding: Padding(kernel / 2), form: form(kernel, on: engine), on: engine)
    }

    static func form(_ kernel: Int, on engine: Engine) -> KernelPlan.Form {
        kernel == 3 && KernelPlan.hasWinograd(on: engine) ? .winograd : .direct
    }
}

/// Pixels from the edge of a piece that one convolution makes others than they are in the whole: the tiles of Winograd's form
/// that lie at it, whose every pixel is rounded differently.
let reachOfConvolution = 4

extension Tensor {
    /// Blocks of factor×factor pixels as channels; what is missing on the right and below is mirrored.
    ///
    /// **Shape** `[1, C, H, W]` → `[1, C·factor², ⌈H/factor⌉, ⌈W/factor⌉]`, channels in the order of PyTorch's `pixel_unshuffle`
    func unshuffled(_ factor: Int) -> Tensor {
        if factor == 1 { return self }
        let (channels, height, width) = (shape[1], shape[2], shape[3])
        let (rows, columns) = ((height + factor - 1) / factor, (width + factor - 1) / factor)
        var result = Tensor(unfilled: [1, channels * factor * factor, rows, columns])
        withPointer { source in
            result.withMutablePointer { out in
                for place in 0..<channels * factor * factor * rows {
                    let (plane, row) = place.quotientAndRemainder(dividingBy: rows)
                    let (channel, inner) = plane.quotientAndRemainder(dividingBy: factor * factor)
                    let y = mirrored(row * factor + inner / factor, height)
                    let line = source + (channel * height + y) * width
                    for column in 0..<columns {
                        out[place * columns + column] = line[mirrored(column * factor + inner % factor, width)]
                    }
                }
            }
        }
        return result
    }

    /// The opposite: channels as blocks of factor×factor pixels. **Shape** `[1, C·factor², H, W]` → `[1, C, H·factor, W·factor]`
    func shuffled(_ factor: Int) -> Tensor {
        if factor == 1 { return self }
        let (channels, height, width) = (shape[1] / (factor * factor), shape[2], shape[3])
        var result = Tensor(unfilled: [1, channels, height * factor, width * factor])
        withPointer { source in
            result.withMutablePointer { out in
                for place in 0..<channels * factor * factor * height {
                    let (plane, y) = place.quotientAndRemainder(dividingBy: height)
                    let (channel, inner) = plane.quotientAndRemainder(dividingBy: factor * factor)
                    let row = (channel * height + y) * factor + inner / factor
                    for x in 0..<width {
                        out[(row * width + x) * factor + inner % factor] = source[place * width + x]
                    }
                }
            }
        }
        return result
    }

    /// Rows and columns of `[1, C, H, W]`.
    func part(rows: Range<Int>, columns: Range<Int>) -> Tensor {
        if rows == 0..<shape[2], columns == 0..<shape[3] { return self }
        var result = Tensor(unfilled: [1, shape[1], rows.count, columns.count])
        withPointer { source in
            result.withMutablePointer { out in
                for line in 0..<shape[1] * rows.count {
                    let (channel, row) = line.quotientAndRemainder(dividingBy: rows.count)
                    (out + line * columns.count).update(
                        from: source + (channel * shape[2] + rows.lowerBound + row) * shape[3] + columns.lowerBound,
                        count: columns.count)
                }
            }
        }
        return result
    }
}

/// Where a place past the end of a row falls when the row is mirrored at its last pixel; a row that is too short is mirrored
/// again.
func mirrored(_ index: Int, _ count: Int) -> Int {
    if index < count { return index }
    if count == 1 { return 0 }
    let place = index % (2 * (count - 1))
    return place < count ? place : 2 * (count - 1) - place
}

extension Engine {
    /// The last layers of ESRGAN's kind: doublings by nearest neighbours, each with its convolution, then two at the full size.
    func doubled(_ x: FeatureMap, by ups: [Convolution], _ full: Convolution, _ last: Convolution) throws -> Tensor {
        var h = x
        let slopes = [Float](repeating: 0.2, count: x.channels)
        for up in ups {
            h = try up(enlarged(h, height: 2 * h.height, width: 2 * h.width))
            leak(&h, slopes: slopes)
        }
        h = try full(h)
        leak(&h, slopes: slopes)
        return tensor(try last(h))
    }
}

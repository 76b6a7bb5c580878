/// Multiplications and additions that a network does, and memory that it needs, counted from its configuration.
///
/// For estimates of time and memory before anything is painted; nothing is measured here.
package struct Work: Sendable {
    /// Floating-point operations, a multiplication and an addition counted as two; 3×3 convolutions at the third of them
    /// that Winograd's form takes in time.
    package var operations: Double = 0
    /// Those of them that an earlier call's deep features save.
    package var deepOperations: Double = 0
    /// Most bytes of feature maps alive at once.
    package var activationBytes: Double = 0
    /// Most bytes of maps that wait between layers beside them, and can do so in a file.
    package var waitingBytes: Double = 0
    /// Most bytes that one operation works in, on each thread.
    package var scratchBytes: Double = 0

    package init() {}

    /// Most bytes that are worked in at once.
    package func working(threads: Int) -> Double { activationBytes + Double(threads) * scratchBytes }

    mutating func convolve(_ inputs: Int, _ outputs: Int, kernel: Int, pixels: Double) {
        let weights = Double(inputs * outputs * kernel * kernel)
        operations += 2 * weights * pixels * (kernel == 3 ? 1.0 / 3 : 1)
        // Winograd's transformed pixels, sums and weights: 36 values each for a piece of up to 96 tiles of 16 pixels.
        guard kernel == 3 else { return }
        let tiles = min(96, pixels / 16)
        scratchBytes = max(
            scratchBytes, 36 * 4 * (tiles * Double(inputs + 64) + Double(min(inputs, 128) * 64)))
    }

    mutating func multiply(_ inputs: Int, _ outputs: Int, rows: Double) {
        convolve(inputs, outputs, kernel: 1, pixels: rows)
    }

    mutating func attend(_ width: Int, queries: Double, keys: Double, batch: Double) {
        operations += 4 * Double(width) * queries * keys * batch
    }

    fileprivate mutating func residual(_ inputs: Int, _ outputs: Int, pixels: Double) {
        convolve(inputs, outputs, kernel: 3, pixels: pixels)
        convolve(outputs, outputs, kernel: 3, pixels: pixels)
        if inputs != outputs { multiply(inputs, outputs, rows: pixels) }
        activationBytes = max(activationBytes, pixels * Double(2 * inputs + 3 * outputs) * 4)
    }

    /// - Parameter merged: share of the tokens that self-attention has not
    fileprivate mutating func transformer(
        _ width: Int, context: Int, tokens: Double, layers: Int, pixels: Double, batch: Double, merged: Double
    ) {
        let kept = pixels * (1 - merged)
        multiply(width, 2 * width, rows: pixels * batch)
        for _ in 0..<layers {
            multiply(width, 4 * width, rows: kept * batch)
            multiply(width, 2 * width, rows: pixels * batch)
            multiply(context, 2 * width, rows: tokens * batch)
            attend(width, queries: kept, keys: kept, batch: batch)
            // Three of four tokens are compared with the fourth.
            if merged > 0 { operations += 2 * Double(width) * pixels / 4 * 0.75 * pixels * batch }
            attend(width, queries: pixels, keys: tokens, batch: batch)
            multiply(width, 12 * width, rows: pixels * batch)
        }
        activationBytes = max(activationBytes, pixels * batch * Double(width) * 14 * 4)
    }
}

extension UNetConfiguration {
    /// One prediction.
    ///
    /// - Parameters:
    ///   - height: of the latents, in cells
    ///   - batch: 2 under guidance
    package func work(
        height: Int, width: Int, batch: Int, tokens: Int = 77, _ departures: UNet.Departures = .init()
    ) -> Work {
        var work = Work()
        let levels = blockOutChannels.count
        let (batch, tokens) = (Double(batch), Double(tokens))
        func pixels(_ level: Int) -> Double {
            Double(((height + 1 << level - 1) >> level) * ((width + 1 << level - 1) >> level))
        }
        func attention(_ block: Block, _ level: Int) {
            guard block == .crossAttention else { return }
            work.transformer(
                blockOutChannels[level], context: contextWidth, tokens: tokens, layers: transformerLayers[level],
                pixels: pixels(level), batch: batch,
                merged: departures.merging.map { self.attention(level).merges($0) ? min($0.ratio, 0.75) : 0 } ?? 0)
        }
        // Operations before which skips were there, or are left, that deep features have no part in.
        var (made, before) = (0, 0.0)
        func endLayer(_ skip: Int) {
            if let branch = departures.deepBranch, skip > branch { work.deepOperations += work.operations - before }
            before = work.operations
        }
        var skips = 0.0
        func keep(_ channels: Int, _ level: Int) { skips += pixels(level) * batch * Double(channels) * 4 }

        work.convolve(inChannels, blockOutChannels[0], kernel: kernelIn, pixels: pixels(0) * batch)
        keep(blockOutChannels[0], 0)
        endLayer(0)
        for level in 0..<levels {
            for layer in 0..<layersPerBlock[level] {
                let from = layer == 0 ? blockOutChannels[max(level - 1, 0)] : blockOutChannels[level]
                work.residual(from, blockOutChannels[level], pixels: pixels(level) * batch)
                attention(downBlocks[level], level)
                keep(blockOutChannels[level], level)
                made += 1
                endLayer(made)
            }
            guard level + 1 < levels else { continue }
            work.convolve(
                blockOutChannels[level], blockOutChannels[level], kernel: 3, pixels: pixels(level + 1) * batch)
            keep(blockOutChannels[level], level + 1)
            made += 1
            endLayer(made)
        }
        let last = levels - 1
        for _ in 0..<2 { work.residual(blockOutChannels[last], blockOutChannels[last], pixels: pixels(last) * batch) }
        attention(middle, last)
        endLayer(made + 1)
        for level in (0..<levels).reversed() {
            for layer in 0...layersPerBlock[level] {
                let before = layer == 0 ? blockOutChannels[min(level + 1, last)] : blockOutChannels[level]
                let skip =
                    layer == layersPerBlock[level] ? blockOutChannels[max(level - 1, 0)] : blockOutChannels[level]
                work.residual(before + skip, blockOutChannels[level], pixels: pixels(level) * batch)
                attention(upBlocks[last - level], level)
                endLayer(made)
                made -= 1
            }
            if level > 0 {
                work.convolve(
                    blockOutChannels[level], blockOutChannels[level], kernel: 3, pixels: pixels(level - 1) * batch)
            }
        }
        work.convolve(blockOutChannels[0], outChannels, kernel: kernelOut, pixels: pixels(0) * batch)
        work.activationBytes += skips
        return work
    }
}

extension TextEncoderConfiguration {
    /// Most bytes that reading so many tokens works in: every layer's state, and what one layer makes of it.
    package func workingBytes(tokens: Int) -> Double {
        Double(tokens * (width * (layers + 8) + feedForwardWidth)) * 4
    }
}

extension AutoencoderConfiguration {
    /// One encoding or decoding of a picture.
    package func work(pictureHeight height: Int, width: Int, decoding: Bool) -> Work {
        var work = Work()
        let levels = blockOutChannels.count
        func pixels(_ level: Int) -> Double { Double((height >> level) * (width >> level)) }
        /// A convolution in bands, as ``Bands`` has it; `kept` channels of its level wait beside what it reads and writes.
        func band(_ inputs: Int, _ outputs: Int, _ level: Int, waiting: Double) {
            work.convolve(inputs, outputs, kernel: 3, pixels: pixels(level))
            let (height, width) = (height >> level, width >> level)
            let rows = min(height, Bands.rows(from: inputs, to: outputs, width: width) + 2)
            work.activationBytes = max(work.activationBytes, Double(rows * width * (2 * inputs + outputs)) * 4)
            work.waitingBytes = max(work.waitingBytes, waiting * 4)
        }
        let last = levels - 1
        band(imageChannels, blockOutChannels[0], 0, waiting: 0)
        for level in 0..<levels {
            let neighbour = blockOutChannels[decoding ? min(level + 1, last) : max(level - 1, 0)]
            let own = blockOutChannels[level]
            for layer in 0..<layersPerBlock + (decoding ? 1 : 0) {
                let inputs = layer == 0 ? neighbour : own
                band(inputs, own, level, waiting: pixels(level) * Double(inputs + own))
                let results = inputs == own ? own : 2 * own
                band(own, own, level, waiting: pixels(level) * Double(inputs + results))
                if inputs != own { work.multiply(inputs, own, rows: pixels(level)) }
            }
            if level < last {
                let channels = blockOutChannels[decoding ? level + 1 : level]
                let waiting = (pixels(level) + pixels(level + 1)) * Double(channels)
                band(channels, channels, decoding ? level : level + 1, waiting: waiting)
            }
        }
        let middle = pixels(last) * Double(blockOutChannels[last])
        for _ in 0..<4 {
            work.convolve(blockOutChannels[last], blockOutChannels[last], kernel: 3, pixels: pixels(last))
        }
        work.activationBytes = max(work.activationBytes, middle * 4 * 4)
        if middleAttends {
            work.multiply(blockOutChannels[last], 4 * blockOutChannels[last], rows: pixels(last))
            work.attend(blockOutChannels[last], queries: pixels(last), keys: pixels(last), batch: 1)
            // The map, its rows, keys and values, these packed; and three times the queries that run at once.
            let queries = min(pixels(last), Double(PixelAttention.mostQueries)) * Double(blockOutChannels[last])
            work.activationBytes = max(work.activationBytes, (middle * 6 + queries * 3) * 4)
        }
        work.convolve(latentChannels * 2, blockOutChannels[last], kernel: 3, pixels: pixels(last))
        return work
    }
}

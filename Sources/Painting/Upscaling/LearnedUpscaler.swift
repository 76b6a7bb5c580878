import CMiniature
import Checkpoints
import Networks
import Raster
import Tensors

/// A network that learnt to enlarge, run as often as the target needs, with Lanczos for what is left.
package struct LearnedUpscaler: PictureUpscaler {
    package let name: String
    package let network: any Upscaler
    private let engine: Engine
    package let hash: String?
    /// Most bytes of a band of rows, for tests.
    private let bandBytes: Int?

    /// - Parameter name: "miniature" for the one inside the program, or the path of a safetensors file or a torch archive
    /// - Throws: ``CheckpointError`` where it is not there, or no upscaler that is known
    package init(named name: String, bandBytes: Int? = nil, on engine: Engine) throws(CheckpointError) {
        let file = name == Self.miniature ? try Self.miniatureFile() : try TensorFile(path: name)
        (self.bandBytes, self.engine, self.name) = (bandBytes, engine, file.name)
        network = try openUpscaler(file, on: engine)
        hash = Self.hash(file)
    }

    /// The name of the upscaler inside the program: Sources/CMiniature/upscaler/MODEL_CARD.md says what it can and cannot do.
    package static let miniature = "miniature"

    package static func miniatureHash() throws(CheckpointError) -> String { hash(try miniatureFile()) }

    private static func miniatureFile() throws(CheckpointError) -> TensorFile {
        var count = 0
        guard let bytes = miniature_upscaler(&count) else {
            throw .invalid("The program holds no upscaler. Build it again.")
        }
        return try TensorFile(FileBytes(name: miniature, constant: UnsafeRawPointer(bytes), count: count))
    }

    private static func hash(_ file: TensorFile) -> String {
        var sum = SHA256()
        file.forEachPiece { sum.update($0) }
        return sum.finish()
    }

    package var factor: Int? { network.factor }

    /// Which code the numbers came from, for the recipe.
    package func kernels() throws -> [(String, String)] {
        let libraries = try Engine.libraries()
        return [
            ("processor", engine.instructionSet), ("loops", libraries.kernels), ("oneDNN", libraries.oneDNN),
            ("precision", engine.precision.rawValue), ("plan", KernelPlan.name),
        ]
    }

    /// Most runs over one picture, as in AUTOMATIC1111's web UI: `modules/upscaler.py`.
    private static let mostPasses = 3

    /// Times that the network runs: until its result is as large as the target, and once at least.
    package func passes(_ size: PixelSize, to target: PixelSize) -> Int {
        guard network.factor > 1 else { return 1 }
        var (passes, width, height) = (1, size.width * network.factor, size.height * network.factor)
        while passes < Self.mostPasses, width < target.width || height < target.height {
            (passes, width, height) = (passes + 1, width * network.factor, height * network.factor)
        }
        return passes
    }

    package func estimate(_ size: PixelSize, to target: PixelSize) -> UpscalingEstimate {
        let passes = passes(size, to: target)
        var (operations, bytes, least, current) = (0.0, 0.0, 0.0, size)
        for pass in 1...passes {
            let work = network.work(height: current.height, width: current.width)
            operations += work.operations * Double(planes(colour: true))
            let made = current.times(network.factor)
            // What the last run makes waits on disk where it is large.
            let all = 12 * Double(made.area)
            let working = min(work.activationBytes, Double(UpscalingBands.usualBytes)) + work.waitingBytes
            let rest =
                work.scratchBytes * Double(engine.threads.count) + Double(network.engine.shelf.wanted)
                + 12 * Double(current.area) + (pass < passes ? all : min(all, Double(hold)))
            bytes = max(bytes, working + rest)
            least = max(least, min(working, Double(UpscalingBands.leastBytes)) + rest)
            current = made
        }
        // The program, the picture as it came in, and bands of the one that comes out.
        let beside = Memory.programBytes + 16 * Double(size.area) + 36 * Double(min(target.area, mostAtOnce))
        if let limit = engine.memory.limit { bytes = min(bytes, max(least, Double(limit) - beside)) }
        return UpscalingEstimate(operations: operations, passes: passes, bytes: bytes, least: beside + least)
    }

    /// Refuses what not even bands of a few rows have the memory for.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)``
    package func check(_ size: PixelSize, to target: PixelSize) throws(PaintingError) {
        let least = estimate(size, to: target).least
        guard let limit = engine.memory.limit, least > Double(limit) else { return }
        throw .unsuitable(
            "--memory-limit is \(MemorySize.text(Double(limit))), but enlarging \(size) to \(target) by \(name) takes at least \(MemorySize.text(least)). Raise the limit, or enlarge less."
        )
    }

    /// How often a network of one channel runs over a picture.
    private func planes(colour: Bool) -> Int { network.channels == 1 && colour ? 3 : 1 }

    package func enlarged(
        _ picture: FloatPicture, to target: PixelSize, part: Rectangle?, advance: (_ operations: Double) throws -> Void
    ) throws -> FloatPicture {
        let part = part ?? Rectangle(target)
        precondition(part.fits(in: target), "\(part) of \(target)")
        let colours = picture.bleedingColours(threads: engine.threads)
        let seen = network.channels == 3 ? colours.colour() : colours
        let passes = passes(picture.size, to: target)
        var whole = picture.size
        for _ in 0..<passes { whole = whole.times(network.factor) }

        let source = reach(of: part, target: target, whole: whole, passes: passes, in: picture.size)
        var made = seen.cropped(to: source)
        for _ in 0..<passes { made = try enlargedOnce(made, advance) }
        let scale = whole.width / picture.width
        let place = Rectangle(
            x: source.x * scale, y: source.y * scale, width: source.width * scale, height: source.height * scale)
        var result = fitted(made, at: place, of: whole, to: target, part)

        if picture.channelCount < 3 { result = result.grey() }
        result.values = result.values.map { min(max($0, 0), 1) }
        guard let alpha = picture.alpha else { return result }
        let enlarged = try LanczosUpscaler(threads: engine.threads).enlarged(alpha, to: target, part: part) { _ in }
        var clipped = enlarged
        clipped.values = enlarged.values.map { min(max($0, 0), 1) }
        return result.with(alpha: clipped)
    }

    /// What the network made, at the target's size.
    private func fitted(
        _ made: FloatPicture, at place: Rectangle, of whole: PixelSize, to target: PixelSize, _ part: Rectangle
    ) -> FloatPicture {
        if whole == target {
            return made.cropped(
                to: Rectangle(x: part.x - place.x, y: part.y - place.y, width: part.width, height: part.height))
        }
        var box = part.box(of: target, in: whole)
        (box.left, box.top) = (box.left - Double(place.x), box.top - Double(place.y))
        return made.resized(to: part.size, box: box, threads: engine.threads)
    }

    /// The part of the source that a part of the result hangs on.
    private func reach(
        of part: Rectangle, target: PixelSize, whole: PixelSize, passes: Int, in size: PixelSize
    ) -> Rectangle {
        guard part.size != target, let (reach, multiple) = network.locality else { return Rectangle(size) }
        func side(_ start: Int, _ length: Int, _ target: Int, _ whole: Int, _ size: Int) -> (Int, Int) {
            // Three lobes of Lanczos on each side, in the network's pixels.
            let scale = Double(whole) / Double(target)
            let lobes = target == whole ? 0 : 3 * max(1, scale) + 2
            var (low, high) = (Double(start) * scale - lobes, Double(start + length) * scale + lobes)
            for _ in 0..<passes {
                (low, high) = (low / Double(network.factor), high / Double(network.factor))
                (low, high) = (low - Double(reach + multiple), high + Double(reach + multiple))
            }
            let first = max(0, Int(low.rounded(.down))) / multiple * multiple
            return (first, min(size, Int(high.rounded(.up))) - first)
        }
        let (x, width) = side(part.x, part.width, target.width, whole.width, size.width)
        let (y, height) = side(part.y, part.height, target.height, whole.height, size.height)
        return Rectangle(x: x, y: y, width: width, height: height)
    }

    /// Bytes of what the network made that are held in memory at most.
    package var hold: Int {
        engine.memory.limit.map { min(EnlargedPlanes.usualHold, $0 / 16) } ?? EnlargedPlanes.usualHold
    }

    /// Pixels of a band that comes out, and of one that is resized; each takes some 36 bytes meanwhile.
    private var mostAtOnce: Int {
        let usual = 1 << 22
        return engine.memory.limit.map { min(usual, max(usual / 16, $0 / 256)) } ?? usual
    }

    /// The whole picture at another size in bands of rows from top to bottom: the bits of
    /// ``enlarged(_:to:part:advance:)``, with what the network made waiting on disk where it is large.
    ///
    /// - Parameters:
    ///   - bytes: of what the network made that are held in memory; nil: ``hold``
    ///   - take: takes each band with the row that it begins at
    package func enlarged(
        _ picture: FloatPicture, to target: PixelSize, holding bytes: Int? = nil,
        advance: (_ operations: Double) throws -> Void,
        bands take: (_ band: FloatPicture, _ y: Int) throws -> Void
    ) throws {
        let seen = picture.bleedingColours(threads: engine.threads)
        var made = network.channels == 3 ? seen.colour() : seen
        for _ in 1..<passes(picture.size, to: target) { made = try enlargedOnce(made, advance) }
        let planes = try EnlargedPlanes(
            made.size.times(network.factor), channelCount: made.channelCount, holding: bytes ?? hold)
        try run(over: made, advance) { part, row, column, channel in
            try planes.write(part, row: row, column: column, channel: channel)
        }
        let alpha = picture.alpha
        func resize(_ size: PixelSize, _ channels: Int) -> FloatStripResize {
            FloatStripResize(size, channelCount: channels, to: target, threads: engine.threads)
        }
        var (colours, shares) = (resize(planes.size, made.channelCount), resize(picture.size, 1))
        /// Gives rows of a source from top to bottom.
        func inOrder(_ size: PixelSize, _ rows: @escaping (Range<Int>) throws -> FloatPicture) -> () throws ->
            FloatPicture
        {
            var end = 0
            return {
                let next = end..<min(size.height, end + max(1, mostAtOnce / size.width))
                end = next.upperBound
                return try rows(next)
            }
        }
        let moreColours = inOrder(planes.size) { try planes.rows($0) }
        let moreShares = inOrder(picture.size) { [size = picture.size] rows in
            let part = Rectangle(x: 0, y: rows.lowerBound, width: size.width, height: rows.count)
            return alpha?.cropped(to: part) ?? FloatPicture(size: part.size, colour: [1])
        }
        let most = max(1, mostAtOnce / target.width)
        for y in stride(from: 0, to: target.height, by: most) {
            let rows = y..<min(target.height, y + most)
            var band = try colours.rows(rows, more: moreColours)
            if picture.channelCount < 3 { band = band.grey() }
            band.values = band.values.map { min(max($0, 0), 1) }
            if alpha != nil {
                var share = try shares.rows(rows, more: moreShares)
                share.values = share.values.map { min(max($0, 0), 1) }
                band = band.with(alpha: share)
            }
            try take(band, y)
        }
    }

    /// One run of the network.
    ///
    /// - Parameter picture: as many channels as the network has; a network of one runs over each of several
    private func enlargedOnce(
        _ picture: FloatPicture, _ advance: (_ operations: Double) throws -> Void
    ) throws -> FloatPicture {
        let (size, count) = (picture.size.times(network.factor), picture.channelCount)
        var result = FloatPicture(
            size: size, channelCount: count, values: [Float](repeating: 0, count: size.area * count))
        try run(over: picture, advance) { part, row, column, channel in
            result.write(part, row: row, column: column, channel: channel)
        }
        // What comes in between is a picture like any other.
        result.values = result.values.map { min(max($0, 0), 1) }
        return result
    }

    /// - Parameter emit: takes planes `[1, C, h, w]` that belong at a row and a column of the result, from a channel on
    private func run(
        over picture: FloatPicture, _ advance: (_ operations: Double) throws -> Void,
        _ emit: (_ part: Tensor, _ row: Int, _ column: Int, _ channel: Int) throws -> Void
    ) throws {
        for channel in stride(from: 0, to: picture.channelCount, by: network.channels) {
            let planes = network.channels == picture.channelCount ? picture : picture.channel(channel)
            let source = Tensor([1, network.channels, picture.height, picture.width], planes.planar())
            let held = 4 * source.count
            let bands = UpscalingBands(network, source, bytes: bandBytes, held: held)
            try network.enlarge(source, bands) { part, row, column in
                try emit(part, row, column, channel)
            } advance: {
                try advance($0)
            }
        }
    }
}

extension FloatPicture {
    /// Writes planes `[1, C, h, w]` at a place, from a channel on.
    fileprivate mutating func write(_ part: Tensor, row: Int, column: Int, channel first: Int) {
        let (channels, height, width) = (part.shape[1], part.shape[2], part.shape[3])
        let (stride, line) = (channelCount, self.width)
        part.withPointer { source in
            values.withUnsafeMutableBufferPointer { values in
                for channel in 0..<channels {
                    for y in 0..<height {
                        let from = source + (channel * height + y) * width
                        var at = ((row + y) * line + column) * stride + first + channel
                        for x in 0..<width {
                            values[at] = from[x]
                            at += stride
                        }
                    }
                }
            }
        }
    }
}

extension PixelSize {
    fileprivate func times(_ factor: Int) -> PixelSize { PixelSize(width: width * factor, height: height * factor) }
}

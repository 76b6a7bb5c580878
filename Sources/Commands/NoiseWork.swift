import Painting
import Raster
import RasterFiles
import Threads

/// Roughening one picture.
final class NoiseWork: ItemWork {
    let item: Item
    let session: PaintingSession
    private let command: NoiseCommand
    private let seed: UInt64
    private var path = ""
    private var gatePath: String?
    private var ready: Ready?

    private struct Ready {
        var source: PictureReader
        var mask: PictureReader?
        var history: Int
        var recipe: NoiseRecipe
    }

    init(_ command: NoiseCommand, _ item: Item, _ session: PaintingSession, seed: UInt64) {
        (self.command, self.item, self.session, self.seed) = (command, item, session, seed)
    }

    var resultCount: Int { 1 }
    var paths: [String] { [path] + [gatePath].compactMap { $0 } }

    func settle(_ names: inout OutputPlan) throws {
        names.options = session.output
        path = try names.path(for: .init(input: item.input, command: "noise", subfolder: item.subfolder))
        guard let gateOut = command.gateOut else { return }
        var options = OutputOptions()
        (options.path, options.overwrite) = (gateOut, session.output.overwrite)
        names.options = try options.checked()
        gatePath = try names.path(for: .init(input: item.input, command: "gate", subfolder: item.subfolder))
    }

    func size(of path: String) throws -> PixelSize { try command.limits.size(of: path) }

    func check(_ size: PixelSize, mask: PixelSize?) throws {
        guard let path = item.mask, let mask else { return }
        try command.masking.check(mask, name: path, for: item.input, size)
    }

    func request() throws -> StudioRequest? { nil }
    /// Of a short list too, pictures are read when their turn comes: of all of them only the sizes have to be known.
    func open() throws {
        try check(try size(of: item.input), mask: try item.mask.map(size))
    }
    func prepare(_ studio: Studio?) throws { if session.journal != nil { _ = try opened() } }
    func close() { ready = nil }

    /// In operations, about.
    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double { Double(size.area) * 1000 }
    var work: Double { (ready?.source.size ?? (try? size(of: item.input))).map { Double($0.area) * 1000 } ?? 0 }

    private func opened() throws -> Ready {
        if let ready { return ready }
        try Interruption.check()
        let source = try InputStrips(item.input, command.limits)
        source.reader.deepen(to: session.output.workingDepth(source.reader.depth, at: path))
        let mask = try item.mask.map { try InputStrips($0, command.limits) }
        try check(source.reader.size, mask: mask?.reader.size)
        let recipe = NoiseRecipe(
            command.roughness, seed: seed, source: source.identity, mask: mask?.identity, masking: command.masking,
            form: session.form(at: path))
        let new = Ready(
            source: source.reader, mask: mask?.reader, history: Inheritance(source.reader.metadata).history.count,
            recipe: recipe)
        ready = new
        return new
    }

    func recipes() throws -> [ExpectedResult] {
        let ready = try opened()
        let hash = ready.recipe.hash(over: ready.source.metadata)
        return [.init(path: path, recipes: [hash], carriesRecipe: session.output.writesRecipe)]
            + [gatePath].compactMap { $0 }.map { .init(path: $0, recipes: [hash], carriesRecipe: false) }
    }

    func tell() throws {
        guard command.plansOnly else { return }
        let ready = try opened()
        let strips = Strips(ready, command, in: ready.source.folder)
        try strips.roughened { _, _, found in if let found { try say(ready, strips, found) } }
        close()
    }

    /// What was found in a picture.
    private struct Findings {
        /// Standard deviation of its own noise, in levels of 8 bits.
        var noise: Double
        /// How much of it the gate let noise into, 0…1.
        var open: Double
    }

    /// A picture and its mask while they are gone through.
    private struct Strips {
        let ready: Ready
        let rows: PictureRows
        let mask: MaskRows?
        private let command: NoiseCommand

        /// - Parameter folder: where pixels lie that cannot be read in strips
        init(_ ready: Ready, _ command: NoiseCommand, in folder: String) {
            (self.ready, self.command) = (ready, command)
            ready.source.folder = folder
            rows = PictureRows(ready.source)
            mask = ready.mask.map {
                MaskRows(
                    $0, command.maskFit, to: ready.source.size, inverts: command.invertMask, in: folder,
                    threads: command.threading.pool)
            }
        }

        var diskBytes: Int {
            PictureRows.diskBytes(ready.source) + (mask?.diskBytes ?? 0)
                + (ready.recipe.form.format == .tiff ? ready.source.plateBytes(ready.source.size) : 0)
        }

        /// Twice from top to bottom: the gate is measured against all of the picture before any of it is changed.
        ///
        /// - Parameter take: takes each band, with the last one what was found in all of them
        func roughened(
            _ take: (_ band: Roughening.Result, _ rows: Range<Int>, _ found: Findings?) throws -> Void
        ) throws {
            let (source, threads) = (ready.source, command.threading.pool)
            func picture(_ wanted: Range<Int>) throws -> Picture {
                try Interruption.check()
                return try rows.rows(wanted)
            }
            let noise = try SensorNoise(
                source.size, isGrey: source.channels.isGrey, threads: threads, rows: picture)
            var openness = 0
            try command.roughness.bands(
                source.size, noise, pixelBytes: source.channels.count * source.depth / 8, seed: ready.recipe.seed,
                pass: ready.history, threads: threads, picture: picture,
                mask: mask.map { mask in { try mask.rows($0) } }
            ) { band, rows in
                openness += band.openness
                let open = Double(openness) / 255 / Double(source.size.area)
                let isLast = rows.upperBound == source.size.height
                try take(band, rows, isLast ? Findings(noise: Double(noise.deviation), open: open) : nil)
            }
        }
    }

    /// The plan in one line, with what was found in the picture.
    private func say(_ ready: Ready, _ strips: Strips, _ found: Findings) throws {
        let (size, open) = (ready.source.size, (found.open * 1000).rounded() / 10)
        let grain = (found.noise * 100).rounded() / 100
        var line =
            "\(item.input): \(size), \(ready.recipe.plan); its own noise \(Console.number(grain)), gate open on \(Console.number(open)) %"
        let disk = strips.diskBytes
        if disk > 0 { line += ", with \(MemorySize.text(Double(disk))) on disk meanwhile" }
        let members: [(String, JSONText)] =
            [
                ("event", .text("plan")), ("input", .text(item.input)),
                ("source", .list([.integer(size.width), .integer(size.height)])), ("noise", .number(grain)),
                ("open", .number(open)), ("disk", .integer(disk)),
            ] + ready.recipe.members.filter { !["source", "mask"].contains($0.0) }
        if command.plansOnly { return session.console.say(line, members) }
        if command.telling.json { return session.console.say(nil, members) }
        try session.console.report(.note(line))
    }

    func make(_ advance: Share) throws {
        let (began, work) = (clock(), work)
        let ready = try opened()
        let source = ready.source
        try session.console.warnOfCarriedColour(
            source.metadata, source.channels, named: item.input, in: session.output.format(at: path))
        let strips = Strips(ready, command, in: try session.folder(of: path))
        /// - Parameter gate: takes the gate's rows, where they are wanted
        func write(_ gate: (Picture) throws -> Void) throws {
            try session.write(
                source.size, channels: source.channels, depth: source.depth, ready.recipe, over: source.metadata,
                to: path, input: item.input, seed: ready.recipe.drawn, began: began
            ) { send in
                try strips.roughened { band, rows, found in
                    try send(band.picture)
                    try gate(band.gate)
                    if let found, !session.console.isOfMany { try say(ready, strips, found) }
                    if work > 0 {
                        try advance(work * Double(rows.count) / Double(source.size.height), "roughening")
                    }
                }
            }
        }
        guard let gatePath else {
            try write { _ in }
            return close()
        }
        try session.write(
            source.size, channels: .grey, depth: 8, metadata: .init(), to: gatePath,
            hash: ready.recipe.hash(over: source.metadata), format: PictureFormat(path: gatePath) ?? .png
        ) { gate in try write(gate) }
        try session.console.report(
            .result(.init(path: gatePath, input: item.input, command: "noise", seconds: clock() - began)))
        close()
    }
}

import Painting
import Raster
import RasterFiles
import Sampling
import Threads

/// A picture that is to be repainted, with what belongs to it.
struct Subject {
    /// As the user named it; nil where painting begins on an empty canvas.
    var path: String?
    var picture: Picture
    var identity: (name: String, hash: String)?
    /// RGB that painting starts from, where that is not the picture itself.
    var sketch: FloatPicture?
    /// As its file has it, fitted to the picture.
    var mask: Mask?
    var maskFile: InputPicture?
    var strokes: InputPicture?

    init(_ input: InputPicture) { (path, picture, identity) = (input.path, input.picture, input.identity) }

    init(canvas: Picture) { picture = canvas }

    /// What messages call it.
    var name: String { path ?? strokes?.path ?? "the canvas" }
}

/// The way of every command that repaints pictures: names first, then files, then the model, then every plan, then paint.
struct Repainting {
    var command: String
    var level: LevelOptions
    var painting: PaintingOptions
    var finish: FinishOptions
    var results: ResultOptions
    var telling: TellingOptions
    /// Percent skipped where no level is given.
    var defaultSkip: String
    var defaultAnchor: Double
    var masking: Masking?
    var background: Colour?
    var loops = Loops()
    var inversion: Inversion?
    /// Painting starts from this instead of the picture.
    var perlinInit: PerlinPicture.Mode?

    /// Paints what is no list that a folder or a manifest could give.
    ///
    /// - Parameters:
    ///   - name: what results are named after
    ///   - read: reads all files and checks them; called once every name is settled
    func run(_ name: String, read: @escaping () throws -> Subject) throws {
        try telling.telling { console in
            let run = ItemRun(console, plansOnly: telling.explain)
            try run.paint(try works([Item(input: name)], run) { _ in try read() })
        }
    }

    /// The work of each picture of a list.
    ///
    /// - Parameter read: reads the files of one
    /// - Throws: ``PaintingError`` where the options cannot be, whatever the pictures are
    func works(_ items: [Item], _ run: ItemRun, read: @escaping (Item) throws -> Subject) throws -> [any ItemWork] {
        let skips = try level.skips(default: defaultSkip, steps: painting.stepCount)
        // Where the model may have its own way of counting, once it is loaded.
        if painting.sampling.runSteps == nil, painting.sampling.compat == .none,
            painting.steps != nil || level.skipSteps != nil
        {
            try Refine.checkRungs(skips, steps: painting.stepCount)
        }
        let seeds = painting.seed?.seeds ?? [run.sharedSeed()]
        guard Set(seeds).count == seeds.count else {
            throw PaintingError.usage("--seed names a seed twice. Leave one out.")
        }
        let session = PaintingSession(
            console: run.console, output: try run.output(results), journal: run.journal,
            threads: Threads(painting.threads))
        var settings = try painting.settings()
        finish.apply(to: &settings, anchor: defaultAnchor)
        (settings.masking, settings.background, settings.perlinInit) = (masking, background, perlinInit)
        (settings.loops, settings.inversion) = (loops, inversion)
        if perlinInit != nil, settings.noise != nil {
            throw PaintingError.usage(
                "--noise goes into the picture, which --perlin-init does not start from. Leave one out.")
        }
        return items.map { item in
            RepaintingWork(self, item, session, settings, skips: skips, seeds: seeds, read: read)
        }
    }
}

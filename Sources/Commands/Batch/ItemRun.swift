import Painting
import Raster
import RasterFiles

/// One run over a list: which seed is shared, where results are noted, what is told.
final class ItemRun {
    let console: Console
    /// Whether plans are told and nothing is painted.
    let plansOnly: Bool
    /// Of a batch: how it goes on, and what it has made so far.
    let batch: BatchOptions?
    let journal: Journal?
    let shelf = StudioShelf()
    let upscalers = UpscalerShelf()
    private var seed: UInt64?
    /// Where the results of a folder of pictures go, which need not be there yet.
    private var folder: String?

    /// A list of pictures that were named one by one.
    init(_ console: Console, plansOnly: Bool) {
        (self.console, self.plansOnly, batch, journal) = (console, plansOnly, nil, nil)
    }

    /// A batch.
    ///
    /// - Parameter folder: where its results go
    /// - Throws: ``PaintingError`` where another run is at work there
    init(_ console: Console, plansOnly: Bool, _ batch: BatchOptions, folder: String) throws(PaintingError) {
        (self.console, self.plansOnly, self.batch) = (console, plansOnly, batch)
        journal = plansOnly || batch.dryRun ? nil : try Journal(folder: folder)
        self.folder = folder
        console.isOfMany = true
    }

    /// The seed of everything that was not given one: a batch's goes on with the seed that it began with.
    func sharedSeed() -> UInt64 {
        let shared = seed ?? journal?.seed ?? randomSeed()
        seed = shared
        return shared
    }

    /// The options of results, with the run's folder where one was given.
    func output(_ results: ResultOptions) throws -> OutputOptions {
        var output = try results.options()
        if let path = output.path, let folder, path + "/" == folder { output.path = folder }
        return output
    }

    func tellSeed() throws {
        if let seed, !plansOnly { try console.report(.note("seed \(seed)")) }
    }

    func begin() throws { try journal?.begin(seed: seed) }

    /// Paints a short list, stage by stage. The first fault ends it.
    func paint(_ works: [any ItemWork]) throws {
        try each(works) { work in
            if let fault = work.item.fault { throw fault }
        }
        if !plansOnly {
            var names = OutputPlan(OutputOptions(), results: works.reduce(0) { $0 + $1.resultCount })
            try each(works) { work in
                try work.settle(&names)
                try work.session.tellPages(of: work.item.input)
            }
        }
        try each(works) { try $0.open() }
        let requests = try each(works) { try $0.request() }
        if let odd = requests.firstIndex(where: { $0?.key != requests[0]?.key }) {
            throw PaintingError.usage(
                "The prompts in \(works[0].item.input) and \(works[odd].item.input) name different LoRAs or hypernetworks, but one model paints both. Refine them one at a time, or give --prompt."
            )
        }
        let studio = try requests.first?.flatMap { try shelf.studio(for: $0) }
        try each(works) { try $0.prepare(studio) }
        try tellSeed()
        try each(works) { try $0.tell() }
        if plansOnly { return }

        let began = clock()
        let meter = ProgressMeter(total: works.reduce(0) { $0 + $1.work }, now: clock)
        try each(works) { work in
            try work.make(Share(work.work, of: meter, works.count > 1 ? work.item.input : nil, console))
        }
        console.clearBar()
        if let studio { works.first?.session.tellProfile(of: studio, seconds: clock() - began) }
    }

    /// Does something about each picture of a short list in turn. An error names the one that it came up with.
    @discardableResult
    private func each<Result>(_ works: [any ItemWork], _ body: (any ItemWork) throws -> Result) rethrows -> [Result] {
        let results = try works.map { work in
            console.subject = work.item.input
            return try body(work)
        }
        console.subject = nil
        return results
    }
}

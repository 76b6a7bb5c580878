import Painting
import Raster
import RasterFiles

extension ItemRun {
    /// Works through a list of any length: checks all names and pairs, then loads a model, then makes one picture after
    /// another. What is finished is passed over, what fails is noted.
    ///
    /// - Returns: whether some failed
    func paintAll(_ works: [any ItemWork]) throws -> Bool {
        let tally = Tally(works.count, console, goesOn: batch?.keepGoing ?? false, began: clock())
        do {
            let checked = try check(works, tally)
            if batch?.dryRun == true { return !tally.failures.isEmpty }
            if !plansOnly {
                try tellSeed()
                try begin()
                WholeFile.sweep(checked.flatMap(\.work.paths))
            }
            try make(checked, tally)
        } catch is Tally.Stop {
        } catch {
            if case PaintingError.interrupted = error { tally.tell(plansOnly: plansOnly) }
            throw error
        }
        tally.tell(plansOnly: plansOnly)
        return !tally.failures.isEmpty
    }

    /// An item whose files are there and go together.
    private struct Checked {
        var work: any ItemWork
        var size: PixelSize
        var request: StudioRequest?
        /// Work as it was last told to the meter.
        var expected = 0.0
    }

    private func check(_ works: [any ItemWork], _ tally: Tally) throws -> [Checked] {
        var names = OutputPlan(OutputOptions(), results: 1, mayStand: true)
        var checked: [Checked] = []
        var mask: (path: String, size: PixelSize)?
        for work in works {
            try Interruption.check()
            let fault = try tally.fault(of: work.item) {
                if let fault = work.item.fault { throw fault }
                names.results = work.resultCount
                if !plansOnly {
                    try work.settle(&names)
                    try work.session.tellPages(of: work.item.input)
                }
                let size = try work.size(of: work.item.input)
                if let path = work.item.mask, mask?.path != path { mask = (path, try work.size(of: path)) }
                try work.check(size, mask: work.item.mask == nil ? nil : mask?.size)
                checked.append(Checked(work: work, size: size, request: try work.request()))
            }
            if batch?.dryRun == true { tell(work, fault: fault) }
            if let fault { try tally.fail(work.item, fault, quietly: batch?.dryRun == true) }
        }
        return checked
    }

    /// What goes with what.
    private func tell(_ work: any ItemWork, fault: Tally.Fault?) {
        let item = work.item
        let parts = [item.mask.map { "mask \($0)" }, item.words.map { "words \($0)" }].compactMap { $0 }
        let what = ([item.input] + parts).joined(separator: ", ")
        func optional(_ text: String?) -> JSONText { text.map(JSONText.text) ?? .null }
        console.say(
            fault.map { "\(item.input): \($0.line)" } ?? "\(what) → \(work.paths.joined(separator: ", "))",
            [
                ("event", .text("pair")), ("input", .text(item.input)), ("mask", optional(item.mask)),
                ("words", optional(item.words)), ("place", optional(item.place)),
                ("outputs", .list(work.paths.map(JSONText.text))), ("fault", optional(fault?.line)),
            ])
    }

    private func make(_ all: [Checked], _ tally: Tally) throws {
        // One model after another, each loaded once; within one, in the order of the list.
        var keys: [String] = []
        var groups: [String: [Checked]] = [:]
        for item in all {
            let key = item.request?.key ?? ""
            if groups[key] == nil { keys.append(key) }
            groups[key, default: []].append(item)
        }
        let meter = ProgressMeter(total: 0, now: clock)
        let began = clock()
        var (last, place): ((session: PaintingSession, studio: Studio)?, Int) = (nil, 0)
        for (number, key) in keys.enumerated() {
            let group = groups[key] ?? []
            var studio: Studio?
            if let request = group[0].request {
                do {
                    studio = try shelf.studio(for: request)
                } catch {
                    // Where there is one model, without it there is nothing to go on with.
                    if keys.count == 1 { throw error }
                }
            }
            if let studio { last = (group[0].work.session, studio) }
            // What later models will take is not known before they are loaded: as much as the first would.
            for key in number == 0 ? keys : [key] {
                for (index, item) in (groups[key] ?? []).enumerated() {
                    let expected = (try? item.work.work(item.size, studio)) ?? 0
                    meter.expect(expected - item.expected)
                    groups[key]?[index].expected = expected
                }
            }
            for item in groups[key] ?? [] {
                place += 1
                let label = all.count > 1 ? "\(place) of \(all.count), \(item.work.item.input)" : item.work.item.input
                try make(item, tally, Share(item.expected, of: meter, label, console))
            }
        }
        console.clearBar()
        if let last, tally.made > 0 { last.session.tellProfile(of: last.studio, seconds: clock() - began) }
    }

    private func make(_ checked: Checked, _ tally: Tally, _ share: Share) throws {
        let work = checked.work
        defer { work.close() }
        var key: String?
        let fault = try tally.fault(of: work.item) {
            if let journal, journal.hasFailures {
                let known = work.item.key
                key = known
                if let earlier = journal.failure(known) {
                    guard batch?.retryFailed == true else { throw Tally.Earlier(failure: earlier) }
                    try journal.mend(known)
                }
            }
            try work.open()
            let studio = try work.request().map { try shelf.studio(for: $0) }
            try work.prepare(studio)
            share.settle(work.work)
            if plansOnly { return try work.tell() }
            guard try !isFinished(work, tally) else { return }
            try work.tell()
            try work.make(share)
            tally.made += 1
        }
        share.end()
        guard let fault else { return }
        // What could not be written is no fault of the item, and may be mended without changing it.
        let isOwn = ![73, 74].contains(fault.code)
        if !fault.isEarlier, isOwn {
            try journal?.fail(
                key ?? work.item.key, work.item.input, .init(reason: fault.line, code: fault.code))
        }
        try tally.fail(work.item, fault)
    }

    /// Whether all results of an item stand already.
    ///
    /// - Throws: ``PaintingError/cannotCreate(_:)`` where something else stands in their place
    private func isFinished(_ work: any ItemWork, _ tally: Tally) throws -> Bool {
        guard let journal else { return false }
        let results = try work.recipes()
        let states = results.map {
            journal.state(of: $0.path, recipes: $0.recipes, carriesRecipe: $0.carriesRecipe)
        }
        for (result, state) in zip(results, states) where state == .foreign && !work.session.output.overwrite {
            throw PaintingError.cannotCreate(
                "\(result.path) is there already and is not as this batch made it. Move it away, give another -o, or pass --overwrite."
            )
        }
        guard states.allSatisfy({ $0 == .finished }) else { return false }
        tally.finished += 1
        for path in work.paths where console.tellsAll {
            console.tell(
                "\(path) is finished already",
                [("event", .text("finished")), ("path", .text(path)), ("input", .text(work.item.input))])
        }
        return true
    }
}

extension Item {
    /// What tells this item with everything that it is made from; another picture under its name is another item.
    fileprivate var key: String {
        let files = [input, mask, words].map { path in
            path.flatMap { try? WholeFile.read($0) }.map(SHA256.hash) ?? "none"
        }
        return SHA256.hash(Array((arguments + [input] + files).joined(separator: "\u{0}").utf8))
    }
}

import Networks
import Painting
import Raster
import RasterFiles
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What each shortcut gains in time and costs in likeness: the same runs with and without it.
struct ShortcutCosts {
    let engine: Engine
    let report: Report

    private static let samples = ["samples/coffee.png", "samples/chelsea.png", "samples/rocket.jpg"]

    private static let cases: [(name: String, apply: @Sendable (inout Settings) -> Void)] = [
        ("--deep-cache 2", { $0.shortcuts.deepCache = .init(interval: 2) }),
        ("--deep-cache 3", { $0.shortcuts.deepCache = .init(interval: 3) }),
        ("--deep-cache 5", { $0.shortcuts.deepCache = .init(interval: 5) }),
        ("--deep-cache 2:3", { $0.shortcuts.deepCache = .init(interval: 2, branch: 3) }),
        ("--deep-cache 3:3", { $0.shortcuts.deepCache = .init(interval: 3, branch: 3) }),
        ("--merge-tokens 0.25", { $0.shortcuts.mergedTokens = 0.25 }),
        ("--merge-tokens 0.5", { $0.shortcuts.mergedTokens = 0.5 }),
        ("--merge-tokens 0.75", { $0.shortcuts.mergedTokens = 0.75 }),
        ("--guidance-range 0,0.5", { $0.shortcuts.guidanceRange = (0, 0.5) }),
        ("--guidance-range 0,0.8", { $0.shortcuts.guidanceRange = (0, 0.8) }),
        ("--guidance-range 0.2,1", { $0.shortcuts.guidanceRange = (0.2, 1) }),
        ("--ngms 1", { $0.shortcuts.minimumSigma = .init(sigma: 1) }),
        ("--ngms 1:all", { $0.shortcuts.minimumSigma = .init(sigma: 1, always: true) }),
        ("--ngms 3", { $0.shortcuts.minimumSigma = .init(sigma: 3) }),
        ("--skip-early-cond 0.1", { $0.shortcuts.skippedEarly = 0.1 }),
        (
            "--deep-cache 2 --ngms 1",
            {
                $0.shortcuts.deepCache = .init(interval: 2)
                $0.shortcuts.minimumSigma = .init(sigma: 1)
            }
        ),
        ("--freeu 1.1,1.1,0.9,0.9", { $0.freeU = FreeU(b1: 1.1, b2: 1.1, s1: 0.9, s2: 0.9) }),
    ]

    /// - Parameters:
    ///   - model: "miniature", painted over the samples at their own sizes; or the path of another, over the first of them
    ///   - side: of the working picture of another model, in pixels
    func run(_ model: String, side: Int) throws {
        let studio = try Studio(model: model, on: engine)
        let isOurs = model == "miniature"
        var settings = Settings()
        (settings.prompt, settings.seed, settings.guidance) = (Steps.prompt, 7, isOurs ? 3 : 7.5)
        settings.sampler = studio.model.defaultSampler
        settings.steps = isOurs ? 50 : 12
        let sources = try Self.samples.prefix(isOurs ? 3 : 1).map { try PictureFile.read($0) }
        let skip = isOurs ? "40" : "50"
        report.heading(
            "Shortcuts: \(model), \(settings.steps) steps of \(settings.sampler.rawValue) at skip \(skip), guidance \(settings.guidance)"
        )

        func painted(_ settings: Settings) throws -> (seconds: Double, pictures: [Picture]) {
            var pictures: [Picture] = []
            let seconds = try Stopwatch.wall.measure {
                for source in sources {
                    let refine = Refine(
                        studio, settings, skips: [Skip(percent: skip)].compactMap { $0 }, seeds: [settings.seed],
                        workSize: isOurs ? .good : .size(PixelSize(width: side, height: side)))
                    try refine.paint(
                        try refine.canvas(source), advance: { _, _ in }, deliver: { pictures.append($1) })
                }
            }
            return (seconds, pictures)
        }
        // The first run of a shape packs weights.
        _ = try painted(settings)
        let exact = try painted(settings)
        report.line(
            "exact: \(exact.seconds.duration)", [("bench", .text("exact")), ("seconds", .number(exact.seconds))])
        var beside = exact.seconds
        for (number, (name, apply)) in Self.cases.enumerated() {
            var changed = settings
            apply(&changed)
            if let branch = changed.shortcuts.deepCache?.branch, branch >= studio.model.unet.configuration.skipCount {
                continue
            }
            // What guidance costs, and random weights say nothing about likeness.
            if !isOurs, changed.shortcuts.limitsGuidance { continue }
            let found = try painted(changed)
            // Neighbours on the machine come and go: an exact run beside it is what counts.
            if number % 3 == 2 { beside = try painted(settings).seconds }
            let decibels = zip(found.pictures, exact.pictures).map { Self.likeness($0, $1) }
            let mean = decibels.reduce(0, +) / Double(decibels.count)
            report.line(
                "\(name.left(26)) \((found.seconds / beside).fixed(2)) of the time   \(mean.fixed(1)) dB"
                    + " (\(decibels.map { $0.fixed(1) }.joined(separator: ", ")))",
                [
                    ("bench", .text(name)), ("ratio", .number(found.seconds / beside)), ("decibels", .number(mean)),
                    ("threads", .integer(engine.threads.count)),
                ])
        }
    }

    /// Peak signal over noise, in decibels.
    private static func likeness(_ a: Picture, _ b: Picture) -> Double {
        var (sum, count) = (0.0, 0)
        for y in 0..<a.height {
            for x in 0..<a.width {
                for channel in 0..<a.channels.count {
                    let difference = Double(a[x, y, channel] - b[x, y, channel]) / Double(a.maximum)
                    (sum, count) = (sum + difference * difference, count + 1)
                }
            }
        }
        return sum > 0 ? -10 * log10(sum / Double(count)) : .infinity
    }
}

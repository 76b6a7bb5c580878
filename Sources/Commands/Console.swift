import Painting
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where events become text: results on standard output, everything else on standard error.
final class Console {
    private let json: Bool
    private let quiet: Bool
    let verbose: Bool
    private let showsProgress: Bool
    private var barIsShown = false
    /// Of hundreds of pictures, the short line on each plan is left out.
    var isOfMany = false
    /// The picture at hand: an error is about it.
    var subject: String?

    init(json: Bool, quiet: Bool, verbose: Bool) {
        (self.json, self.quiet, self.verbose) = (json, quiet, verbose)
        showsProgress = !quiet && !json && isatty(STDERR_FILENO) == 1
    }

    /// Runs the body; with JSON, an error is also told as a line of it.
    func telling(_ body: (Console) throws -> Void) throws {
        do {
            try body(self)
        } catch {
            fail(reported(error), path: subject)
            throw error
        }
    }

    /// Tells an error as a line of JSON, where that is asked for; its line on standard error is whoever's who ends.
    private func fail(_ error: (line: String, code: Int32), path: String? = nil) {
        clearBar()
        if json { Self.say(Self.jsonError(error.line, code: error.code, path: path)) }
    }

    /// Tells that one picture of many failed.
    func fail(_ input: String, _ error: (line: String, code: Int32)) {
        fail(error, path: input)
        Self.complain(error.line)
    }

    /// Whether what is of no use to most is told too.
    var tellsAll: Bool { json || verbose }

    /// An event of JSON alone, or words in its place on standard output.
    func say(_ words: String?, _ members: [(String, JSONText)]) {
        clearBar()
        if json { Self.say(JSONText.object(members).string) } else if !quiet, let words { Self.say(words) }
    }

    /// Words on standard error, or an event of JSON in their place.
    func tell(_ words: String, _ members: [(String, JSONText)]) {
        if json { Self.say(JSONText.object(members).string) } else if !quiet { tell(words) }
    }

    /// Prints one event. Also where an interruption is noticed.
    func report(_ event: PaintingEvent) throws {
        // What stands under its name is told, whatever came in between.
        if case .result = event {} else { try Interruption.check() }
        if json { return Self.say(Self.jsonLine(event)) }
        switch event {
        case .plan(let plan):
            if verbose {
                tell(Self.text(plan))
            } else if !quiet, !isOfMany {
                tell(Self.start(plan))
            }
        case .progress(let reading):
            if showsProgress { draw(reading) }
        case .warning(_, let text, _):
            if !quiet { tell("Warning: \(text)") }
        case .note(let text):
            if !quiet { tell(text) }
        case .result(let result):
            clearBar()
            if !quiet { Self.say(result.path) }
            if verbose { tell("\(result.path) took \(Self.time(result.seconds))") }
        }
    }

    /// A plan that was asked for, on standard output.
    func explain(_ plan: PaintingEvent.Plan) {
        Self.say(json ? Self.jsonLine(.plan(plan)) : Self.text(plan))
    }

    static func say(_ line: String) {
        let failure = send(line + "\n", to: STDOUT_FILENO)
        // A reader that has gone away is no reason to stop painting.
        if failure != 0, failure != EPIPE { lost.store(failure, ordering: .relaxed) }
    }

    private static let lost = Atomic<Int32>(0)

    /// Why something could not be said on standard output; nil where all was.
    static var outputFailure: String? {
        let failure = lost.load(ordering: .relaxed)
        return failure == 0 ? nil : String(cString: strerror(failure)).lowercased()
    }

    /// One line, even where a file's name has several, and nothing that commands a terminal.
    static func complain(_ line: String) {
        let line = line.replacing("\n", with: "\\n").replacing("\r", with: "\\r")
        send("Error: \(RecipeWords.printable(line))\n", to: STDERR_FILENO)
    }

    /// All of a text, however the descriptor takes it.
    ///
    /// - Returns: 0, or the system's number of what went wrong
    @discardableResult
    private static func send(_ text: String, to descriptor: Int32) -> Int32 {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 { bytes = bytes.dropFirst(written) } else if errno != EINTR { return errno }
        }
        return 0
    }

    func clearBar() {
        if barIsShown { Self.send("\r\u{1B}[K", to: STDERR_FILENO) }
        barIsShown = false
    }

    /// A line on standard error.
    func tell(_ line: String) {
        clearBar()
        // It may hold a stranger's words, such as a prompt that was found in a picture.
        Self.send(RecipeWords.printable(line) + "\n", to: STDERR_FILENO)
    }

    private func draw(_ reading: ProgressMeter.Reading) {
        let width = 28
        let filled = reading.done * width / max(reading.of, 1)
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled)
        let left = reading.secondsLeft.map { ", \(Self.time($0)) to go" } ?? ""
        Self.send(
            "\r\u{1B}[K\(bar) \(reading.done * 100 / max(reading.of, 1)) %  \(reading.stage)\(left)", to: STDERR_FILENO)
        barIsShown = true
    }

    /// "8 s", "2:05", "1:02:05"
    static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return seconds < 10 ? "\(Double(Int(seconds * 10 + 0.5)) / 10) s" : "\(whole) s" }
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return whole < 3600
            ? "\(whole / 60):\(two(whole % 60))" : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }

    /// Where a painting starts, in one line: a skip is not one noise level across schedules.
    private static func start(_ plan: PaintingEvent.Plan) -> String {
        let label = [plan.input, plan.skip.map { "skip \($0)" }].compactMap { $0 }.joined(separator: ", ")
        let what =
            plan.run == 0
            ? "runs nothing"
            : "\(plan.run)\(plan.loops.isEmpty ? " of \(plan.steps)" : "") steps\(loops(plan)) from sigma \(number(plan.sigma))"
        let tiles = plan.tiles == 1 ? "" : ", in \(plan.tiles) tiles"
        return (label.isEmpty ? what : "\(label): \(what)") + tiles
    }

    static func text(_ plan: PaintingEvent.Plan) -> String {
        var lines: [String] = []
        let sizes = [plan.source, plan.enlarged].compactMap { $0?.description }.joined(separator: " → ")
        let isCut = plan.working.area < (plan.enlarged ?? plan.source)?.area ?? 0 && plan.tiles > 1
        let size = (sizes.isEmpty ? "" : "\(sizes), ") + (isCut ? "in tiles of" : "painted at") + " \(plan.working)"
        let label = [plan.input, plan.skip.map { "skip \($0)" }, "seed \(plan.seed)"].compactMap { $0 }.joined(
            separator: ", ")
        lines.append("\(label): \(size)")
        if let masked = plan.masked {
            let part = plan.area.flatMap { $0.size == plan.enlarged ?? plan.source ? nil : ", within \($0)" } ?? ""
            lines.append("  repaints \(number((masked * 1000).rounded() / 10)) % of it through the mask\(part)")
        }
        if plan.run == 0 {
            lines.append("  runs none of \(plan.steps) steps: the picture comes back as it is")
        } else {
            let times = plan.times
            let first = times.first.map(number) ?? "", last = times.last.map(number) ?? ""
            lines.append(
                !plan.loops.isEmpty
                    ? "  runs \(plan.run) steps\(loops(plan)), from sigma \(number(plan.sigma))"
                    : "  runs the last \(plan.run) of \(plan.steps) steps, timesteps \(first) to \(last), from sigma \(number(plan.sigma))"
            )
            let there = plan.painted > 0 ? ", of which \(plan.painted) are there" : ""
            let tiles = plan.tiles == 1 ? "one tile" : "\(plan.tiles) tiles\(there)"
            let guidance = plan.guidance.map { "guidance \(number($0))" } ?? "without guidance"
            lines.append("  sampler \(plan.sampler), schedule \(plan.schedule), \(guidance), in \(tiles)")
            lines.append("  \(text(plan.words))")
            if !plan.networks.isEmpty { lines.append("  \(text(plan.networks))") }
            for (name, value) in plan.beginning {
                lines.append(
                    "  \(name == "noise" ? "noise of \(value) goes in first" : "starts from \(value) Perlin noise")")
            }
            if !plan.departures.isEmpty {
                let options = plan.departures.map { "--\($0.name) \($0.value)" }
                lines.append("  departs from the exact picture: \(options.joined(separator: ", "))")
            }
            let disk = plan.disk > 0 ? " and \(MemorySize.text(plan.disk)) of disk" : ""
            lines.append("  about \(time(plan.seconds)), at most about \(MemorySize.text(plan.bytes)) of memory\(disk)")
        }
        return lines.joined(separator: "\n")
    }

    /// " in 3 loops of strength 0.5, 0.6, 0.7"
    private static func loops(_ plan: PaintingEvent.Plan) -> String {
        if plan.loops.isEmpty { return "" }
        return " in \(plan.loops.count) loops of strength "
            + plan.loops.map { number($0.strength) }.joined(separator: ", ")
    }

    /// "prompt of 9 tokens; negative of 80 in 2 pieces"
    private static func text(_ words: WordCount) -> String {
        func told(_ count: TextCount) -> String {
            let (least, most) = (count.tokens.lowerBound, count.tokens.upperBound)
            var text = least == most ? "\(most) token\(most == 1 ? "" : "s")" : "\(least) to \(most) tokens"
            if count.pieces > 1 { text += " in \(count.pieces) pieces" }
            if count.weight != 1 { text += " with weight \(number(count.weight))" }
            func calls(_ calls: [Int]) -> String {
                calls.prefix(8).map(String.init).joined(separator: ", ") + (calls.count > 8 ? ", …" : "")
            }
            if !count.changes.isEmpty { text += ", changing after call \(calls(count.changes))" }
            if !count.missed.isEmpty { text += ", ending before the change after call \(calls(count.missed))" }
            return text
        }
        let prompt = words.prompt.map(told).joined(separator: " AND ")
        return "prompt of \(prompt)" + (words.negative.map { "; negative of \(told($0))" } ?? "")
    }

    /// "LoRA ink (0.5), embedding wisp"
    private static func text(_ networks: [PaintingEvent.Plan.Network]) -> String {
        networks.map { network in
            let kind = network.kind == "lora" ? "LoRA" : network.kind
            return "\(kind) \(network.name)" + (network.weight.map { " (\(number($0)))" } ?? "")
        }.joined(separator: ", ")
    }

    private static func json(_ network: PaintingEvent.Plan.Network) -> JSONText {
        .object([
            ("kind", .text(network.kind)), ("name", .text(network.name)),
            ("weight", network.weight.map(JSONText.number) ?? .null),
        ])
    }

    private static func json(_ count: TextCount) -> JSONText {
        .object([
            ("tokens", .integer(count.tokens.upperBound)), ("pieces", .integer(count.pieces)),
            ("weight", .number(count.weight)), ("changes", .list(count.changes.map(JSONText.integer))),
            ("missed", .list(count.missed.map(JSONText.integer))),
        ])
    }

    /// Four significant digits.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e6 { return "\(Int(value))" }
        guard value.isFinite else { return "infinity" }
        var scale = 1.0
        while abs(value) * scale < 1000, scale < 1e9 { scale *= 10 }
        return JSONText.number((value * scale).rounded() / scale).string
    }

    private static func jsonLine(_ event: PaintingEvent) -> String {
        func optional(_ text: String?) -> JSONText { text.map(JSONText.text) ?? .null }
        let members: [(String, JSONText)] =
            switch event {
            case .plan(let plan):
                [
                    ("event", .text("plan")), ("input", optional(plan.input)),
                    ("source", plan.source.map { .list([.integer($0.width), .integer($0.height)]) } ?? .null),
                    ("enlarged", plan.enlarged.map { .list([.integer($0.width), .integer($0.height)]) } ?? .null),
                    (
                        "area",
                        plan.area.map { .list([$0.x, $0.y, $0.width, $0.height].map(JSONText.integer)) } ?? .null
                    ),
                    ("masked", plan.masked.map(JSONText.number) ?? .null),
                    ("working", .list([.integer(plan.working.width), .integer(plan.working.height)])),
                    ("tiles", .integer(plan.tiles)),
                    ("skip", plan.skip.flatMap(Double.init).map(JSONText.number) ?? .null),
                    ("seed", .unsigned(plan.seed)), ("steps", .integer(plan.steps)), ("run", .integer(plan.run)),
                    (
                        "loops",
                        .list(
                            plan.loops.map {
                                .object([("strength", .number($0.strength)), ("run", .integer($0.run))])
                            })
                    ),
                    ("sigma", .number(plan.sigma)), ("sampler", .text(plan.sampler)),
                    ("schedule", .text(plan.schedule)), ("guidance", plan.guidance.map(JSONText.number) ?? .null),
                    ("prompt", .list(plan.words.prompt.map(json))),
                    ("negative", plan.words.negative.map(json) ?? .null),
                    ("networks", .list(plan.networks.map(json))),
                    ("departures", .object(plan.departures.map { ($0.name, .text($0.value)) })),
                    ("begins", .object(plan.beginning.map { ($0.name, .text($0.value)) })),
                    ("seconds", .number((plan.seconds * 10).rounded() / 10)),
                    ("bytes", .number(plan.bytes.rounded())), ("disk", .number(plan.disk.rounded())),
                ]
            case .progress(let reading):
                [
                    ("event", .text("progress")), ("done", .integer(reading.done)), ("of", .integer(reading.of)),
                    ("seconds_left", reading.secondsLeft.map { .number(($0 * 10).rounded() / 10) } ?? .null),
                    ("stage", .text(reading.stage)),
                ]
            case .warning(let code, let text, let path):
                [("event", .text("warning")), ("code", .text(code)), ("text", .text(text)), ("path", optional(path))]
            case .note(let text): [("event", .text("note")), ("text", .text(text))]
            case .result(let result):
                [
                    ("event", .text("result")), ("path", .text(result.path)), ("input", optional(result.input)),
                    ("command", .text(result.command)),
                    ("skip", result.skip.flatMap(Double.init).map(JSONText.number) ?? .null),
                    ("seed", result.seed.map(JSONText.unsigned) ?? .null),
                    ("seconds", .number((result.seconds * 1000).rounded() / 1000)), ("hash", optional(result.hash)),
                ]
            }
        return JSONText.object(members).string
    }

    /// An error as a JSON line, where that is asked for.
    static func jsonError(_ line: String, code: Int32, path: String? = nil) -> String {
        JSONText.object([
            ("event", .text("error")), ("code", .integer(Int(code))), ("text", .text(line)),
            ("path", path.map(JSONText.text) ?? .null),
        ]).string
    }
}

/// Seconds of a clock that never goes back.
func clock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

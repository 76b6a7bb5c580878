import ArgumentParser
import Painting

/// Skip, strength or steps left out: the same thing said in three ways.
struct LevelOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Percent of the schedule that the picture stands in for. (default: 50; inpaint and sketch 25, outpaint 0, gobig 60, paint 10)",
            valueName: "p[,p…]")
    )
    var skip: String?

    /// Percent skipped from a Perlin start, where nothing says another.
    static let skipOfPerlin = "10"

    @Option(name: .long, help: ArgumentHelp("The same the other way round: skip = 100·(1 − s).", valueName: "s[,s…]"))
    var strength: String?

    @Option(name: .long, help: ArgumentHelp("The same in steps that are left out.", valueName: "n[,n…]"))
    var skipSteps: String?

    func validate() throws {
        let given = [("--skip", skip), ("--strength", strength), ("--skip-steps", skipSteps)].filter { $0.1 != nil }
            .map(\.0)
        if given.count > 1 {
            throw ValidationError(
                "\(given.joined(separator: " and ")) say the same thing in two ways. Give only one of them.")
        }
    }

    /// Refuses steps that are left out of a run of exactly so many.
    func check(with painting: PaintingOptions) throws {
        if skipSteps != nil, painting.sampling.runSteps != nil {
            throw ValidationError(
                "--skip-steps and --run-steps contradict each other: steps that are left out say nothing about a noise level. Give --skip."
            )
        }
    }

    func skips(default percent: String, steps: Int) throws -> [Skip] {
        func list(_ text: String, _ option: String, _ expected: String, _ read: (String) -> Skip?) throws -> [Skip] {
            try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                guard let skip = read(String(part).trimmingSpaces()) else {
                    throw PaintingError.usage("\(option) is \"\(part)\", but \(expected) is expected.")
                }
                return skip
            }
        }
        if let strength {
            return try list(strength, "--strength", "a number from 0 to 1 with at most 8 decimals") {
                Skip(strength: $0)
            }
        }
        if let skipSteps {
            return try list(skipSteps, "--skip-steps", "a whole number from 0 to \(steps)") { text in
                Int(text).flatMap { (0...steps).contains($0) ? Skip(steps: $0) : nil }
            }
        }
        return try list(skip ?? percent, "--skip", "a percentage from 0 to 100 with at most 6 decimals") {
            Skip(percent: $0)
        }
    }
}

extension String {
    func trimmingSpaces() -> String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

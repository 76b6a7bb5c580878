import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// A folder in which the built program is run, as a user would in theirs; gone after the test.
final class Workplace {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "velatura-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { name.hasPrefix("/") ? name : path + "/" + name }

    /// Names of everything in a folder, hidden files too.
    func names(_ folder: String = ".") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: file(folder))) ?? []).sorted()
    }

    func bytes(_ name: String) throws -> [UInt8] { try WholeFile.read(file(name)) }
    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
    func read(_ name: String) throws -> Picture { try PictureFile.read(file(name)) }

    func write(_ text: String, to name: String) throws {
        try WholeFile.write(Array(text.utf8), to: file(name))
    }

    func write(_ picture: Picture, to name: String) throws {
        try PictureFile.write(picture, to: file(name))
    }

    /// A picture to paint on, written and returned.
    @discardableResult
    func picture(
        _ name: String = "in.png", _ width: Int = 48, _ height: Int = 32, _ channels: Picture.Channels = .rgb,
        depth: Int = 8
    ) throws -> Picture {
        let picture = Picture.sample(width, height, channels, depth: depth)
        try write(picture, to: name)
        return picture
    }

    /// Runs the program.
    func run(
        _ arguments: [String], environment: [String: String] = [:], timeoutSeconds: Double = 60,
        signal: ProcessRunner.Signal? = nil
    ) throws -> ProcessRunner.Finished {
        let finished = try ProcessRunner.run(
            try Self.program(), arguments, in: path, environment: self.environment.merging(environment) { $1 },
            timeoutSeconds: timeoutSeconds, signal: signal)
        #expect(!finished.timedOut, "velatura \(arguments.joined(separator: " ")) did not end")
        return finished
    }

    private var environment: [String: String] {
        // Whatever model the person who tests has chosen, and whatever their processor was tuned to, tests use what ships.
        var all = ProcessInfo.processInfo.environment.filter { $0.key != "VELATURA_MODEL" }
        all["XDG_CONFIG_HOME"] = file("config")
        // Help is broken into lines of this width.
        all["COLUMNS"] = "80"
        // Several programs share the processors here: threads that wait by spinning would hold each other up.
        all["OMP_WAIT_POLICY"] = "passive"
        return all
    }

    /// Starts the program and goes on as soon as it has printed `text`; without one, at once.
    func start(_ arguments: [String], until text: String = "") throws -> ProcessRunner.Running {
        let printed = DispatchSemaphore(value: 0)
        let running = try ProcessRunner.start(
            try Self.program(), arguments, in: path, environment: environment
        ) { bytes in
            if String(decoding: bytes, as: UTF8.self).contains(text) { printed.signal() }
        }
        if !text.isEmpty {
            #expect(printed.wait(timeout: .now() + 60) == .success, "\(text) was not printed: \(running.isRunning)")
        }
        return running
    }

    /// Runs the program in a shell that did something else before.
    func run(_ arguments: [String], under command: String) throws -> ProcessRunner.Finished {
        try ProcessRunner.run(
            "/bin/sh", ["-c", command + "; exec \"$0\" \"$@\"", try Self.program()] + arguments, in: path,
            environment: environment)
    }

    #if os(Linux)
        /// The most memory that a run of the program held, in bytes.
        func peak(_ arguments: [String]) throws -> Int { try most("VmHWM", arguments) << 10 }

        /// The greatest number that the system's report of a run of the program had for something.
        func most(_ name: String, _ arguments: [String]) throws -> Int {
            let running = try start(arguments)
            var most = 0
            while running.isRunning {
                if let status = try? String(
                    contentsOfFile: "/proc/\(running.processIdentifier)/status", encoding: .utf8),
                    let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }),
                    let number = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
                {
                    most = max(most, number)
                }
                usleep(1000)
            }
            #expect(most > 0 && running.code == 0, "velatura \(arguments.joined(separator: " "))")
            return most
        }
    #endif

    /// Runs the program, which must succeed.
    @discardableResult
    func succeed(
        _ arguments: [String], environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> ProcessRunner.Finished {
        let finished = try run(arguments, environment: environment)
        #expect(
            finished.code == 0, "velatura \(arguments.joined(separator: " ")): \(finished.errors)",
            sourceLocation: sourceLocation)
        return finished
    }

    /// Refines `in.png` with few steps and one seed, and returns the result.
    func refined(
        _ arguments: [String] = [], input: String = "in.png", environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Picture {
        let name = "result-\(UUID().uuidString).png"
        let given = Set(arguments)
        var all = ["refine", input, "-o", name]
        if !given.contains("--seed") { all += ["--seed", "7"] }
        if !given.contains("--steps") { all += ["--steps", "6"] }
        try succeed(all + arguments, environment: environment, sourceLocation: sourceLocation)
        return try read(name)
    }

    /// Runs the program, which must refuse: one line on standard error, nothing on standard output, the right code.
    func refuse(
        _ arguments: [String], code: Int32, naming parts: [String], environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let finished = try run(arguments, environment: environment)
        let command = Comment(rawValue: "velatura \(arguments.joined(separator: " ")): \(finished.errors)")
        #expect(finished.code == code, command, sourceLocation: sourceLocation)
        #expect(finished.output == "", command, sourceLocation: sourceLocation)
        #expect(finished.errorLines.count == 1, command, sourceLocation: sourceLocation)
        #expect(finished.errors.hasPrefix("Error: "), command, sourceLocation: sourceLocation)
        #expect(finished.errors.hasSuffix("\n"), command, sourceLocation: sourceLocation)
        for part in parts {
            #expect(
                finished.errors.contains(part), "\(part) is not in: \(finished.errors)", sourceLocation: sourceLocation)
        }
    }

    /// A copy of a committed model, to change or damage.
    func copyModel(_ name: String = "model") throws {
        try FileManager.default.copyItem(atPath: Self.smallModel, toPath: file(name))
    }

    /// A random model of Stable Diffusion's kind, with an autoencoder.
    static let smallModel = Golden.path("img2img/model")

    /// The program beside the tests, of the same build.
    static func program() throws -> String {
        let bundles = Bundle.allBundles.map(\.bundlePath).filter { $0.hasSuffix(".xctest") }
        let places = (bundles + CommandLine.arguments.prefix(1)).map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("velatura").path
        }
        return try #require(
            places.first { FileManager.default.isExecutableFile(atPath: $0) }, "no velatura in any of \(places)")
    }
}

extension Picture {
    /// Soft shapes with a little grain: enough for every option to have something to work on.
    static func sample(_ width: Int, _ height: Int, _ channels: Channels, depth: Int = 8) -> Picture {
        var state: UInt64 = 5
        func grain() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 40) / Double(1 << 24)
        }
        var values: [Double] = []
        for y in 0..<height {
            for x in 0..<width {
                let (u, v) = (Double(x) / Double(max(width - 1, 1)), Double(y) / Double(max(height - 1, 1)))
                for channel in 0..<channels.count {
                    let isAlpha = channels.hasAlpha && channel == channels.count - 1
                    // Alpha reaches both ends, so that wholly transparent and wholly opaque pixels occur.
                    let value =
                        isAlpha ? 1.4 * u - 0.2 : 0.15 + 0.5 * (channel == 1 ? v : u) + 0.2 * u * v + 0.1 * grain()
                    values.append(min(max(value, 0), 1))
                }
            }
        }
        let size = PixelSize(width: width, height: height)
        return depth == 16
            ? Picture(size: size, channels: channels, sixteen: values.map { UInt16($0 * 65_535) })
            : Picture(size: size, channels: channels, eight: values.map { UInt8($0 * 255) })
    }

    /// Only the samples of alpha.
    var alpha: [Int] {
        (0..<height).flatMap { y in (0..<width).map { x in self[x, y, channels.count - 1] } }
    }

    /// What the picture says about how it was made.
    func recipe() throws -> [String: Any] {
        let text = try #require(metadata["velatura"], "the picture carries no recipe")
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// Mean difference between the samples of two pictures of one size, where the whole range is 255.
    func difference(_ other: Picture) -> Double {
        var sum = 0.0
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels.count {
                    sum += abs(
                        Double(self[x, y, channel]) / Double(maximum) - Double(other[x, y, channel])
                            / Double(other.maximum))
                }
            }
        }
        return sum * 255 / Double(size.area * channels.count)
    }
}

/// Lines of JSON as objects.
func jsonLines(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
        try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "not an object: \(line)")
    }
}

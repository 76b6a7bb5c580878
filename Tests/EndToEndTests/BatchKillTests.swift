import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// A batch that is killed again and again ends as one that was left alone.
@Suite struct BatchKillTests {
    @Test(
        "thirty pictures, killed at ten random moments: whole, the same bytes, none made twice",
        arguments: [true, false])
    func killed(writesRecipes: Bool) throws {
        let place = try Workplace()
        for number in 0..<30 {
            let name = "in/\(number % 3 == 0 ? "sub/" : "")\(number).png"
            try place.write(Picture.sample(16 + number, 24, number % 2 == 0 ? .rgb : .rgba), to: name)
        }
        let base =
            ["refine", "in", "--steps", "10", "--seed", "7", "--prompt", "a lake", "--json"]
            + (writesRecipes ? [] : ["--no-recipe"])
        let began = Date()
        try place.succeed(base + ["-o", "whole"])
        let seconds = Date().timeIntervalSince(began)

        /// Every result that stands, by its number on the disk: a file that was made anew has another.
        func standing() throws -> [String: UInt64] {
            guard let walk = FileManager.default.enumerator(atPath: place.file("killed")) else { return [:] }
            var found: [String: UInt64] = [:]
            for case let name as String in walk
            where name.hasSuffix(".png") && !name.contains("/.") && !name.hasPrefix(".") {
                let facts = try FileManager.default.attributesOfItem(atPath: place.file("killed/" + name))
                found[name] = (facts[.systemFileNumber] as? NSNumber)?.uint64Value
            }
            return found
        }
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed)
        var (kills, seen): (Int, [String: UInt64]) = (0, [:])
        for _ in 0..<10 {
            let running = try place.start(base + ["-o", "killed"])
            // From before the first picture on; most moments lie within the work.
            Thread.sleep(forTimeInterval: Double.random(in: 0..<seconds * 0.25, using: &generator))
            if running.isRunning { kills += 1 }
            running.kill()
            let now = try standing()
            for (name, number) in seen { #expect(now[name] == number, "\(name) was made twice, seed \(seed)") }
            // No half-written file stands under a final name.
            for name in now.keys { _ = try place.read("killed/" + name) }
            seen = now
        }
        let last = try place.succeed(base + ["-o", "killed"])
        #expect(kills >= 5, "the machine was too fast for the test: \(kills) of 10 runs were killed midway")
        let left = FileManager.default.enumerator(atPath: place.file("killed"))?.compactMap { $0 as? String } ?? []
        #expect(left.filter { $0.hasSuffix(".part") } == [], "what killed runs left half-written is swept away")
        let end = try standing()
        #expect(end.count == 30)
        for (name, number) in seen { #expect(end[name] == number, "\(name) was made twice, seed \(seed)") }
        let events = try jsonLines(last.output)
        #expect(events.filter { $0["event"] as? String == "result" }.count == 30 - seen.count)
        for name in end.keys {
            #expect(try place.bytes("killed/" + name) == place.bytes("whole/" + name), "\(name), seed \(seed)")
        }
        // And now there is nothing left to do.
        let again = try place.succeed(base + ["-o", "killed"])
        #expect(try jsonLines(again.output).last?["finished"] as? Int == 30)
        #expect(try standing() == end)
    }
}

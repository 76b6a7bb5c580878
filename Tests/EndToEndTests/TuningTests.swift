import Foundation
import Painting
import Tensors
import TestKit
import Testing

/// The kernel table: what ships, what `doctor --tune` measures, and what a painting is told of it.
@Suite struct TuningTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func table() throws -> String {
        let finished = try place.run(["refine", "in.png", "--steps", "2", "--overwrite"])
        #expect(finished.code == 0, "\(finished.errors)")
        let kernels = try #require(try place.read("in-refine-skip50.png").recipe()["kernels"] as? [String: Any])
        return try #require(kernels["table"] as? String)
    }

    @Test("the doctor measures a table; paintings then follow it, and say so in their recipes")
    func tuned() throws {
        try place.picture()
        let shipped = KernelTable.shipped.description
        #expect(try table() == shipped)
        #expect(try place.run(["doctor"]).output.contains("table \(shipped), as shipped"))

        let finished = try place.run(["doctor", "--tune"])
        #expect(finished.code == 0 && finished.errors == "", "\(finished.errors)")
        #expect(finished.output.contains("convolution, 640 channels at 8×8"))
        let file = place.file("config/velatura/kernels.json")
        let engine = try Engine()
        let measured = try #require(try KernelTableFile(path: file).table(on: engine))
        #expect(try table() == measured.description)

        // One that cannot have been measured, so that it is not the same by chance.
        let other = KernelTable(roundedWidth: 1 << 20, winogradTiles: 12_345, winogradTilesRounded: 54_321)
        try KernelTableFile(path: file).write(other, measuredOn: engine)
        #expect(try table() == other.description)
        let doctor = try place.run(["doctor"])
        #expect(doctor.output.contains("table 1048576/12345/54321, measured here: \(file)"))

        // A rerun tells that another table is at work than then.
        try place.succeed(["refine", "in.png", "--steps", "2", "--seed", "1", "-o", "then.png"])
        #expect(try !place.succeed(["rerun", "then.png", "-o", "same.png"]).errors.contains("last bits"))
        try FileManager.default.removeItem(atPath: file)
        let rerun = try place.succeed(["rerun", "then.png", "-o", "again.png"])
        #expect(rerun.errors.contains("table 1048576/12345/54321, and here it is \(shipped)"), "\(rerun.errors)")
    }

    @Test("a table from another processor does not count, and one that is broken is refused with its fault")
    func foreign() throws {
        try place.picture()
        let file = place.file("config/velatura/kernels.json")
        try KernelTableFile(path: file).write(
            .init(roundedWidth: 1, winogradTiles: 7, winogradTilesRounded: 7), measuredOn: Engine())
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let processor = try Engine().instructionSet
        try text.replacingOccurrences(of: processor, with: "abacus").write(
            toFile: file, atomically: true, encoding: .utf8)
        #expect(try table() == KernelTable.shipped.description)

        for (old, new, told) in [
            ("\"winogradTiles\":7", "\"winogradTiles\":0", ["\"winogradTiles\"", "0", "--tune"]),
            ("\"winogradTilesRounded\":7", "\"x\":7", ["\"winogradTilesRounded\"", "null"]),
            ("{", "[", ["not valid JSON"]),
        ] {
            try text.replacingOccurrences(of: old, with: new).write(toFile: file, atomically: true, encoding: .utf8)
            let doctor = try place.run(["doctor"])
            #expect(doctor.code == 0 && doctor.output.contains("kernels      \(file)"), "\(doctor.output)")
            #expect(doctor.output.contains("oneDNN       ") && !doctor.output.contains("missing"))
            let finished = try place.run(["refine", "in.png", "--steps", "2", "--overwrite"])
            #expect(finished.code == 65 && finished.errorLines.count == 1, "\(finished.errors)")
            for part in told { #expect(finished.errors.contains(part), "\(finished.errors)") }
        }
    }
}

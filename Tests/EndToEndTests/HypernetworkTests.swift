import Foundation
import Raster
import TestKit
import Testing

/// `--hypernetwork` and the tags of prompts that name hypernetworks: docs/adapters.md.
@Suite struct HypernetworkTests {
    let place: Workplace

    private static let model = ["--model", Workplace.smallModel]

    init() throws {
        place = try Workplace()
        try place.picture()
        try Self.write([16, 32], to: place.file("mist.safetensors"))
    }

    /// One for what is so wide.
    private static func write(_ widths: [Int], seed: UInt64 = 1, to path: String) throws {
        var generator = SeededGenerator(seed)
        func tensor(_ key: String, _ shape: [Int]) -> FormulaCheckpoint.Tensor {
            let values = (0..<shape.reduce(1, *)).map { _ in Float(Int64(generator.next() % 2001) - 1000) / 2500 }
            return .init(key: key, format: "F32", shape: shape, bytes: values.withUnsafeBytes { Array($0) })
        }
        let tensors = widths.flatMap { width in
            (0..<2).flatMap { side in
                [(0, width, 2 * width), (1, 2 * width, width)].flatMap { place, inputs, outputs in
                    [
                        tensor("\(width).\(side).linear.\(place).weight", [outputs, inputs]),
                        tensor("\(width).\(side).linear.\(place).bias", [outputs]),
                    ]
                }
            }
        }
        try FormulaCheckpoint.write(tensors, metadata: ["activation_func": "relu"], to: path)
    }

    private func painted(_ arguments: [String], _ prompt: String = "a lake") throws -> Picture.Samples {
        try place.refined(["--skip", "0", "--prompt", prompt] + Self.model + arguments).samples
    }

    @Test("one changes the picture as strongly as it is told, by option or tag, from a file or a folder")
    func weights() throws {
        let without = try painted([])
        let one = try painted(["--hypernetwork", "mist.safetensors"])
        let half = try painted(["--hypernetwork", "mist.safetensors:0.5"])
        #expect(Set([without, one, half]).count == 3)
        #expect(try painted(["--hypernetwork", "mist.safetensors:0"]) == without)
        try FileManager.default.createDirectory(atPath: place.file("nets/deep"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: place.file("mist.safetensors"), toPath: place.file("nets/deep/mist.safetensors"))
        #expect(try painted(["--hypernetwork", "nets"]) == without, "a folder alone applies nothing")
        #expect(try painted(["--hypernetwork", "nets"], "a lake<hypernet:mist:0.5>") == half)
        #expect(try painted(["--hypernetwork", "nets"], "a lake<hypernet:mist>") == one)
        #expect(
            try painted(["--hypernetwork", "mist.safetensors"], "a lake<hypernet:mist:0.5>") == half,
            "the tag says how strongly")
        try Self.write([16, 32], seed: 9, to: place.file("haze.safetensors"))
        let both = try painted(["--hypernetwork", "mist.safetensors", "--hypernetwork", "haze.safetensors"])
        #expect(both != one && both != without)
    }

    @Test("recipes and plans tell what was applied, and rerun paints the same bytes")
    func recipes() throws {
        for (number, arguments) in [
            ["--prompt", "a lake <hypernet:mist:0.5>", "--hypernetwork", "mist.safetensors"],
            ["--prompt", "a lake", "--hypernetwork", "mist.safetensors:-0.75"],
        ].enumerated() {
            let out = "out\(number).png"
            try place.succeed(
                ["refine", "in.png", "-o", out, "--seed", "3", "--steps", "4"] + arguments + Self.model)
            let picture = try place.read(out)
            let net = try #require((picture.recipe()["hypernetworks"] as? [[String: Any]])?.first)
            #expect(net["name"] as? String == "mist" && net["by"] as? String == (number == 0 ? "prompt" : "option"))
            #expect(net["weight"] as? Double == (number == 0 ? 0.5 : -0.75))
            #expect((net["sha256"] as? String)?.count == 64)
            let parameters = try #require(picture.metadata["parameters"])
            #expect(parameters.contains("Hypernet: mist") == (number == 1))
            #expect(parameters.contains("Hypernet strength: -0.75") == (number == 1))
            #expect(try place.succeed(["history", out]).output.contains("hypernetworks mist ("))
            try place.succeed(["rerun", out, "-o", "again\(number).png", "--model", Workplace.smallModel])
            #expect(try place.bytes("again\(number).png") == place.bytes(out))
            // The web UI's text alone finds it too.
            var bare = picture
            bare.metadata.texts.removeAll { $0.keyword == "velatura" }
            try place.write(bare, to: "bare\(number).png")
            try place.succeed(
                [
                    "rerun", "bare\(number).png", "-o", "web\(number).png", "--input", "in.png", "--model",
                    Workplace.smallModel,
                ])
            let found = try place.read("web\(number).png").recipe()["hypernetworks"] as? [[String: Any]]
            #expect(found?.first?["weight"] as? Double == (number == 0 ? 0.5 : -0.75))
        }
        let explained = try place.succeed(
            [
                "refine", "in.png", "--seed", "1", "--explain", "--prompt", "x", "--hypernetwork",
                "mist.safetensors:0.5",
            ] + Self.model)
        #expect(explained.output.contains("hypernetwork mist (0.5)"))
        try FileManager.default.moveItem(
            atPath: place.file("mist.safetensors"), toPath: place.file("mist.gone"))
        try place.refuse(
            ["rerun", "out1.png", "--model", Workplace.smallModel], code: 66,
            naming: ["hypernetwork mist", "sha256", "--find"])
        try Self.write([16, 32], seed: 5, to: place.file("mist.safetensors"))
        try place.refuse(
            ["rerun", "out1.png", "--model", Workplace.smallModel], code: 66, naming: ["hypernetwork mist"])
    }

    @Test("the web UI's own archives are read")
    func archives() throws {
        try place.refuse(
            [
                "refine", "in.png", "--seed", "1", "--prompt", "x", "--hypernetwork",
                Golden.path("hypernetworks/flat.pt"),
            ] + Self.model, code: 65, naming: ["Nothing of flat.pt fits model", "6 values", "16, 32"])
    }

    @Test("what is missing or does not fit is refused, what is left over is told")
    func refusals() throws {
        func refuse(_ net: String, code: Int32, _ parts: [String], _ model: [String] = ["--model", "nowhere"]) throws {
            try place.refuse(
                ["refine", "in.png", "--seed", "1", "--prompt", "x", "--hypernetwork", net] + model, code: code,
                naming: parts)
        }
        try refuse("gone.pt", code: 66, ["gone.pt", "--hypernetwork"])
        try refuse("mist.safetensors:much", code: 64, ["much", "--hypernetwork"])
        try refuse(".:0.5", code: 64, [".:0.5", "folder"])
        try place.write("junk", to: "junk.pt")
        try refuse("junk.pt", code: 65, ["junk.pt"])
        try place.refuse(
            ["refine", "in.png", "--prompt", "a <hypernet:brush:1>", "--hypernetwork", "mist.safetensors"]
                + ["--model", "nowhere"], code: 66, naming: ["<hypernet:brush>", "--hypernetwork"])
        try Self.write([32, 768], to: place.file("wide.safetensors"))
        let finished = try place.succeed(
            [
                "refine", "in.png", "--seed", "1", "--explain", "--json", "--prompt", "x", "--hypernetwork",
                "wide.safetensors",
            ] + Self.model)
        let warning = try #require(
            try jsonLines(finished.output).first { $0["code"] as? String == "hypernetwork" }?["text"] as? String)
        #expect(warning.contains("wide.safetensors for 768 values"))
    }
}

import Foundation
import RasterFiles
import TestKit
import Testing

@Suite struct MemoryTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png", 64, 48)
    }

    @Test("a limit changes how much memory is planned for, and no pixel")
    func limit() throws {
        func bytes(_ arguments: [String]) throws -> Double {
            let told = try place.succeed(
                ["refine", "in.png", "--model", Workplace.smallModel, "--work-size", "512x512", "--json", "--explain"]
                    + arguments)
            return try #require(try jsonLines(told.output).first?["bytes"] as? Double)
        }
        let all = try bytes([])
        let needed = try least(of: "512x512")
        let least = try #require(needed)
        #expect(Double(least) * 1e6 < all)
        #expect(try bytes(["--memory-limit", "\(least + 1)MB"]) <= Double(least + 1) * 1e6)
        let painted = try place.refined(["--model", Workplace.smallModel, "--work-size", "512x512"])
        let limited = try place.refined(
            ["--model", Workplace.smallModel, "--work-size", "512x512", "--memory-limit", "\(least + 1)MB"])
        #expect(painted.samples == limited.samples)
    }

    /// What a refusal says that is needed, in MB.
    private func least(of size: String) throws -> Int? {
        let refused = try place.run(
            ["refine", "in.png", "--model", Workplace.smallModel, "--work-size", size, "--memory-limit", "10MB"])
        #expect(refused.code == 65 && refused.errors.contains("10 MB"))
        let words = refused.errors.split(separator: " ").map(String.init)
        return words.firstIndex(of: "least").flatMap { Int(words[$0 + 1]) }
    }

    @Test("a limit below what any form needs is refused with both numbers, before anything is painted")
    func refusals() throws {
        for command in [["refine", "in.png"], ["paint", "-o", "new.png", "--size", "64x64"]] {
            try place.refuse(
                command + ["--memory-limit", "20MB", "--seed", "1"], code: 65,
                naming: ["--memory-limit is 20 MB", "at least", "Raise the limit"])
            try place.refuse(command + ["--memory-limit", "much"], code: 64, naming: ["much"])
        }
        #expect(place.names() == ["in.png"])
        // Nothing runs, so nothing is needed.
        try place.succeed(["refine", "in.png", "--skip", "100", "--memory-limit", "20MB"])
    }

    @Test("rerun keeps to a limit of its own")
    func rerun() throws {
        try place.succeed(["refine", "in.png", "-o", "out.png", "--steps", "2", "--seed", "3"])
        try place.refuse(["rerun", "out.png", "--memory-limit", "20MB"], code: 65, naming: ["20 MB"])
        try place.succeed(["rerun", "out.png", "--memory-limit", "3GB", "-o", "again.png"])
        #expect(try place.read("again.png").samples == place.read("out.png").samples)
    }

    /// Writes `value` as 32-bit float to one place of a tensor of the copied model.
    private func set(_ value: Float, in part: String, _ key: String, at places: [Int]) throws {
        let path = "model/\(part)"
        var bytes = try place.bytes(path)
        let length = bytes[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
        let entry = try #require(header[key] as? [String: Any], "\(path) has no \(key)")
        let start = try #require((entry["data_offsets"] as? [Int])?.first) + 8 + length
        #expect(entry["dtype"] as? String == "F32")
        for place in places {
            let four = withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
            bytes.replaceSubrange(start + 4 * place..<start + 4 * place + 4, with: four)
        }
        try WholeFile.write(bytes, to: place.file(path))
    }

    private static let unet = "unet/diffusion_pytorch_model.safetensors"

    @Test("a model that overflows in bfloat16 alone is painted again in 32 bits, told and recorded")
    func overflowInBFloat16() throws {
        let probe = try place.run(["refine", "in.png", "--precision", "bf16", "--explain"])
        // A processor without bfloat16 has nothing to be painted again.
        guard probe.code != 69 else { return }
        try place.copyModel()
        // Rounded to bfloat16 this is infinite; and infinity times the zeros that meet it is not a number.
        try set(3.4e38, in: "text_encoder/model.safetensors", "final_layer_norm.bias", at: [0])
        let header = try place.bytes("model/\(Self.unet)")
        let length = header[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        let keys = try #require(
            try JSONSerialization.jsonObject(with: Data(header[8..<8 + length])) as? [String: Any])
        for (key, entry) in keys where key.hasSuffix("attn2.to_k.weight") || key.hasSuffix("attn2.to_v.weight") {
            let shape = try #require((entry as? [String: Any])?["shape"] as? [Int])
            try set(0, in: Self.unet, key, at: (0..<shape[0]).map { $0 * shape[1] })
        }
        let line = ["refine", "in.png", "--model", "model", "--prompt", "sea", "--steps", "4", "--seed", "7", "-o"]
        let exact = try place.succeed(line + ["exact.png", "--precision", "f32"])
        #expect(exact.errors.contains("Warning") == false)
        let told = try place.succeed(line + ["again.png", "--precision", "bf16"])
        #expect(told.errors.contains("again.png: rounded to bfloat16 the model gave no picture"), "\(told.errors)")
        let (first, second) = (try place.read("exact.png"), try place.read("again.png"))
        #expect(first.samples == second.samples)
        let kernels = try #require(try second.recipe()["kernels"] as? [String: Any])
        #expect(kernels["precision"] as? String == "f32")
        try place.succeed(
            ["paint", "-o", "new.png", "--size", "48x32"] + line[2..<8] + ["--seed", "1", "--precision", "bf16"])
        #expect(try (place.read("new.png").recipe()["kernels"] as? [String: Any])?["precision"] as? String == "f32")
    }

    @Test("a model that overflows in 32 bits too, or paints one colour, is refused in one line")
    func overflow() throws {
        try place.copyModel()
        let line = ["refine", "in.png", "--model", "model", "--steps", "2", "--seed", "7", "--quiet", "-o", "out.png"]
        try set(3e38, in: Self.unet, "conv_norm_out.weight", at: Array(0..<16))
        try place.refuse(line, code: 65, naming: ["values that are not numbers at skip 50", "models verify"])
        try FileManager.default.removeItem(atPath: place.file("model"))
        try place.copyModel()
        let codec = "vae/diffusion_pytorch_model.safetensors"
        try set(0, in: codec, "decoder.conv_out.weight", at: Array(0..<3 * 8 * 9))
        try place.refuse(line, code: 65, naming: ["one colour and nothing else at skip 50"])
        #expect(!place.names().contains("out.png"))
    }
}

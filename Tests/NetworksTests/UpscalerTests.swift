import Checkpoints
import Foundation
import Networks
import TestKit
import Tensors
import Testing

@Suite struct UpscalerTests {
    private func picture(_ network: any Upscaler, _ height: Int, _ width: Int) -> Tensor {
        var generator = SeededGenerator(9)
        return Tensor(
            [1, network.channels, height, width],
            (0..<network.channels * height * width).map { _ in Float.random(in: 0..<1, using: &generator) })
    }

    @Test(
        "a picture cut into many pieces is the whole picture to the bit",
        arguments: UpscalerParityTests.rrdb + UpscalerParityTests.compact)
    func cutting(name: String) throws {
        let network = try openUpscaler(try UpscalerParityTests.network(name), on: try Engine())
        let x = picture(network, 131, 75)
        let whole = try network(x)
        // So little that bands have four rows, and tiles eight.
        let cut = try network(x, bandBytes: 1 << 16)
        #expect(whole.values == cut.values)
        #expect(try network(x, bandBytes: 1 << 20).values == whole.values)
    }

    @Test("threads change no bit", arguments: ["rrdb-old-x4", "compact-prelu-x4", "swin-light-x4"])
    func threads(name: String) throws {
        let file = try UpscalerParityTests.network(name)
        let results = try [1, 3].map { count in
            let network = try openUpscaler(file, on: try Engine(threads: .init(count)))
            return try network(picture(network, 61, 37), bandBytes: 1 << 18).values
        }
        #expect(results[0] == results[1])
    }

    @Test(
        "work that is told adds up to what was expected",
        arguments: ["rrdb-unshuffle-x2", "compact-prelu-x4", "swin-real-x4"])
    func work(name: String) throws {
        let network = try openUpscaler(try UpscalerParityTests.network(name), on: try Engine())
        let x = picture(network, 42, 30)
        var done = 0.0
        try network.enlarge(x, UpscalingBands(network, x, bytes: 1 << 18)) { _, _, _ in
        } advance: {
            done += $0
        }
        let expected = network.work(height: 42, width: 30).operations
        #expect(abs(done - expected) < 0.25 * expected)
    }

    @Test("what is no upscaler is refused with what is read")
    func strangers() throws {
        let stranger = FormulaCheckpoint.tensor("conv.weight", [4, 3, 3, 3])
        let line = try refusal([stranger])
        #expect(line.contains("RRDBNet") && line.contains("SwinIR"))
    }

    @Test(
        "shapes that do not make the network are refused with both values",
        arguments: [
            ("rrdb-new-x1", "conv_body.weight", [16, 8, 3, 3], "conv_body"),
            ("rrdb-new-x1", "conv_last.weight", [4, 16, 3, 3], "4 channels"),
            ("rrdb-new-x1", "conv_first.weight", [16, 5, 3, 3], "5 channels"),
            ("rrdb-new-x1", "conv_first.weight", [100_000, 1, 1, 1], "100000"),
            ("rrdb-new-x1", "extra.weight", [3], "extra.weight"),
            ("compact-prelu-x4", "body.14.weight", [50, 24, 3, 3], "50 channels"),
            ("compact-prelu-x4", "body.3.weight", [23], "body.3"),
            ("swin-light-x4", "layers.0.residual_group.blocks.0.attn.relative_position_bias_table", [50, 3], "50"),
            ("swin-light-x4", "upsample.0.weight", [40, 24, 3, 3], "40"),
        ] as [(String, String, [Int], String)])
    func misshapen(name: String, key: String, shape: [Int], told: String) throws {
        var tensors = try UpscalerParityTests.tensors(name).filter { $0.key != key }
        tensors.append(FormulaCheckpoint.tensor(key, shape))
        #expect(try refusal(tensors).contains(told))
    }

    @Test("a compact network without slopes has to say what it was trained with")
    func activation() throws {
        let tensors = try UpscalerParityTests.tensors("compact-prelu-x1").filter {
            Int($0.key.split(separator: ".")[1])?.isMultiple(of: 2) == true
        }
        let line = try refusal(tensors)
        #expect(line.contains("relu") && line.contains("act_type"))
    }

    private func refusal(_ tensors: [FormulaCheckpoint.Tensor]) throws -> String {
        let file = try UpscalerParityTests.file(tensors, "odd")
        let engine = try Engine()
        do throws(CheckpointError) {
            _ = try openUpscaler(file, on: engine)
            return ""
        } catch {
            return error.line
        }
    }
}

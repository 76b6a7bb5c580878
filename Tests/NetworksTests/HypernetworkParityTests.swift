import Checkpoints
import Networks
import Tensors
import TestKit
import Testing

/// Hypernetworks against PyTorch: `Tools/golden/hypernetworks.py`.
@Suite struct HypernetworkParityTests {
    private let engine: Engine

    init() throws { engine = try Engine() }

    private static func path(_ name: String) -> String { Golden.path("hypernetworks/\(name)") }

    @Test("every activation, normalisations, dropout and odd shapes make what PyTorch makes of keys and values")
    func kinds() throws {
        let golden = try Golden.tensors("hypernetworks/kinds.safetensors")
        let names = try #require(try Golden.json("hypernetworks/kinds.json").list).compactMap(\.text)
        #expect(names.count >= 30)
        var met: Set<HypernetworkFile.Activation> = []
        for name in names {
            let file = try HypernetworkFile(path: Self.path(name))
            met.insert(file.activation)
            let net = try Hypernetwork(file, strength: 0.7, on: engine)
            var (keys, values) = (try golden.tensor("x"), try golden.tensor("x"))
            try net.apply(toKeys: &keys, values: &values)
            let stem = String(name.prefix { $0 != "." })
            // Short sums; normalisations divide by what may be small.
            for (side, found) in [("key", keys), ("value", values)] {
                expectClose(
                    found, try golden.tensor("\(stem) \(side)"), absolute: 5e-6, relative: 5e-6, "\(name) \(side)")
            }
            #expect(keys.values != (try golden.tensor("x")).values)
        }
        #expect(met.count == HypernetworkFile.Activation.allCases.count)
    }

    @Test("what is of another width is left as it is, and so is everything at strength 0")
    func untouched() throws {
        let file = try HypernetworkFile(path: Self.path("flat.pt"))
        #expect(file.widths == [6])
        for (width, strength) in [(8, 1.0), (6, 0.0)] {
            let net = try Hypernetwork(file, strength: strength, on: engine)
            let x = Tensor([1, 2, width], (0..<2 * width).map { Float($0) })
            var (keys, values) = (x, x)
            try net.apply(toKeys: &keys, values: &values)
            #expect(keys.values == x.values && values.values == x.values)
        }
    }

    @Test("a whole UNet with two hypernetworks predicts what diffusers' does with them in its attention")
    func unet() throws {
        var unet = try UNet.load(Golden.folder("unet-sd1"), "unet", on: engine)
        unet.hypernetworks = [
            try Hypernetwork(HypernetworkFile(path: Self.path("unet-first.pt")), strength: 0.4, on: engine),
            try Hypernetwork(HypernetworkFile(path: Self.path("unet-second.pt")), strength: -0.3, on: engine),
        ]
        let reference = try Golden.tensors("unet-sd1/reference.safetensors")
        let output = try unet(
            reference.tensor("sample"), times: reference.doubles("timestep"),
            context: reference.tensor("encoder_hidden_states"))
        // The bound of whole networks.
        expectClose(
            output, try Golden.tensors("hypernetworks/unet-expected.safetensors").tensor("output"), absolute: 2e-5,
            relative: 1e-4, "unet")
        #expect(unet.configuration.attendedWidths == [8, 12, 16, 24])
    }

    // MARK: What is refused

    private static func tensor(_ key: String, _ shape: [Int], _ value: Float = 0.1) -> FormulaCheckpoint.Tensor {
        let values = [Float](repeating: value, count: shape.reduce(1, *))
        return .init(key: key, format: "F32", shape: shape, bytes: values.withUnsafeBytes { Array($0) })
    }

    private func fault(_ tensors: [FormulaCheckpoint.Tensor], _ metadata: [String: String] = [:]) throws -> String? {
        try withTemporaryFolder { place in
            try FormulaCheckpoint.write(tensors, metadata: metadata, to: "\(place)/odd.safetensors")
            do throws(CheckpointError) {
                let file = try HypernetworkFile(path: "\(place)/odd.safetensors")
                _ = try Hypernetwork(file, strength: 1, on: engine)
                return nil
            } catch {
                return error.line
            }
        }
    }

    @Test("what is none, or does not fit together, is one clear line")
    func faults() throws {
        func net(_ side: Int, _ sizes: [Int] = [6, 12, 6]) -> [FormulaCheckpoint.Tensor] {
            zip(sizes, sizes.dropFirst()).enumerated().flatMap { index, size in
                [
                    Self.tensor("6.\(side).linear.\(index).weight", [size.1, size.0]),
                    Self.tensor("6.\(side).linear.\(index).bias", [size.1]),
                ]
            }
        }
        #expect(try fault(net(0) + net(1)) == nil)
        let rows: [(String, [FormulaCheckpoint.Tensor], [String: String], [String])] = [
            ("another file", [Self.tensor("lora_unet_x.alpha", [])], [:], ["is no hypernetwork", "lora_unet_x.alpha"]),
            ("one side", net(0), [:], ["6 values", "gives 0"]),
            ("other end", net(0) + net(1, [6, 12, 5]), [:], ["6 values", "gives 5"]),
            ("other start", net(0) + net(1, [7, 12, 6]), [:], ["6.1.linear.0.weight", "from 6"]),
            ("broken", net(0) + net(1, [6, 12]) + [Self.tensor("6.1.linear.2.weight", [6, 11])], [:], ["from 12"]),
            ("no bias", net(0) + Array(net(1).dropLast()), [:], ["6.1.linear.1.weight"]),
            ("softmax", net(0) + net(1), ["activation_func": "softmax"], ["softmax", "relu"]),
            (
                "no number", net(0) + net(1).dropLast() + [Self.tensor("6.1.linear.1.bias", [6], .nan)], [:],
                ["not numbers"]
            ),
            ("too wide", [Self.tensor("99999.0.linear.0.weight", [1, 1])], [:], ["99999"]),
        ]
        for (name, tensors, metadata, parts) in rows {
            let line = try fault(tensors, metadata) ?? "no fault"
            for part in parts { #expect(line.contains(part), "\(name): \(line)") }
            #expect(line.isOneLine, "\(name)")
        }
    }

    @Test("archives that hold something else are refused by what they are", arguments: ["zip.pt", "embedding.pt"])
    func otherArchives(name: String) throws {
        #expect {
            try HypernetworkFile(path: Golden.path("torch/\(name)"))
        } throws: { error in
            (error as? CheckpointError)?.line.contains("is no hypernetwork") == true
        }
    }
}

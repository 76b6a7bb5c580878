import Checkpoints
import Networks
import Tensors
import TestKit
import Testing

/// LoRA and its relatives against LyCORIS, PEFT and diffusers: `Tools/golden/adapters.py`.
@Suite struct AdapterParityTests {
    private let engine: Engine

    init() throws { engine = try Engine() }

    private static func file(_ name: String) throws -> AdapterFile {
        try AdapterFile(try TensorFile(path: Golden.path("adapters/\(name).safetensors")))
    }

    @Test("an adapter of every kind changes a weight and its bias as the libraries do")
    func kinds() throws {
        let cases = try #require(try Golden.json("adapters/cases.json").object)
        #expect(cases.count >= 26)
        for (name, says) in cases {
            let adapter = Adapter(
                try Self.file(name), unet: try #require(says["multiplier"].double), rank: says["rank"].integer)
            let file = try TensorFile(path: Golden.path("adapters/\(name)-weights.safetensors"))
            let ledger = AdapterLedger([adapter])
            let module = WeightScope(WeightLedger([file], adapters: ledger, part: "unet"), on: engine)("mid_block")(
                "resnets", 0)("conv1")
            for kind in ["weight", "bias"] {
                let expected = try #require(try file.weights("expected.\(kind)"))
                let found = module.weights(kind, expected.shape)
                // Short sums; lengths of DoRA are divided by.
                expectClose(
                    Tensor(found.shape, found.floats()), Tensor(expected.shape, expected.floats()), absolute: 2e-6,
                    relative: 2e-6, "\(name), \(kind)")
                let base = try #require(try file.weights("mid_block.resnets.0.conv1.\(kind)")).floats()
                let isChanged = found.floats() != base
                #expect(isChanged == (kind == "weight" || name == "full"), "\(name), \(kind)")
            }
            #expect(try ledger.close(model: "m", contextWidth: 24) == [nil], "\(name)")
        }
    }

    @Test("a whole UNet with a LoRA predicts what diffusers' does", arguments: ["sd1", "sdxl"])
    func unet(name: String) throws {
        let reference = try Golden.tensors("unet-\(name)/reference.safetensors")
        func predicted(_ weight: Double) throws -> Tensor {
            let ledger = AdapterLedger([Adapter(try Self.file("unet-\(name)"), unet: weight)])
            let (unet, weights) = try UNet.build(
                try Golden.folder("unet-\(name)"), "unet", on: engine, adapters: ledger)
            try weights.close()
            #expect(
                try ledger.close(model: name, contextWidth: unet.configuration.contextWidth) == [nil])
            let added: UNet.Added? =
                try reference.has("text_embeds")
                ? .init(text: reference.tensor("text_embeds"), numbers: reference.tensor("time_ids")) : nil
            return try unet(
                reference.tensor("sample"), times: reference.doubles("timestep"),
                context: reference.tensor("encoder_hidden_states"), added: added)
        }
        let expected = try Golden.tensors("adapters/unet-\(name)-expected.safetensors").tensor("output")
        // Weights grow by the LoRA, and diffusers itself is up to 1.4e-5 away from double precision; so are we, elsewhere.
        expectClose(try predicted(0.8), expected, absolute: 7e-5, relative: 1e-4, name)
        expectClose(try predicted(0), try reference.tensor("output"), absolute: 2e-5, relative: 1e-4, name)
    }

    @Test("a text encoder with PEFT's LoRA reads as it does there, alpha from the file's metadata")
    func text() throws {
        let ledger = AdapterLedger([Adapter(try Self.file("text"), unet: 0)])
        let configuration = try TextEncoderConfiguration(try Golden.json("text-quick-gelu/config.json"), name: "c")
        let file = try TensorFile(path: Golden.path("text-quick-gelu/model.safetensors"))
        let weights = WeightLedger([file], adapters: ledger, part: "text_encoder")
        let encoder = TextEncoder(WeightScope(weights, on: engine), configuration)
        try weights.close()
        #expect(try ledger.close(model: "t", contextWidth: 48) == [nil])
        let reference = try Golden.tensors("text-quick-gelu/reference.safetensors")
        let ids = try reference.integers("input_ids")
        let rows = stride(from: 0, to: ids.values.count, by: ids.shape[1]).map {
            Array(ids.values[$0..<$0 + ids.shape[1]])
        }
        let expected = try Golden.tensors("adapters/text-expected.safetensors").tensor("last_hidden_state")
        expectClose(try encoder(rows).last, expected, absolute: 1e-5, relative: 1e-5, "text")
    }

    @Test(
        "every module of a UNet is met by the name that kohya's trainer makes of its original one",
        arguments: ["sd1", "sd2-v", "sdxl"])
    func originalNames(family: String) throws {
        let prefix = "model.diffusion_model."
        let original = try FormulaCheckpoint(family, base: family).original()
        var tensors: [FormulaCheckpoint.Tensor] = []
        for tensor in original where tensor.key.hasPrefix(prefix) {
            let parts = tensor.key.dropFirst(prefix.count).split(separator: ".")
            let name = "lora_unet_" + parts.dropLast().joined(separator: "_")
            if parts.last == "bias" {
                tensors.append(Self.tensor("\(name).diff_b", tensor.shape))
            } else if tensor.shape.count == 1 {
                tensors.append(Self.tensor("\(name).w_norm", tensor.shape))
            } else {
                tensors.append(Self.tensor("\(name).lora_down.weight", [1] + tensor.shape.dropFirst()))
                tensors.append(Self.tensor("\(name).lora_up.weight", [tensor.shape[0], 1]))
            }
        }
        #expect(tensors.count > 500)
        try withTemporaryFolder { place in
            try FormulaCheckpoint.write(original, to: "\(place)/model.safetensors")
            try FormulaCheckpoint.write(tensors, to: "\(place)/all.safetensors")
            let ledger = AdapterLedger([Adapter(try AdapterFile(try TensorFile(path: "\(place)/all.safetensors")))])
            let (unet, weights) = try UNet.build(
                try ModelFolder(path: "\(place)/model.safetensors"), "unet", on: engine, adapters: ledger)
            try weights.close()
            #expect(try ledger.close(model: family, contextWidth: unet.configuration.contextWidth) == [nil])
        }
    }

    @Test(
        "every module of OpenCLIP's text encoders is met by its own name, as trainers and as checkpoints write it",
        arguments: ["sd2-v", "sdxl"])
    func openCLIPNames(family: String) throws {
        let isXL = family == "sdxl"
        let prefix = isXL ? "conditioner.embedders.1.model." : "cond_stage_model.model."
        let part = isXL ? "text_encoder_2" : "text_encoder"
        let original = try FormulaCheckpoint(family, base: family).original()
        let heads = isXL ? ["lora_te2_", "lora_conditioner_embedders_1_model_"] : ["lora_te_", "lora_te_model_"]
        for head in heads + [prefix] {
            var tensors: [FormulaCheckpoint.Tensor] = []
            for tensor in original where tensor.key.hasPrefix(prefix) {
                let path = tensor.key.dropFirst(prefix.count).replacing("in_proj_", with: "in_proj.")
                var names = path.split(separator: ".")
                guard names.count > 1, let kind = names.popLast(), names[0] != "token_embedding" else { continue }
                let name = head + names.joined(separator: head == prefix ? "." : "_")
                if kind == "bias" {
                    tensors.append(Self.tensor("\(name).diff_b", tensor.shape))
                } else if tensor.shape.count == 1 {
                    tensors.append(Self.tensor("\(name).w_norm", tensor.shape))
                } else {
                    tensors.append(Self.tensor("\(name).lora_down.weight", [1, tensor.shape[1]]))
                    tensors.append(Self.tensor("\(name).lora_up.weight", [tensor.shape[0], 1]))
                }
            }
            #expect(tensors.count > 20)
            try withTemporaryFolder { place in
                try FormulaCheckpoint.write(original, to: "\(place)/model.safetensors")
                try FormulaCheckpoint.write(tensors, to: "\(place)/all.safetensors")
                let file = try AdapterFile(try TensorFile(path: "\(place)/all.safetensors"))
                let ledger = AdapterLedger([Adapter(file)])
                let (_, weights) = try TextEncoder.build(
                    try ModelFolder(path: "\(place)/model.safetensors"), part, on: engine, adapters: ledger)
                try weights.close()
                // SD 2 never uses its last layer, so that is not built.
                let left = try ledger.close(model: family, contextWidth: isXL ? 2048 : 1024)
                #expect(left == [nil] || !isXL && left[0]?.contains("resblocks") == true, "\(head): \(left)")
            }
        }
    }

    @Test("a LoRA of a fused matrix is three of its thirds")
    func fused() throws {
        func values(_ count: Int, _ seed: UInt64) -> [Float] {
            var generator = SeededGenerator(seed)
            return (0..<count).map { _ in Float(Int64(generator.next() % 2001) - 1000) / 1000 }
        }
        func tensor(_ key: String, _ shape: [Int], _ values: some Sequence<Float>) -> FormulaCheckpoint.Tensor {
            .init(key: key, format: "F32", shape: shape, bytes: Array(values).withUnsafeBytes { Array($0) })
        }
        let (down, up, bias) = (values(2 * 6, 1), values(18 * 2, 2), values(18, 3))
        let layer = "lora_te2_transformer_resblocks_3_attn_in_proj"
        let fused = [
            tensor("\(layer).lora_down.weight", [2, 6], down), tensor("\(layer).lora_up.weight", [18, 2], up),
            tensor("\(layer).diff_b", [18], bias),
        ]
        let apart = ["q", "k", "v"].enumerated().flatMap { third, name in
            let layer = "lora_te2_text_model_encoder_layers_3_self_attn_\(name)_proj"
            return [
                tensor("\(layer).lora_down.weight", [2, 6], down),
                tensor("\(layer).lora_up.weight", [6, 2], up[12 * third..<12 * third + 12]),
                tensor("\(layer).diff_b", [6], bias[6 * third..<6 * third + 6]),
            ]
        }
        let base = ["q", "k", "v"].enumerated().flatMap { third, name in
            let key = "text_model.encoder.layers.3.self_attn.\(name)_proj"
            return [
                tensor("\(key).weight", [6, 6], values(36, UInt64(10 + third))),
                tensor("\(key).bias", [6], values(6, UInt64(20 + third))),
            ]
        }
        try withTemporaryFolder { place in
            try FormulaCheckpoint.write(base, to: "\(place)/base.safetensors")
            func merged(_ tensors: [FormulaCheckpoint.Tensor]) throws -> [[Float]] {
                try FormulaCheckpoint.write(tensors, to: "\(place)/lora.safetensors")
                let file = try AdapterFile(try TensorFile(path: "\(place)/lora.safetensors"))
                let weights = WeightLedger(
                    [try TensorFile(path: "\(place)/base.safetensors")],
                    adapters: AdapterLedger([Adapter(file, textEncoder: 0.5)]), part: "text_encoder_2")
                return base.map { WeightScope(weights, on: engine).weights($0.key, $0.shape).floats() }
            }
            let (one, three) = (try merged(fused), try merged(apart))
            #expect(one == three)
            #expect(one[0] != (try merged([tensor("\(layer).diff_b", [18], bias)]))[0])
        }
    }

    // MARK: What does not fit

    private static func tensor(_ key: String, _ shape: [Int], _ value: Float = 0.1) -> FormulaCheckpoint.Tensor {
        let values = [Float](repeating: value, count: shape.reduce(1, *))
        return .init(key: key, format: "F32", shape: shape, bytes: values.withUnsafeBytes { Array($0) })
    }

    private func fault(_ tensors: [FormulaCheckpoint.Tensor]) throws -> String? {
        try withTemporaryFolder { place in
            try FormulaCheckpoint.write(tensors, to: "\(place)/odd.safetensors")
            do {
                let file = try AdapterFile(try TensorFile(path: "\(place)/odd.safetensors"))
                let ledger = AdapterLedger([Adapter(file)])
                let (unet, _) = try UNet.build(try Golden.folder("unet-sd1"), "unet", on: engine, adapters: ledger)
                return try ledger.close(model: "tiny", contextWidth: unet.configuration.contextWidth)[0]
            } catch let error as CheckpointError {
                return error.line
            }
        }
    }

    @Test("what fits nothing, or not as it should, is one clear line")
    func faults() throws {
        let key = "lora_unet_mid_block_attentions_0_proj_in"
        func pair(_ down: [Int], _ up: [Int], _ key: String = key) -> [FormulaCheckpoint.Tensor] {
            [Self.tensor("\(key).lora_down.weight", down), Self.tensor("\(key).lora_up.weight", up)]
        }
        #expect(try fault(pair([2, 16], [16, 2])) == nil)
        let nothing = key.replacing("mid_block", with: "joint_blocks")
        let wide = key.replacing("proj_in", with: "transformer_blocks_0_attn2_to_k")
        let rows: [(String, [FormulaCheckpoint.Tensor], [String])] = [
            (
                "other width", pair([2, 768], [16, 2], wide), ["Stable Diffusion 1", "texts 768 wide", "texts 24 wide"]
            ),
            ("misshapen", pair([2, 17], [16, 2]), ["\(key).lora_down.weight", "16×17", "16×16"]),
            ("ranks differ", pair([3, 16], [16, 2]), ["lora_up", "16×2", "3×16"]),
            ("rank 0", pair([0, 16], [16, 0]), ["impossible shape"]),
            ("only one", [Self.tensor("\(key).lora_down.weight", [2, 16])], ["no up beside it"]),
            ("nothing fits", pair([2, 16], [16, 2], nothing), ["Nothing of odd.safetensors fits tiny", nothing]),
            (
                "a part fits", pair([2, 16], [16, 2]) + pair([2, 16], [16, 2], nothing),
                ["2 of the 4 tensors", "\(nothing).lora_down.weight"]
            ),
            (
                "stranger", pair([2, 16], [16, 2]) + [Self.tensor("bundle_emb.x", [4])],
                ["1 of the 3 tensors", "bundle_emb.x"]
            ),
            (
                "alpha is no number", pair([2, 16], [16, 2]) + [Self.tensor("\(key).alpha", [], .nan)],
                ["nan", "\(key).alpha"]
            ),
            ("alpha of two", pair([2, 16], [16, 2]) + [Self.tensor("\(key).alpha", [2])], ["\(key).alpha", "[2]"]),
            (
                "value is no number",
                [Self.tensor("\(key).lora_down.weight", [2, 16], .infinity)] + pair([2, 16], [16, 2]).suffix(1),
                ["not numbers", "lora_down"]
            ),
            ("OFT", [Self.tensor("\(key).oft_blocks", [2, 8, 8])], ["OFT", "not built"]),
            ("GLoRA", [Self.tensor("\(key).a1.weight", [2, 16])], ["GLoRA", "not built"]),
            ("no adapter", [Self.tensor("some.weight", [2])], ["is no LoRA", "some.weight"]),
            (
                "twice", pair([2, 16], [16, 2]) + pair([2, 16], [16, 2], "unet.mid_block.attentions.0.proj_in"),
                ["twice"]
            ),
            (
                "overflow",
                [Self.tensor("\(key).lokr_w1", [1, 1, 1, 1]), Self.tensor("\(key).lokr_w2", [1, 1 << 21])],
                ["1×2097152", "16×16"]
            ),
            ("half of a LoHa", [Self.tensor("\(key).hada_w1_a", [16, 2])], ["hada_w1_b"]),
            ("alone", [Self.tensor("\(key).dora_scale", [1, 16])], ["dora_scale", "not what belongs to it"]),
        ]
        for (name, tensors, parts) in rows {
            let line = try fault(tensors) ?? "no fault"
            for part in parts { #expect(line.contains(part), "\(name): \(line)") }
            #expect(!line.contains("\n"))
        }
    }

    @Test("adapters add up, and one after the other is both")
    func several() throws {
        let (a, b) = (try Self.file("lora"), try Self.file("peft"))
        func weight(_ adapters: [Adapter]) throws -> [Float] {
            let file = try TensorFile(path: Golden.path("adapters/lora-weights.safetensors"))
            let ledger = WeightLedger([file], adapters: AdapterLedger(adapters), part: "unet")
            return WeightScope(ledger, on: engine).weights("mid_block.resnets.0.conv1.weight", [7, 5]).floats()
        }
        let (none, first, second) = (try weight([]), try weight([Adapter(a)]), try weight([Adapter(b)]))
        let both = try weight([Adapter(a), Adapter(b)])
        expectClose(
            Tensor([35], both), Tensor([35], none.indices.map { first[$0] + second[$0] - none[$0] }), absolute: 1e-6,
            relative: 1e-6, "sum")
        expectClose(
            Tensor([35], try weight([Adapter(a), Adapter(a, unet: -1)])), Tensor([35], none), absolute: 1e-6,
            relative: 1e-6, "there and back")
    }
}

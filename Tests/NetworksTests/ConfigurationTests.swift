import Checkpoints
import Foundation
import Networks
import Tensors
import TestKit
import Testing
import Threads

/// Descriptions that are absurd, or ask for what is not built, are refused with the file, the key and the value.
@Suite struct ConfigurationTests {
    /// A sound description with some values replaced, each `"key": value`.
    private func changed(_ sound: String, _ changes: String) throws -> JSON {
        let text = "{\(sound)\(changes.isEmpty || sound.isEmpty ? "" : ",")\(changes)}"
        // Of a key that stands twice the sound one is left out.
        let replaced = Set(try json("{\(changes)}").object?.keys.map { $0 } ?? [])
        guard case .object(let all) = try json("{\(sound)}"), case .object(let new) = try json("{\(changes)}") else {
            return try json(text)
        }
        return .object(all.filter { !replaced.contains($0.key) }.merging(new) { $1 })
    }

    private func json(_ text: String) throws -> JSON { try withGuardedFile(Array(text.utf8)) { try JSON($0) } }

    private func expectRefusal(
        _ line: String?, _ changes: String, naming parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard let line else {
            Issue.record("\(changes) was taken", sourceLocation: sourceLocation)
            return
        }
        #expect(
            line.isOneLine && line.hasPrefix("config.json ") && line.count < 400, "\(line)",
            sourceLocation: sourceLocation)
        for part in parts { #expect(line.contains(part), "\(line) lacks \(part)", sourceLocation: sourceLocation) }
    }

    private static let unet = """
        "block_out_channels":[32,64],"down_block_types":["DownBlock2D","CrossAttnDownBlock2D"],
        "up_block_types":["CrossAttnUpBlock2D","UpBlock2D"],"norm_num_groups":8,"cross_attention_dim":16
        """

    @Test(
        "a UNet",
        arguments: [
            (#""block_out_channels":[]"#, ["block_out_channels = []"]),
            (#""block_out_channels":[-32,64]"#, ["[-32, 64]"]),
            (#""block_out_channels":[32,1000000000]"#, ["[32, 1000000000]"]),
            (#""block_out_channels":7"#, ["block_out_channels = 7"]),
            (#""block_out_channels":["a",32,64]"#, [#"["a", 32, 64]"#]), (#""block_out_channels":[32.5,64]"#, ["32.5"]),
            (#""block_out_channels":[32,64,64]"#, ["down_block_types", "3 block types"]),
            (#""norm_num_groups":7"#, ["norm_num_groups = 7", "32"]),
            (#""norm_num_groups":0"#, ["norm_num_groups = 0"]),
            (#""norm_num_groups":"8""#, [#"norm_num_groups = "8""#]),
            (#""down_block_types":["AttnDownBlock2D","DownBlock2D"]"#, ["AttnDownBlock2D"]),
            (#""up_block_types":["UpBlock2D","SkipUpBlock2D"]"#, ["SkipUpBlock2D"]),
            (#""up_block_types":[7,8]"#, ["7", "up_block_types"]),
            (#""mid_block_type":"UNetMidBlock2DSimpleCrossAttn""#, ["UNetMidBlock2DSimpleCrossAttn"]),
            (#""mid_block_type":7"#, ["mid_block_type = 7"]),
            (#""layers_per_block":1000000000"#, ["layers_per_block = 1000000000"]),
            (#""layers_per_block":[1,2,3]"#, ["[1, 2, 3]"]),
            (#""transformer_layers_per_block":65536"#, ["transformer_layers_per_block = 65536"]),
            (#""transformer_layers_per_block":[[1],[2]]"#, ["[[1], [2]]"]), (#""attention_head_dim":7"#, ["64", "7"]),
            (#""attention_head_dim":-8"#, ["-8"]), (#""cross_attention_dim":[16,32]"#, ["[16, 32]"]),
            (#""cross_attention_dim":0"#, ["cross_attention_dim = 0"]),
            (#""conv_in_kernel":65535"#, ["conv_in_kernel = 65535"]),
            (#""conv_out_kernel":2"#, ["conv_out_kernel = 2", "odd"]),
            (#""in_channels":null,"out_channels":9223372036854775807"#, ["out_channels = 9223372036854775807"]),
            (#""in_channels":1e300"#, ["in_channels = 1e+300"]), (#""in_channels":true"#, ["in_channels = true"]),
            (#""norm_eps":-1"#, ["norm_eps = -1"]), (#""norm_eps":NaN"#, ["norm_eps = nan"]),
            (#""norm_eps":"small""#, ["small"]),
            (#""freq_shift":1e9"#, ["freq_shift"]), (#""flip_sin_to_cos":1"#, ["flip_sin_to_cos = 1"]),
            (#""use_linear_projection":"yes""#, [#"use_linear_projection = "yes""#]),
            (#""center_input_sample":0"#, ["center_input_sample = 0"]),
            (#""downsample_padding":2"#, ["downsample_padding = 2"]),
            (#""downsample_padding":"1""#, ["downsample_padding"]),
            (#""time_embedding_dim":0"#, ["time_embedding_dim = 0"]), (#""sample_size":0"#, ["sample_size = 0"]),
            (#""act_fn":"mish""#, [#"act_fn = "mish""#]), (#""class_embed_type":"timestep""#, ["class_embed_type"]),
            (#""num_class_embeds":10"#, ["num_class_embeds = 10"]),
            (#""encoder_hid_dim":768"#, ["encoder_hid_dim = 768"]),
            (#""only_cross_attention":[true,false]"#, ["only_cross_attention"]),
            (#""dual_cross_attention":true"#, ["dual_cross_attention"]),
            (#""time_embedding_type":"fourier""#, ["fourier"]),
            (#""resnet_time_scale_shift":"scale_shift""#, ["scale_shift"]),
            (#""resnet_out_scale_factor":1.5"#, ["1.5"]),
            (#""time_cond_proj_dim":"wide""#, ["time_cond_proj_dim = \"wide\""]),
            (#""addition_embed_type":"image""#, ["image"]),
            (#""addition_embed_type":"text_time","addition_time_embed_dim":-1"#, ["addition_time_embed_dim = -1"]),
            (#""mid_block_scale_factor":2"#, ["mid_block_scale_factor = 2"]), (#""attention_type":"gated""#, ["gated"]),
            (#""class_embeddings_concat":true"#, ["class_embeddings_concat"]),
        ])
    func unets(changes: String, parts: [String]) throws {
        #expect(throws: Never.self) { try UNetConfiguration(try changed(Self.unet, ""), name: "config.json") }
        let json = try changed(Self.unet, changes)
        expectRefusal(refusal { _ = try UNetConfiguration(json, name: "config.json") }, changes, naming: parts)
    }

    private static let vae = #""block_out_channels":[32,64],"norm_num_groups":8"#

    @Test(
        "an autoencoder",
        arguments: [
            (#""block_out_channels":[]"#, ["block_out_channels = []"]),
            (#""block_out_channels":[32,-1]"#, ["[32, -1]"]),
            (#""block_out_channels":[1000000000]"#, ["[1000000000]"]), (#""block_out_channels":"many""#, ["many"]),
            ("\"block_out_channels\":[\(Array(repeating: "8", count: 64).joined(separator: ","))]", ["[8, 8", "…"]),
            (#""norm_num_groups":24"#, ["norm_num_groups = 24", "32"]),
            (#""latent_channels":0"#, ["latent_channels = 0"]),
            (#""layers_per_block":1000000000"#, ["layers_per_block = 1000000000"]), (#""in_channels":2.5"#, ["2.5"]),
            (#""down_block_types":["DownEncoderBlock2D"]"#, ["down_block_types", "2 times"]),
            (#""up_block_types":["UpDecoderBlock2D","AttnUpDecoderBlock2D"]"#, ["AttnUpDecoderBlock2D"]),
            (#""act_fn":"relu""#, [#"act_fn = "relu""#]), (#""act_fn":7"#, ["act_fn = 7"]),
            (#""latents_mean":[0]"#, ["latents_mean = [0]"]),
            (#""scaling_factor":0"#, ["scaling_factor = 0"]), (#""scaling_factor":Infinity"#, ["scaling_factor = inf"]),
            (#""scaling_factor":"big""#, ["big"]), (#""shift_factor":NaN"#, ["shift_factor = nan"]),
            (#""use_quant_conv":"no""#, ["use_quant_conv"]),
            (#""mid_block_add_attention":0"#, ["mid_block_add_attention = 0"]),
        ])
    func autoencoders(changes: String, parts: [String]) throws {
        #expect(throws: Never.self) { try AutoencoderConfiguration(try changed(Self.vae, ""), name: "config.json") }
        let json = try changed(Self.vae, changes)
        expectRefusal(refusal { _ = try AutoencoderConfiguration(json, name: "config.json") }, changes, naming: parts)
    }

    @Test(
        "a text encoder",
        arguments: [
            (#""vocab_size":0"#, ["vocab_size = 0"]), (#""vocab_size":1000000000"#, ["vocab_size = 1000000000"]),
            (#""hidden_size":-1"#, ["hidden_size = -1"]),
            (#""hidden_size":7,"num_attention_heads":2"#, ["7", "2"]),
            (#""num_hidden_layers":1000000"#, ["num_hidden_layers = 1000000"]),
            // No room for a start and an end token.
            (#""max_position_embeddings":1"#, ["max_position_embeddings = 1"]),
            (#""max_position_embeddings":1000000000"#, ["1000000000"]),
            (#""hidden_act":"relu""#, [#"hidden_act = "relu""#]), (#""hidden_act":7"#, ["hidden_act = 7"]),
            (#""layer_norm_eps":NaN"#, ["layer_norm_eps = nan"]),
            (#""eos_token_id":-1"#, ["eos_token_id = -1"]), (#""eos_token_id":[1,2]"#, ["eos_token_id = [1, 2]"]),
            (#""architectures":["CLIPTextModelWithProjection"],"projection_dim":0"#, ["projection_dim = 0"]),
        ])
    func textEncoders(changes: String, parts: [String]) throws {
        let json = try changed("", changes)
        expectRefusal(refusal { _ = try TextEncoderConfiguration(json, name: "config.json") }, changes, naming: parts)
    }

    @Test(
        "a description that is no object is refused, not taken for one that is silent",
        arguments: ["[]", "7", "null", #""text""#])
    func kinds(text: String) throws {
        let json = try json(text)
        expectRefusal(refusal { _ = try UNetConfiguration(json, name: "config.json") }, text, naming: [text])
        expectRefusal(refusal { _ = try AutoencoderConfiguration(json, name: "config.json") }, text, naming: [text])
        expectRefusal(refusal { _ = try TextEncoderConfiguration(json, name: "config.json") }, text, naming: [text])
    }

    @Test("the largest sizes that a description may have are refused by the weights without being made")
    func sizes() throws {
        let engine = try Engine(threads: Threads(1))
        let large = #""vocab_size":1048576,"hidden_size":65536,"num_hidden_layers":256,"max_position_embeddings":65536"#
        let encoder = try TextEncoderConfiguration(try changed("", large), name: "config.json")
        let blocks = #""block_out_channels":[65536,65536],"layers_per_block":32,"transformer_layers_per_block":32"#
        let unet = try UNetConfiguration(try changed(Self.unet, blocks), name: "config.json")
        let vae = try AutoencoderConfiguration(
            try changed(Self.vae, #""block_out_channels":[65536],"layers_per_block":32"#), name: "config.json")
        let builders: [(WeightScope) -> Void] = [
            { _ = TextEncoder($0, encoder) }, { _ = UNet($0, unet) }, { _ = Autoencoder($0, vae) },
        ]
        try withGuardedFile(safetensors("{}")) { bytes in
            for build in builders {
                let ledger = WeightLedger([try TensorFile(safetensors: bytes)])
                build(WeightScope(ledger, on: engine))
                #expect(refusal { try ledger.close() }?.contains("is missing") == true)
            }
        }
    }
}

import Checkpoints

/// The shape of an autoencoder, read from the `config.json` of a diffusers `AutoencoderKL`.
package struct AutoencoderConfiguration: Sendable {
    package var imageChannels: Int
    package var latentChannels: Int
    package var blockOutChannels: [Int]
    package var layersPerBlock: Int
    package var groups: Int
    package var quantises: Bool
    package var postQuantises: Bool
    package var middleAttends: Bool
    /// Latents = (mean − shift)·scale.
    package var scale: Double
    package var shift: Double

    /// Pixels of the picture to one latent cell, on each side.
    package var factor: Int { 1 << (blockOutChannels.count - 1) }

    /// - Throws: ``CheckpointError/invalid(_:)`` for what is missing, absurd or not built here
    package init(_ json: JSON, name: String) throws(CheckpointError) {
        func invalid(_ key: String, _ expected: String) -> CheckpointError {
            .invalid("\(name) has \(key) = \(json[key].description), but \(expected).")
        }
        func count(_ key: String, default value: Int) throws(CheckpointError) -> Int {
            if json[key].isNull { return value }
            guard let found = json[key].integer, (1...1 << 16).contains(found) else {
                throw invalid(key, "a whole number from 1 to 65536 is expected")
            }
            return found
        }
        imageChannels = try count("in_channels", default: 3)
        latentChannels = try count("latent_channels", default: 4)
        blockOutChannels = (json["block_out_channels"].list ?? [.integer(64)]).compactMap(\.integer)
        guard (1...12).contains(blockOutChannels.count), blockOutChannels.allSatisfy((1...1 << 16).contains) else {
            throw invalid("block_out_channels", "a list of channel counts is expected")
        }
        for (key, only) in [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")] {
            guard json[key].isNull || json[key].list?.allSatisfy({ $0.text == only }) == true else {
                throw invalid(key, "only \(only) is supported")
            }
        }
        if !json["act_fn"].isNull, json["act_fn"].text != "silu" { throw invalid("act_fn", "only \"silu\" is supported") }
        for key in ["latents_mean", "latents_std"] where !json[key].isNull {
            throw invalid(key, "autoencoders with it are not supported")
        }
        layersPerBlock = try count("layers_per_block", default: 1)
        groups = try count("norm_num_groups", default: 32)
        let groups = groups
        if let odd = blockOutChannels.first(where: { $0 % groups != 0 }) {
            throw invalid("norm_num_groups", "\(odd) channels do not split into so many groups")
        }
        quantises = json["use_quant_conv"].bool ?? true
        postQuantises = json["use_post_quant_conv"].bool ?? true
        middleAttends = json["mid_block_add_attention"].bool ?? true
        scale = json["scaling_factor"].double ?? 0.18215
        shift = json["shift_factor"].double ?? 0
    }
}

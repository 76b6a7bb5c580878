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
        let file = try Configuration(json, name: name)
        imageChannels = try file.count("in_channels", default: 3)
        latentChannels = try file.count("latent_channels", default: 4)
        guard
            let channels = json["block_out_channels"].isNull ? [64] : file.counts("block_out_channels", lengths: 1...12)
        else { throw file.invalid("block_out_channels", "a list of 1 to 12 channel counts up to 65536 is expected") }
        blockOutChannels = channels
        for (key, only) in [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")] {
            let expected = JSON.list(channels.map { _ in .text(only) })
            guard json[key].isNull || json[key] == expected else {
                throw file.invalid(key, "\(channels.count) times \(only), one a level, is expected")
            }
        }
        try file.allow(
            only: [("act_fn", [.text("silu")]), ("latents_mean", []), ("latents_std", [])], of: "autoencoders")
        layersPerBlock = try file.count("layers_per_block", default: 1, in: 1...32)
        groups = try file.count("norm_num_groups", default: 32)
        let groups = groups
        if let odd = channels.first(where: { $0 % groups != 0 }) {
            throw file.invalid("norm_num_groups", "\(odd) channels do not split into so many groups")
        }
        quantises = try file.flag("use_quant_conv", default: true)
        postQuantises = try file.flag("use_post_quant_conv", default: true)
        middleAttends = try file.flag("mid_block_add_attention", default: true)
        scale = try file.number("scaling_factor", default: 0.18215, in: 1e-6...1e6)
        shift = try file.number("shift_factor", default: 0, in: -1e6...1e6)
    }
}

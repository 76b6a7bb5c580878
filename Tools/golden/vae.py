"""Makes Tests/Golden/vae-*: tiny random AutoencoderKL models, one picture encoded and two latents decoded."""
import torch
from diffusers import AutoencoderKL

from common import folder, load_file, randomise, report, save, save_weights, seeded

OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

# name: (configuration, image height and width, latent height and width)
CASES = {
    "sd": (dict(block_out_channels=(8, 12, 16, 16), layers_per_block=2, latent_channels=4, norm_num_groups=4), (40, 56), (5, 7)),
    "small": (dict(block_out_channels=(12, 20), layers_per_block=1, latent_channels=3, norm_num_groups=4,
                   use_quant_conv=False, use_post_quant_conv=False, scaling_factor=0.5, shift_factor=0.1), (22, 36), (7, 12)),
}


def main():
    for seed, (name, (config, size, latent_size)) in enumerate(CASES.items(), 300):
        n = len(config["block_out_channels"])
        vae = randomise(AutoencoderKL(down_block_types=["DownEncoderBlock2D"] * n, up_block_types=["UpDecoderBlock2D"] * n, **config), seed)
        if name == "sd":
            vae.quant_conv.bias[-1] = -30  # the posterior clamps logvar to -30..20
        g = seeded(seed + 1000)
        image = torch.rand(1, 3, *size, generator=g) * 2 - 1
        latent = torch.randn(2, vae.config.latent_channels, *latent_size, generator=g)
        posterior, decoded = vae.encode(image).latent_dist, vae.decode(latent).sample
        out = folder(f"vae-{name}")
        save_weights(vae, out / "vae")
        save(out / "reference.safetensors", image=image, mean=posterior.mean, logvar=posterior.logvar, latent=latent, decoded=decoded)
        report(f"{name} mean", posterior.mean)
        report(f"{name} decoded", decoded)
        if name == "sd":
            old_keys(out)


def old_keys(out):
    """The same weights with the attention named as in the first Stable Diffusion releases."""
    def rename(key):
        for new, old in OLD_NAMES.items():
            key = key.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
        return key
    weights = load_file(out / "vae" / "diffusion_pytorch_model.safetensors")
    save(out / "old-keys.safetensors", **{rename(k): v for k, v in weights.items()})


if __name__ == "__main__":
    main()

"""Makes Tests/Golden/unet-*: tiny random UNet2DConditionModels of every supported kind, with one forward pass each."""
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel

from common import folder, randomise, report, save, save_weights, seeded

CROSS, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
UP_CROSS, UP_PLAIN = "CrossAttnUpBlock2D", "UpBlock2D"
FOUR = dict(down_block_types=(CROSS, CROSS, CROSS, PLAIN), up_block_types=(UP_PLAIN, UP_CROSS, UP_CROSS, UP_CROSS))

# name: (configuration, latent height and width, timesteps, tokens, stored precision)
CASES = {
    "sd1": (dict(FOUR, block_out_channels=(8, 12, 16, 16), layers_per_block=2, attention_head_dim=4, cross_attention_dim=24,
                 norm_num_groups=4), (16, 24), (431.25, 17.0), 7, torch.float32),
    "sd1-odd": (dict(down_block_types=(CROSS, CROSS, PLAIN), up_block_types=(UP_PLAIN, UP_CROSS, UP_CROSS),
                     block_out_channels=(8, 16, 24), layers_per_block=1, attention_head_dim=4, cross_attention_dim=24,
                     norm_num_groups=4), (13, 18), (620.5,), 7, torch.float16),
    "sd2": (dict(FOUR, block_out_channels=(8, 8, 12, 12), layers_per_block=2, attention_head_dim=(2, 4, 6, 6),
                 cross_attention_dim=40, norm_num_groups=4, use_linear_projection=True),
            (16, 8), (999.0, 250.0), 9, torch.bfloat16),
    "sdxl": (dict(down_block_types=(PLAIN, CROSS, CROSS), up_block_types=(UP_CROSS, UP_CROSS, UP_PLAIN),
                  block_out_channels=(8, 12, 16), layers_per_block=2, transformer_layers_per_block=(1, 2, 3),
                  attention_head_dim=(1, 2, 4), cross_attention_dim=32, norm_num_groups=4, use_linear_projection=True,
                  addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 20),
             (12, 16), (801.0, 3.5), 7, torch.float32),
    "miniature": (dict(down_block_types=(PLAIN, PLAIN, CROSS), up_block_types=(UP_CROSS, UP_PLAIN, UP_PLAIN),
                       block_out_channels=(8, 16, 20), layers_per_block=2, attention_head_dim=5, cross_attention_dim=24,
                       norm_num_groups=4, in_channels=48, out_channels=48), (12, 20), (550.0, 550.0), 77, torch.float16),
    "plain-heads": (dict(down_block_types=(CROSS, PLAIN), up_block_types=(UP_PLAIN, UP_CROSS), mid_block_type="UNetMidBlock2DCrossAttn",
                         block_out_channels=(12, 20), layers_per_block=1, attention_head_dim=4, cross_attention_dim=24,
                         norm_num_groups=4, in_channels=9, out_channels=4, flip_sin_to_cos=False, freq_shift=1,
                         downsample_padding=1, norm_eps=1e-6), (10, 14), (77.0, 900.0), 5, torch.float32),
    "lcm": (dict(down_block_types=(CROSS, PLAIN), up_block_types=(UP_PLAIN, UP_CROSS), block_out_channels=(8, 16), layers_per_block=1,
                 attention_head_dim=4, cross_attention_dim=24, norm_num_groups=4, time_cond_proj_dim=12), (8, 10), (759.0, 259.0), 5,
            torch.float32),
}
GUIDANCE = 8.5  # what a network with time_cond_proj_dim is told of


def main():
    for seed, (name, (config, size, times, tokens, dtype)) in enumerate(CASES.items(), 100):
        unet = randomise(UNet2DConditionModel(**config), seed, dtype)
        g, n = seeded(seed + 1000), len(times)
        inputs = dict(sample=torch.randn(n, unet.config.in_channels, *size, generator=g),
                      timestep=torch.tensor(times),
                      encoder_hidden_states=torch.randn(n, tokens, unet.config.cross_attention_dim, generator=g))
        added = {}
        if unet.config.addition_embed_type:
            added = dict(text_embeds=torch.randn(n, 20, generator=g),
                         time_ids=torch.tensor([[512., 640, 0, 32, 1024, 768], [1024, 1024, 16, 0, 512, 960]]))
        told = None
        if unet.config.time_cond_proj_dim:
            told = StableDiffusionPipeline.get_guidance_scale_embedding(
                None, torch.full((n,), GUIDANCE - 1), embedding_dim=unet.config.time_cond_proj_dim)
        output = unet(**inputs, added_cond_kwargs=added, timestep_cond=told).sample
        out = folder(f"unet-{name}")
        save_weights(unet, out / "unet", dtype)
        save(out / "reference.safetensors", **inputs, **added, output=output)
        report(name, output)


if __name__ == "__main__":
    main()

"""Makes a single file of Stable Diffusion 1.5's full size with random weights in half precision: 2 GB, never committed.

    python Tools/golden/full_size.py /tmp/full.safetensors
    time velatura models inspect /tmp/full.safetensors
"""
import sys

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from checkpoints import FOUR, unet_key, unet_names, vae_key


def main(path):
    g, tensors = torch.Generator().manual_seed(700), {}
    with torch.device("meta"):
        unet = UNet2DConditionModel(**FOUR, cross_attention_dim=768)
        vae = AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
                            down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)
        text = CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12))
    names = unet_names(unet.config)
    text_name = lambda key: ("cond_stage_model.transformer." + ("" if key.startswith("text_model.") else "text_model.") + key, "-")
    for model, name in ((unet, lambda key: unet_key(key, names)), (vae, lambda key: vae_key(key, 4)), (text, text_name)):
        for key, value in model.state_dict().items():
            if key.endswith("position_ids"):
                continue
            old, how = name(key)
            shape = list(value.shape) + ([1, 1] if how == "1x1" else [])
            numbers = torch.randn(shape, generator=g) if value.dim() > 1 else torch.zeros(shape)
            if value.dim() > 1:
                numbers *= (value.numel() / value.shape[0]) ** -0.5
            elif key.endswith("weight"):
                numbers += 1
            tensors[old] = numbers.half()
    save_file(tensors, path)
    print(f"{path}: {sum(t.numel() for t in tensors.values())} values")


if __name__ == "__main__":
    main(*sys.argv[1:])

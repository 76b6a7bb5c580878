"""Makes a model folder of Stable Diffusion 1.5's shapes with random f16 weights: 2 GB, for measurements alone.

    python Tools/bench/full_model.py FOLDER
"""
import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

ATTENTION, PLAIN = "CrossAttn{}Block2D", "{}Block2D"


def main(folder):
    torch.manual_seed(0)
    UNet2DConditionModel(
        sample_size=64, block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768, attention_head_dim=8,
        down_block_types=[ATTENTION.format("Down")] * 3 + [PLAIN.format("Down")],
        up_block_types=[PLAIN.format("Up")] + [ATTENTION.format("Up")] * 3,
    ).half().save_pretrained(folder / "unet")
    AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=512,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
    ).half().save_pretrained(folder / "vae")
    CLIPTextModel(CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768,
    )).half().save_pretrained(folder / "text_encoder")
    scheduler = {"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False,
                 "beta_schedule": "scaled_linear", "set_alpha_to_one": False, "steps_offset": 1}
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"],
             "scheduler": ["diffusers", "DDIMScheduler"]}
    (folder / "scheduler").mkdir(exist_ok=True)
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    # Last: a folder with an index is whole.
    (folder / "model_index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

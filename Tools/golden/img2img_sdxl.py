"""Makes Tests/Golden/img2img-sdxl: a tiny random SDXL folder with two text encoders, and image-to-image runs of diffusers on it."""
import shutil

import numpy as np
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLImg2ImgPipeline, UNet2DConditionModel
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.utils.logging import disable_progress_bar
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils import logging

from common import MINIATURE, folder, randomise, save_weights, seeded, write_json
from img2img import SD, picture

logging.disable_progress_bar()
disable_progress_bar()
LAKE = "a painting of lake at sunset"
# name, skip (percent), negative prompt or none, seed; ten steps of euler under guidance 5
CASES = [("negative", 40, "fog, clouds", 31), ("no-negative", 50, None, 32), ("empty-negative", 50, "", 33)]


def text(kind, seed, width, activation, **more):
    return randomise(kind(CLIPTextConfig(vocab_size=602, hidden_size=width, intermediate_size=48, num_hidden_layers=2,
                                         num_attention_heads=4, max_position_embeddings=77, hidden_act=activation,
                                         bos_token_id=600, eos_token_id=601, **more)), seed)


def tokenizer(out, padding):
    shutil.copytree(MINIATURE / "tokenizer", out, dirs_exist_ok=True, copy_function=shutil.copyfile)
    write_json(out / "tokenizer_config.json", dict(tokenizer_class="CLIPTokenizer", model_max_length=77, pad_token=padding))
    return CLIPTokenizer.from_pretrained(out)


def make_model(out):
    vae = randomise(AutoencoderKL(block_out_channels=(8, 8, 8, 16), layers_per_block=1, latent_channels=4, norm_num_groups=4,
                                  down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                                  scaling_factor=0.13025), 500)
    vae.quant_conv.weight *= 8
    vae.decoder.conv_out.weight *= 0.6
    vae.decoder.conv_out.bias *= 0.5
    unet = randomise(UNet2DConditionModel(
        sample_size=12, block_out_channels=(8, 16, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=[2, 2, 4],
        transformer_layers_per_block=[1, 2, 2], cross_attention_dim=16 + 24, use_linear_projection=True,
        addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=6 * 4 + 12), 501)
    first = text(CLIPTextModel, 502, 16, "quick_gelu")
    second = text(CLIPTextModelWithProjection, 503, 24, "gelu", projection_dim=12)
    pipe = StableDiffusionXLImg2ImgPipeline(
        vae=vae, text_encoder=first, text_encoder_2=second, unet=unet, add_watermarker=False,
        tokenizer=tokenizer(out / "tokenizer", "<|endoftext|>"), tokenizer_2=tokenizer(out / "tokenizer_2", "!"),
        scheduler=EulerDiscreteScheduler(**SD, timestep_spacing="leading", steps_offset=1))
    for part, model in (("vae", vae), ("unet", unet), ("text_encoder", first), ("text_encoder_2", second)):
        save_weights(model, out / part)
    pipe.scheduler.save_pretrained(out / "scheduler")
    write_json(out / "model_index.json", dict(_class_name="StableDiffusionXLPipeline", force_zeros_for_empty_prompt=True))
    return pipe


def main():
    out = folder("img2img-sdxl")
    DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mean  # the autoencoder's mean, nothing drawn
    pipe = make_model(folder("img2img-sdxl", "model"))
    pipe.set_progress_bar_config(disable=True)
    image = picture()
    image.save(out / "init.png")
    for name, skip, negative, seed in CASES:
        result = pipe(prompt=LAKE, negative_prompt=negative, image=image, strength=(100 - skip) / 100, num_inference_steps=10,
                      guidance_scale=5, generator=seeded(seed), output_type="np").images[0]
        Image.fromarray((result * 255).round().astype(np.uint8)).save(out / f"{name}.png")
    write_json(out / "cases.json", [dict(name=n, skip=s, negative=g, seed=d, prompt=LAKE, steps=10, guidance=5)
                                    for n, s, g, d in CASES])


if __name__ == "__main__":
    main()

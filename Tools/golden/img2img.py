"""Makes Tests/Golden/img2img: a whole tiny random Stable Diffusion folder, a picture, and image-to-image runs of diffusers on it."""
import shutil

import numpy as np
import torch
from diffusers import (AutoencoderKL, DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler, LCMScheduler, PNDMScheduler, StableDiffusionImg2ImgPipeline, UNet2DConditionModel,
                       UniPCMultistepScheduler)
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.utils.logging import disable_progress_bar
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel
from transformers.utils import logging

from common import MINIATURE, folder, randomise, report, save, save_weights, seeded, tidy_config, write_json

logging.disable_progress_bar()
disable_progress_bar()
WIDTH, HEIGHT = 96, 64
SD = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
DDIM = dict(steps_offset=1, set_alpha_to_one=False, clip_sample=False)
MULTISTEP = dict(algorithm_type="dpmsolver++", solver_order=2, solver_type="midpoint", lower_order_final=True, final_sigmas_type="zero")
CLASSES = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler, "euler-a": EulerAncestralDiscreteScheduler,
           "ddpm": DDPMScheduler, "dpmpp-2m": DPMSolverMultistepScheduler, "plms": PNDMScheduler, "unipc": UniPCMultistepScheduler,
           "lcm": LCMScheduler}
PLMS = dict(skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False)

# name, sampler, scheduler options, steps, skip (percent), guidance, prompt, negative prompt, eta
LAKE, FOG = "a painting of lake at sunset", "fog, clouds"
CASES = [
    ("ddim", "ddim", DDIM, 10, 40, 7.5, LAKE, "", 0),
    ("ddim-unguided", "ddim", DDIM, 10, 30, 1, LAKE, "", 0),
    ("ddim-eta", "ddim", DDIM, 8, 50, 4, LAKE, FOG, 0.5),
    ("ddim-v-zero-snr", "ddim", DDIM | dict(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"),
     10, 0, 7.5, LAKE, FOG, 0),
    ("ddim-v", "ddim", DDIM | dict(prediction_type="v_prediction"), 8, 25, 5, "mountains at dawn", "", 0),
    ("ddim-sample", "ddim", DDIM | dict(prediction_type="sample"), 10, 50, 3, LAKE, FOG, 0),
    ("ddim-clip", "ddim", DDIM | dict(clip_sample=True, set_alpha_to_one=True, steps_offset=0), 10, 60, 7.5, LAKE, FOG, 0),
    ("euler-linspace", "euler", dict(timestep_spacing="linspace"), 10, 40, 7.5, LAKE, FOG, 0),
    ("euler-leading", "euler", dict(timestep_spacing="leading", steps_offset=1), 10, 40, 7.5, LAKE, "", 0),
    ("euler-karras", "euler", dict(timestep_spacing="linspace", use_karras_sigmas=True), 12, 25, 5, LAKE, FOG, 0),
    ("euler-v", "euler", dict(timestep_spacing="trailing", prediction_type="v_prediction"), 8, 0, 5, LAKE, FOG, 0),
    ("euler-a-linspace", "euler-a", dict(timestep_spacing="linspace"), 10, 50, 7.5, LAKE, "", 0),
    ("euler-a-leading", "euler-a", dict(timestep_spacing="leading", steps_offset=1), 10, 50, 7.5, LAKE, FOG, 0),
    ("ddpm", "ddpm", dict(variance_type="fixed_small", clip_sample=False), 10, 40, 7.5, LAKE, FOG, 0),
    ("ddpm-leading-1", "ddpm", dict(variance_type="fixed_small", clip_sample=False, timestep_spacing="leading", steps_offset=1),
     8, 50, 1, "stars at night", "", 0),
    ("dpmpp-2m", "dpmpp-2m", MULTISTEP | dict(use_karras_sigmas=False), 10, 40, 7.5, LAKE, FOG, 0),
    ("dpmpp-2m-karras", "dpmpp-2m", MULTISTEP | dict(use_karras_sigmas=True), 10, 40, 7.5, LAKE, "", 0),
    ("dpmpp-2m-leading", "dpmpp-2m", MULTISTEP | dict(timestep_spacing="leading", steps_offset=1), 20, 25, 5, LAKE, FOG, 0),
    ("plms-whole", "plms", PLMS, 10, 0, 5, LAKE, FOG, 0),
    ("plms-inside", "plms", PLMS, 10, 40, 7.5, LAKE, FOG, 0),
    ("plms-inside-v", "plms", PLMS | dict(prediction_type="v_prediction"), 10, 10, 5, LAKE, "", 0),
    ("unipc", "unipc", dict(timestep_spacing="leading", steps_offset=1), 10, 40, 7.5, LAKE, FOG, 0),
    ("unipc-3-karras", "unipc", dict(solver_order=3, use_karras_sigmas=True), 12, 25, 5, LAKE, "", 0),
    ("lcm", "lcm", {}, 8, 50, 1, LAKE, "", 0),
    ("few-euler-a", "euler-a", dict(timestep_spacing="trailing"), 4, 50, 0, LAKE, "", 0),
    ("few-euler", "euler", dict(timestep_spacing="trailing", prediction_type="sample"), 4, 25, 0, LAKE, "", 0),
]


def picture():
    """A sky with a sun in it, striped water and a checked corner."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    rgb = np.stack([120 + x, 90 + 2 * y, 220 - 2.5 * y], -1)
    rgb[y > 40] = [30, 70, 120]
    rgb[(y > 40) & ((y + x // 8) % 5 < 2)] = [90, 140, 190]
    rgb[(x - 66) ** 2 + (y - 22) ** 2 < 150] = [250, 220, 90]
    rgb[(x < 24) & (y < 24) & ((x // 6 + y // 6) % 2 == 0)] = [20, 20, 20]
    return Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))


def make_model(out):
    vae = randomise(AutoencoderKL(block_out_channels=(8, 8, 16, 16), layers_per_block=1, latent_channels=4, norm_num_groups=4,
                                  down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                                  sample_size=WIDTH, scaling_factor=0.18215), 400)
    vae.quant_conv.weight *= 6  # latents of about unit size once scaled
    vae.decoder.conv_out.weight *= 0.6  # few values beyond -1..1, so 8-bit pictures say something
    vae.decoder.conv_out.bias *= 0.5
    unet = randomise(UNet2DConditionModel(sample_size=12, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=8,
                                          down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                                          up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
                                          attention_head_dim=4, cross_attention_dim=32), 401)
    text = randomise(CLIPTextModel(CLIPTextConfig(vocab_size=602, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                                                  num_attention_heads=4, max_position_embeddings=77, hidden_act="quick_gelu",
                                                  bos_token_id=600, eos_token_id=601, pad_token_id=601)), 402)
    save_weights(vae, out / "vae")
    save_weights(unet, out / "unet")
    text.save_pretrained(out / "text_encoder")
    tidy_config(out / "text_encoder" / "config.json")
    shutil.copytree(MINIATURE / "tokenizer", out / "tokenizer", dirs_exist_ok=True, copy_function=shutil.copyfile)
    write_json(out / "tokenizer" / "tokenizer_config.json", dict(tokenizer_class="CLIPTokenizer", model_max_length=77))
    PNDMScheduler(**SD, steps_offset=1, set_alpha_to_one=False, skip_prk_steps=True).save_pretrained(out / "scheduler")
    parts = dict(vae=["diffusers", "AutoencoderKL"], unet=["diffusers", "UNet2DConditionModel"],
                 text_encoder=["transformers", "CLIPTextModel"], tokenizer=["transformers", "CLIPTokenizer"],
                 scheduler=["diffusers", "PNDMScheduler"], safety_checker=[None, None], feature_extractor=[None, None],
                 image_encoder=[None, None], requires_safety_checker=False)
    write_json(out / "model_index.json", {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1"} | parts)


def run(pipe, init, case, seed):
    """One run: the entry for cases.json, the picture, and the latents on the way."""
    name, sampler, options, steps, skip, guidance, prompt, negative, eta = case
    scheduler = pipe.scheduler = CLASSES[sampler](**SD | options)
    strength = (100 - skip) / 100
    assert int(steps * strength) * 100 == steps * (100 - skip)
    seen = {"timesteps": []}

    def add_noise(latents, noise, times, add=scheduler.add_noise):
        seen.update(init_latents=latents, noise=noise)
        return add(latents, noise, times)

    def after_step(pipe, i, t, kwargs):
        seen["timesteps"].append(t.float())
        seen["final_latents"] = kwargs["latents"]
        return {}

    scheduler.add_noise = add_noise
    rgb = pipe(prompt=prompt, negative_prompt=negative, image=init, strength=strength, num_inference_steps=steps,
               guidance_scale=guidance, eta=eta, generator=seeded(seed), output_type="np", callback_on_step_end=after_step).images[0]
    seen["timesteps"] = torch.stack(seen["timesteps"])
    config = {k: v for k, v in scheduler.config.items() if not k.startswith("_")}
    entry = dict(name=name, file=f"{name}.png", scheduler={"class": type(scheduler).__name__, "config": config}, sampler=sampler,
                 schedule="karras" if config.get("use_karras_sigmas") else "model", steps=steps, skip=skip, strength=strength,
                 seed=seed, guidance=guidance, prompt=prompt, negative=negative, eta=eta)
    return entry, Image.fromarray((rgb * 255).round().astype(np.uint8)), seen


def main():
    out = folder("img2img")
    make_model(folder("img2img", "model"))
    init = picture()
    init.save(out / "init.png")
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(out / "model")
    pipe.set_progress_bar_config(disable=True)
    DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mean  # the mean; draws nothing
    entries = []
    for seed, case in enumerate(CASES, 11):
        entry, image, seen = run(pipe, init, case, seed)
        entries.append(entry)
        image.save(out / entry["file"])
        save(out / f"{entry['name']}.safetensors", **seen)
        raw = pipe.vae.decode(seen["final_latents"] / pipe.vae.config.scaling_factor).sample
        report(f"{entry['name']} decoded, {(raw.abs() > 1).float().mean():.1%} clipped,"
               f" latents {seen['init_latents'].std():.2f} to {seen['final_latents'].std():.2f}", raw)
    write_json(out / "cases.json", entries)


if __name__ == "__main__":
    main()

"""Makes Tests/Golden/inpaint: runs of diffusers' inpaint pipeline on the small random models of img2img (4 channels) and of its own
(9 channels), and the web UI's fill over Pillow."""
import numpy as np
import torch
from diffusers import StableDiffusionInpaintPipeline, UNet2DConditionModel
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.utils.logging import disable_progress_bar
from PIL import Image, ImageFilter, ImageOps

from common import folder, randomise, report, save, save_weights, seeded, write_json
from img2img import CLASSES, DDIM, FOG, HEIGHT, LAKE, MULTISTEP, SD, WIDTH, picture

disable_progress_bar()

# name, channels, sampler, scheduler options, steps, skip (percent), guidance, prompt, negative prompt, mask
CASES = [
    ("ddim", 4, "ddim", DDIM, 10, 40, 5, LAKE, "", "disc"),
    ("ddim-all", 4, "ddim", DDIM, 8, 50, 1, LAKE, "", "white"),
    ("ddim-v", 4, "ddim", DDIM | dict(prediction_type="v_prediction"), 8, 25, 5, LAKE, FOG, "corner"),
    ("euler", 4, "euler", dict(timestep_spacing="linspace"), 10, 40, 5, LAKE, FOG, "disc"),
    ("dpmpp-2m", 4, "dpmpp-2m", MULTISTEP | dict(use_karras_sigmas=False), 10, 40, 5, LAKE, "", "corner"),
    ("unipc", 4, "unipc", dict(timestep_spacing="leading", steps_offset=1), 10, 40, 5, LAKE, FOG, "disc"),
    ("nine-ddim", 9, "ddim", DDIM, 10, 40, 5, LAKE, "", "disc"),
    ("nine-ddim-thin", 9, "ddim", DDIM, 10, 20, 4, LAKE, FOG, "thin"),
    ("nine-euler", 9, "euler", dict(timestep_spacing="leading", steps_offset=1), 8, 25, 1, LAKE, "", "corner"),
]


def masks():
    """Two-toned masks; all but "thin", which only the plane of nine channels takes as it is, go by whole cells of 8 pixels."""
    cells = {}
    y, x = np.mgrid[0:HEIGHT // 8, 0:WIDTH // 8]
    cells["disc"] = (x - 6) ** 2 + (y - 3) ** 2 < 8
    cells["corner"] = (x < 5) & (y > 3)
    cells["white"] = np.ones_like(x, bool)
    found = {name: np.kron(cell, np.ones((8, 8))) * 255 for name, cell in cells.items()}
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    found["thin"] = np.where((abs(x - 2 * y) < 4) | ((x - 70) ** 2 + (y - 30) ** 2 < 90), 255, 0)
    return {name: Image.fromarray(m.astype(np.uint8)) for name, m in found.items()}


def run(pipe, init, mask, case, seed):
    name, channels, sampler, options, steps, skip, guidance, prompt, negative, mask_name = case
    scheduler = pipe.scheduler = CLASSES[sampler](**SD | options)
    strength = (100 - skip) / 100
    assert int(steps * strength) * 100 == steps * (100 - skip)
    seen = {}

    def after_step(pipe, i, t, kwargs):
        seen["final_latents"] = kwargs["latents"]
        return {}

    rgb = pipe(prompt=prompt, negative_prompt=negative, image=init, mask_image=mask, height=HEIGHT, width=WIDTH, strength=strength,
               num_inference_steps=steps, guidance_scale=guidance, generator=seeded(seed), output_type="np",
               callback_on_step_end=after_step).images[0]
    config = {k: v for k, v in scheduler.config.items() if not k.startswith("_")}
    entry = dict(name=name, channels=channels, mask=f"mask-{mask_name}.png", scheduler={"class": type(scheduler).__name__, "config": config},
                 sampler=sampler, steps=steps, skip=skip, seed=seed, guidance=guidance, prompt=prompt, negative=negative)
    return entry, Image.fromarray((rgb * 255).round().astype(np.uint8)), seen


def fill(image, mask):
    """What lies around, ever softer: the rule of the web UI's masking.fill, said in Pillow's operations."""
    below = Image.new("RGBA", image.size)
    visible = Image.new("RGBa", image.size)
    visible.paste(image.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    for radius, times in [(256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1)]:
        layer = visible.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            below.alpha_composite(layer)
    return below.convert("RGB")


def fills(out):
    g = np.random.default_rng(5)
    for name, (w, h) in dict(wide=(83, 41), high=(37, 90), dot=(9, 5)).items():
        y, x = np.mgrid[0:h, 0:w]
        rgb = np.stack([255 * x / w, 255 * y / h, 128 + 100 * np.sin(x * 0.7 + y)], -1) + g.normal(0, 12, (h, w, 3))
        image = Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))
        soft = 255 * np.clip((0.3 * min(w, h) - np.hypot(x - w * 0.6, y - h * 0.5)) / 4 + 0.5, 0, 1)
        mask = Image.fromarray(soft.astype(np.uint8))
        image.save(out / f"fill-{name}.png")
        mask.save(out / f"fill-{name}-mask.png")
        fill(image, mask).save(out / f"fill-{name}-filled.png")


def main():
    out = folder("inpaint")
    fills(out)
    found = masks()
    for name, mask in found.items():
        mask.save(out / f"mask-{name}.png")
    init = picture()
    four = StableDiffusionInpaintPipeline.from_pretrained(folder("img2img") / "model")
    nine_unet = randomise(UNet2DConditionModel(
        in_channels=9, sample_size=12, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=4, cross_attention_dim=32), 409)
    save_weights(nine_unet, folder("inpaint", "unet"))
    nine = StableDiffusionInpaintPipeline(**{**four.components, "unet": nine_unet}, requires_safety_checker=False)
    DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mean  # the mean; draws nothing
    entries = []
    for seed, case in enumerate(CASES, 31):
        pipe = four if case[1] == 4 else nine
        pipe.set_progress_bar_config(disable=True)
        entry, image, seen = run(pipe, init, found[case[9]], case, seed)
        entries.append(entry)
        image.save(out / f"{entry['name']}.png")
        save(out / f"{entry['name']}.safetensors", **seen)
        report(entry["name"], seen["final_latents"])
    write_json(out / "cases.json", entries)


if __name__ == "__main__":
    main()

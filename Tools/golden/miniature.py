"""Makes Tests/Golden/miniature: the bundled miniature model turning samples/coffee.png into a painting, as PyTorch does it in f32.

`reference.safetensors` beside the picture came with the trained model and is only checked here.
"""
import json

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging

from common import MINIATURE, ROOT, folder, load_file, seeded, write_json

logging.disable_progress_bar()
SETTINGS = dict(file="coffee-ddim10.png", image="samples/coffee.png", prompt="a painting of lake at sunset", negative="", sampler="ddim",
                schedule="model", steps=10, skip=50, guidance=3.0, eta=0.0, seed=7, width=600, height=400,
                padding="reflect, right and bottom, to multiples of 16", padded_width=608, padded_height=400)


def main():
    out = folder("miniature")
    s = SETTINGS
    unet = UNet2DConditionModel.from_pretrained(MINIATURE / "unet").float().eval()
    text = CLIPTextModel.from_pretrained(MINIATURE / "text_encoder").float().eval()
    tokenizer = CLIPTokenizer.from_pretrained(MINIATURE / "tokenizer")
    scheduler = DDIMScheduler.from_config(json.loads((MINIATURE / "scheduler" / "scheduler_config.json").read_text()))

    worked = load_file(out / "reference.safetensors")
    hidden = text(worked["token_ids"].long()).last_hidden_state
    clean = unet(worked["noisy"], worked["t"], hidden).sample
    for name, value in (("text", hidden), ("clean", clean)):
        torch.testing.assert_close(value, worked[name], rtol=1e-3, atol=1e-3)
        print(f"reference {name}: largest difference {(value - worked[name]).abs().max():.1e}")

    ids = tokenizer([s["negative"], s["prompt"]], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    context = text(ids).last_hidden_state

    rgb = np.asarray(Image.open(ROOT / s["image"]).convert("RGB"))
    assert rgb.shape[:2] == (s["height"], s["width"])
    rgb = np.pad(rgb, ((0, -rgb.shape[0] % 16), (0, -rgb.shape[1] % 16), (0, 0)), mode="reflect")
    assert rgb.shape[:2] == (s["padded_height"], s["padded_width"])
    start = F.pixel_unshuffle(torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 127.5 - 1, 4)

    scheduler.set_timesteps(s["steps"])
    times = scheduler.timesteps[s["steps"] * s["skip"] // 100:]
    x = scheduler.add_noise(start, torch.randn(start.shape, generator=seeded(s["seed"])), times[:1])
    for t in times:
        unconditional, conditional = unet(torch.cat([x, x]), t, context).sample.chunk(2)
        x = scheduler.step(unconditional + s["guidance"] * (conditional - unconditional), t, x, eta=s["eta"]).prev_sample

    result = F.pixel_shuffle(x, 4)[0, :, :s["height"], :s["width"]].permute(1, 2, 0).numpy()
    image = np.round(np.clip((result + 1) / 2, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(image).save(out / s["file"])
    config = {k: v for k, v in scheduler.config.items() if not k.startswith("_")}
    write_json(out / "coffee-ddim10.json", s | dict(timesteps=times.tolist(), input_ids=ids.tolist(),
                                                   scheduler={"class": "DDIMScheduler", "config": config}), indent=None)
    print("deviation from the picture:", np.abs(image.astype(int) - rgb[:s["height"], :s["width"]]).mean().round(2))


if __name__ == "__main__":
    main()

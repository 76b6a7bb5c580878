"""The benchmark's work done by PyTorch and diffusers in f32: one guided step, or the demo. Prints one JSON line.

Versions: those of Tools/golden/requirements.txt. The weights are the built-in model's.
"""
import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "Sources" / "CMiniature" / "model"
PROMPT, GUIDANCE, STEPS, SKIPS, CELL, MULTIPLE = "a painting of desert at sunset", 2.0, 50, (40, 50, 60), 4, 16


def load(channels_last):
    unet = UNet2DConditionModel.from_pretrained(MODEL / "unet").float().eval()
    if channels_last:
        unet = unet.to(memory_format=torch.channels_last)
    text = CLIPTextModel.from_pretrained(MODEL / "text_encoder").float().eval()
    return unet, text, CLIPTokenizer.from_pretrained(MODEL / "tokenizer")


def read_prompt(text, tokenizer):
    ids = tokenizer(["", PROMPT], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    return text(ids).last_hidden_state


def step(unet, text, tokenizer, rounds):
    """Seconds of one guided step at the working size of a photograph of 451×300."""
    context = read_prompt(text, tokenizer)
    pair = torch.full((2, 3 * CELL**2, 304 // CELL, 464 // CELL), 0.25)
    seconds = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        unet(pair, 500, context)
        seconds.append(time.perf_counter() - start)
    return {"bench": "step", "median": statistics.median(seconds[2:]), "least": min(seconds[2:])}


def demo(unet, text, tokenizer, _):
    """Seconds of the demo's three rungs, pictures in memory."""
    scheduler = DDIMScheduler.from_config(json.loads((MODEL / "scheduler" / "scheduler_config.json").read_text()))
    start, steps = time.perf_counter(), 0
    rgb = np.asarray(Image.open(ROOT / "samples" / "chelsea.png").convert("RGB"))
    height, width = rgb.shape[:2]
    padded = np.pad(rgb, ((0, -height % MULTIPLE), (0, -width % MULTIPLE), (0, 0)), mode="reflect")
    clean = F.pixel_unshuffle(torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 127.5 - 1, CELL)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(7))
    context = read_prompt(text, tokenizer)
    for skip in SKIPS:
        scheduler.set_timesteps(STEPS)
        times = scheduler.timesteps[STEPS * skip // 100:]
        x = scheduler.add_noise(clean, noise, times[:1])
        for t in times:
            negative, positive = unet(torch.cat([x, x]), t, context).sample.chunk(2)
            x = scheduler.step(negative + GUIDANCE * (positive - negative), t, x).prev_sample
        picture = F.pixel_shuffle(x, CELL)[0, :, :height, :width].permute(1, 2, 0).numpy()
        np.round(np.clip((picture + 1) / 2, 0, 1) * 255).astype(np.uint8)
        steps += len(times)
    return {"bench": "demo", "painting": time.perf_counter() - start, "steps": steps}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["step", "demo"])
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--channels-last", action="store_true", help="PyTorch's other memory layout")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    result = {"step": step, "demo": demo}[options.part](*load(options.channels_last), options.rounds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result | {"threads": torch.get_num_threads(), "torch": torch.__version__, "peak": peak}))


if __name__ == "__main__":
    main()

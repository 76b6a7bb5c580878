"""Euler inversion as the web UI's "img2img alternative test" has it, on the model of img2img.py: the noise that is found, and what Euler's way
down makes of it under another prompt."""
import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from safetensors.torch import load_file

from common import folder, save, seeded, write_json

LAKE, SEA, FOG = "a painting of lake at sunset", "a painting of sea at night, stars", "fog, clouds"
BARS = np.cumprod(1 - np.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000) ** 2)
LOGS = np.log(((1 - BARS) / BARS) ** 0.5)

# name, steps, share of the schedule that runs, inversion's prompt and guidance, adjusted, randomness, seed, prompt, negative, guidance
CASES = [
    ("plain", 8, 1.0, LAKE, 1.0, False, 0.0, 3, SEA, "", 4.0),
    ("adjusted", 8, 1.0, LAKE, 2.5, True, 0.0, 3, SEA, FOG, 4.0),
    ("random", 7, 1.0, "", 1.0, False, 0.3, 5, LAKE, FOG, 3.0),
    ("partial", 10, 0.5, LAKE, 1.0, False, 0.0, 7, LAKE, "", 1.0),
    ("partial-adjusted", 10, 0.7, LAKE, 1.0, True, 0.2, 9, SEA, "", 5.0),
]


def levels(count):
    """k-diffusion's get_sigmas: evenly over timesteps, fractional ones between on a straight line of log sigma."""
    times = np.linspace(999, 0, count)
    return times, np.exp(np.interp(times, np.arange(1000), LOGS))


class Model:
    def __init__(self, pipe):
        self.pipe = pipe

    def told(self, text):
        ids = self.pipe.tokenizer(text, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        return self.pipe.text_encoder(ids)[0]

    def denoised(self, x, sigma, time, prompt, negative, guidance):
        scaled = x / (sigma ** 2 + 1) ** 0.5
        def predict(text):
            return x - sigma * self.pipe.unet(scaled, torch.tensor(time, dtype=torch.float32), self.told(text)).sample
        if guidance <= 1:
            return predict(prompt)
        uncond = predict(negative)
        return uncond + guidance * (predict(prompt) - uncond)


def inverted(model, init, sigmas, times, prompt, negative, guidance, adjusted):
    x = init.clone()
    sigmas, times = [0.0, *sigmas[::-1]], [None, *times[::-1]]
    for i in range(1, len(sigmas)):
        if adjusted:
            if i == 1:
                continue  # d = (x - x) / (2 sigma): at level 0 the estimate is the picture itself
            d = (x - model.denoised(x, sigmas[i - 1], times[i - 1], prompt, negative, guidance)) / sigmas[i - 1]
        else:
            d = (x - model.denoised(x, sigmas[i], times[i], prompt, negative, guidance)) / sigmas[i]
        x = x + d * (sigmas[i] - sigmas[i - 1])
    return x


def main():
    out = folder("inversion")
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(folder("img2img") / "model")
    model = Model(pipe)
    init = load_file(str(folder("img2img") / "euler-linspace.safetensors"))["init_latents"]
    found, entries = dict(init=init), []
    for name, steps, share, source, inner, adjusted, r, seed, prompt, negative, guidance in CASES:
        times, sigmas = levels(steps)
        run = int(round(steps * share))
        times, sigmas = times[-run:], sigmas[-run:]
        top = sigmas[0]
        x = inverted(model, init, sigmas, times, source, negative, inner, adjusted)
        if share < 1:
            noise = (x - init) / top
        elif adjusted:
            noise = x / top
        else:
            noise = x / x.std()
        random = torch.randn(init.shape, generator=seeded(seed))
        noise = ((1 - r) * noise + r * random) / (r ** 2 + (1 - r) ** 2) ** 0.5
        # The web UI passes noise - init/top, to which it adds init again.
        x = noise * top if share == 1 else init + noise * top
        found[f"{name}.start"] = x
        for i in range(run):
            below = sigmas[i + 1] if i + 1 < run else 0.0
            estimate = model.denoised(x, sigmas[i], times[i], prompt, negative, guidance)
            x = x + (x - estimate) / sigmas[i] * (below - sigmas[i])
        found[f"{name}.final"] = x
        print(name, float(found[f"{name}.start"].std()), float(x.std()))
        entries.append(dict(name=name, steps=steps, skip=round(100 * (1 - share)), source=source, inner=inner, adjusted=adjusted,
                            randomness=r, seed=seed, prompt=prompt, negative=negative, guidance=guidance))
    save(out / "latents.safetensors", **found)
    write_json(out / "cases.json", entries)


if __name__ == "__main__":
    main()

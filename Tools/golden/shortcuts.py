"""Makes Tests/Golden/shortcuts: whole image-to-image runs of Tests/Golden/img2img's model in which something is left out: guidance in a
part of the run (diffusers' interval, the web UI's two rules, stated anew), DeepCache's deep features, tomesd's merging, FreeU."""
from types import SimpleNamespace

import torch
from DeepCache.extension.deepcache import DeepCacheSDHelper
from diffusers import DDIMScheduler, StableDiffusionImg2ImgPipeline
from diffusers.models.unets import unet_2d_blocks
from safetensors.torch import load_file

from common import GOLDEN, folder, save, seeded, write_json
from departures import FREEU, merge_tokens
from img2img import CASES, SD

OUT = folder("shortcuts")
# FreeU writes into its argument, which DeepCache would keep.
unet_2d_blocks.apply_freeu = lambda index, hidden, skip, apply=unet_2d_blocks.apply_freeu, **factors: apply(
    index, hidden.clone(), skip, **factors)
STEPS, RUN, GUIDANCE, PROMPT, NEGATIVE, SEED = 10, 8, 5.0, "a painting of lake at sunset", "fog", 61

# As options of the command line say them, and as the loop below needs them.
RUNS = {
    "exact": ({}, {}),
    "guidance-range": ({"guidance-range": "0.2,0.7"}, dict(range=(0.2, 0.7))),
    "ngms": ({"ngms": "2"}, dict(sigma=2.0)),
    "ngms-all": ({"ngms": "1:all"}, dict(sigma=1.0, always=True)),
    "skip-early-cond": ({"skip-early-cond": "0.25"}, dict(early=0.25)),
    "deep-cache": ({"deep-cache": "3:1"}, dict(interval=3, branch=1)),
    "merge-tokens": ({"merge-tokens": "0.4"}, dict(merge=0.4)),
    "all": ({"deep-cache": "2", "merge-tokens": "0.6", "freeu": "1.3,1.4,0.9,0.2"}, dict(interval=2, branch=0, merge=0.6, freeu=True)),
}


def guided(step, sigma, range=(0.0, 1.0), sigma_min=0.0, always=False, early=0.0):
    if not int(range[0] * RUN) <= step < int(range[1] * RUN):
        return False
    if early and step / RUN <= early:
        return False
    return not ((step % 2 or always) and sigma_min > 0 and sigma < sigma_min)


def run(options):
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(GOLDEN / "img2img" / "model")
    unet = pipe.unet
    inits = load_file(GOLDEN / "img2img" / "ddim.safetensors")["init_latents"]
    scheduler = DDIMScheduler(**SD | next(c for c in CASES if c[0] == "ddim")[2])
    scheduler.set_timesteps(STEPS)
    times = scheduler.timesteps[-RUN:]
    texts, empty = pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)
    both = torch.cat([empty, texts])
    if options.get("freeu"):
        unet.enable_freeu(**FREEU)
    if "merge" in options:
        merge_tokens(unet, inits.shape[-2:], options["merge"], 0)
    if "interval" in options:
        helper = DeepCacheSDHelper(SimpleNamespace(unet=unet, scheduler=SimpleNamespace(timesteps=[t.item() for t in times])))
        # Its branches count three layers a level, and this network has two.
        level, layer = divmod(options["branch"], 2)
        helper.params = dict(cache_interval=options["interval"], cache_layer_id=layer, cache_block_id=level, skip_mode="uniform")
        helper.enable()
    noise = torch.randn(inits.shape, generator=seeded(SEED))
    x = scheduler.add_noise(inits, noise, times[:1])
    for step, t in enumerate(times):
        alpha = scheduler.alphas_cumprod[t]
        sigma = ((1 - alpha) / alpha).sqrt().item()
        if guided(step, sigma, options.get("range", (0.0, 1.0)), options.get("sigma", 0.0), options.get("always", False), options.get("early", 0.0)):
            negative, positive = unet(torch.cat([x, x]), t, both).sample.chunk(2)
            eps = negative + GUIDANCE * (positive - negative)
        else:
            eps = unet(x, t, texts).sample
        x = scheduler.step(eps, t, x).prev_sample
    return noise, x


def main():
    tensors, cases = {}, []
    for name, (said, options) in RUNS.items():
        noise, tensors[name] = run(options)
        cases.append(dict(name=name, options=said))
        print(name, (tensors[name] - tensors["exact"]).abs().mean().item())
    save(OUT / "latents.safetensors", **tensors)
    write_json(OUT / "cases.json", dict(steps=STEPS, run=RUN, guidance=GUIDANCE, prompt=PROMPT, negative=NEGATIVE, seed=SEED, runs=cases))


if __name__ == "__main__":
    main()

"""Makes Tests/Golden/compat: image-to-image runs of the tiny model of Tests/Golden/img2img in two other tools' ways.

k-diffusion's: its sampling functions over its denoiser for networks that predict noise, from sigma[start] of a whole
    schedule; the starting noise and what ancestral samplers draw come from one torch generator in turn, what the SDE samplers
    read from its BrownianTreeNoiseSampler over the whole schedule.
The web UI's (AUTOMATIC1111, 1.10), stated here anew from what its sources do: how many steps of which schedule run at a
    denoising strength, where the picture is noised to, the "automatic" schedule and the sigma left out before the last,
    DDIM and PLMS over its list of timesteps, UniPC over log-linear alphas (the solver is diffusers'), a CUDA card's random
    numbers, variation, ENSD. The autoencoder's mean is taken, since the web UI draws its sample from a generator that nobody
    seeds.

Each case has <name>.png and <name>.safetensors (the final, still scaled, latents); cases.json tells the settings.
"""
import numpy as np
import torch
import torchsde._brownian.brownian_interval as interval
from diffusers import StableDiffusionImg2ImgPipeline, UniPCMultistepScheduler
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from PIL import Image

from common import GOLDEN, folder, report, save, seeded, write_json
from img2img import FOG, LAKE, SD
from noise import nv, turned
from prompts import parts_of, sd
from schedules import ALPHAS64, TABLE, external, ladder, sampling

ABAR = ALPHAS64.double()

# name, tool, sampler, schedule, steps, strength, guidance, eta, seed, more
CASES = [
    ("k-heun", "k", "heun", "uniform", 10, 0.6, 5, None, 51, {}),
    ("k-lms", "k", "lms", "uniform", 10, 0.6, 5, None, 52, {}),
    ("k-dpm2", "k", "dpm2", "karras", 10, 0.6, 5, None, 53, {}),
    ("k-dpm2-a", "k", "dpm2-a", "uniform", 10, 0.6, 5, 1.0, 54, {}),
    ("k-dpmpp-2s-a", "k", "dpmpp-2s-a", "karras", 10, 0.5, 5, 0.7, 55, {}),
    ("k-dpmpp-sde", "k", "dpmpp-sde", "karras", 10, 0.6, 5, 1.0, 56, {}),
    ("k-dpmpp-2m-sde", "k", "dpmpp-2m-sde", "exponential", 10, 0.6, 5, 1.0, 57, {}),
    ("web-euler-a", "webui", "euler-a", "model", 20, 0.5, 7, 1.0, 61, {}),
    ("web-euler-a-ensd", "webui", "euler-a", "model", 12, 0.75, 7, 1.0, 62, {"ensd": 31337}),
    ("web-dpmpp-2m", "webui", "dpmpp-2m", "model", 12, 0.4, 7, None, 63, {"variation": (99, 0.3)}),
    ("web-dpm2", "webui", "dpm2", "model", 10, 0.5, 7, None, 64, {}),
    ("web-dpmpp-sde", "webui", "dpmpp-sde", "model", 10, 0.5, 7, 1.0, 65, {}),
    ("web-heun-all", "webui", "heun", "model", 6, 1.0, 7, None, 66, {"rng": "torch"}),
    ("web-lcm", "webui", "lcm", "model", 6, 0.7, 1, None, 67, {}),
    ("web-ddim", "webui", "ddim", "model", 20, 0.5, 7, 0.0, 68, {}),
    ("web-ddim-eta", "webui", "ddim", "model", 30, 0.3, 7, 0.6, 69, {}),
    ("web-plms", "webui", "plms", "model", 12, 0.75, 7, None, 70, {}),
    ("web-plms-one", "webui", "plms", "model", 10, 0.2, 7, None, 71, {}),
    ("web-unipc", "webui", "unipc", "model", 12, 0.75, 7, None, 72, {}),
    ("web-multiplier", "webui", "euler", "karras", 10, 0.5, 7, None, 73, {"multiplier": 0.8}),
    ("web-heun-words", "webui", "heun", "model", 8, 0.6, 6, None, 74,
     {"prompt": "a (painting:1.3) of [lake:sea:0.4] at [sunset|dawn]", "negative": "(fog:1.2), [blur::3]"}),
    ("web-dpm2-a-words", "webui", "dpm2-a", "model", 6, 0.5, 6, 1.0, 75, {"prompt": "[lake:sea:3] AND [:sky:0.4]:0.5"}),
]
SECOND_ORDER = ("heun", "dpm2", "dpm2-a", "dpmpp-2s-a", "dpmpp-sde")
K = {"heun": "heun", "lms": "lms", "dpm2": "dpm_2", "dpm2-a": "dpm_2_ancestral", "dpmpp-2s-a": "dpmpp_2s_ancestral",
     "dpmpp-sde": "dpmpp_sde", "dpmpp-2m-sde": "dpmpp_2m_sde", "euler": "euler", "euler-a": "euler_ancestral", "dpmpp-2m": "dpmpp_2m"}
AUTOMATIC = {"dpmpp-2m": "karras", "dpmpp-sde": "karras", "dpmpp-2s-a": "karras", "dpm2": "karras", "dpm2-a": "karras",
             "dpmpp-2m-sde": "exponential"}


class Random:
    """One picture's numbers in turn."""

    def __init__(self, source, seed):
        self.source, self.seed, self.calls, self.torch = source, seed, 0, seeded(seed)

    def __call__(self, shape):
        if self.source == "torch":
            return torch.randn(shape, generator=self.torch)
        self.calls += 1
        return torch.tensor(nv(self.seed, int(np.prod(shape)), self.calls - 1)).reshape(shape)


def tree(x, sigmas, seed, source):
    interval._randn = lambda size, dtype, device, seed: Random(source, int(seed))(tuple(size))
    return sampling.BrownianTreeNoiseSampler(x, sigmas[sigmas > 0].min(), sigmas.max(), seed=[seed])


def denoiser(eps):
    model = external.DiscreteEpsDDPMDenoiser(eps, 1 / (TABLE**2 + 1), quantize=False)
    model.sigmas, model.log_sigmas = TABLE, TABLE.log()
    return model


def k_sample(sampler, eps, x, sigmas, whole, seed, source, fresh, eta):
    extra = {}
    if sampler.endswith("sde"):
        extra = {"noise_sampler": tree(x, whole, seed, source), "eta": eta}
    elif sampler.endswith("-a"):
        extra = {"noise_sampler": lambda *_: fresh(tuple(x.shape)), "eta": eta}
    return getattr(sampling, f"sample_{K[sampler]}")(denoiser(eps), x, sigmas, disable=True, **extra)


def k_run(eps, latents, sampler, schedule, steps, strength, eta, seed):
    fresh = Random("torch", seed)
    noise = fresh(tuple(latents.shape))
    whole = ladder({"uniform": "default"}.get(schedule, schedule), steps)
    sigmas = whole[steps - round(steps * strength):]
    return k_sample(sampler, eps, latents + sigmas[0] * noise, sigmas, whole, seed, "torch", fresh, eta)


def web_sigmas(sampler, schedule, steps):
    if sampler == "lcm":
        log = torch.stack([TABLE[20 * i + 19] for i in range(50)]).log()
        place = torch.linspace(49, 0, steps)
        low = place.floor().long()
        part = place.frac()
        return sampling.append_zero(((1 - part) * log[low] + part * log[place.ceil().long()]).exp())
    discard = sampler in ("dpm2", "dpm2-a")
    kind = AUTOMATIC.get(sampler, "default") if schedule == "model" else schedule
    sigmas = ladder(kind, steps + discard)
    return torch.cat([sigmas[:-2], sigmas[-1:]]) if discard else sigmas


def web_lcm(eps, x, sigmas, fresh):
    logs = torch.stack([TABLE[20 * i + 19] for i in range(50)]).log()
    for sigma, to in zip(sigmas[:-1], sigmas[1:]):
        t = (sigma.log() - logs).abs().argmin() * 20 + 19
        e = eps(x / (sigma**2 + 1) ** 0.5, t[None])
        s = t * 10.0
        x = s / (s**2 + 0.25) ** 0.5 * (x - sigma * e) + 0.25 / (s**2 + 0.25) * x
        if to > 0:
            x = x + to * fresh(tuple(x.shape))
    return x


def web_timesteps(sampler, eps, latents, noise, steps, reached, eta, fresh):
    times = [min(t + 1, 999) for t in range(0, 1000, 1000 // steps)]
    a = ABAR[times[reached]]
    x = a.sqrt() * latents.double() + (1 - a).sqrt() * noise.double()
    given = times[:reached]

    def e_at(x, t):
        return eps(x.float(), torch.tensor([float(t)])).double()

    if sampler == "unipc":
        grid = np.linspace(given[-1], 0, len(given) + 1)
        abar = np.exp(np.interp(grid, np.arange(1000), ABAR.log().numpy()))
        solver = UniPCMultistepScheduler(**SD, solver_order=3, solver_type="bh1", final_sigmas_type="sigma_min")
        solver.set_timesteps(len(given))
        solver.sigmas, solver._step_index = torch.from_numpy(((1 - abar) / abar) ** 0.5), 0
        solver.timesteps = torch.from_numpy(grid[:-1])
        torch.set_default_dtype(torch.float64)
        for t in grid[:-1]:
            x = solver.step(e_at(x, t), t, x).prev_sample
        torch.set_default_dtype(torch.float32)
        return x.float()
    old = []
    for i in range(len(given) - 1, 0, -1):
        a, before = ABAR[given[i]], ABAR[given[i - 1]]
        e = e_at(x, given[i])

        def moved(e, s=0.0):
            x0 = (x - (1 - a).sqrt() * e) / a.sqrt()
            return before.sqrt() * x0 + (1 - before - s**2).sqrt() * e

        if sampler == "ddim":
            s = eta * ((1 - before) / (1 - a) * (1 - a / before)).sqrt()
            x = moved(e, s) + s * fresh(tuple(x.shape))
            continue
        if not old:
            mixed = (e + e_at(moved(e), given[i - 1])) / 2
        elif len(old) == 1:
            mixed = (3 * e - old[-1]) / 2
        elif len(old) == 2:
            mixed = (23 * e - 16 * old[-1] + 5 * old[-2]) / 12
        else:
            mixed = (55 * e - 59 * old[-1] + 37 * old[-2] - 9 * old[-3]) / 24
        old = (old + [e])[-3:]
        x = moved(mixed)
    return x.float()


def web_run(eps, latents, sampler, schedule, steps, strength, eta, seed, more):
    source = more.get("rng", "nv")
    fresh = Random(source, seed)
    noise = fresh(tuple(latents.shape))
    if "variation" in more:
        other, amount = more["variation"]
        noise = turned(amount, noise[0], Random(source, other)(tuple(latents.shape))[0])[None]
    if "ensd" in more:
        fresh = Random(source, seed + more["ensd"])
    noise = noise * more.get("multiplier", 1)
    reached = int(min(strength, 0.999) * steps)
    if sampler in ("ddim", "plms", "unipc"):
        return web_timesteps(sampler, eps, latents, noise, steps, reached, eta, fresh)
    whole = web_sigmas(sampler, schedule, steps)
    sigmas = whole[steps - reached - 1:]
    x = latents + sigmas[0] * noise
    if sampler == "lcm":
        return web_lcm(eps, x, sigmas, fresh)
    return k_sample(sampler, eps, x, sigmas, whole, seed, source, fresh, eta)


def changing(unet, calls, guidance, prompt, negative):
    """A prompt in the web UI's language, which changes by calls of the network: samplers of second order call it twice a step."""
    readers = sd({})
    parts = [(readers.schedule(text, calls), weight) for text, weight in parts_of(prompt)]
    against = readers.schedule(negative, calls)
    call = iter(range(calls))

    def eps(x, t, **_):
        now = next(call)

        def ask(schedule):
            ends, context, _ = schedule
            place = next(i for i, end in enumerate(ends) if now <= end)
            return unet(x, t.reshape(-1)[0], context[place:place + 1]).sample

        away = ask(against)
        return away + sum(guidance * weight * (ask(part) - away) for part, weight in parts)

    return eps


def main():
    out = folder("compat")
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(GOLDEN / "img2img" / "model")
    DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mean
    init = Image.open(GOLDEN / "img2img" / "init.png")
    pixels = torch.from_numpy(np.asarray(init, np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    latents = pipe.vae.encode(pixels).latent_dist.mean * pipe.vae.config.scaling_factor
    words, without = pipe.encode_prompt(LAKE, "cpu", 1, True, negative_prompt=FOG)
    entries = []
    for name, tool, sampler, schedule, steps, strength, guidance, eta, seed, more in CASES:
        def eps(x, t, **_):
            both = pipe.unet(torch.cat([x, x]), t.reshape(-1)[0], torch.cat([without, words])).sample.chunk(2)
            return both[1] if guidance == 1 else both[0] + guidance * (both[1] - both[0])

        if "prompt" in more:
            eps = changing(pipe.unet, steps * (2 if sampler in SECOND_ORDER else 1), guidance, more["prompt"], more.get("negative", FOG))

        if tool == "k":
            final = k_run(eps, latents, sampler, schedule, steps, strength, eta, seed)
        else:
            final = web_run(eps, latents, sampler, schedule, steps, strength, eta, seed, more)
        raw = pipe.vae.decode(final / pipe.vae.config.scaling_factor).sample
        report(name, raw)
        rgb = (raw / 2 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).numpy()
        Image.fromarray((rgb * 255).round().astype(np.uint8)).save(out / f"{name}.png")
        save(out / f"{name}.safetensors", final_latents=final)
        entries.append(dict(name=name, tool=tool, sampler=sampler, schedule=schedule, steps=steps, strength=strength,
                            guidance=guidance, eta=eta, seed=seed, **{"prompt": LAKE, "negative": FOG, **more}))
    write_json(out / "cases.json", entries)


if __name__ == "__main__":
    main()

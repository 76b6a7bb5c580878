"""Golden whole sampler runs -> Tests/Golden/sampling/<sampler>.safetensors and cases.json.

From diffusers (step of DDIMScheduler, DDPMScheduler, PNDMScheduler, UniPCMultistepScheduler, LCMScheduler) and k-diffusion (sampling.sample_* over its Discrete*DDPMDenoiser).
The network is a toy that any program can compute alike, elementwise:
    toy(x, t) = tanh(a * x + b + 0.3 * cos(0.005 * t))
with x the input as the network gets it (variance-preserving scale, k-diffusion: x / sqrt(sigma^2 + 1)) and t the timestep
(k-diffusion: fractional). Its value is read as epsilon, v or sample. All tensors come from numpy's default_rng(SEED).

Each file holds a, b, latent, noise [2, 3, 5, 7] and for each case
    <case>/x0init    the noised start, in the sampler's own scale:
                     ddim, ddpm, plms, unipc, lcm: sqrt(abar_t) * latent + sqrt(1 - abar_t) * noise; others: latent + sigma * noise
    <case>/noises    [K, ...] the noises in order of draw; absent when nothing is drawn
    <case>/output    of a float32 run
    <case>/output64  of the same run in float64 from x0init on, tables and sigmas (sigmas64) included

Cases of the SDE samplers whose name ends in "path" take their noise not in order of draw but from one path over sigma,
W(s) = a * sin(3 * s) + b * s, as (W(s') - W(s)) / sqrt(|s' - s|).
"""
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler, LCMScheduler, PNDMScheduler, UniPCMultistepScheduler
from diffusers.schedulers import scheduling_ddpm, scheduling_lcm
from safetensors.torch import save_file

from schedules import BETAS, SPACINGS, TABLE, TABLE64, alphas64, external, ladder, sampling

OUT = Path(__file__).resolve().parents[2] / "Tests/Golden/sampling"
SEED, SHAPE = 31337, (2, 3, 5, 7)
PREDICTIONS = ("epsilon", "v_prediction", "sample")
SD = BETAS["scaled_linear"]

rng = np.random.default_rng(SEED)
A, B, LATENT, NOISE = (torch.from_numpy(x.astype(np.float32)) for x in (
    rng.uniform(0.4, 1.4, SHAPE), rng.normal(0, 0.3, SHAPE), rng.normal(0, 0.8, SHAPE), rng.normal(0, 1, SHAPE)))


def toy(x, t):
    t = torch.as_tensor(t).to(x.dtype).reshape(-1, 1, 1, 1)
    return torch.tanh(A.to(x.dtype) * x + B.to(x.dtype) + 0.3 * torch.cos(0.005 * t))


class Draws:
    """Hands out standard normals, the same ones to both runs of a case, and keeps count."""

    def __init__(self, name):
        self.rng, self.list, self.at = np.random.default_rng([SEED, *name.encode()]), [], 0

    def __call__(self, dtype):
        if self.at == len(self.list):
            self.list.append(torch.from_numpy(self.rng.standard_normal(SHAPE).astype(np.float32)))
        self.at += 1
        return self.list[self.at - 1].to(dtype)


class SampleDenoiser(external.DiscreteSchedule):
    """The counterpart of k-diffusion's wrappers for a network that gives the sample itself."""

    def __init__(self, model, alphas_cumprod, quantize):
        super().__init__(((1 - alphas_cumprod) / alphas_cumprod) ** 0.5, quantize)
        self.inner_model = model

    def forward(self, x, sigma):
        return self.inner_model(x / (sigma.reshape(-1, 1, 1, 1) ** 2 + 1) ** 0.5, self.sigma_to_t(sigma))


DENOISERS = dict(zip(PREDICTIONS, (external.DiscreteEpsDDPMDenoiser, external.DiscreteVDDPMDenoiser, SampleDenoiser)))


def record(tensors, case, x, output, output64, draws):
    name = case["name"]
    tensors[f"{name}/x0init"], tensors[f"{name}/output"], tensors[f"{name}/output64"] = x, output, output64
    if draws.list:
        tensors[f"{name}/noises"] = torch.stack(draws.list)
    assert torch.isfinite(output).all() and torch.isfinite(output64).all(), name
    return case | {"draws": len(draws.list), "rounding": (output - output64).abs().max().item(),
                   "largest": output64.abs().max().item()}


def diffusers_run(tensors, sampler, name, config, steps, start, eta=0.0):
    kind = {"ddim": DDIMScheduler, "ddpm": DDPMScheduler}[sampler]
    draws, outputs, x0init = Draws(f"{sampler}/{name}"), [], None
    for dtype in (torch.float32, torch.float64):
        scheduler, draws.at = kind(**config), 0
        scheduler.set_timesteps(steps)
        ladder = scheduler.timesteps[start:]
        if x0init is None:
            x0init = scheduler.add_noise(LATENT, NOISE, ladder[:1])
        if dtype == torch.float64:
            scheduler.alphas_cumprod = alphas64(config)
            scheduler.one = torch.tensor(1.0, dtype=dtype)
            if sampler == "ddim":
                scheduler.final_alpha_cumprod = scheduler.one if config["set_alpha_to_one"] else scheduler.alphas_cumprod[0]
        scheduling_ddpm.randn_tensor = lambda shape, **_: draws(dtype)
        x = x0init.to(dtype)
        for t in ladder:
            extra = {"eta": eta, "variance_noise": draws(dtype) if eta else None} if sampler == "ddim" else {}
            x = scheduler.step(toy(x, t), t, x, **extra).prev_sample
        outputs.append(x)
    timesteps = scheduler.timesteps.tolist()
    previous = [t - 1000 // steps for t in timesteps] if sampler == "ddim" else timesteps[1:] + [-1]
    case = {"name": name, "sampler": sampler, "prediction": config["prediction_type"], "config": config, "steps": steps,
            "start": start, "eta": eta if sampler == "ddim" else None, "timesteps": timesteps, "previous": previous,
            "sigmas": None}
    return record(tensors, case, x0init, *outputs, draws)


def starts(steps):
    """The whole schedule, and its last 60 %."""
    return (("whole", 0), ("last60", steps - steps * 60 // 100))


def ddim(tensors):
    def run(name, config, steps, start=0, eta=0.0):
        return diffusers_run(tensors, "ddim", name, config, steps, start, eta)

    sd = SD | SPACINGS["leading1"] | {"set_alpha_to_one": False, "clip_sample": False}
    for prediction in PREDICTIONS:
        of = {"prediction_type": prediction}
        for eta in (0.0, 0.5, 1.0):
            for part, start in starts(10):
                yield run(f"sd-{prediction}-eta{eta}-{part}", sd | of, 10, start, eta)
        for eta in (0.0, 1.0):
            yield run(f"clip-{prediction}-eta{eta}", sd | of | {"clip_sample": True}, 10, 0, eta)
        for beta in ("linear", "squaredcos_cap_v2"):
            config = BETAS[beta] | SPACINGS["leading0"] | of | {"set_alpha_to_one": True, "clip_sample": False}
            for eta in (0.0, 0.5):
                yield run(f"{beta}-{prediction}-eta{eta}", config, 7, 3 if beta != "linear" else 0, eta)
    zero = SD | SPACINGS["trailing"] | {"set_alpha_to_one": True, "clip_sample": False, "rescale_betas_zero_snr": True,
                                        "prediction_type": "v_prediction"}
    for eta in (0.0, 1.0):
        for part, start in starts(10):
            yield run(f"zsnr-v-eta{eta}-{part}", zero, 10, start, eta)
    yield run("zsnr-v-one-step", zero, 1)
    # Spacings whose next timestep is not t - 1000 // steps, which is what DDIMScheduler.step goes to.
    yield run("linspace-epsilon", sd | SPACINGS["linspace"] | {"prediction_type": "epsilon"}, 10)
    yield run("trailing17-epsilon-eta0.5", sd | SPACINGS["trailing"] | {"prediction_type": "epsilon"}, 17, 0, 0.5)


def ddpm(tensors):
    def run(name, config, steps, start=0):
        return diffusers_run(tensors, "ddpm", name, config, steps, start)

    for prediction in PREDICTIONS:
        base = SD | SPACINGS["leading0"] | {"prediction_type": prediction}
        for variance in ("fixed_small", "fixed_large"):
            for clip in (False, True):
                config = base | {"variance_type": variance, "clip_sample": clip}
                yield run(f"{prediction}-{variance}{'-clip' if clip else ''}-10", config, 10)
        for part, start in starts(20):
            yield run(f"{prediction}-20-{part}", base | {"variance_type": "fixed_small", "clip_sample": False}, 20, start)
    # Schedules that do not end at timestep 0: a noise is drawn at the last step too.
    base = {"prediction_type": "epsilon", "clip_sample": False}
    for variance in ("fixed_small", "fixed_large"):
        yield run(f"leading1-{variance}", SD | SPACINGS["leading1"] | base | {"variance_type": variance}, 10)
    yield run("trailing-linear", BETAS["linear"] | SPACINGS["trailing"] | base | {"variance_type": "fixed_small"}, 10)


def plms(tensors):
    """A run from inside the schedule starts as one of its own: its first step twice."""
    def run(name, config, steps, start=0):
        outputs, x0init = [], None
        for dtype in (torch.float32, torch.float64):
            scheduler = PNDMScheduler(**config)
            scheduler.set_timesteps(steps)
            times = scheduler.timesteps.tolist()
            whole = times[:1] + times[2:]
            ladder = whole[start:]
            ladder = ladder[:2] + ladder[1:]
            if x0init is None:
                x0init = scheduler.add_noise(LATENT, NOISE, torch.tensor(ladder[:1]))
            if dtype == torch.float64:
                scheduler.alphas_cumprod = alphas64(config)
                scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=dtype) if config["set_alpha_to_one"] else scheduler.alphas_cumprod[0]
            x = x0init.to(dtype)
            for t in ladder:
                x = scheduler.step(toy(x, t), t, x).prev_sample
            outputs.append(x)
        case = {"name": name, "sampler": "plms", "prediction": config["prediction_type"], "config": config, "steps": steps,
                "start": start, "eta": None, "timesteps": whole, "sigmas": None}
        return record(tensors, case, x0init, *outputs, Draws(name))

    base = SD | {"skip_prk_steps": True}
    for prediction in PREDICTIONS[:2]:  # the scheduler knows no other
        for steps in (10, 13):
            for part, start in starts(steps):
                config = base | SPACINGS["leading1"] | {"prediction_type": prediction, "set_alpha_to_one": False}
                yield run(f"{prediction}-{steps}-{part}", config, steps, start)
        for steps in (1, 2, 3):
            config = base | SPACINGS["leading1"] | {"prediction_type": prediction, "set_alpha_to_one": True}
            yield run(f"{prediction}-{steps}-short", config, steps)
        for spacing in ("trailing", "linspace", "leading0"):
            config = base | SPACINGS[spacing] | {"prediction_type": prediction, "set_alpha_to_one": True}
            yield run(f"{prediction}-{spacing}", config, 8)


def unipc(tensors):
    def run(name, config, steps, start=0):
        outputs, x0init = [], None
        for dtype in (torch.float32, torch.float64):
            torch.set_default_dtype(dtype)
            scheduler = UniPCMultistepScheduler(**config)
            if dtype == torch.float64:
                scheduler.alphas_cumprod = alphas64(config)
                if config.get("rescale_betas_zero_snr"):
                    scheduler.alphas_cumprod[-1] = 2.0**-24
            scheduler.set_timesteps(steps)
            scheduler.set_begin_index(start)
            if dtype == torch.float64:  # its own last line rounds to single precision
                scheduler.sigmas = sigmas64(scheduler, config, steps)
            if x0init is None:
                x0init = scheduler.add_noise(LATENT, NOISE, scheduler.timesteps[start:start + 1])
            x = x0init.to(dtype)
            for t in scheduler.timesteps[start:]:
                x = scheduler.step(toy(x, t), t, x).prev_sample
            outputs.append(x)
        torch.set_default_dtype(torch.float32)
        named = "karras" if config.get("use_karras_sigmas") else "exponential" if config.get("use_exponential_sigmas") else None
        case = {"name": name, "sampler": "unipc", "prediction": config["prediction_type"],
                "config": {"_class_name": "UniPCMultistepScheduler"} | config, "steps": steps, "start": start, "eta": None,
                "timesteps": scheduler.timesteps.tolist(), "sigmas": None, "schedule": named}
        return record(tensors, case, x0init, *outputs, Draws(name))

    def sigmas64(scheduler, config, steps):
        table = ((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod) ** 0.5
        low, high = table[0].item(), table[-1].item()
        if config.get("use_karras_sigmas"):
            ramp = np.linspace(0, 1, steps)
            sigmas = (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7
        elif config.get("use_exponential_sigmas"):
            sigmas = np.exp(np.linspace(np.log(high), np.log(low), steps))
        else:
            sigmas = table.numpy()[scheduler.timesteps.numpy()]
        return torch.from_numpy(np.append(sigmas, low if config["final_sigmas_type"] == "sigma_min" else 0.0))

    base = SD | SPACINGS["linspace"] | {"final_sigmas_type": "zero"}
    for prediction in PREDICTIONS:
        for order in (1, 2, 3):
            for part, start in starts(10):
                config = base | {"prediction_type": prediction, "solver_order": order, "solver_type": "bh2"}
                yield run(f"{prediction}-order{order}-{part}", config, 10, start)
        # With bh1 a last step to sigma 0 is not a number there.
        yield run(f"{prediction}-bh1", base | {"prediction_type": prediction, "solver_order": 3, "solver_type": "bh1",
                                               "final_sigmas_type": "sigma_min"}, 12)
    epsilon = base | {"prediction_type": "epsilon", "solver_order": 2, "solver_type": "bh2"}
    for steps in (1, 2, 3):
        yield run(f"short-{steps}", epsilon | {"solver_order": 3}, steps)
    for spacing in ("leading1", "trailing"):
        yield run(spacing, epsilon | SPACINGS[spacing], 10, 3)
    yield run("karras", epsilon | {"use_karras_sigmas": True}, 10, 2)
    yield run("exponential", epsilon | {"use_exponential_sigmas": True}, 10, 2)
    yield run("sigma-min", epsilon | {"final_sigmas_type": "sigma_min", "solver_order": 3}, 10)
    yield run("keeps-order", epsilon | {"final_sigmas_type": "sigma_min", "solver_order": 3, "lower_order_final": False}, 10)
    yield run("uncorrected", epsilon | {"disable_corrector": [0, 2]}, 10)
    yield run("zsnr-v", base | SPACINGS["trailing"] | {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True,
                                                       "solver_order": 2, "solver_type": "bh2"}, 10)


def lcm(tensors):
    def run(name, config, steps, start=0, strength=1.0):
        draws, outputs, x0init = Draws(f"lcm/{name}"), [], None
        for dtype in (torch.float32, torch.float64):
            scheduler, draws.at = LCMScheduler(**config), 0
            scheduler.set_timesteps(steps, strength=strength)
            scheduler.set_begin_index(start)
            ladder = scheduler.timesteps[start:]
            if x0init is None:
                x0init = scheduler.add_noise(LATENT, NOISE, ladder[:1])
            if dtype == torch.float64:
                scheduler.alphas_cumprod = alphas64(config)
            scheduling_lcm.randn_tensor = lambda shape, **_: draws(dtype)
            x = x0init.to(dtype)
            for t in ladder:
                x = scheduler.step(toy(x, t), t, x).prev_sample
            outputs.append(x)
        case = {"name": name, "sampler": "lcm", "prediction": config["prediction_type"],
                "config": {"_class_name": "LCMScheduler"} | config, "steps": steps, "start": start, "eta": None,
                "timesteps": scheduler.timesteps.tolist(), "sigmas": None}
        if strength != 1:
            case["strength"] = strength
        return record(tensors, case, x0init, *outputs, draws)

    for prediction in PREDICTIONS:
        config = SD | {"prediction_type": prediction}
        for steps in (1, 4, 8):
            yield run(f"{prediction}-{steps}", config, steps)
        yield run(f"{prediction}-8-last4", config, 8, 4)
        for steps, strength in ((4, 0.5), (3, 0.7), (1, 0.3)):
            yield run(f"{prediction}-{steps}-strength{strength}", config, steps, strength=strength)
    yield run("clip", SD | {"prediction_type": "epsilon", "clip_sample": True}, 6)
    yield run("scaling", SD | {"prediction_type": "epsilon", "timestep_scaling": 0.01, "original_inference_steps": 40}, 6)


K_DIFFUSION = {
    "euler": "euler", "euler-a": "euler_ancestral", "heun": "heun", "lms": "lms", "dpm2": "dpm_2", "dpm2-a": "dpm_2_ancestral",
    "dpmpp-2s-a": "dpmpp_2s_ancestral", "dpmpp-2m": "dpmpp_2m", "dpmpp-2m-sde": "dpmpp_2m_sde", "dpmpp-sde": "dpmpp_sde",
}


def along_path(dtype):
    def value(sigma):
        return A.to(dtype) * torch.sin(3 * sigma.to(dtype)) + B.to(dtype) * sigma.to(dtype)

    return lambda sigma, to: (value(to) - value(sigma)) / (to - sigma).abs().sqrt()


def k_diffusion_run(tensors, sampler, prediction, schedule, steps, part, start, eta=None, path=False):
    name = f"{prediction}-{schedule}-{steps}-{part}{'' if eta is None else f'-eta{eta}'}{'-path' if path else ''}"
    draws, outputs, x0init, used = Draws(f"{sampler}/{name}"), [], None, []
    stochastic = sampler.endswith(("-a", "sde"))
    for dtype, table in ((torch.float32, TABLE), (torch.float64, TABLE64)):
        sigmas, draws.at = ladder(schedule, steps, double=dtype == torch.float64), 0
        if x0init is None:
            x0init = LATENT + sigmas[start] * NOISE
        model = DENOISERS[prediction](toy, 1 / (table**2 + 1), quantize=False)
        model.sigmas, model.log_sigmas = table, table.log()  # not through alphas and back
        extra = {"noise_sampler": along_path(dtype) if path else lambda *_: draws(dtype)} if stochastic else {}
        if eta is not None:
            extra["eta"] = eta
        sample = getattr(sampling, f"sample_{K_DIFFUSION[sampler]}")
        outputs.append(sample(model, x0init.to(dtype), sigmas[start:], disable=True, **extra))
        used.append((sigmas.tolist(), model.sigma_to_t(sigmas[:-1]).tolist()))
    (sigmas, timesteps), (sigmas64, timesteps64) = used
    case = {"name": name, "sampler": sampler, "prediction": prediction, "config": SD, "schedule": schedule, "steps": steps,
            "start": start, "eta": (1.0 if eta is None else eta) if stochastic else None, "path": path, "timesteps": timesteps, "sigmas": sigmas,
            "timesteps64": timesteps64, "sigmas64": sigmas64}
    return record(tensors, case, x0init, *outputs, draws)


def k_diffusion(sampler):
    def run(tensors):
        for steps, predictions in ((10, PREDICTIONS), (17, PREDICTIONS[:1])):
            for prediction in predictions:
                for schedule in ("default", "karras"):
                    for part, start in starts(steps):
                        yield k_diffusion_run(tensors, sampler, prediction, schedule, steps, part, start)
        if sampler.endswith(("-a", "sde")):
            for eta in (0.0, 0.4):
                yield k_diffusion_run(tensors, sampler, "epsilon", "karras", 6, "last60", 2, eta)
        if sampler.endswith("sde"):
            yield k_diffusion_run(tensors, sampler, "epsilon", "karras", 10, "whole", 0, path=True)
    return run


def main():
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    cases = []
    for sampler, run in {"ddim": ddim, "ddpm": ddpm, "plms": plms, "unipc": unipc, "lcm": lcm, **{name: k_diffusion(name) for name in K_DIFFUSION}}.items():
        tensors = {"a": A, "b": B, "latent": LATENT, "noise": NOISE}
        cases += run(tensors)
        save_file(tensors, OUT / f"{sampler}.safetensors")
    lines = ",\n".join(json.dumps(case, allow_nan=False) for case in cases)
    (OUT / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

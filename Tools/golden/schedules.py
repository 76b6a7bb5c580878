"""Golden noise schedules -> Tests/Golden/schedules/cases.json.

From diffusers (DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler: set_timesteps and their tables, float32 as they
make them) and k-diffusion (sampling.get_sigmas_karras, get_sigmas_exponential; external.DiscreteSchedule over the
scaled-linear table; sgm-uniform is its t_to_sigma at n + 1 even timesteps without the last). Nothing is random, so there
is no seed. Every number is written with the digits of its float64 value. Fields that end in 64 are the same quantity
computed in float64 from the start.
"""
import importlib.util
import json
import sys
import types
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

# k-diffusion's sampling code without its package's __init__, which pulls in training-only dependencies.
_package = types.ModuleType("k_diffusion")
_package.__path__ = list(importlib.util.find_spec("k_diffusion").submodule_search_locations)
sys.modules.setdefault("k_diffusion", _package)
from k_diffusion import external, sampling  # noqa: E402

OUT = Path(__file__).resolve().parents[2] / "Tests/Golden/schedules"
STEPS = [1, 2, 7, 10, 20, 30, 50, 999, 1000]
AT = [0, 1, 10, 499, 998, 999]
BETAS = {
    "linear": {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
    "scaled_linear": {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
    "squaredcos_cap_v2": {"beta_schedule": "squaredcos_cap_v2"},
}
SPACINGS = {
    "leading0": {"timestep_spacing": "leading", "steps_offset": 0},
    "leading1": {"timestep_spacing": "leading", "steps_offset": 1},
    "linspace": {"timestep_spacing": "linspace"},
    "trailing": {"timestep_spacing": "trailing"},
}


def alphas64(config):
    """alphas_cumprod of a scheduler config, in float64 throughout."""
    kind, count = config["beta_schedule"], 1000
    if kind == "linear":
        betas = torch.linspace(config["beta_start"], config["beta_end"], count, dtype=torch.float64)
    elif kind == "scaled_linear":
        betas = torch.linspace(config["beta_start"] ** 0.5, config["beta_end"] ** 0.5, count, dtype=torch.float64) ** 2
    else:
        bar = torch.cos((torch.arange(count + 1, dtype=torch.float64) / count + 0.008) / 1.008 * torch.pi / 2) ** 2
        betas = (1 - bar[1:] / bar[:-1]).clamp(max=0.999)
    if config.get("rescale_betas_zero_snr"):
        betas = rescale_zero_terminal_snr(betas)
    return torch.cumprod(1 - betas, 0)


ALPHAS64 = alphas64(BETAS["scaled_linear"])
TABLE64 = ((1 - ALPHAS64) / ALPHAS64) ** 0.5
# CompVis makes the table in float64 and keeps alphas_cumprod as float32; k-diffusion takes sigmas from that.
TABLE = ((1 - ALPHAS64.float()) / ALPHAS64.float()) ** 0.5


def t_to_sigma64(t):
    return np.exp(np.interp(t, np.arange(1000), TABLE64.log().numpy()))


def ladder(kind, n, double=False, low=None, high=None):
    """n + 1 sigmas of a k-diffusion schedule, the last one 0."""
    table = TABLE64 if double else TABLE
    low, high = low or table[0].item(), high or table[-1].item()
    if kind in ("default", "sgm-uniform"):
        count = n + (kind == "sgm-uniform")
        if double:
            sigmas = torch.from_numpy(t_to_sigma64(np.linspace(999, 0, count)))
        else:
            sigmas = external.DiscreteSchedule(table, quantize=False).get_sigmas(count)[:-1]
        return sampling.append_zero(sigmas[:n])
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    try:
        return getattr(sampling, f"get_sigmas_{kind}")(n, low, high)
    finally:
        torch.set_default_dtype(torch.float32)



def diffusers_case(group, name, steps, config):
    scheduler = getattr(diffusers, name)(**config)
    scheduler.set_timesteps(steps)
    final = getattr(scheduler, "final_alpha_cumprod", None)
    alphas = alphas64(config)
    if name.startswith("Euler") and config.get("rescale_betas_zero_snr"):
        alphas[-1] = 2.0**-24  # Euler keeps its first sigma finite: 4096
    return {
        "name": f"{group}/n{steps}", "scheduler": name, "config": config, "steps": steps,
        "timesteps": scheduler.timesteps.tolist(),
        "sigmas": scheduler.sigmas.tolist() if name.startswith("Euler") else None,
        "init_noise_sigma": float(scheduler.init_noise_sigma),
        "alphas_cumprod": {str(i): scheduler.alphas_cumprod[i].item() for i in AT},
        "alphas_cumprod64": {str(i): alphas[i].item() for i in AT},
        "final_alpha_cumprod": None if final is None else final.item(),
    }


def diffusers_cases():
    ddim = {**BETAS["scaled_linear"], "set_alpha_to_one": False, "clip_sample": False}
    for key, spacing in SPACINGS.items():  # where the timesteps fall
        for steps in STEPS:
            yield diffusers_case(f"ddim/{key}", "DDIMScheduler", steps, ddim | spacing)
    for beta, betas in BETAS.items():  # the tables
        for zero in (False, True):
            for one in (False, True):
                group = f"ddim/{beta}-{'zsnr' if zero else 'plain'}-{'one' if one else 'first'}"
                flags = {"rescale_betas_zero_snr": zero, "set_alpha_to_one": one, "clip_sample": False}
                yield diffusers_case(group, "DDIMScheduler", 20, betas | flags | SPACINGS["trailing" if zero else "leading1"])
    for key in ("leading0", "leading1", "linspace", "trailing"):
        for skip in (True, False):
            for steps in (1, 2, 7, 10, 20, 50) if skip else (7, 10, 20, 50):
                config = BETAS["scaled_linear"] | SPACINGS[key] | {"skip_prk_steps": skip, "set_alpha_to_one": False}
                yield diffusers_case(f"pndm/{key}-{'plms' if skip else 'prk'}", "PNDMScheduler", steps, config)
    for key, spacing in SPACINGS.items():
        for karras in (False, True):
            config = BETAS["scaled_linear"] | spacing | {"use_karras_sigmas": karras}
            for steps in STEPS[:-2] + [1000] * (key == "linspace" and not karras):
                yield diffusers_case(f"euler/{key}{'-karras' if karras else ''}", "EulerDiscreteScheduler", steps, config)
    for beta, betas in BETAS.items():
        for zero in (False, True):
            for karras in (False, True):
                for final in ("zero", "sigma_min"):
                    group = f"euler/{beta}-{'zsnr' if zero else 'plain'}{'-karras' if karras else ''}-{final}"
                    flags = {"rescale_betas_zero_snr": zero, "use_karras_sigmas": karras, "final_sigmas_type": final}
                    spacing = SPACINGS["trailing" if zero else "leading1"]
                    yield diffusers_case(group, "EulerDiscreteScheduler", 10, betas | flags | spacing)
    for steps in (1, 2, 7, 20):
        config = BETAS["scaled_linear"] | SPACINGS["leading1"] | {"use_exponential_sigmas": True}
        yield diffusers_case("euler/leading1-exponential", "EulerDiscreteScheduler", steps, config)


def k_diffusion_cases():
    common = {"config": BETAS["scaled_linear"], "timesteps": None, "final_alpha_cumprod": None,
              "alphas_cumprod": {str(i): ALPHAS64.float()[i].item() for i in AT},
              "alphas_cumprod64": {str(i): ALPHAS64[i].item() for i in AT}}
    schedule = external.DiscreteSchedule(TABLE, quantize=False)
    schedule64 = external.DiscreteSchedule(TABLE64, quantize=False)
    for kind in ("default", "karras", "exponential", "sgm-uniform"):
        for n in (1, 2, 7, 10, 17, 20, 50):
            sigmas, sigmas64 = ladder(kind, n), ladder(kind, n, double=True)
            yield {"name": f"kdiffusion/{kind}/n{n}", "scheduler": f"k_diffusion {kind}", "steps": n, **common,
                   "sigmas": sigmas.tolist(), "sigmas64": sigmas64.tolist(),
                   "timesteps": schedule.sigma_to_t(sigmas[:-1]).tolist(),
                   "timesteps64": schedule64.sigma_to_t(sigmas64[:-1]).tolist()}
    for kind in ("karras", "exponential"):
        for n in (1, 7, 20):
            yield {"name": f"kdiffusion/{kind}-0.1-10/n{n}", "scheduler": f"k_diffusion {kind}", "steps": n, **common,
                   "sigma_min": 0.1, "sigma_max": 10.0, "sigmas": ladder(kind, n, low=0.1, high=10.0).tolist(),
                   "sigmas64": ladder(kind, n, double=True, low=0.1, high=10.0).tolist()}
    sigma = torch.tensor([0.01, 0.0292, 0.03, 0.1, 0.5, 1.0, 2.5, 7.0, 14.6, 14.7, 20.0])
    t = torch.tensor([0.0, 0.25, 1.0, 10.5, 500.125, 998.75, 999.0])
    yield {"name": "kdiffusion/sigma_to_t", "scheduler": "k_diffusion DiscreteSchedule.sigma_to_t", "steps": None, **common,
           "sigmas": sigma.tolist(), "timesteps": schedule.sigma_to_t(sigma).tolist(),
           "timesteps64": schedule64.sigma_to_t(sigma.double()).tolist()}
    yield {"name": "kdiffusion/t_to_sigma", "scheduler": "k_diffusion DiscreteSchedule.t_to_sigma", "steps": None, **common,
           "timesteps": t.tolist(), "sigmas": schedule.t_to_sigma(t).tolist(), "sigmas64": t_to_sigma64(t.numpy()).tolist()}


def main():
    torch.set_num_threads(1)
    cases = [*diffusers_cases(), *k_diffusion_cases()]
    OUT.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, allow_nan=False) for case in cases)
    (OUT / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

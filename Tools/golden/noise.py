"""Makes Tests/Golden/noise: noise sources beside torch.randn.

cases.json
    nv      a CUDA card's numbers: each value is written out with Python's own integers and math, after Philox4x32-10
            (Salmon et al., 2011) and the web UI's use of it (counter: call, 0, element, 0; one value of a block)
    turned  the web UI's slerp between two noises, in torch, with angles along the height of C x H x W
tree.safetensors
    k-diffusion's BrownianTreeNoiseSampler (torchsde) over the karras sigmas of Stable Diffusion: for each seed and pair of
    sigmas (in cases.json under "tree") the noise between them. Values are torch's on a CPU.
"""
import json
import math
import struct

import numpy as np
import torch
from safetensors.torch import save_file

from common import folder, seeded
from schedules import ladder, sampling

SHAPE = (3, 5, 7)


def philox(counter, key):
    c, k = list(counter), list(key)
    for bump in range(10):
        if bump:
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
    return c


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def nv(seed, count, call):
    unit, turn = single(2.3283064e-10), single(2.3283064e-10 * 6.2831855)
    values = []
    for i in range(count):
        words = philox((call, 0, i, 0), (seed & 0xFFFFFFFF, seed >> 32))
        u, v = words[0] * unit + unit / 2, words[1] * turn + turn / 2
        values.append(single(math.sqrt(-2 * math.log(u)) * math.sin(v)))
    return values


def turned(amount, low, high):
    low_n = low / torch.norm(low, dim=1, keepdim=True)
    high_n = high / torch.norm(high, dim=1, keepdim=True)
    dot = (low_n * high_n).sum(1)
    if dot.mean() > 0.9995:
        return low * amount + high * (1 - amount)
    angle = torch.acos(dot)
    size = torch.sin(angle)
    return (torch.sin((1 - amount) * angle) / size).unsqueeze(1) * low + (torch.sin(amount * angle) / size).unsqueeze(1) * high


def main():
    out = folder("noise")
    known = [-0.92466, -0.42534, -2.64385, 0.14518]  # of a card, seed 0
    assert np.allclose(nv(0, 4, 0), known, atol=1e-5)
    cases = {"shape": SHAPE, "nv": [{"seed": seed, "calls": [nv(seed, 9, call) for call in range(3)]}
                                    for seed in (0, 1, 12345, 2**32 + 5)]}
    cases["turned"] = []
    for seed, other, amount in ((1, 2, 0.3), (1, 2, 1.0), (7, 8, 0.05), (3, 3, 0.25)):
        low, high = (torch.randn(SHAPE, generator=seeded(s)) for s in (seed, other))
        if seed == other:  # almost the same
            high = low * 1.0001
        cases["turned"].append({"amount": amount, "low": low.flatten().tolist(), "high": high.flatten().tolist(),
                                "value": turned(amount, low, high).flatten().tolist()})
    tensors, cases["tree"] = {}, []
    for seed in (0, 31337, 2**33 + 7):
        for schedule, steps in (("karras", 8), ("default", 5)):
            sigmas = ladder(schedule, steps)
            positive = sigmas[sigmas > 0]
            sampler = sampling.BrownianTreeNoiseSampler(torch.zeros((1, *SHAPE)), positive.min(), positive.max(), seed=[seed])
            middle = (sigmas[1].log().lerp(sigmas[2].log(), 0.5)).exp()
            pairs = [(sigmas[i], sigmas[i + 1]) for i in range(steps - 1)] + [(sigmas[1], middle), (sigmas[0], sigmas[steps - 1])]
            for n, (a, b) in enumerate(pairs):
                name = f"{seed}-{schedule}-{n}"
                tensors[name] = sampler(a, b)
                cases["tree"].append({"name": name, "seed": seed, "low": positive.min().item(), "high": positive.max().item(),
                                      "from": a.item(), "to": b.item()})
    save_file(tensors, out / "tree.safetensors")
    (out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()

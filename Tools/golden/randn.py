"""Golden values of torch.randn on a CPU generator -> Tests/Golden/randn/.

Makes randn.safetensors and cases.json from torch.randn(shape, generator=torch.Generator().manual_seed(seed)).
Keys: seed<S>/n<N> one fresh generator each; seed<S>/shape<AxBxC> likewise; seed<S>/seq<K>/<I> the I-th call of the K-th
sequence on one generator. The seeds are those of SEEDS. Sizes below 16 take torch's scalar path (double precision,
second normal of each pair kept for the next call), sizes from 16 on its block path (float, nothing kept).
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "Tests/Golden/randn"
SEEDS = [0, 1, 7, 42, 1234567, 2**31 + 5, 2**32 - 1, 2**32 + 3, 2**63 - 1]
SIZES = [1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 100, 1000, 4099]
SEQUENCES = [
    [[15], [15], [16], [5]],
    [[3], [3], [3]],
    [[1, 4, 13, 9], [1, 4, 13, 9]],
    [[3], [16], [3]],  # the kept normal survives a block call
    [[17], [33], [1], [20], [2]],
]


def calls():
    for seed in SEEDS:
        for n in SIZES if seed in (0, 7, 2**63 - 1) else SIZES[:-1]:
            yield f"seed{seed}/n{n}", seed, [[n]]
        yield f"seed{seed}/shape2x4x9x13", seed, [[2, 4, 9, 13]]
    for seed in (7, 1234567):
        for k, shapes in enumerate(SEQUENCES):
            yield f"seed{seed}/seq{k}", seed, shapes


def main():
    torch.set_num_threads(1)
    tensors, cases = {}, []
    for name, seed, shapes in calls():
        generator = torch.Generator().manual_seed(seed)
        keys = [name] if "/seq" not in name else [f"{name}/{i}" for i in range(len(shapes))]
        for key, shape in zip(keys, shapes):
            tensors[key] = torch.randn(shape, generator=generator)
        cases.append({"name": name, "seed": seed, "shapes": shapes, "keys": keys})
    OUT.mkdir(parents=True, exist_ok=True)
    save_file(tensors, OUT / "randn.safetensors")
    (OUT / "cases.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()

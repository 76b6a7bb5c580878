"""What the golden scripts share: where files go, small random weights, and safetensors in and out."""
import json
import sys
from pathlib import Path

import torch
from diffusers.utils import logging
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "Tests" / "Golden"
MINIATURE = ROOT / "Sources" / "CMiniature" / "model"

logging.set_verbosity_error()
torch.set_num_threads(1)
torch.set_grad_enabled(False)


def folder(*parts):
    """A folder under Tests/Golden, made if need be."""
    path = GOLDEN.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def randomise(model, seed, dtype=torch.float32):
    """Fill every parameter: norm weights 1 ± 0.2, biases ± 0.1, others ± 1/sqrt(fan in); rounded to `dtype`, kept in f32."""
    g = seeded(seed)
    for name, p in sorted(model.named_parameters()):
        n = torch.randn(p.shape, generator=g)
        if name.endswith("bias"):
            n *= 0.1
        elif p.dim() == 1:
            n = 1 + 0.2 * n
        else:
            n *= (p.numel() / p.shape[0]) ** -0.5
        p.copy_(n.to(dtype).float())
    return model.float().eval()


def save(path, **tensors):
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, str(path))


def save_weights(model, path, dtype=torch.float32):
    """Write the model and its configuration with weights in `dtype`; the model itself stays f32."""
    model.to(dtype).save_pretrained(path)
    model.float()
    tidy_config(path / "config.json")


def tidy_config(file):
    config = json.loads(file.read_text())
    config.pop("_name_or_path", None)
    write_json(file, config)


def write_json(file, value, **options):
    file.write_text(json.dumps(value, ensure_ascii=False, **({"indent": 2} | options)) + "\n", encoding="utf-8")


def report(name, value):
    value = value.float()
    print(f"{name}: {list(value.shape)} std {value.std():.3f}")
    if not 0.2 < value.std() < 5:
        sys.exit(f"{name} has a poor range")

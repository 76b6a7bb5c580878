"""Trains a small upscaler of SRVGG's kind, ×2, and measures it against Lanczos.

    python train.py train DATA --minutes 30     learn, or go on from DATA/state.pt
    python train.py measure FILE                PSNR on samples/, which are never learnt from

It learns from public-domain and CC0 pictures that scikit-image bundles, and from leaves that the miniature's generator draws:
pieces of them, made smaller by Lanczos, bicubic or box, are to become what they were. One thread is enough.
"""
import argparse
import random
import sys
import time
from pathlib import Path

import numpy as np
import skimage
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools" / "miniature"))

FEATURES, LAYERS, SCALE = 24, 6, 2
PATCH, BATCH = 32, 24
FILTERS = {"lanczos": Image.LANCZOS, "bicubic": Image.BICUBIC, "box": Image.BOX}
# None of these is in samples/. Their licences are in MODEL_CARD.md.
PHOTOGRAPHS = ["astronaut.png", "hubble_deep_field.jpg", "retina.jpg", "brick.png", "camera.png", "coins.png", "grass.png",
               "gravel.png", "moon.png", "page.png", "text.png"]


class Network(torch.nn.Module):
    """SRVGGNetCompact: convolutions with learnt slopes, pixels of the last as a block, added to the enlarged picture."""

    def __init__(self):
        super().__init__()
        layers = [torch.nn.Conv2d(3, FEATURES, 3, padding=1), torch.nn.PReLU(FEATURES)]
        for _ in range(LAYERS):
            layers += [torch.nn.Conv2d(FEATURES, FEATURES, 3, padding=1), torch.nn.PReLU(FEATURES)]
        layers.append(torch.nn.Conv2d(FEATURES, 3 * SCALE**2, 3, padding=1))
        self.body = torch.nn.ModuleList(layers)
        with torch.no_grad():
            layers[-1].weight.mul_(0.1)
            layers[-1].bias.zero_()

    def forward(self, x):
        h = x
        for layer in self.body:
            h = layer(h)
        return F.pixel_shuffle(h, SCALE) + F.interpolate(x, scale_factor=SCALE, mode="nearest")


def pictures(leaves_count, seed):
    """Everything that is learnt from, as RGB pictures; photographs at several sizes, since many are soft at their own."""
    result = []
    data = Path(skimage.__file__).parent / "data"
    for name in PHOTOGRAPHS:
        picture = Image.open(data / name).convert("RGB")
        for share in (1.0, 0.7, 0.5):
            size = (int(picture.width * share), int(picture.height * share))
            if min(size) >= 4 * PATCH:
                # What is drawn more often is worth more: few are colour photographs of large things.
                times = 6 if name == "astronaut.png" else 1
                result += [picture.resize(size, Image.LANCZOS)] * times
    import scenes
    rng = np.random.default_rng(seed)
    textures = scenes.Textures(rng)
    for _ in range(leaves_count):
        result.append(Image.fromarray(scenes.leaves(rng, textures)[0]))
    return result


def pairs(all_pictures, rng):
    """A batch: pieces turned and mirrored at random, and the same made smaller."""
    small, large = [], []
    for _ in range(BATCH):
        picture = rng.choice(all_pictures)
        side = PATCH * SCALE
        margin = 8
        x, y = rng.randrange(picture.width - side - 2 * margin + 1), rng.randrange(picture.height - side - 2 * margin + 1)
        # Made smaller with what lies around it, as it is in a whole picture.
        piece = picture.crop((x, y, x + side + 2 * margin, y + side + 2 * margin))
        filter = FILTERS[rng.choices(list(FILTERS), weights=(6, 3, 1))[0]]
        low = piece.resize((piece.width // SCALE, piece.height // SCALE), filter)
        inner = margin // SCALE
        pair = [np.asarray(low.crop((inner, inner, inner + PATCH, inner + PATCH))),
                np.asarray(piece.crop((margin, margin, margin + side, margin + side)))]
        turns, mirrors = rng.randrange(4), rng.random() < 0.5
        pair = [np.rot90(p, turns)[:, ::-1] if mirrors else np.rot90(p, turns) for p in pair]
        small.append(pair[0].copy())
        large.append(pair[1].copy())
    return [torch.from_numpy(np.stack(p)).permute(0, 3, 1, 2).float() / 255 for p in (small, large)]


def psnr(a, b):
    return -10 * np.log10(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2) / 255**2)


@torch.no_grad()
def measure(network):
    """Gain over Lanczos on the halved samples, in decibels."""
    gains = []
    for name in ("chelsea.png", "coffee.png", "rocket.jpg"):
        whole = Image.open(ROOT / "samples" / name).convert("RGB")
        whole = whole.crop((0, 0, whole.width // 2 * 2, whole.height // 2 * 2))
        truth = np.asarray(whole)
        for filter in ("lanczos", "bicubic"):
            low = whole.resize((whole.width // 2, whole.height // 2), FILTERS[filter])
            x = torch.from_numpy(np.asarray(low).copy()).permute(2, 0, 1)[None].float() / 255
            ours = (network(x).clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255).round()
            theirs = np.asarray(low.resize(whole.size, Image.LANCZOS))
            gains.append(psnr(ours, truth) - psnr(theirs, truth))
            print(f"{name}, halved by {filter}: Lanczos {psnr(theirs, truth):.2f} dB, network {psnr(ours, truth):.2f} dB, {gains[-1]:+.2f}")
    print(f"mean gain {np.mean(gains):+.2f} dB", flush=True)
    return np.mean(gains)


def export(network, path):
    save_file({k: v.half().contiguous() for k, v in network.state_dict().items()}, str(path),
              metadata={"act_type": "prelu", "scale": str(SCALE), "made_by": "Tools/upscaler/train.py"})


def train(folder, minutes, seed):
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    rng = random.Random(seed)
    all_pictures = pictures(80, seed)
    print(f"{len(all_pictures)} pictures", flush=True)
    network, mean = Network(), Network()
    mean.load_state_dict(network.state_dict())
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3, betas=(0.9, 0.99))
    (step, spent) = (0, 0.0)
    state = folder / "state.pt"
    if state.exists():
        saved = torch.load(state, weights_only=True)
        network.load_state_dict(saved["network"])
        mean.load_state_dict(saved["mean"])
        optimiser.load_state_dict(saved["optimiser"])
        step, spent = saved["step"], saved["spent"]
    start, told = time.time() - spent, 0
    while (elapsed := time.time() - start) < 60 * minutes:
        share = elapsed / (60 * minutes)
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * max(0.01, 0.5 * (1 + np.cos(np.pi * share))) * min(1, (step + 1) / 50)
        x, y = pairs(all_pictures, rng)
        difference = network(x) - y
        # Nearly squares at the end, which is what decibels count.
        loss = (torch.sqrt(difference**2 + 1e-4) if share < 0.5 else difference**2 * 10).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        with torch.no_grad():
            for a, b in zip(mean.parameters(), network.parameters()):
                a.lerp_(b, 0.01 if step > 200 else 1.0)
        if elapsed - told > 120:
            told = elapsed
            print(f"{elapsed / 60:.1f} minutes, step {step}, loss {loss.item():.5f}", flush=True)
            measure(mean)
            torch.save({"network": network.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(),
                        "step": step, "spent": elapsed}, state)
            export(mean, folder / "upscaler.safetensors")
    export(mean, folder / "upscaler.safetensors")
    print(f"{step} steps in {minutes} minutes")
    measure(mean)


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train")
    command.add_argument("folder", type=Path)
    command.add_argument("--minutes", type=float, default=30)
    command.add_argument("--seed", type=int, default=1)
    command = commands.add_parser("measure")
    command.add_argument("file", type=Path)
    options = parser.parse_args()
    if options.command == "train":
        train(options.folder, options.minutes, options.seed)
    else:
        network = Network()
        network.load_state_dict({k: v.float() for k, v in load_file(str(options.file)).items()})
        measure(network)


if __name__ == "__main__":
    main()

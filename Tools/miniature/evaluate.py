"""Judges model folders on photographs that they were not trained on: how well is noise taken off the pictures in samples/?

    python evaluate.py                          the model in Sources/CMiniature/model
    python evaluate.py OLD NEW                  two versions, column beside column

Prints a Markdown table of squared errors of the predicted clean sample, with pixels in −1…1, over all three photographs. The
noise is fixed, so two versions are asked exactly the same questions. Lower is better; the first row, the loss of training, decides.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers import CLIPTextModel
from transformers.utils import logging as transformers_logging

from train import START, TIMESTEPS, cumulative_alphas, encode, loss_weight, read_json, to_sample

ROOT = Path(__file__).resolve().parents[2]
PHOTOGRAPHS = [ROOT / "samples" / name for name in ("chelsea.png", "coffee.png", "rocket.jpg")]
BUNDLED_MODEL = ROOT / "Sources" / "CMiniature" / "model"

# The training loss is taken over this many timesteps, evenly spaced; those of the table are among them.
LOSS_TIMESTEPS = range(0, TIMESTEPS, 50)
SHOWN_TIMESTEPS = (100, 250, 400, 500, 600, 750, 900)
# The codec's 4 times the two halvings inside the UNet.
MULTIPLE = 16
NOISE_SEED = 20_000


def photograph(path):
    """The middle of a photograph, cut to sides that the network takes, as a clean sample [1, 48, H/4, W/4]."""
    picture = Image.open(path).convert("RGB")
    width, height = (side - side % MULTIPLE for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    pixels = np.array(picture.crop((left, top, left + width, top + height)))
    return to_sample(torch.from_numpy(pixels)[None])


class Model:
    """A model folder in float32, told nothing: its prompt is empty."""

    def __init__(self, folder):
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet").float().eval()
        text = CLIPTextModel.from_pretrained(folder / "text_encoder").float().eval()
        vocabulary = read_json(folder / "tokenizer" / "vocab.json")
        if START not in vocabulary:
            raise SystemExit(f"Error: {folder} has no miniature tokenizer. Give a folder that train.py exported.")
        # An empty prompt has no words to merge.
        self.context = text(encode([""], vocabulary, merges=[])).last_hidden_state

    def clean(self, noisy, t):
        return self.unet(noisy, t, self.context).sample


def errors(model, sample, seed):
    """Squared error of the predicted clean sample at each of the loss's timesteps."""
    alphas = cumulative_alphas()
    found = {}
    for t in LOSS_TIMESTEPS:
        noise = torch.randn(sample.shape, generator=torch.Generator().manual_seed(seed + t))
        noisy = alphas[t].sqrt() * sample + (1 - alphas[t]).sqrt() * noise
        found[t] = (model.clean(noisy, t) - sample).pow(2).mean().item()
    return found


def judge(folder, samples):
    """{row of the table: value} for one model; photographs count alike, whatever their size."""
    model = Model(folder)
    each = [errors(model, sample, NOISE_SEED + TIMESTEPS * i) for i, sample in enumerate(samples)]
    alphas = cumulative_alphas()

    def weighted(found):
        return sum(loss_weight(alphas[t]).item() * error for t, error in found.items()) / len(found)

    rows = {"**training loss**": np.mean([weighted(found) for found in each])}
    for path, found in zip(PHOTOGRAPHS, each):
        rows[f"training loss, {path.stem}"] = weighted(found)
    for t in SHOWN_TIMESTEPS:
        rows[f"squared error at timestep {t}"] = np.mean([found[t] for found in each])
    return rows


def main():
    parser = argparse.ArgumentParser(description="Judge miniature models by how well they take noise off the photographs in samples/.")
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL", help="model folders (default: the one that ships)")
    parser.add_argument("--threads", type=int, default=1, help="threads for PyTorch (default %(default)s)")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    for logging in (diffusers_logging, transformers_logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    samples = [photograph(path) for path in PHOTOGRAPHS]
    named = [(str(folder), folder) for folder in options.models] or [("bundled model", BUNDLED_MODEL)]
    columns = [judge(folder, samples) for _, folder in named]

    print("| | " + " | ".join(name for name, _ in named) + " |")
    print("| --- |" + " ---: |" * len(named))
    for row in columns[0]:
        print(f"| {row} | " + " | ".join(f"{column[row]:.4f}" for column in columns) + " |")
    # For scale: an answer that knows nothing of the picture but its mean colour.
    flat = np.mean([flat_error(sample) for sample in samples])
    print(f"\nA flat picture of each photograph's mean colour has a squared error of {flat:.4f}.")


def flat_error(sample):
    """The variance of a photograph about its mean colour."""
    by_colour = sample.reshape(3, -1)
    return (by_colour - by_colour.mean(1, keepdim=True)).pow(2).mean().item()


if __name__ == "__main__":
    main()

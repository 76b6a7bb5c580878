"""A picture of 8192×8192 is enlarged to 16384×16384 by gobig, and by vips; prints seconds and peak memory of each run.

    python3 Tools/bench/giants.py [--side 8192] [--rounds 1] [--folder FOLDER]

Run with the Python of `make golden-python`, after building velatura; vips (libvips-tools) is left out where it is not installed.
Nothing is painted with --skip 100. To see tiles go through disk, a model is made that gives back what it gets: a UNet of two small
levels whose last layer is zeros, so that every tile is encoded, run through a step, decoded, anchored, kept in a file and laid down.
Takes some 6 GB of disk.
"""
import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from images import OURS, ROOT, VIPS, photograph


def measured(*words):
    """Seconds and peak megabytes of a program.

    The peak is asked for while it runs: what the system says of it afterwards counts this script's own memory too.
    """
    began = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                peak = max(peak, int(line.split()[1]) / 1000)
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{words[0]} failed: {words}")
    return time.perf_counter() - began, peak


def identity_model(folder):
    """The miniature with another UNet, which predicts no noise."""
    import torch
    from diffusers import UNet2DConditionModel

    source = ROOT / "Sources" / "CMiniature" / "model"
    for part in ["text_encoder", "tokenizer", "scheduler"]:
        shutil.copytree(source / part, folder / part)
    shutil.copy(source / "model_index.json", folder)
    width = json.loads((source / "unet" / "config.json").read_text())["cross_attention_dim"]
    torch.manual_seed(1)
    unet = UNet2DConditionModel(
        sample_size=32, in_channels=48, out_channels=48, block_out_channels=(32, 32), layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
        cross_attention_dim=width, attention_head_dim=4)
    torch.nn.init.zeros_(unet.conv_out.weight)
    torch.nn.init.zeros_(unet.conv_out.bias)
    unet.save_pretrained(folder / "unet")
    return ["--model", folder, "--prediction", "epsilon", "--initial-noise-multiplier", 0, "--run-steps", 1]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--side", type=int, default=8192)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--tile", type=int, default=512)
    options.add_argument("--only", default="")
    options.add_argument("--folder", help="on whose disk pictures lie; the system's own for such things where left out")
    wish = options.parse_args()
    with tempfile.TemporaryDirectory(dir=wish.folder) as name:
        folder = Path(name)
        source = folder / "source.tif"
        photograph((wish.side, wish.side)).save(source)
        (folder / "model").mkdir()
        gobig = [OURS, "gobig", source, "--seed", 1, "--overwrite", "--quiet", "--no-recipe"]
        painted = gobig + identity_model(folder / "model") + ["--tile", wish.tile]
        runs = {
            "gobig --skip 100 → PNG": gobig + ["--skip", 100, "-o", folder / "o.png"],
            "gobig --skip 100 → TIFF": gobig + ["--skip", 100, "-o", folder / "o.tif"],
            "gobig, identity model → PNG": painted + ["-o", folder / "p.png"],
        }
        if VIPS:
            resize = [VIPS, "resize", source]
            runs["vips resize → PNG"] = resize + [folder / "v.png", 2, "--kernel", "lanczos3"]
            runs["vips resize → TIFF"] = resize + [folder / "v.tif", 2, "--kernel", "lanczos3"]
        runs = {name: run for name, run in runs.items() if wish.only in name}
        results = {name: [] for name in runs}
        for _ in range(wish.rounds):
            for name, words in runs.items():
                results[name].append(measured(*words))
                print(f"  {name}: {results[name][-1][0]:.1f} s, {results[name][-1][1]:.0f} MB", flush=True)
        for name, found in results.items():
            seconds, peak = (statistics.median(column) for column in zip(*found))
            print(f"{name}: {seconds:.1f} s, {peak:.0f} MB")
        if not wish.only:
            code = subprocess.run([OURS, "verify", folder / "o.png", folder / "p.png", "--tolerance", "0"]).returncode
            print("the identity model's picture is the enlarged source" if code == 0 else "the two pictures differ")


if __name__ == "__main__":
    main()

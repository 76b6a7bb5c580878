"""Velatura, vips and Pillow read, resize and write the same pictures in turn; prints the medians and their ratios.

Run with a Python that has Pillow, after building velatura; vips is left out where it is not installed (libvips-tools):
    python3 Tools/bench/images.py [--rounds N] [--size WxH]

Velatura and vips are programs that start and end; Pillow runs in this process, already loaded. All three use Lanczos, JPEG of quality
95 with colour at full resolution and Huffman tables of its own. vips weighs bytes with fewer bits than the other two, whose results
are the same to the bit. Pillow knows no RGB of 16 bits.
"""
import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    from PIL import Image, ImageChops
except ImportError:
    sys.exit("Pillow is missing: run with a Python that has it, such as the one of `make golden-python`.")

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / ".build" / "release" / "velatura"
VIPS = shutil.which("vips")


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def photograph(size):
    """An enlarged photograph with a camera's noise."""
    picture = Image.open(ROOT / "samples" / "coffee.png").convert("RGB").resize(size, Image.BICUBIC)
    noise = Image.merge("RGB", [Image.effect_noise(size, 6) for _ in range(3)])
    return ImageChops.add(picture, noise, offset=-128)


def contests(folder, size, half):
    """Name of a piece of work → name of a contestant → what it does."""
    jpeg, tiff, deep = folder / "in.jpg", folder / "in.tif", folder / "deep.tif"
    picture = photograph(size)
    picture.save(jpeg, quality=92)
    picture.resize(half).save(tiff)
    run(OURS, "fit", tiff, "--size", "x".join(map(str, half)), "--depth", 16, "--no-recipe", "-o", deep)
    picture = None
    fit = [OURS, "fit", "--no-recipe", "--overwrite", "--quiet", "--size", "x".join(map(str, half))]

    def pillow():
        with Image.open(jpeg) as source:
            source.resize(half, Image.LANCZOS).save(folder / "p.jpg", quality=95, subsampling=0, optimize=True)

    def pillow_png(level):
        with Image.open(tiff) as source:
            source.save(folder / "p.png", compress_level=level)

    work = {
        f"JPEG {size[0]}×{size[1]} → {half[0]}×{half[1]} JPEG": {
            "Velatura": lambda: run(*fit, jpeg, "-o", folder / "v.jpg"),
            "vips": lambda: run(
                VIPS, "resize", jpeg, f"{folder}/w.jpg[Q=95,optimize_coding,subsample_mode=off]", half[0] / size[0]),
            "Pillow": pillow,
        },
        f"TIFF → PNG, {half[0]}×{half[1]}": {
            "Velatura": lambda: run(*fit, tiff, "-o", folder / "v.png"),
            "vips": lambda: run(VIPS, "copy", tiff, folder / "w.png"),
            "Pillow": lambda: pillow_png(6),
            "Pillow, level 1": lambda: pillow_png(1),
        },
        f"TIFF → PNG of 16 bits, {half[0]}×{half[1]}": {
            "Velatura": lambda: run(*fit, deep, "-o", folder / "v16.png"),
            "vips": lambda: run(VIPS, "copy", deep, folder / "w16.png"),
        },
    }
    if not VIPS:
        for contestants in work.values():
            contestants.pop("vips")
    return work


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", default="6000x4000")
    options = parser.parse_args()
    size = tuple(map(int, options.size.split("x")))
    half = (size[0] // 2, size[1] // 2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, contestants in contests(folder, size, half).items():
            seconds = {who: [] for who in contestants}
            for _ in range(options.rounds):
                for who, do in contestants.items():
                    began = time.perf_counter()
                    do()
                    seconds[who].append(time.perf_counter() - began)
            print(title)
            ours = statistics.median(seconds["Velatura"])
            for who, times in seconds.items():
                median = statistics.median(times)
                print(f"  {who}: {median:.3f} s" + ("" if who == "Velatura" else f", Velatura takes {ours / median:.2f} of it"))
        for file in sorted(folder.glob("*.png")):
            print(f"  {file.name}: {file.stat().st_size / 1e6:.1f} MB")
        if not VIPS:
            print("vips left out: it is not installed (libvips-tools).")


if __name__ == "__main__":
    main()

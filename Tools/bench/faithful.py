"""How near gobig comes to the true picture: samples are halved, enlarged back, and compared with what they were.

    python3 Tools/bench/faithful.py [--skip 60,80] [--lpips] [options of gobig …]

Run with the Python of `make golden-python`, after building velatura. For every sample and each skip, beside Lanczos's filter and the
upscaler inside the program alone:

  energy   of luma in octaves of frequency, result over truth (Hann's window): 1/16 to 1/8 cycles a pixel, to 1/4, to 1/2
  ΔE00     of means over 32×32 pixels of the halved picture, the largest and the mean
  SSIM     of luma, 11×11 Gaussian
  PSNR     of luma, in dB
  LPIPS    with --lpips: needs `pip install lpips==0.1.4 torch==2.15.0 torchvision==0.29.2`, and fetches AlexNet's weights once
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy
from PIL import Image
from skimage.metrics import structural_similarity

from images import OURS, ROOT

BANDS = [(1 / 16, 1 / 8), (1 / 8, 1 / 4), (1 / 4, 1 / 2)]


def luma(pixels):
    return pixels @ numpy.array([0.299, 0.587, 0.114])


def energies(pixels):
    grey = luma(pixels)
    window = numpy.outer(numpy.hanning(grey.shape[0]), numpy.hanning(grey.shape[1]))
    power = numpy.abs(numpy.fft.fft2((grey - grey.mean()) * window)) ** 2
    y, x = numpy.meshgrid(numpy.fft.fftfreq(grey.shape[0]), numpy.fft.fftfreq(grey.shape[1]), indexing="ij")
    radius = numpy.hypot(x, y)
    return numpy.array([power[(radius >= low) & (radius < high)].sum() for low, high in BANDS])


def lab(pixels):
    """CIELAB, D65. Source: IEC 61966-2-1; CIE 15."""
    light = numpy.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    matrix = numpy.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    t = light @ matrix.T / numpy.array([0.95047, 1, 1.08883])
    f = numpy.where(t > (6 / 29) ** 3, numpy.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return numpy.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def difference(a, b):
    """ΔE00. Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula" (2005)."""
    from skimage.color import deltaE_ciede2000

    return deltaE_ciede2000(a, b)


def means(pixels, side):
    height, width = (length // side * side for length in pixels.shape[:2])
    return pixels[:height, :width].reshape(height // side, side, width // side, side, 3).mean((1, 3))


def read(path):
    return numpy.asarray(Image.open(path).convert("RGB"), dtype=float) / 255


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--skip", default="60,80")
    options.add_argument("--samples", default="coffee.png,chelsea.png,rocket.jpg")
    options.add_argument("--lpips", action="store_true")
    wish, more = options.parse_known_args()
    perceived = None
    if wish.lpips:
        import lpips
        import torch

        network = lpips.LPIPS(net="alex")

        def perceived(a, b):
            def tensor(pixels):
                return torch.tensor(pixels.transpose(2, 0, 1)[None] * 2 - 1, dtype=torch.float32)

            with torch.no_grad():
                return network(tensor(a), tensor(b)).item()

    print("| picture | enlarged by | energy to 1/8, 1/4, 1/2 | ΔE00 of means, most, mean | SSIM | PSNR |" + (" LPIPS |" if perceived else ""))
    print("| --- | --- | --- | --- | --- | --- |" + (" --- |" if perceived else ""))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for sample in wish.samples.split(","):
            truth = Image.open(ROOT / "samples" / sample).convert("RGB")
            truth = truth.crop((0, 0, truth.width // 2 * 2, truth.height // 2 * 2))
            half = folder / "half.png"
            truth.resize((truth.width // 2, truth.height // 2), Image.LANCZOS).save(half)
            true = numpy.asarray(truth, dtype=float) / 255
            ways = {"Lanczos": ["--skip", "100"], "the upscaler inside": ["--skip", "100", "--upscaler", "miniature"]}
            for skip in wish.skip.split(","):
                ways[f"gobig --skip {skip}"] = ["--skip", skip]
            for way, words in ways.items():
                result = folder / "result.png"
                subprocess.run(
                    [OURS, "gobig", half, "-o", result, "--seed", "7", "--overwrite", "--quiet"] + words
                    + (more if "--skip 100" not in " ".join(words) else []), check=True)
                found = read(result)
                ratio = energies(found) / energies(true)
                apart = difference(lab(means(found, 64)), lab(means(read(half), 32)))
                noise = 10 * numpy.log10(1 / numpy.mean((luma(found) - luma(true)) ** 2))
                line = f"| {sample} | {way} | " + ", ".join(f"{value:.2f}" for value in ratio)
                alike = structural_similarity(luma(found), luma(true), data_range=1, gaussian_weights=True, sigma=1.5)
                line += f" | {apart.max():.2f}, {apart.mean():.2f} | {alike:.3f} | {noise:.1f} |"
                print(line + (f" {perceived(found, true):.3f} |" if perceived else ""), flush=True)


if __name__ == "__main__":
    main()

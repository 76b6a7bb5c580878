"""Noise with a picture's spectrum and histogram, as the web UI's outpainting "mk2" has it, said in NumPy; and Fourier transforms of odd lengths."""
import numpy as np
import torch

from common import folder, save


def spectrum(plane):
    return np.fft.ifftshift(np.fft.fft2(np.fft.fftshift(plane), norm="ortho"))


def plane(spectrum):
    return np.fft.ifftshift(np.fft.ifft2(np.fft.fftshift(spectrum), norm="ortho"))


def matched(source, template):
    values, inverse, counts = np.unique(source, return_inverse=True, return_counts=True)
    known, known_counts = np.unique(template, return_counts=True)
    return np.interp(np.cumsum(counts) / source.size, np.cumsum(known_counts) / template.size, known)[inverse]


def bell(height, width):
    shortest = min(height, width)
    u = (np.arange(height) / height * 2 - 1) * (height / shortest)
    v = (np.arange(width) / width * 2 - 1) * (width / shortest)
    return 1 / np.outer(u * u + 1, v * v + 1)


def filled(picture, mask, falloff, variation, seed):
    paint, known = mask > 1e-6, mask < 1e-3
    windowed = picture * (1 - mask)[..., None]
    windowed /= windowed.max()
    windowed += picture.mean() * mask[..., None]
    spread = np.random.default_rng(seed).random(picture.shape)
    noise = variation * spread + (1 - variation) * spread.mean(-1, keepdims=True)
    shaped = np.zeros_like(picture)
    for c in range(3):
        own = spectrum(windowed[..., c])
        field = spectrum(np.real(plane(spectrum(noise[..., c]) * bell(*mask.shape))))
        field = np.abs(field) ** 2 * np.abs(own) ** falloff * own / np.abs(own)
        shaped[..., c] = np.real(plane(field))
    shaped -= shaped.min()
    shaped /= shaped.max()
    for c in range(3):
        shaped[paint, c] = matched(shaped[paint, c], picture[known, c])
    return np.clip(picture * (1 - mask)[..., None] + shaped * mask[..., None], 0, 1)


# Name, height, width, how soft the mask is, fall-off, variation of colour, seed.
CASES = [
    ("wide", 27, 46, 0, 1.0, 0.05, 0),
    ("high", 48, 32, 6, 1.0, 0.05, 0),
    ("steep", 31, 31, 3, 2.5, 0.4, 12_345_678_901),
    ("flat", 24, 37, 0, 0.0, 1.0, 4_294_967_295),
]


def main():
    found = {}
    for name, h, w, soft, falloff, variation, seed in CASES:
        g = np.random.default_rng(h)
        y, x = np.mgrid[0:h, 0:w]
        shapes = np.stack([x / w, y / h, 0.5 + 0.4 * np.sin(x * 0.5 + y * 0.2)], -1)
        picture = np.clip(0.1 + 0.7 * shapes + g.normal(0, 0.05, (h, w, 3)), 0, 1).astype(np.float32)
        away = np.maximum(w // 4 - x - 0.5, y + 0.5 - 3 * h // 4)
        mask = (np.clip(away / soft, 0, 1) if soft else (away > 0)).astype(np.float32)
        result = filled(picture.astype(np.float64), mask.astype(np.float64), falloff, variation, seed)
        found |= {f"{name}.picture": torch.tensor(picture), f"{name}.mask": torch.tensor(mask),
                  f"{name}.filled": torch.tensor(result), f"{name}.falloff": torch.tensor([falloff, variation], dtype=torch.float64),
                  f"{name}.seed": torch.tensor([seed])}
        print(name, result.shape, result.mean())
    for n in (1, 2, 3, 8, 15, 97, 100):
        line = np.random.default_rng(n).normal(size=(2, n))
        turned = np.fft.fft(line[0] + 1j * line[1], norm="ortho")
        found |= {f"line-{n}": torch.tensor(line), f"line-{n}.turned": torch.tensor(np.stack([turned.real, turned.imag]))}
    save(folder("outpaint") / "noise.safetensors", **found)


if __name__ == "__main__":
    main()

"""Golden values of Disco Diffusion's Perlin start -> Tests/Golden/perlin/.

A NumPy transcription of disco.py's perlin, perlin_ms, create_perlin_noise and regen_perlin, with PyTorch's interpolate
(bilinear, align_corners false, no antialiasing) and Pillow's autocontrast where that program calls them. The random vectors
are ours: Philox4x32-10 of (column, row, channel and field, purpose and octave), keyed by the seed, and Box and Muller's
transform of its first two words; the cosine is the slope down, the sine the slope across.
Writes <name>.png (8 bits, the mean of both fields) and cases.json. `wrap` is not Disco's: the grids' last nodes are their
first ones and samples beyond a side come from the opposite one.
"""
import numpy as np
import torch
from PIL import Image, ImageOps

from common import folder, write_json

OUT = folder("perlin")
PURPOSE = 4
CASES = [
    # name, mode, octaves, (width, height), seed, wrap
    ("mixed", "mixed", (6, 3), (97, 61), 7, ""),
    ("color", "color", (5, 4), (40, 75), 2**33 + 5, ""),
    ("gray", "gray", (7, 2), (64, 64), 11, ""),
    ("own-size", "mixed", (6, 4), (64, 64), 3, ""),
    ("whole", "mixed", (12, 8), (112, 80), 1, ""),
    ("wrap", "color", (5, 3), (70, 45), 9, "xy"),
    ("wrap-x", "gray", (6, 3), (50, 90), 4, "x"),
]


def philox(counter, seed):
    """Ten rounds over arrays of four words."""
    c = [np.asarray(word).astype(np.uint64) & 0xFFFFFFFF for word in counter]
    k = [seed & 0xFFFFFFFF, seed >> 32]
    for number in range(10):
        if number:
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        low = np.uint64(0xFFFFFFFF)
        high = np.uint64(32)
        c = [(p1 >> high) ^ c[1] ^ np.uint64(k[0]), p1 & low, (p0 >> high) ^ c[3] ^ np.uint64(k[1]), p0 & low]
    return c


def slopes(width, height, octave, field, channel, seed, wrap):
    """What disco.py draws with torch.randn(2, width + 1, height + 1): its x runs along the picture's rows."""
    rows, columns = np.mgrid[: width + 1, : height + 1]
    if "y" in wrap:
        rows %= width
    if "x" in wrap:
        columns %= height
    layer = np.full_like(rows, channel | field << 20)
    words = philox([columns, rows, layer, np.full_like(rows, PURPOSE << 28 | octave)], seed)
    u, v = [(word.astype(np.float64) + 0.5) * 2.0**-32 for word in words[:2]]
    radius = np.sqrt(-2 * np.log(u))
    pair = radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)
    return [g.astype(np.float32)[:, :, None, None] for g in pair]


def interp(t):
    return 3 * t**2 - 2 * t**3


def perlin(width, height, scale, gradients):
    gx, gy = gradients
    xs = np.linspace(0, 1, scale + 1, dtype=np.float32)[:-1, None]
    ys = np.linspace(0, 1, scale + 1, dtype=np.float32)[None, :-1]
    wx, wy = 1 - interp(xs), 1 - interp(ys)
    dots = wx * wy * (gx[:-1, :-1] * xs + gy[:-1, :-1] * ys)
    dots += (1 - wx) * wy * (-gx[1:, :-1] * (1 - xs) + gy[1:, :-1] * ys)
    dots += wx * (1 - wy) * (gx[:-1, 1:] * xs - gy[:-1, 1:] * (1 - ys))
    dots += (1 - wx) * (1 - wy) * (-gx[1:, 1:] * (1 - xs) - gy[1:, 1:] * (1 - ys))
    return dots.transpose(0, 2, 1, 3).reshape(width * scale, height * scale)


def perlin_ms(octaves, cells, channel, field, seed, wrap):
    out = np.float32(0.5)
    scale, width = 2 ** len(octaves), cells
    for number, amplitude in enumerate(octaves):
        out = out + perlin(width, width, scale, slopes(width, width, number, field, channel, seed, wrap)) * np.float32(amplitude)
        scale //= 2
        width *= 2
    return out


def resize(plane, size, wrap):
    """torchvision's resize of a tensor; with wrapping, of the tensor with its own repetition around it."""
    side = plane.shape[0]
    width, height = size
    if not wrap:
        tensor = torch.from_numpy(plane)[None, None]
        return torch.nn.functional.interpolate(tensor, size=(height, width), mode="bilinear", align_corners=False)[0, 0].numpy()

    def taps(count, wraps):
        exact = np.float32(side / count) * (np.arange(count, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5)
        exact = exact if wraps else np.maximum(exact, 0)
        below = np.floor(exact)
        first, share = below.astype(int), exact - below
        pair = [first % side, (first + 1) % side] if wraps else [np.minimum(first, side - 1), np.minimum(first + 1, side - 1)]
        return pair, share

    (top, bottom), down = taps(height, "y" in wrap)
    (left, right), across = taps(width, "x" in wrap)
    upper = plane[top][:, left] * (1 - across) + plane[top][:, right] * across
    lower = plane[bottom][:, left] * (1 - across) + plane[bottom][:, right] * across
    return upper * (1 - down)[:, None] + lower * down[:, None]


def create(count, cells, grey, field, size, seed, wrap):
    octaves = [1.5**-i * 0.5 for i in range(count)]
    planes = [resize(perlin_ms(octaves, cells, channel, field, seed, wrap), size, wrap) for channel in range(1 if grey else 3)]
    bytes_ = [np.floor(np.clip(plane, 0, 1) * np.float32(255)).astype(np.uint8) for plane in planes]
    image = Image.fromarray(bytes_[0]).convert("RGB") if grey else Image.fromarray(np.stack(bytes_, -1))
    return np.asarray(ImageOps.autocontrast(image)).astype(np.float32) / 255


def main():
    entries = []
    for name, mode, (coarse, fine), size, seed, wrap in CASES:
        first = create(coarse, 1, mode == "gray", 0, size, seed, wrap)
        second = create(fine, 4, mode != "color", 1, size, seed, wrap)
        mean = (first + second) / 2
        print(f"{name}: {mean.shape} from {mean.min():.3f} to {mean.max():.3f}, deviation {mean.std():.3f}")
        Image.fromarray(np.round(mean * 255).astype(np.uint8)).save(OUT / f"{name}.png")
        entries.append({"name": name, "mode": mode, "octaves": [coarse, fine], "seed": seed, "wrap": wrap})
    write_json(OUT / "cases.json", entries)


if __name__ == "__main__":
    main()

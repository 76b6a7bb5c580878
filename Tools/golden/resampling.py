"""Golden values of Pillow's Image.resize -> Tests/Golden/resampling/.

Makes resampling.safetensors and cases.json from PIL.Image.resize with BOX, BILINEAR, BICUBIC and LANCZOS over the modes
L, RGB, RGBA (8 bit) and F (float32). Pictures come from numpy's default_rng(SEED): a quarter each of noise, gradients,
hard edges and a mixture; in RGBA with transparent areas that hide strong colours.
Keys: <case>/source and <case>/output, [h, w, c] u8 (F: [h, w] f32). RGBA also <case>/premultiplied: the bytes of the
same resize done in mode RGBa, which is what Pillow works in between its two conversions (not for equal sizes, where
Pillow copies the picture and converts nothing).
Pillow 13 makes the horizontal pass first, rounding to 8 bits in between, unless h - H > 2 * max(w - W, 0): then the
vertical one. A side that stays the same has no pass.
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

OUT = Path(__file__).resolve().parents[2] / "Tests/Golden/resampling"
SEED = 20240607
FILTERS = ["box", "bilinear", "bicubic", "lanczos"]
TARGETS = {  # (width, height)
    (37, 23): [(88, 55), (11, 7), (5, 3), (61, 9), (37, 23), (1, 1), (37, 31), (20, 23)],
    (64, 48): [(8, 6), (20, 15)],
    (1, 1): [(1, 1), (3, 2)],
    (5, 1): [(12, 1), (2, 1), (5, 4), (1, 1)],
    (1, 9): [(1, 21), (1, 3), (4, 9), (1, 1)],
}


def picture(width, height):
    """RGBA, u8 [h, w, 4]."""
    rng = np.random.default_rng([SEED, width, height])
    noise = rng.integers(0, 256, (height, width, 4))
    y, x = np.mgrid[:height, :width]
    gradient = np.stack([x * 255 // width, y * 255 // height, 255 - x * 255 // width, (x + y) * 255 // (width + height)], -1)
    edges = np.where(((x // 3 + y // 5) % 2 == 0)[..., None], [255, 0, 32, 255], [0, 255, 255, 0])
    left, top = (x < width / 2)[..., None], (y < height / 2)[..., None]
    mixed = np.where(x[..., None] % 7 == 0, noise, gradient)
    return np.where(top, np.where(left, noise, gradient), np.where(left, edges, mixed)).astype(np.uint8)


def image(mode, width, height):
    pixels = picture(width, height)
    if mode == "F":  # signed, beyond [0, 1], with a fine structure that 8 bits would lose
        return Image.fromarray(pixels[..., 0].astype(np.float32) / 100 - pixels[..., 1].astype(np.float32) / 7000)
    return Image.fromarray({"L": pixels[..., 0], "RGB": pixels[..., :3], "RGBA": pixels}[mode].copy())


def tensor(im):
    if im.mode == "F":
        return np.asarray(im).copy()
    return np.frombuffer(im.tobytes(), np.uint8).reshape(im.height, im.width, -1).copy()


def main():
    tensors, cases = {}, []
    for mode in ["L", "RGB", "RGBA", "F"]:
        for size, targets in TARGETS.items():
            source = image(mode, *size)
            for target in targets:
                for name in FILTERS:
                    filter = Image.Resampling[name.upper()]
                    case = f"{mode.lower()}/{name}/{size[0]}x{size[1]}-{target[0]}x{target[1]}"
                    tensors[f"{case}/source"] = tensor(source)
                    tensors[f"{case}/output"] = tensor(source.resize(target, filter))
                    if mode == "RGBA" and size != target:
                        tensors[f"{case}/premultiplied"] = tensor(source.convert("RGBa").resize(target, filter))
                    cases.append({"name": case, "mode": mode, "filter": name, "from": size, "to": target})
    OUT.mkdir(parents=True, exist_ok=True)
    save_file(tensors, OUT / "resampling.safetensors")
    (OUT / "cases.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()

"""Writes Tests/Golden/separation: a press's profile that leads both ways, pictures of its inks, and what Little CMS separates.

The press is colour.py's nobody's. Its way back is solved from its way forth, point by point: as much black as seven tenths of a
colour's grey, the other inks by Gauss and Newton. Colours are separated by Pillow's ImageCms (Pillow and its lcms2 as in
requirements.txt), from sRGB, relative colorimetric with black point compensation. The pictures have photographs, tints, type in black
alone, black of four inks and pure inks, none of which the press would have mixed so itself.
"""
import io
import json
import struct

import numpy as np
import tifffile
from PIL import Image, ImageCms

from colour import D50, P3, ROOT, fixed, inks, profile, table

OUT = ROOT / "Tests/Golden/separation"
rng = np.random.default_rng(20251122)


def light_of(lab):
    """P3's light of CIELAB under D50."""
    fy = (lab[:, 0] + 16) / 116
    f = np.stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200], -1)
    xyz = D50 * np.where(f > 6 / 29, f ** 3, (116 * f - 16) * 27 / 24389)
    return xyz @ np.linalg.inv(P3).T


def amounts_of(light):
    """Inks whose mixture is nearest to a light."""
    light = np.clip(light, 0, 1)
    black = 0.7 * np.clip(1 - light.max(-1) ** 0.5, 0, 1)
    amounts = np.concatenate([np.full((len(light), 3), 0.3), black[:, None]], -1)
    def seen(a):
        return (inks(a) @ np.linalg.inv(P3).T).clip(0) ** 0.4
    goal = light ** 0.4
    for _ in range(25):
        now = seen(amounts)
        slopes = np.stack([(seen(amounts + 1e-3 * np.eye(4)[i]) - now) / 1e-3 for i in range(3)], -1)
        square = slopes.transpose(0, 2, 1) @ slopes + 1e-3 * np.eye(3)
        move = np.linalg.solve(square, (slopes.transpose(0, 2, 1) @ (goal - now)[..., None]))[..., 0]
        amounts[:, :3] = np.clip(amounts[:, :3] + np.clip(move, -0.3, 0.3), 0, 1)
    return amounts


def way_back(grid):
    """B2A0 of type mft2 from Lab, lightness slowest."""
    steps = np.linspace(0, 65535, grid)
    level, a, b = (axis.ravel() for axis in np.meshgrid(steps / 652.8, steps / 256 - 128, steps / 256 - 128, indexing="ij"))
    words = amounts_of(light_of(np.stack([level, a, b], -1))) * 65535
    straight = struct.pack(">HH", 0, 65535)
    return (b"mft2" + bytes(4) + bytes([3, 4, grid, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
            + straight * 3 + np.round(words).astype(">u2").tobytes() + straight * 4)


def press():
    tags = {b"A2B0": table(inks, 4, 7), b"B2A0": way_back(13)}
    return profile(b"CMYK", tags, kind=b"prtr", pcs=b"Lab ", name="Nobody's press, both ways")


def transform(icc, back):
    srgb, inks_ = ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(icc))
    ends = (srgb, inks_, "RGB", "CMYK") if back else (inks_, srgb, "CMYK", "RGB")
    return ImageCms.buildTransform(
        *ends, renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, flags=ImageCms.Flags.BLACKPOINTCOMPENSATION)


def numbers(icc):
    steps = [0, 36, 73, 109, 146, 182, 219, 255]
    values = np.array([[r, g, b] for r in steps for g in steps for b in steps] + rng.integers(0, 256, (200, 3)).tolist(), np.uint8)
    made = ImageCms.applyTransform(Image.fromarray(values[None]), transform(icc, True))
    # As ideal inks the black is all of the grey.
    black = 255 - values.max(-1, keepdims=True).astype(float)
    ideal = np.where(black < 255, 255 - values.astype(float) * 255 / np.maximum(255 - black, 1), 0)
    ideal = np.round(np.concatenate([ideal, black], -1)).astype(int)
    return {"colours": values.ravel().tolist(), "inks": np.asarray(made).ravel().tolist(), "ideal": ideal.ravel().tolist()}


def photograph(icc):
    picture = Image.open(ROOT / "samples/chelsea.png").convert("RGB").resize((96, 64), Image.LANCZOS)
    values = np.array(ImageCms.applyTransform(picture, transform(icc, True)))
    # A row of patches that the press itself would mix otherwise.
    patches = [(0, 0, 0, 255), (0, 0, 0, 128), (255, 255, 255, 255), (128, 128, 128, 0), (255, 0, 0, 0), (0, 255, 0, 0),
               (0, 0, 255, 0), (200, 40, 0, 90), (60, 50, 50, 0), (0, 0, 0, 30), (255, 200, 0, 0), (0, 0, 0, 0)]
    for place, patch in enumerate(patches):
        values[:16, place * 8:place * 8 + 8] = patch
    return values


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    icc = press()
    (OUT / "press.icc").write_bytes(icc)
    values = photograph(icc)
    deep = np.minimum(values.astype(np.int32) * 257 + rng.integers(0, 90, values.shape), 65535).astype(np.uint16)
    alpha = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))[..., None]
    said = {"photometric": "separated", "metadata": None, "resolution": (300, 300), "resolutionunit": "INCH", "compression": "zlib",
            "predictor": True}
    tifffile.imwrite(OUT / "photo8.tif", values, iccprofile=icc, **said)
    tifffile.imwrite(OUT / "photo16.tif", deep, iccprofile=icc, **said)
    tifffile.imwrite(OUT / "nameless.tif", values, **said)
    tifffile.imwrite(OUT / "alpha.tif", np.concatenate([values, alpha], -1), iccprofile=icc, extrasamples=["unassalpha"], **said)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Nobody", "Press", 6
    exif.get_ifd(0x8769)[0x9003] = "2025:01:02 03:04:05"
    Image.fromarray(values, "CMYK").save(OUT / "photo.jpg", quality=92, icc_profile=icc, exif=exif, dpi=(300, 300))
    (OUT / "expected.json").write_text(json.dumps(numbers(icc)))

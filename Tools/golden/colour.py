"""Writes Tests/Golden/colour: small profiles of every kind, pictures in their colours, and what Little CMS makes of them.

The profiles are made here, byte by byte, from published primaries and curves; the inks are nobody's. Colours are converted by
Pillow's ImageCms (Pillow and its lcms2 as in requirements.txt), relative colorimetric, inks with black point compensation;
the resized photograph by vips (libvips-tools) in 16 bits, taken to CIELAB by P3's own formulas in NumPy: vips itself would go by way of a
coarse table, half a ΔE off.
"""
import base64
import io
import json
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageCms

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "Tests/Golden/colour"
SEED = 20251121
rng = np.random.default_rng(SEED)

D50 = np.array([0.9642, 1.0, 0.8249])
D65 = (0.3127, 0.3290)


def fixed(*values):
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def profile(space, tags, version=0x02400000, kind=b"mntr", pcs=b"XYZ ", name="test"):
    text = name.encode() + b"\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67),
        b"wtpt": b"XYZ " + bytes(4) + fixed(*D50), **tags}
    place = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for key, value in tags.items():
        value += bytes(-len(value) % 4)
        table += key + struct.pack(">II", place + len(body), len(value))
        body += value
    head = struct.pack(">I4sI", place + len(body), bytes(4), version) + kind + space + pcs
    head += struct.pack(">6H", 2025, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(*D50) + bytes(4)
    return head.ljust(128, b"\0") + table + body


def primaries(white, red, green, blue):
    """Columns: each primary's XYZ under D50 (Bradford)."""
    def xyz(c):
        return np.array([c[0] / c[1], 1, (1 - c[0] - c[1]) / c[1]])
    columns = np.stack([xyz(red), xyz(green), xyz(blue)], 1)
    columns = columns * np.linalg.solve(columns, xyz(white))
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = np.diag((bradford @ D50) / (bradford @ xyz(white)))
    return np.linalg.inv(bradford) @ scale @ bradford @ columns


P3 = primaries(D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE = primaries(D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
SRGB_CURVE = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def matrix(columns, curve, **options):
    colours = {t: b"XYZ " + bytes(4) + fixed(*columns[:, i]) for i, t in enumerate([b"rXYZ", b"gXYZ", b"bXYZ"])}
    return profile(b"RGB ", colours | {t: curve for t in [b"rTRC", b"gTRC", b"bTRC"]}, **options)


def curve(values):
    return b"curv" + bytes(4) + struct.pack(">I", len(values)) + b"".join(struct.pack(">H", round(v * 65535)) for v in values)


def gamma(value):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256)) + bytes(2)


def lab(xyz):
    t = xyz / D50
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def table(xyz_of, channels, grid):
    """A2B0 of type mft2 to Lab, the grid's first channel slowest."""
    axes = np.meshgrid(*[np.linspace(0, 1, grid)] * channels, indexing="ij")
    colours = lab(xyz_of(np.stack([a.ravel() for a in axes], -1)))
    words = np.concatenate([colours[:, :1] * 652.8, (colours[:, 1:] + 128) * 256], -1)
    straight = struct.pack(">HH", 0, 65535)
    return (b"mft2" + bytes(4) + bytes([channels, 3, grid, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
            + straight * channels + np.clip(np.round(words), 0, 65535).astype(">u2").tobytes() + straight * 3)


def scanner(values):
    """A wide space with a curve of its own, and colours that leak into each other."""
    light = values ** 1.9
    leak = np.array([[0.94, 0.04, 0.02], [0.03, 0.95, 0.02], [0.02, 0.05, 0.93]])
    return (light @ leak.T) @ ADOBE.T


def inks(values):
    """Neugebauer's: every mixture of the sixteen overprints, dots grown by a fifth."""
    dots = values + 0.8 * values * (1 - values) * 0.5
    solid = np.array([[0.0, 0.35, 0.62], [0.55, 0.0, 0.20], [0.90, 0.75, 0.0], [0.02, 0.02, 0.02]])  # C, M, Y, K in P3's light
    light = np.zeros((len(values), 3))
    for print_ in range(16):
        on = [(print_ >> i) & 1 for i in range(4)]
        share = np.prod([dots[:, i] if on[i] else 1 - dots[:, i] for i in range(4)], 0)
        light += share[:, None] * np.prod([solid[i] if on[i] else np.ones(3) for i in range(4)], 0)
    return light @ P3.T


def profiles():
    x = np.linspace(0, 1, 512)
    return {
        "p3": matrix(P3, SRGB_CURVE, version=0x04400000, name="Wide, P3's primaries"),
        "adobe": matrix(ADOBE, gamma(563 / 256), name="Wide, gamma 2.2"),
        "table-curve": matrix(ADOBE, curve(0.7 * x ** 1.7 + 0.3 * x ** 3), name="Curve of 512 points"),
        "scanner": profile(b"RGB ", {b"A2B0": table(scanner, 3, 17)}, kind=b"scnr", pcs=b"Lab ", name="Scanner"),
        "grey": profile(b"GRAY", {b"kTRC": gamma(1.8)}, name="Grey, gamma 1.8"),
        "cmyk": profile(b"CMYK", {b"A2B0": table(inks, 4, 7)}, kind=b"prtr", pcs=b"Lab ", name="Nobody's press"),
    }


def convert(picture, bytes_, bpc=False):
    # Tables are else made coarser on the way.
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION if bpc else ImageCms.Flags.NOOPTIMIZE
    return ImageCms.profileToProfile(
        picture, ImageCms.ImageCmsProfile(io.BytesIO(bytes_)), ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="L" if picture.mode == "L" else "RGB", flags=flags)


def converted_grey(values, bytes_):
    """Through RGB, as Pillow makes no grey of sRGB's curve."""
    made = ImageCms.profileToProfile(
        Image.fromarray(values), ImageCms.ImageCmsProfile(io.BytesIO(bytes_)), ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB")
    return np.asarray(made)[..., 1]


def numbers(all_):
    """Colours of each profile and sRGB of them, eight bits."""
    result = {}
    for name, bytes_ in all_.items():
        if name == "grey":
            values = np.arange(256, dtype=np.uint8)[None]
            result[name] = {"values": values.ravel().tolist(), "srgb": converted_grey(values, bytes_).ravel().tolist()}
            continue
        channels = 4 if name == "cmyk" else 3
        values = rng.integers(0, 256, (1, 120, channels), dtype=np.uint8)
        corners = np.array([[(i >> c & 1) * 255 for c in range(channels)] for i in range(2 ** channels)], np.uint8)
        values = np.concatenate([values, corners[None]], 1)
        picture = Image.fromarray(values, "CMYK" if channels == 4 else "RGB")
        result[name] = {
            "values": values.ravel().tolist(), "srgb": np.asarray(convert(picture, bytes_, channels == 4)).ravel().tolist()}
    return result


def photograph(size):
    """A photograph whose values are taken for P3's, its colours strengthened until many lie outside sRGB."""
    picture = Image.open(ROOT / "samples/chelsea.png").convert("RGB").resize(size, Image.LANCZOS)
    values = np.asarray(picture).astype(float)
    grey = values.mean(-1, keepdims=True)
    return np.clip(np.round(grey + 2.2 * (values - grey)), 0, 255).astype(np.uint8)


def fitted(bytes_):
    """Halved by vips in the picture's own values, then taken to CIELAB under D50."""
    values = photograph((132, 88))
    Image.fromarray(values).save(OUT / "photo-p3.png", icc_profile=bytes_, optimize=True)
    with tempfile.TemporaryDirectory() as name:
        def vips(*words):
            subprocess.run(["vips", *map(str, words)], check=True)
        deep, small = Path(name) / "deep.tif", Path(name) / "small.tif"
        tifffile.imwrite(deep, values.astype(np.uint16) * 257, photometric="rgb", metadata=None)
        vips("resize", deep, small, 0.5, "--kernel", "lanczos3")
        result = tifffile.imread(small) / 65535
    light = np.where(result <= 0.04045, result / 12.92, ((result + 0.055) / 1.055) ** 2.4)
    result = lab(light @ P3.T).astype("<f4")
    assert result.shape == (44, 66, 3)
    return base64.b64encode(result.tobytes()).decode()


def without_adobe(data):
    """The file without its APP14 marker."""
    place = data.index(b"\xff\xee")
    return data[:place] + data[place + 2 + struct.unpack(">H", data[place + 2:place + 4])[0]:]


def cmyk(bytes_):
    y, x = np.mgrid[0:24, 0:32] / 24
    amounts = np.stack([np.clip(130 + 125 * np.sin(3 * x + 1.3 * c) * np.cos(2 * y - c), 0, 255) * (0.4 if c == 3 else 1)
                        for c in range(4)], -1).astype(np.uint8)
    result = {}

    def jpeg(values, icc=bytes_):
        file = io.BytesIO()
        Image.fromarray(values, "CMYK").save(file, "JPEG", quality=95, icc_profile=icc)
        return file.getvalue()

    def note(name, data, own):
        """`own`: the inks that the file holds."""
        (OUT / name).write_bytes(data)
        picture = Image.fromarray(np.ascontiguousarray(own), "CMYK")
        ideal = [np.round((255 - own[..., i].astype(int)) * (255 - own[..., 3].astype(int)) / 255) for i in range(3)]
        result[name] = {
            "width": 32, "height": 24, "srgb": np.asarray(convert(picture, bytes_, True)).ravel().tolist(),
            "ideal": np.stack(ideal, -1).astype(int).ravel().tolist()}

    def decoded(data):
        return np.asarray(Image.open(io.BytesIO(data)))

    data = jpeg(amounts)
    note("adobe.jpg", data, decoded(data))
    note("nameless.jpg", jpeg(amounts, None), decoded(jpeg(amounts, None)))
    # Pillow turns inks round for Adobe's convention; without its marker they are as they are.
    data = without_adobe(jpeg(255 - amounts))
    note("plain.jpg", data, 255 - decoded(jpeg(255 - amounts)))
    # YCCK: luma and chroma of the light that is left by the first three, turned round as libjpeg does.
    light = amounts[..., :3].astype(float)
    luma = light @ [0.299, 0.587, 0.114]
    ycck = np.stack([luma, 128 + (light[..., 2] - luma) / 1.772, 128 + (light[..., 0] - luma) / 1.402, 255.0 - amounts[..., 3]], -1)
    data = jpeg(255 - np.clip(np.round(ycck), 0, 255).astype(np.uint8))
    place = data.index(b"\xff\xeeAdobe"[:2])
    data = data[:place + 15] + b"\2" + data[place + 16:]
    assert Image.open(io.BytesIO(data)).info["adobe_transform"] == 2
    note("ycck.jpg", data, decoded(data))
    for name, values, options in [("cmyk8.tif", amounts, {}), ("cmyk16.tif", amounts.astype(np.uint16) * 257, {"compression": "zlib"})]:
        tifffile.imwrite(OUT / name, values, photometric="separated", metadata=None, iccprofile=bytes_, **options)
        note(name, (OUT / name).read_bytes(), amounts)
    return result


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    made = profiles()
    for name, bytes_ in made.items():
        (OUT / f"{name}.icc").write_bytes(bytes_)
    (OUT / "expected.json").write_text(json.dumps(
        {"numbers": numbers(made), "fitted": fitted(made["p3"]), "cmyk": cmyk(made["cmyk"])}))

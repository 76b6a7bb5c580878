"""Pictures in every form that files come in -> Tests/Golden/pictures/.

Small PNG, JPEG and TIFF files written by Pillow 13.0.0 and tifffile 2026.3.3 (numpy and zlib beneath), and what their
samples are: expected.json holds, for each file, its size, channels, depth and the samples (base64 of rows from top to
bottom, interleaved, deeper ones little-endian), computed here from the arrays that the files were made of; for JPEG, from
what Pillow decodes. Files under "refused" are valid but of a kind that is not read.
"""
import base64
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

OUT = Path(__file__).resolve().parents[2] / "Tests/Golden/pictures"
SEED = 20240711
W, H = 19, 13
rng = np.random.default_rng(SEED)
expected = {}


def note(name, samples, refused=False):
    if refused:
        expected[name] = {"refused": True}
        return
    samples = np.ascontiguousarray(samples)
    if samples.ndim == 2:
        samples = samples[..., None]
    depth = samples.dtype.itemsize * 8
    expected[name] = {
        "width": samples.shape[1], "height": samples.shape[0], "channels": samples.shape[2], "depth": depth,
        "samples": base64.b64encode(samples.astype({8: "u1", 16: "<u2", 32: "<f4"}[depth]).tobytes()).decode(),
    }


def noise(channels, depth=8, width=W, height=H):
    return rng.integers(0, 2**depth, (height, width, channels), dtype=np.uint16 if depth == 16 else np.uint8)


def png(name, width, height, depth, colour, rows, chunks=(), interlaced=False):
    """rows: packed scanlines, or for interlaced pictures those of the seven passes."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
    for kind, body in chunks:
        data += chunk(kind, body)
    data += chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b"")
    (OUT / name).write_bytes(data)


def packed(values, depth):
    """values [h, w] of fewer than 8 bits -> scanlines."""
    rows = []
    for row in values:
        bits = "".join(format(int(v), f"0{depth}b") for v in row)
        bits += "0" * (-len(bits) % 8)
        rows.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    return rows


def pngs():
    for depth in (1, 2, 4):
        values = rng.integers(0, 2**depth, (H, W), dtype=np.uint8)
        png(f"grey{depth}.png", W, H, depth, 0, packed(values, depth))
        note(f"grey{depth}.png", values * (255 // (2**depth - 1)))
        palette = rng.integers(0, 256, (2**depth, 3), dtype=np.uint8)
        png(f"palette{depth}.png", W, H, depth, 3, packed(values, depth), [(b"PLTE", palette.tobytes())])
        note(f"palette{depth}.png", palette[values])
    values = rng.integers(0, 200, (H, W), dtype=np.uint8)
    palette = rng.integers(0, 256, (200, 3), dtype=np.uint8)
    alphas = rng.integers(0, 256, 90, dtype=np.uint8)
    png("palette8-alpha.png", W, H, 8, 3, [r.tobytes() for r in values], [(b"PLTE", palette.tobytes()), (b"tRNS", alphas.tobytes())])
    every = np.concatenate([alphas, np.full(110, 255, np.uint8)])
    note("palette8-alpha.png", np.concatenate([palette[values], every[values][..., None]], -1))
    # Transparency by colour.
    grey = noise(1, 16)[..., 0]
    key = int(grey[3, 4])
    png("grey16-key.png", W, H, 16, 0, [r.astype(">u2").tobytes() for r in grey], [(b"tRNS", struct.pack(">H", key))])
    note("grey16-key.png", np.stack([grey, np.where(grey == key, 0, 65535).astype(np.uint16)], -1))
    rgb = noise(3)
    key = rgb[5, 6].astype(">u2").tobytes()
    png("rgb8-key.png", W, H, 8, 2, [r.tobytes() for r in rgb], [(b"tRNS", key)])
    alpha = np.where((rgb == rgb[5, 6]).all(-1), 0, 255).astype(np.uint8)
    note("rgb8-key.png", np.concatenate([rgb, alpha[..., None]], -1))
    # Interlaced, with passes that are empty at this size.
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for width, height in ((W, H), (3, 2)):
        picture = noise(4, 16, width, height)
        rows = [r.astype(">u2").tobytes() for x, y, dx, dy in passes for r in picture[y::dy, x::dx] if r.size]
        png(f"interlaced-{width}x{height}.png", width, height, 16, 6, rows, interlaced=True)
        note(f"interlaced-{width}x{height}.png", picture)


def smooth(channels):
    y, x = np.mgrid[0:H, 0:W] / 20
    return np.stack([np.clip(127 + 120 * np.sin(3 * x + c) * np.cos(2 * y - c), 0, 255) for c in range(channels)], -1).astype(np.uint8)


def ideal(inks):
    """Inks without a profile: each takes away its colour, black the rest."""
    light = 255 - inks.astype(int)
    return ((light[..., :3] * light[..., 3:] + 127) // 255).astype(np.uint8)


def jpegs():
    for name, mode, options in [
        ("grey.jpg", "L", {}), ("rgb420.jpg", "RGB", {"subsampling": 2}), ("rgb444.jpg", "RGB", {"subsampling": 0}),
        ("progressive.jpg", "RGB", {"progressive": True}), ("restart.jpg", "RGB", {"restart_marker_blocks": 1}),
    ]:
        picture = Image.fromarray(smooth(1)[..., 0] if mode == "L" else smooth(3))
        picture.save(OUT / name, quality=90, **options)
        note(name, np.asarray(Image.open(OUT / name)))
    Image.fromarray(smooth(4), "CMYK").save(OUT / "cmyk.jpg")
    note("cmyk.jpg", ideal(np.asarray(Image.open(OUT / "cmyk.jpg"))))


def tiffs():
    def write(name, data, shown=None, **options):
        tifffile.imwrite(OUT / name, data, metadata=None, **options)
        note(name, data if shown is None else shown)
    grey8, grey16, rgb8, rgb16, rgba8 = noise(1)[..., 0], noise(1, 16)[..., 0], noise(3), noise(3, 16), noise(4)
    write("grey8.tif", grey8, photometric="minisblack")
    write("white8.tif", grey8, 255 - grey8, photometric="miniswhite")
    write("white16.tif", grey16, 65535 - grey16, photometric="miniswhite")
    write("rgb16-deflate.tif", rgb16, photometric="rgb", compression="zlib", predictor=True)
    write("rgb8-big-endian.tif", rgb8, photometric="rgb", byteorder=">")
    write("rgb16-big-endian.tif", rgb16, photometric="rgb", byteorder=">", rowsperstrip=4)
    write("bigtiff.tif", rgb8, photometric="rgb", bigtiff=True)
    write("tiles.tif", rgb8, photometric="rgb", tile=(16, 16))
    write("tiles16.tif", rgb16, photometric="rgb", tile=(16, 16), compression="zlib")
    write("planes.tif", np.moveaxis(rgb8, -1, 0), rgb8, photometric="rgb", planarconfig="separate")
    write("planes-tiles.tif", np.moveaxis(rgb16, -1, 0), rgb16, photometric="rgb", planarconfig="separate", tile=(16, 16))
    write("rgba8.tif", rgba8, photometric="rgb", extrasamples=["unassalpha"])
    a = rgba8[..., 3:].astype(np.int64)
    premultiplied = np.concatenate([(rgba8[..., :3] * a + 127) // 255, a], -1).astype(np.uint8)
    p = premultiplied.astype(np.int64)
    divided = np.where(a > 0, np.minimum(255, (p[..., :3] * 255 + a // 2) // np.maximum(a, 1)), p[..., :3])
    write("rgba8-premultiplied.tif", premultiplied, np.concatenate([divided, a], -1).astype(np.uint8), photometric="rgb", extrasamples=["assocalpha"])
    write("grey-alpha16.tif", noise(2, 16), photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig")
    palette = rng.integers(0, 256, (3, 256), dtype=np.uint16)
    write("palette8.tif", grey8, np.moveaxis(palette[:, grey8], 0, -1).astype(np.uint8), photometric="palette", colormap=palette * 257)
    Image.fromarray(rgb8).save(OUT / "lzw.tif", compression="tiff_lzw")
    note("lzw.tif", rgb8)
    bits = rng.integers(0, 2, (H, W), dtype=np.uint8) * 255
    Image.fromarray(bits).convert("1").save(OUT / "bilevel.tif")
    note("bilevel.tif", bits)
    write("float.tif", rng.random((H, W), dtype=np.float32), photometric="minisblack")
    noise(1)
    inks = noise(4)
    write("cmyk.tif", inks, ideal(inks), photometric="separated")
    write("extra.tif", noise(5), photometric="rgb", extrasamples=["unspecified", "unspecified"])
    write("signed.tif", noise(1)[..., 0].astype(np.int8), np.zeros((1, 1), np.uint8), photometric="minisblack")
    for name in ["extra.tif", "signed.tif"]:
        note(name, None, refused=True)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    pngs()
    jpegs()
    tiffs()
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1))

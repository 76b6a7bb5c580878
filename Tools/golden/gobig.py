"""Makes Tests/Golden/gobig: where other tools' layouts put their tiles, and what tiles of one colour each look like together.

The layouts are stated here anew from what their sources do (ProgRockDiffusion's and progrock-stable's grid_slice and
grid_coords, the web UI's split_grid and combine_grid, Ultimate SD Upscale's linear redraw); Pillow draws and blends, and the
mask blur of Ultimate is OpenCV's Gaussian with the web UI's kernel size.

cases.json holds sizes and frames [x, y, width, height] in the order of painting; <name>.png is what they look like over a base
of (40, 90, 140), where tile i has the colour of `colour(i)`.
"""
import math

import cv2
import numpy as np
from PIL import Image, ImageDraw

from common import folder, write_json

BASE = (40, 90, 140)


def colour(i):
    return (37 * i % 256, (91 * i + 50) % 256, (151 * i + 100) % 256)


def progrock(width, height, scale):
    slices = scale * scale + 1
    step = 64 * math.floor(int(width / slices) / 64)
    rest = width - step * slices
    while rest > 0:
        slices += 1
        rest -= step
    ramp = Image.new("L", (step + 64, height), 255)
    pixels = ramp.load()
    for x in range(64):
        for y in range(height):
            pixels[x, y] = min(255, 4 * (x + 1))
    frames = [(i * step, 0, step + 64, height) for i in range(slices)]
    return frames, [None] + [ramp] * (slices - 1)


def progrock_grid(width, height, tile, overlap):
    w, h = tile
    cx, cy = int(width / 2) - int(w / 2), int(height / 2) - int(h / 2)
    up, down, left, right = [], [], [], []

    def column(x):
        y = cy
        while y > 0:
            y -= h - overlap
            up.append((x, y))
        y = cy
        while y + h <= height:
            y += h - overlap
            down.append((x, y))

    column(cx)
    x = cx
    while x > 0:
        x -= w - overlap
        left.append((x, cy))
        column(x)
    x = cx
    while x + w <= width:
        x += w - overlap
        right.append((x, cy))
        column(x)
    order = down[::-1] + up[::-1] + right[::-1] + left[::-1] + [(cx, cy)]
    mask = Image.new("L", (w, h), 0)
    draw, alpha = ImageDraw.Draw(mask), 0
    for i in range(overlap):
        alpha = min(255, alpha + int(255 / (overlap / 2)))
        draw.rectangle((i, i, w - i, h - i), fill=alpha)
    return [(x, y, w, h) for x, y in order], [mask] * len(order)


def sd_upscale(width, height, tile, overlap):
    w, h = tile
    columns, rows = math.ceil((width - overlap) / (w - overlap)), math.ceil((height - overlap) / (h - overlap))
    dx = (width - w) / (columns - 1) if columns > 1 else 0
    dy = (height - h) / (rows - 1) if rows > 1 else 0
    grid = []
    for row in range(rows):
        y = int(row * dy)
        y = height - h if y + h >= height else y
        line = []
        for column in range(columns):
            x = int(column * dx)
            line.append((width - w if x + w >= width else x, y, w, h))
        grid.append(line)
    return grid


def combined(grid, width, height, tile, overlap):
    w, h = tile
    ramp = np.arange(overlap, dtype=np.float32) * 255 / overlap
    across = Image.fromarray(np.repeat(ramp.reshape(1, -1), h, 0).astype(np.uint8), "L")
    down = Image.fromarray(np.repeat(ramp.reshape(-1, 1), width, 1).astype(np.uint8), "L")
    whole, i = Image.new("RGB", (width, height)), 0
    for line in grid:
        strip = Image.new("RGB", (width, h))
        for x, y, _, _ in line:
            painted = Image.new("RGB", (w, h), colour(i))
            i += 1
            if x == 0:
                strip.paste(painted, (0, 0))
                continue
            strip.paste(painted.crop((0, 0, overlap, h)), (x, 0), mask=across)
            strip.paste(painted.crop((overlap, 0, w, h)), (x + overlap, 0))
        y = line[0][1]
        if y == 0:
            whole.paste(strip, (0, 0))
            continue
        whole.paste(strip.crop((0, 0, width, overlap)), (0, y), mask=down)
        whole.paste(strip.crop((0, overlap, width, h)), (0, y + overlap))
    return whole


def ultimate(width, height, tile):
    w, h = tile
    rectangles, masks = [], []
    for row in range(math.ceil(height / h)):
        for column in range(math.ceil(width / w)):
            corners = (column * w, row * h, column * w + w, row * h + h)
            mask = Image.new("L", (width, height), 0)
            ImageDraw.Draw(mask).rectangle(corners, fill=255)
            kernel = 2 * int(2.5 * 8 + 0.5) + 1
            blurred = cv2.GaussianBlur(np.array(mask), (kernel, 1), 8)
            blurred = cv2.GaussianBlur(blurred, (1, kernel), 8)
            masks.append(Image.fromarray(blurred, "L"))
            rectangles.append([corners[0], corners[1], min(width, corners[2] + 1) - corners[0],
                               min(height, corners[3] + 1) - corners[1]])
    return rectangles, masks


def composited(frames, masks, width, height, cut=True):
    whole = Image.new("RGBA", (width, height), BASE + (255,))
    for i, ((x, y, w, h), mask) in enumerate(zip(frames, masks)):
        tile = Image.new("RGBA", (w, h) if cut else (width, height), colour(i) + (255,))
        if mask is not None:
            tile.putalpha(mask)
        layer = Image.new("RGBA", (width, height), (0, 0, 0, 0))
        layer.paste(tile, (x, y) if cut else (0, 0))
        whole = Image.alpha_composite(whole, layer)
    return whole.convert("RGB")


def main():
    path, cases = folder("gobig"), []

    def add(name, layout, size, frames, picture, **more):
        picture.save(path / f"{name}.png", optimize=True)
        cases.append({"name": name, "layout": layout, "size": size, "frames": [list(f) for f in frames], **more})

    for name, (w, h), scale in [("progrock", (1664, 96), 2), ("progrock-odd", (701, 41), 2)]:
        frames, masks = progrock(w, h, scale)
        add(name, "progrock", [w, h], frames, composited(frames, masks, w, h), scale=scale)
    for name, (w, h), tile, overlap in [("progrock-grid", (512, 384), (256, 192), 64),
                                        ("progrock-grid-odd", (613, 371), (200, 168), 40)]:
        frames, masks = progrock_grid(w, h, tile, overlap)
        add(name, "progrock-grid", [w, h], frames, composited(frames, masks, w, h), tile=tile, overlap=overlap)
    for name, (w, h), tile, overlap in [("sd-upscale", (512, 448), (256, 256), 64),
                                        ("sd-upscale-odd", (440, 333), (192, 128), 48)]:
        grid = sd_upscale(w, h, tile, overlap)
        add(name, "sd-upscale", [w, h], [f for line in grid for f in line],
            combined(grid, w, h, tile, overlap), tile=tile, overlap=overlap)
    for name, (w, h), tile in [("ultimate", (512, 384), (256, 256)), ("ultimate-odd", (391, 277), (128, 96))]:
        rectangles, masks = ultimate(w, h, tile)
        frames = [(0, 0, w, h)] * len(masks)
        add(name, "ultimate", [w, h], rectangles, composited(frames, masks, w, h, cut=False), tile=tile, overlap=0)
    write_json(path / "cases.json", cases)


if __name__ == "__main__":
    main()

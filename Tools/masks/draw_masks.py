"""Draws the masks in masks/ from the outlines below: white = repaint, black = keep, grey = in between.

    python Tools/masks/draw_masks.py                      write every mask
    python Tools/masks/draw_masks.py --overlay FOLDER     also write each picture at twice its size with its mask in red

Coordinates are in pixels of the photograph, x to the right and y downwards. They may lie outside the picture: an outline
that leaves the frame keeps full strength right up to its border. Needs numpy and Pillow.
"""
import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
MASKS = ROOT / "masks"

# Shapes are drawn at four times the size and reduced, so that even a hard edge is smooth.
SUPERSAMPLE = 4
# Points drawn between two corners of a curve; at this number the chords are shorter than a pixel.
CURVE_POINTS = 24


@dataclass(frozen=True)
class Shape:
    """One closed outline. The edge ramps over `softness` pixels, half of them on either side of the outline."""

    points: tuple
    softness: float
    curved: bool = True


@dataclass(frozen=True)
class Mask:
    """The strongest of the shapes in `paint`, less those in `keep`."""

    picture: str
    paint: tuple
    keep: tuple = ()


def rectangle(left, top, right, bottom, softness):
    return Shape(((left, top), (right, top), (right, bottom), (left, bottom)), softness, curved=False)


def disc(x, y, radius, softness):
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    return Shape(tuple((x + radius * np.cos(a), y + radius * np.sin(a)) for a in turns), softness)


# chelsea.png, 451×300

CAT_FACE = Shape((
    (112, -30), (98, 0), (84, 26), (62, 46), (40, 66), (35, 92), (40, 118), (47, 142), (57, 168), (74, 194), (97, 219), (125, 243),
    (152, 262), (184, 277), (218, 286), (250, 289), (279, 283), (303, 268), (315, 246), (322, 221), (337, 198), (352, 176), (360, 150),
    (363, 124), (360, 99), (355, 80), (343, 58), (330, 36), (322, 12), (317, -30)), softness=14)

CAT_LEFT_EYE = Shape((
    (135, 104), (139, 93), (149, 87), (164, 85), (180, 87), (193, 93), (201, 102), (206, 113), (208, 127), (205, 139), (197, 146),
    (182, 148), (165, 145), (151, 138), (141, 127), (136, 115)), softness=6)

CAT_RIGHT_EYE = Shape((
    (296, 141), (297, 128), (303, 118), (313, 112), (326, 109), (337, 112), (342, 120), (343, 132), (338, 145), (330, 156), (319, 163),
    (307, 163), (299, 155)), softness=6)

# coffee.png, 600×400

COFFEE_SURFACE = Shape((
    (206, 139), (209, 124), (219, 110), (236, 101), (258, 96), (285, 95), (312, 99), (335, 107), (353, 120), (365, 136), (369, 153),
    (363, 168), (346, 181), (323, 190), (298, 193), (272, 190), (247, 181), (227, 168), (212, 153)), softness=6)

CUP = Shape((
    (173, 103), (178, 77), (194, 55), (218, 34), (248, 22), (283, 18), (320, 23), (354, 37), (382, 59), (401, 87), (408, 117),
    (403, 148), (396, 172), (389, 195), (378, 213), (364, 231), (345, 253), (324, 271), (303, 281), (280, 284), (258, 281), (242, 270),
    (226, 246), (206, 225), (190, 203), (180, 175), (174, 140)), softness=8)

CUP_HANDLE = Shape((
    (226, 228), (214, 240), (204, 256), (197, 275), (196, 292), (203, 303), (217, 308), (229, 306), (240, 298), (254, 282), (262, 262),
    (258, 238), (243, 226)), softness=6)

SPOON_BOWL = Shape((
    (333, 262), (345, 252), (357, 246), (371, 246), (387, 248), (400, 260), (405, 275), (402, 294), (389, 311), (373, 321), (357, 325),
    (341, 318), (331, 304), (326, 287), (327, 272)), softness=4)

# rocket.jpg, 640×427

SKY = rectangle(-80, -80, 720, 366, softness=60)

ROCKET = Shape((
    (322, 126), (316, 131), (312, 139), (310, 149), (310, 172), (309, 181), (310, 200), (310, 340), (309, 406), (333, 406), (334, 340),
    (335, 200), (336, 181), (334, 172), (334, 149), (332, 139), (328, 131)), softness=5, curved=False)

ROCKET_AND_CRADLE = Shape((
    (322, 122), (314, 129), (309, 140), (308, 160), (306, 180), (307, 335), (287, 362), (286, 440), (358, 440), (357, 362), (337, 335),
    (338, 180), (336, 160), (335, 140), (330, 129)), softness=6, curved=False)

TOWERS = (
    Shape(((44, -30), (44, 10), (50, 14), (36, 100), (22, 200), (7, 300), (-10, 390), (-10, 440), (74, 440), (80, 310), (88, 100),
           (90, -30)), softness=6, curved=False),
    Shape(((196, 121), (206, 121), (204, 190), (206, 192), (206, 300), (203, 440), (159, 440), (175, 300), (186, 225), (187, 190),
           (195, 190)), softness=5, curved=False),
    Shape(((442, 121), (450, 121), (453, 190), (458, 191), (461, 225), (468, 300), (483, 440), (437, 440), (439, 300), (440, 191),
           (445, 190)), softness=5, curved=False),
    Shape(((557, -30), (563, 200), (569, 300), (577, 440), (660, 440), (660, 290), (636, 200), (615, 100), (602, -30)), softness=6,
          curved=False),
)

LAMPS = (disc(83, 350, 15, 12), disc(151, 377, 24, 16), disc(193, 395, 26, 16), disc(364, 396, 28, 16), disc(433, 394, 22, 16))

MASK_FILES = {
    "chelsea-face.png": Mask("chelsea.png", (CAT_FACE,)),
    "chelsea-eyes.png": Mask("chelsea.png", (CAT_LEFT_EYE, CAT_RIGHT_EYE)),
    "coffee-surface.png": Mask("coffee.png", (COFFEE_SURFACE,)),
    "coffee-cup.png": Mask("coffee.png", (CUP, CUP_HANDLE), keep=(SPOON_BOWL,)),
    "rocket-sky.png": Mask("rocket.jpg", (SKY,), keep=(ROCKET_AND_CRADLE, *TOWERS, *LAMPS)),
    "rocket-body.png": Mask("rocket.jpg", (ROCKET,)),
}


def spline(points):
    """The closed Catmull-Rom curve through `points`."""
    p1 = np.asarray(points, float)
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    t = np.linspace(0, 1, CURVE_POINTS, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (p0, p1, p2, p3))
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return curve.reshape(-1, 2)


def running_sum(values, width, axis):
    """Sums of `width` neighbours along `axis`; the array grows shorter by width − 1."""
    total = np.cumsum(values, axis=axis)
    total = np.concatenate([np.zeros_like(total.take([0], axis)), total], axis)
    length = total.shape[axis]
    return total.take(range(width, length), axis) - total.take(range(length - width), axis)


def draw(shape, size):
    """Strength 0…1 of one shape on a picture of `size` (width, height).

    Three box filters in whole numbers make a smooth ramp of exactly `softness` pixels, so that beyond it the mask is
    exactly 0 or exactly 1: a Gaussian would have neither.
    """
    box = max(1, round(shape.softness * SUPERSAMPLE / 3))
    shrink = 3 * (box - 1)
    before, after = shrink // 2, shrink - shrink // 2
    width, height = size
    canvas = Image.new("1", (width * SUPERSAMPLE + before + after, height * SUPERSAMPLE + before + after))
    points = spline(shape.points) if shape.curved else np.asarray(shape.points, float)
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in points * SUPERSAMPLE + before], fill=1)

    values = np.asarray(canvas).astype(np.int64)
    for axis in (0, 1):
        for _ in range(3):
            values = running_sum(values, box, axis)
    values = values.reshape(height, SUPERSAMPLE, width, SUPERSAMPLE).sum((1, 3))
    return values / (box**6 * SUPERSAMPLE**2)


def render(mask, size):
    """The mask as 8-bit grey, [height, width]."""
    strength = np.maximum.reduce([draw(shape, size) for shape in mask.paint])
    for shape in mask.keep:
        strength = strength * (1 - draw(shape, size))
    return np.round(strength * 255).astype(np.uint8)


def overlay(picture, grey):
    """The picture at twice its size; what would be repainted is tinted red."""
    colour = np.asarray(picture, np.float32)
    amount = grey[..., None] / 255 * 0.6
    tinted = colour * (1 - amount) + np.float32([255, 0, 0]) * amount
    double = (picture.width * 2, picture.height * 2)
    return Image.fromarray(tinted.round().astype(np.uint8)).resize(double, Image.Resampling.BICUBIC)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--overlay", type=Path, metavar="FOLDER", help="also write red-tinted pictures here, for judging the outlines")
    options = parser.parse_args()

    MASKS.mkdir(exist_ok=True)
    for name, mask in MASK_FILES.items():
        picture = Image.open(SAMPLES / mask.picture).convert("RGB")
        grey = render(mask, picture.size)
        Image.fromarray(grey).save(MASKS / name, optimize=True)
        print(f"{name}: {(grey == 255).mean():.1%} white, {(grey == 0).mean():.1%} black")
        if options.overlay:
            options.overlay.mkdir(parents=True, exist_ok=True)
            overlay(picture, grey).save(options.overlay / name)


if __name__ == "__main__":
    main()

"""Draws the pictures that the miniature model learns from: no photograph and nobody's artwork is in them.

Two families:
  leaves     shapes with textured surfaces that hide one another (the "dead leaves" model of images: the statistics of natural
             edges and textures without their subjects); no caption
  landscape  sky, sun or moon, clouds, mountains, water or land, trees, a lighthouse; with a caption

    python scenes.py SHEET.png [--seed 7]      a contact sheet of both

A picture is a pure function of the generator's state, to the bit. The order of the draws and the mixture of float32 and float64
below are part of that function: the trained model can be reproduced only while they stay as they are.
"""
import argparse
import math
from dataclasses import dataclass, field

import cv2
import numpy as np

# Side of a finished picture. Twice the largest training crop (128), so that crops can also be reduced, not only cut.
SIZE = 256
# Side of the canvas. Drawing at twice the size and reducing by area gives clean edges whatever draws them.
BIG = 2 * SIZE

LEAVES_CAPTION = ""
MEDIUMS = ["painting", "photograph", "view"]


def power_noise(rng, side, slope, stretch=(1.0, 1.0)):
    """A Gaussian field [side, side] with spectrum 1/f^slope, zero mean and unit variance; `stretch` (y, x) above 1 makes it finer."""
    fy = np.fft.fftfreq(side)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(side)[None, :] * stretch[1]
    f = np.sqrt(fx * fx + fy * fy)
    f[0, 0] = 1  # no division by zero; this term is dropped below
    spectrum = (rng.standard_normal(f.shape) + 1j * rng.standard_normal(f.shape)) / f ** slope
    spectrum[0, 0] = 0
    z = np.fft.irfft2(spectrum, s=(side, side))
    return ((z - z.mean()) / (z.std() + 1e-9)).astype(np.float32)


class Textures:
    """A bank of grey textures in −1…1 that shapes cut their surface from. Drawing it is slow, cutting from it is not."""

    def __init__(self, rng, count=96):
        kinds = [cloudy, cloudy, grained, striped, creased, blotched]
        self.bank = [np.clip(kinds[i % len(kinds)](rng), -3, 3) / 3 for i in range(count)]

    def cut(self, rng, height, width):
        texture = self.bank[rng.integers(len(self.bank))]
        y, x = rng.integers(0, BIG - height + 1), rng.integers(0, BIG - width + 1)
        return texture[y:y + height, x:x + width]


def cloudy(rng):
    return power_noise(rng, BIG, rng.uniform(0.6, 2.0))


def grained(rng):
    """Noise drawn out in one direction: wood, fur, brushed metal."""
    return power_noise(rng, BIG, rng.uniform(0.8, 1.6), (rng.uniform(0.1, 1), rng.uniform(1, 8)))


def striped(rng):
    """Parallel waves at some angle, bent by a smooth field."""
    yy, xx = np.mgrid[0:BIG, 0:BIG].astype(np.float32)
    warp = power_noise(rng, BIG, 2.2) * rng.uniform(0, 25)
    angle = rng.uniform(0, math.pi)
    return np.sin((xx * math.cos(angle) + yy * math.sin(angle) + warp) * 2 * math.pi / rng.uniform(6, 60))


def creased(rng):
    """The fold of a field about zero leaves dark creases: rock, crumpled paper."""
    return np.abs(power_noise(rng, BIG, rng.uniform(1.2, 1.9))) * 2 - 1.5


def blotched(rng):
    """A field pushed to its extremes: spots, lichen, camouflage."""
    z = power_noise(rng, BIG, rng.uniform(0.4, 1.2))
    return np.tanh(4 * (z - rng.uniform(-1, 1)))


# Part: leaves


def natural_colour(rng):
    """A colour, mostly earth, leaf or sky, and mostly muted, as an RGB triple in 0…1."""
    earth, leaf, sky, anything = rng.normal(28, 14), rng.normal(85, 25), rng.normal(208, 18), rng.uniform(0, 360)
    hue = rng.choice([earth, leaf, sky, anything], p=[.42, .22, .2, .16]) % 360
    saturation = np.clip(rng.beta(1.4, 3.2) * 1.1, 0, 1)
    value = np.clip(rng.beta(1.6, 1.6), .03, .98)
    return cv2.cvtColor(np.float32([[[hue, saturation, value]]]), cv2.COLOR_HSV2RGB)[0, 0]


def outline(rng, cx, cy, radius):
    """A closed polygon about (cx, cy): a blob, a polygon of a few corners, or a bent blade."""
    kind = rng.random()
    turn = rng.uniform(0, 2 * math.pi)
    squash = rng.uniform(.25, 1)
    if kind < .55:
        theta = np.linspace(0, 2 * math.pi, 72, endpoint=False)
        reach = np.ones_like(theta)
        for k in range(2, 8):
            reach += rng.normal(0, .35 / k) * np.cos(k * theta + rng.uniform(0, 6.3))
        px, py = reach * np.cos(theta), reach * np.sin(theta) * squash
    elif kind < .8:
        corners = rng.integers(3, 7)
        theta = np.sort(rng.uniform(0, 2 * math.pi, corners))
        px, py = np.cos(theta), np.sin(theta) * squash
    else:
        t = np.linspace(-1, 1, 24)
        bend = rng.normal(0, .6) * t * t
        thickness = rng.uniform(.02, .12) * (1 - .8 * np.abs(t))
        px = np.concatenate([t, t[::-1]]) * 1.8
        py = np.concatenate([bend + thickness, (bend - thickness)[::-1]])
    c, s = math.cos(turn), math.sin(turn)
    return np.stack([cx + radius * (c * px - s * py), cy + radius * (s * px + c * py)], 1).astype(np.int32)


def leaf_radii(rng, count):
    """Radii whose number falls with the cube of their size, as in nature; the first tenth are large, to lay a ground."""
    smallest, largest = 5., float(rng.uniform(80, 260))
    u = rng.random(count)
    radii = (smallest ** -2 + u * (largest ** -2 - smallest ** -2)) ** -.5
    radii[:count // 10] = rng.uniform(40, largest, count // 10)
    return radii


def leaf_surface(rng, textures, colour, height, width):
    """A flat colour under a soft gradient of light and, mostly, a texture in grey or towards a second colour."""
    surface = np.empty((height, width, 3), np.float32)
    surface[:] = colour
    gy, gx = rng.normal(0, .18, 2)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)
    surface += (gy * down + gx * across)[..., None]
    if rng.random() < .75:
        amplitude = rng.beta(1.2, 3) * .6
        second = natural_colour(rng) - colour
        texture = textures.cut(rng, height, width)[..., None]
        surface += amplitude * texture * (np.float32([1, 1, 1]) if rng.random() < .7 else 1.5 * second)
    return surface


def draw_leaf(image, rng, textures, palette, radius):
    polygon = outline(rng, rng.uniform(0, BIG), rng.uniform(0, BIG), radius)
    x0, y0 = np.maximum(polygon.min(0), 0)
    x1, y1 = np.minimum(polygon.max(0) + 1, BIG)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    width, height = int(x1 - x0), int(y1 - y0)
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [polygon - [x0, y0]], 1.)

    colour = np.clip(palette[rng.integers(len(palette))] + rng.normal(0, .05, 3), 0, 1).astype(np.float32)
    surface = leaf_surface(rng, textures, colour, height, width)
    under = image[y0:y1, x0:x1]
    if rng.random() < .15 and radius > 20:
        shadow = cv2.GaussianBlur(mask, (0, 0), radius * .12)
        under *= 1 - .35 * shadow[..., None]
    under *= 1 - mask[..., None]
    under += surface * mask[..., None]


def leaves(rng, textures):
    """One picture of leaves: (uint8 RGB [256, 256, 3], its empty caption)."""
    image = np.empty((BIG, BIG, 3), np.float32)
    ground = natural_colour(rng)
    image[:] = ground + .25 * rng.uniform(0, 1) * textures.cut(rng, BIG, BIG)[..., None]
    palette = [natural_colour(rng) for _ in range(rng.integers(4, 14))]
    count = int(rng.integers(60, 420))
    radii = leaf_radii(rng, count)
    # Some pictures go out of focus behind one of the leaves, some over all.
    defocus_at = rng.integers(0, count) if rng.random() < .3 else -1
    for i, radius in enumerate(radii):
        if i == defocus_at:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(1.5, 6))
        draw_leaf(image, rng, textures, palette, radius)
    if rng.random() < .2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(.4, 1.6))
    small = cv2.resize(np.clip(image, 0, 1), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    small = np.clip(small, 0, 1) ** rng.uniform(.7, 1.4)
    return (small * 255 + .5).astype(np.uint8), LEAVES_CAPTION


# Part: landscape


@dataclass(frozen=True)
class Daytime:
    """Colours of a time of day, and how much light falls on the land (0…1)."""

    zenith: tuple
    horizon: tuple
    sun: tuple
    light: float


TIMES = {
    "day": Daytime((.22, .45, .78), (.72, .84, .95), (1, .97, .85), .95),
    "sunset": Daytime((.25, .22, .45), (.98, .55, .25), (1, .75, .4), .7),
    "dawn": Daytime((.42, .5, .72), (.98, .78, .72), (1, .9, .75), .75),
    "night": Daytime((.02, .03, .09), (.07, .1, .22), (.92, .94, 1), .22),
}
GROUNDS = ["sea", "lake", "meadow", "desert", "snow", "forest"]
GROUND_SHARES = [.2, .17, .2, .13, .12, .18]
LAND_COLOURS = {"meadow": (.3, .46, .16), "desert": (.8, .62, .38), "snow": (.88, .91, .97), "forest": (.14, .25, .12)}
ROCK_COLOURS = {"grey": (.36, .37, .42), "green": (.2, .34, .2), "red": (.5, .3, .22)}


@dataclass
class Scene:
    """What the parts of one landscape share. Coordinates run 0…1 over the canvas; `words` gathers what has been drawn."""

    rng: np.random.Generator
    textures: Textures
    time: str
    zenith: np.ndarray
    haze: np.ndarray
    horizon: float
    yy: np.ndarray
    xx: np.ndarray
    ground: str = ""
    fog: bool = False
    words: list = field(default_factory=list)

    @property
    def light(self):
        return TIMES[self.time].light


def jitter(rng, colour):
    return np.clip(colour + rng.normal(0, .04, 3), 0, 1).astype(np.float32)


def polygon_on(image, points, colour, smooth=cv2.LINE_AA):
    """Fills a polygon given in 0…1."""
    cv2.fillPoly(image, [(np.float32(points) * BIG).astype(np.int32)], colour, smooth)


def floats(colour):
    """What OpenCV takes for a colour."""
    return tuple(float(v) for v in colour)


def new_scene(rng, textures):
    time = str(rng.choice(list(TIMES)))
    zenith = jitter(rng, np.float32(TIMES[time].zenith))
    haze = jitter(rng, np.float32(TIMES[time].horizon))
    yy, xx = np.mgrid[0:BIG, 0:BIG].astype(np.float32) / BIG
    return Scene(rng, textures, time, zenith, haze, float(rng.uniform(.4, .68)), yy, xx)


def sky(scene):
    rng = scene.rng
    t = np.clip(scene.yy / scene.horizon, 0, 1)[..., None] ** rng.uniform(.7, 1.6)
    image = scene.zenith * (1 - t) + scene.haze * t
    if scene.time == "night":
        stars = (rng.random((BIG, BIG)) > .9988).astype(np.float32) * rng.random((BIG, BIG)).astype(np.float32)
        image += cv2.GaussianBlur(stars, (0, 0), 1.0)[..., None] * 4 * (scene.yy < scene.horizon)[..., None]
        scene.words.append("stars")
    return image


def add_sun_or_moon(image, scene):
    rng = scene.rng
    sun = np.float32(TIMES[scene.time].sun)
    x, y = float(rng.uniform(.15, .85)), float(rng.uniform(.08, scene.horizon * .95))
    if rng.random() >= .75:
        return image
    distance = np.sqrt((scene.xx - x) ** 2 + (scene.yy - y) ** 2)
    radius = rng.uniform(.02, .06)
    image += sun * (np.exp(-(distance / (radius * 4)) ** 1.2) * .45)[..., None]
    # The exponent is held within ±60, where exp neither overflows nor matters.
    disc = 1 / (1 + np.exp(np.clip((distance - radius) * BIG * .8, -60, 60)))
    scene.words.append("moon" if scene.time == "night" else "sun")
    return image * (1 - disc[..., None]) + sun * disc[..., None]


def add_clouds(image, scene):
    rng = scene.rng
    if rng.random() >= .6:
        return image
    z = power_noise(rng, BIG, 1.55, (.5, rng.uniform(1, 1.8)))
    cover = np.clip(1.4 * (z - rng.uniform(-.2, .9)), 0, 1) * (scene.yy < scene.horizon + .02)
    lit = np.clip(.9 + .25 * power_noise(rng, BIG, 1.7), 0, 1.1)
    colour = (np.float32([.98, .97, .98]) * scene.light + scene.haze * (1 - scene.light)) * lit[..., None]
    scene.words.append("clouds")
    return image * (1 - .85 * cover[..., None]) + colour * .85 * cover[..., None]


def ridge(rng, count, roughness, octaves=7):
    """Heights 0…1 of a mountain range: folded sines, each octave `roughness` times as high as the last."""
    x = np.linspace(0, 1, count)
    y = np.zeros(count)
    for octave in range(octaves):
        frequency, phase = 2 ** octave * rng.uniform(.8, 1.6), rng.uniform(0, 6.3)
        y += np.abs(np.sin(x * frequency * math.pi + phase)) * roughness ** octave
    return (y - y.min()) / (np.ptp(y) + 1e-9)


def add_mountains(image, scene):
    """Two to four ranges, the far ones paler with haze; snow on most of the grey ones."""
    rng, textures, light = scene.rng, scene.textures, scene.light
    hue = rng.choice(list(ROCK_COLOURS), p=[.5, .3, .2])
    # The count stays a numpy number: dividing by it turns what follows to float64, which the bits of the picture depend on.
    count = rng.integers(2, 5)
    for k in range(count):
        near = (k + 1) / count
        top = scene.horizon - (.34 * rng.uniform(.4, 1)) * (1.15 - .75 * near) * ridge(rng, BIG, rng.uniform(.4, .58))
        depth = (scene.yy - top[None, :].astype(np.float32)) * BIG
        mask = np.clip(depth, 0, 1) * (scene.yy < scene.horizon + .01)
        shade = textures.cut(rng, BIG, BIG) * .22 + .04 * np.gradient(top * BIG)[None, :].astype(np.float32)
        rock = np.float32(ROCK_COLOURS[hue]) * (.55 + .6 * light) + shade[..., None] * (.3 + .7 * light)
        if hue == "grey" and rng.random() < .7:
            snow = np.clip((rng.uniform(.05, .12) * BIG - depth + 14 * textures.cut(rng, BIG, BIG)) / 4, 0, 1)[..., None]
            rock = rock * (1 - snow) + np.float32([.95, .96, 1]) * (.35 + .6 * light) * snow
        haze = (1 - near) * (.85 if scene.fog else .6)
        colour = rock * (1 - haze) + scene.haze * haze
        image = image * (1 - mask[..., None]) + colour * mask[..., None]
    scene.words.append("mountains")
    return image


def water(image, scene, depth):
    """The picture above the horizon, mirrored, rippled and darkened towards the viewer."""
    rng = scene.rng
    source = np.clip(2 * scene.horizon - scene.yy, 0, 1)
    wave = power_noise(rng, BIG, 1.3, (.6, 7)) * depth * (10 if scene.ground == "sea" else 4) / BIG
    mirrored = cv2.remap(image.astype(np.float32), ((scene.xx + wave * .3) * BIG).astype(np.float32),
                         (np.clip(source + wave, 0, 1) * BIG).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    deep = np.float32([.05, .2, .3]) * (.3 + scene.light)
    mix = (.25 + .5 * depth)[..., None]
    return mirrored * (1 - mix) + deep * mix + (power_noise(rng, BIG, .9, (.8, 6)) * .05 * scene.light)[..., None]


def land(scene, depth):
    rng, light = scene.rng, scene.light
    band = power_noise(rng, BIG, 1.5, (1, 4)) * .10 + scene.textures.cut(rng, BIG, BIG) * .12
    base = np.float32(LAND_COLOURS[scene.ground])
    colour = jitter(rng, base) * (.3 + .75 * light) * (1.1 - .35 * depth[..., None]) + band[..., None] * (.25 + .75 * light)
    if scene.ground == "meadow" and rng.random() < .5:
        flowers = cv2.GaussianBlur((rng.random((BIG, BIG)) > .996).astype(np.float32) * depth, (0, 0), 1.6) * 9
        flowers = np.clip(flowers, 0, 1)[..., None]
        petals = jitter(rng, rng.choice([[.9, .2, .2], [.95, .85, .2], [.8, .5, .9]]))
        colour = colour * (1 - flowers) + petals * light * flowers
        scene.words.append("flowers")
    return colour


def add_ground(image, scene):
    below = np.clip((scene.yy - scene.horizon) * BIG, 0, 1)[..., None]
    depth = np.clip((scene.yy - scene.horizon) / (1 - scene.horizon), 0, 1)
    colour = water(image, scene, depth) if scene.ground in ("sea", "lake") else land(scene, depth)
    image = image * (1 - below) + colour * below
    scene.words.append(scene.ground)
    return np.clip(image, 0, 1).astype(np.float32)


def draw_pine(image, rng, x, y, height, green):
    for s in range(5):
        top, bottom = y - height * (1 - s * .17), y - height * (.62 - s * .15)
        half = height * (.07 + .055 * s)
        polygon_on(image, [[x, top], [x - half, bottom], [x + half, bottom]], floats(green * (1 + .12 * rng.normal())))


def draw_broad_tree(image, rng, x, y, height, green):
    trunk = max(1, int(height * BIG * .06))
    foot, fork = (int(x * BIG), int(y * BIG)), (int(x * BIG), int((y - height * .5) * BIG))
    cv2.line(image, foot, fork, (.2, .13, .08), trunk, cv2.LINE_AA)
    for _ in range(14):
        centre = (int((x + rng.normal(0, .16) * height) * BIG), int((y - height * (.7 + rng.normal(0, .13))) * BIG))
        radius = max(1, int(height * BIG * rng.uniform(.07, .16)))
        cv2.circle(image, centre, radius, floats(green * rng.uniform(.7, 1.5)), -1, cv2.LINE_AA)


def add_trees(image, scene):
    rng, ground, horizon = scene.rng, scene.ground, scene.horizon
    if not (ground == "forest" or (ground != "desert" and rng.random() < .3)):
        return
    kind = "pines" if rng.random() < .6 else "trees"
    draw_tree = draw_pine if kind == "pines" else draw_broad_tree
    for _ in range(int(rng.integers(25, 70) if ground == "forest" else rng.integers(3, 14))):
        y = float(rng.uniform(horizon, min(.98, horizon + .35)))
        height = (.05 + .55 * (y - horizon)) * rng.uniform(.7, 1.4)
        x = float(rng.uniform(0, 1))
        green = np.float32([.08, .2 + .12 * rng.random(), .08]) * (.35 + .9 * scene.light) * rng.uniform(.7, 1.3)
        draw_tree(image, rng, x, y, height, green)
    scene.words.append(kind)


def add_lighthouse(image, scene):
    rng, light = scene.rng, scene.light
    if rng.random() >= .18:
        return
    x = float(rng.uniform(.15, .85))
    y = float(rng.uniform(scene.horizon + .01, scene.horizon + .12))
    h = float(rng.uniform(.18, .34))
    tower = [[x - h * .11, y], [x + h * .11, y], [x + h * .07, y - h], [x - h * .07, y - h]]
    polygon_on(image, tower, (.9 * light + .08,) * 3)
    for s in range(0, 4, 2):
        low, high = y - h * (.12 + s * .2), y - h * (.32 + s * .2)
        half_low, half_high = h * (.11 - .04 * (y - low) / h), h * (.11 - .04 * (y - high) / h)
        stripe = [[x - half_low, low], [x + half_low, low], [x + half_high, high], [x - half_high, high]]
        polygon_on(image, stripe, (.75 * light + .05, .12 * light, .1 * light))
    lamp = ((int((x - h * .06) * BIG), int((y - h * 1.12) * BIG)), (int((x + h * .06) * BIG), int((y - h) * BIG)))
    cv2.rectangle(image, *lamp, (1., .92, .6), -1)
    roof = [[x - h * .08, y - h * 1.12], [x + h * .08, y - h * 1.12], [x, y - h * 1.24]]
    polygon_on(image, roof, (.5 * light, .1 * light, .1 * light))
    scene.words.append("lighthouse")


def add_fog(image, scene):
    if not scene.fog:
        return image
    rng = scene.rng
    bank = np.exp(-((scene.yy - scene.horizon) / rng.uniform(.06, .16)) ** 2)
    fog = bank * np.clip(.8 + .3 * power_noise(rng, BIG, 1.8), 0, 1) * .8
    scene.words.append("fog")
    return image * (1 - fog[..., None]) + scene.haze * fog[..., None]


def caption(scene):
    """A sentence or two words for ground and time, then what else there is, in any order, with a tenth of it left unsaid."""
    rng, ground = scene.rng, scene.ground
    rng.shuffle(scene.words)
    if rng.random() < .6:
        opening = f"a {rng.choice(MEDIUMS)} of {ground} at {scene.time}"
    else:
        opening = f"{ground}, {scene.time}"
    return ", ".join([opening] + [word for word in scene.words if word != ground and rng.random() < .9])


def landscape(rng, textures):
    """One landscape: (uint8 RGB [256, 256, 3], caption)."""
    scene = new_scene(rng, textures)
    image = sky(scene)
    image = add_sun_or_moon(image, scene)
    image = add_clouds(image, scene)
    scene.ground = str(rng.choice(GROUNDS, p=GROUND_SHARES))
    scene.fog = rng.random() < .25
    if rng.random() < .7 or scene.ground == "lake":
        image = add_mountains(image, scene)
    image = add_ground(image, scene)
    add_trees(image, scene)
    add_lighthouse(image, scene)
    image = add_fog(image, scene)
    # A shift of exposure and a little grain.
    image = image + rng.normal(0, .02) + (power_noise(rng, BIG, .3) * .008)[..., None]
    small = cv2.resize(np.clip(image, 0, 1).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return (np.clip(small, 0, 1) * 255 + .5).astype(np.uint8), caption(scene)


def contact_sheet(seed, rows=4, columns=6):
    """Leaves and landscapes in turn, [rows·256, columns·256, 3]."""
    rng = np.random.default_rng(seed)
    textures = Textures(rng, 48)
    lines = []
    for row in range(rows):
        pictures = [(leaves if (column + row) % 2 else landscape)(rng, textures)[0] for column in range(columns)]
        lines.append(np.concatenate(pictures, 1))
    return np.concatenate(lines, 0)


def main():
    parser = argparse.ArgumentParser(description="Draw a contact sheet of the pictures that the miniature model learns from.")
    parser.add_argument("sheet", help="file to write, for example sheet.png")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if not cv2.imwrite(options.sheet, contact_sheet(options.seed)[..., ::-1]):
        parser.error(f"cannot write {options.sheet}")


if __name__ == "__main__":
    main()

"""Draws the strokes of docs/commands/sketch.md: python Tools/masks/draw_strokes.py FOLDER (needs Pillow)."""
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIZE = (384, 288)


def draw(shapes, soft):
    layer = Image.new("RGBA", SIZE)
    for kind, points, colour, width in shapes:
        part = Image.new("RGBA", SIZE, colour[:3] + (0,))
        pen = ImageDraw.Draw(part)
        if kind == "line":
            pen.line(points, fill=colour, width=width, joint="curve")
        else:
            getattr(pen, kind)(points, fill=colour)
        layer.alpha_composite(part.filter(ImageFilter.GaussianBlur(soft)))
    return layer


def main():
    out = Path(sys.argv[1])
    landscape = [
        ("rectangle", (0, 0, 384, 150), (240, 150, 70, 255), 0),
        ("rectangle", (0, 0, 384, 60), (110, 90, 150, 200), 0),
        ("ellipse", (240, 90, 290, 140), (255, 235, 150, 255), 0),
        ("rectangle", (0, 150, 384, 288), (70, 70, 120, 255), 0),
        ("polygon", ((0, 150), (60, 95), (120, 140), (180, 80), (250, 150)), (60, 50, 80, 255), 0),
        ("line", ((230, 175), (300, 178)), (250, 190, 110, 255), 10),
        ("line", ((245, 200), (285, 202)), (250, 190, 110, 220), 8),
        ("polygon", ((0, 288), (0, 230), (110, 262), (200, 288)), (40, 60, 40, 255), 0),
    ]
    draw(landscape, 3).save(out / "landscape.png")


if __name__ == "__main__":
    main()

"""The mark of the sample publication."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from tools.pictures.sheet import FOLDER


def logo() -> None:
    """A signal flag with two piers and the swell between them: an H. One tile, for light and dark paper."""
    size, big = 160, 4
    image = Image.new("RGBA", (size * big, size * big), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    edge = size * big
    draw.rounded_rectangle([0, 0, edge - 1, edge - 1], 34 * big, fill="#b5401f")
    for left in (40, 98):
        draw.rectangle([left * big, 34 * big, (left + 22) * big - 1, 126 * big - 1], fill="#ffffff")
    for i in range(361):
        x = 26 + 108 * i / 360
        y = 81 + 8.5 * math.sin(math.radians(i * 2 + 180))
        draw.ellipse([(x - 8) * big, (y - 8) * big, (x + 8) * big, (y + 8) * big], fill="#ffffff")
    image.resize((size, size), Image.Resampling.LANCZOS).save(FOLDER / "logo.png", optimize=True)

"""The paper, the inks and the few shapes that all pictures of the samples are drawn with."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, SCALE = 1280, 800, 2
PRINTED = 1200  # twice the widest column of a mail, so that nobody has to scale it again
FOLDER = Path(__file__).parents[2] / "issues" / "pictures"
FONTS = Path("/usr/share/fonts/truetype/liberation")

INK, DEEP, PETROL, TEAL = "#16222c", "#1d3a46", "#2b5b66", "#5d9290"
MIST, CREAM, SAND, AMBER = "#b9cdc4", "#f7f0e1", "#ecd9b4", "#e8a755"
RUST, WINE, LAMP = "#c9502b", "#8c3320", "#ffe2a0"

Point = tuple[float, float]


class Sheet:
    """A picture in the making; all measures are in its final pixels."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT, paper: str = CREAM) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), paper)
        self.draw = ImageDraw.Draw(self.image)

    def box(self, x: float, y: float, w: float, h: float, ink: str, radius: float = 0) -> None:
        at = [x * SCALE, y * SCALE, (x + w) * SCALE - 1, (y + h) * SCALE - 1]
        if radius:
            self.draw.rounded_rectangle(at, radius * SCALE, fill=ink)
        else:
            self.draw.rectangle(at, fill=ink)

    def shape(self, points: list[Point], ink: str) -> None:
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=ink)

    def disc(self, x: float, y: float, r: float, ink: str) -> None:
        self.draw.ellipse([(x - r) * SCALE, (y - r) * SCALE, (x + r) * SCALE, (y + r) * SCALE], fill=ink)

    def stroke(self, points: list[Point], ink: str, width: float) -> None:
        at = [(x * SCALE, y * SCALE) for x, y in points]
        self.draw.line(at, fill=ink, width=round(width * SCALE), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, ink)

    def bands(self, top: float, bottom: float, inks: list[str], growth: float = 1.0) -> None:
        """Horizontal bands of ink from `top` to `bottom`, each `growth` times as high as the one above."""
        weights = [growth**i for i in range(len(inks))]
        y = top
        for weight, ink in zip(weights, inks, strict=True):
            h = (bottom - top) * weight / sum(weights)
            self.box(0, y, self.width, h + 1, ink)
            y += h

    def words(self, x: float, y: float, text: str, ink: str, size: int, *, face: str = "Sans-Regular",
              anchor: str = "ls") -> None:  # fmt: skip
        font = ImageFont.truetype(FONTS / f"Liberation{face}.ttf", size * SCALE)
        self.draw.text((x * SCALE, y * SCALE), text, ink, font=font, anchor=anchor)

    def save(self, name: str, colours: int = 96) -> None:
        size = (PRINTED, self.height * PRINTED // self.width)
        small = self.image.resize(size, Image.Resampling.LANCZOS)
        flat = small.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        flat.save(FOLDER / name, optimize=True)


def mix(one: str, other: str, share: float) -> str:
    """`one` with `share` of `other`."""
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def ramp(first: str, last: str, steps: int) -> list[str]:
    return [mix(first, last, i / (steps - 1)) for i in range(steps)]


def hills(sheet: Sheet, base: float, high: float, ink: str, phase: float) -> None:
    points: list[Point] = [(0, sheet.height)]
    for x in range(0, sheet.width + 21, 20):
        y = base - high * (0.55 + 0.3 * math.sin(x / 190 + phase) + 0.15 * math.sin(x / 83 + 2 * phase))
        points.append((x, y))
    sheet.shape([*points, (sheet.width, sheet.height)], ink)

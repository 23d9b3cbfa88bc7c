"""Draws the pictures of the sample issues and the logo, the same bytes each time: `python -m tools.pictures`.

A series in six flat inks, like a screen print. Everything is drawn at twice its size and scaled down once.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, SCALE = 1280, 800, 2
FOLDER = Path(__file__).parents[1] / "issues" / "pictures"
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
        small = self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)
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


def containers(sheet: Sheet, x: float, floor: float, heights: list[int], rng: random.Random,
               size: Point = (58, 25)) -> None:  # fmt: skip
    w, h = size
    inks = [RUST, AMBER, TEAL, SAND, WINE, PETROL, MIST]
    last = ""
    for column, height in enumerate(heights):
        for row in range(height):
            ink = rng.choice([i for i in inks if i != last])
            last = ink
            left, top = x + column * w, floor - (row + 1) * h
            sheet.box(left, top, w - 2, h - 2, ink)
            for rib in range(1, 6):
                sheet.box(left + rib * (w - 2) / 6, top + 4, 2, h - 10, mix(ink, INK, 0.22))


def crane(sheet: Sheet, x: float, ground: float, reach: float, lamp: float) -> None:
    """A quay crane: two legs, a long boom over the water to the left, a trolley and its lamp."""
    ink, top = INK, ground - 430
    for leg in (x, x + 118):
        sheet.shape([(leg - 7, ground), (leg + 7, ground), (leg + 5, top + 90), (leg - 5, top + 90)], ink)
    sheet.box(x - 8, ground - 150, 134, 9, ink)
    sheet.stroke([(x, ground - 146), (x + 118, top + 150)], ink, 5)
    sheet.stroke([(x + 118, ground - 146), (x, top + 150)], ink, 5)
    sheet.box(x - reach, top + 84, reach + 230, 13, ink)
    sheet.shape([(x + 28, top + 88), (x + 52, top - 62), (x + 62, top - 62), (x + 118, top + 88)], ink)
    sheet.stroke([(x + 56, top - 56), (x - reach + 24, top + 88)], ink, 3.5)
    sheet.stroke([(x + 56, top - 56), (x - reach * 0.45, top + 88)], ink, 3.5)
    sheet.stroke([(x + 60, top - 56), (x + 214, top + 88)], ink, 3.5)
    sheet.box(x + 150, top + 97, 62, 40, ink)
    sheet.box(x - lamp - 26, top + 97, 52, 15, ink)
    for line in (-14, 14):
        sheet.box(x - lamp + line, top + 112, 2, 126, ink)
    sheet.box(x - lamp - 31, top + 238, 62, 26, RUST)
    for i, glow in enumerate((0.0, 0.5, 1.0)):
        sheet.disc(x - reach + 14, top + 108, 12 - 4 * i, mix(AMBER, LAMP, glow))
    sheet.disc(x + 57, top - 66, 5, LAMP)


def ripples(sheet: Sheet, x: float, top: float, bottom: float, wide: float, ink: str, rng: random.Random) -> None:
    """What a light or a body leaves on the water: short strokes that widen towards us."""
    y = top
    while y < bottom:
        near = (y - top) / (bottom - top)
        half = wide * (0.35 + 0.65 * near) * rng.uniform(0.45, 1)
        at = x + rng.uniform(-0.25, 0.25) * wide
        sheet.box(at - half, y, 2 * half, 3 + 4 * near, ink, 2)
        y += 10 + 13 * near


def harbour() -> None:
    sheet, rng = Sheet(), random.Random(21)
    sheet.bands(0, 540, [*ramp(DEEP, PETROL, 3), *ramp(TEAL, SAND, 4), *ramp(mix(SAND, AMBER, 0.5), AMBER, 2)], 0.9)
    sheet.disc(420, 468, 118, mix(AMBER, RUST, 0.45))
    sheet.disc(420, 468, 88, mix(AMBER, RUST, 0.85))
    hills(sheet, 545, 80, mix(PETROL, TEAL, 0.35), 0.4)
    hills(sheet, 552, 42, PETROL, 2.1)
    sheet.bands(540, 800, ramp(mix(TEAL, PETROL, 0.45), DEEP, 6), 1.22)
    ripples(sheet, 420, 552, 790, 120, mix(AMBER, RUST, 0.35), rng)
    for x, wide in ((180, 90), (640, 150), (980, 110), (1190, 80), (60, 60)):
        ripples(sheet, x, 566, 796, wide, mix(PETROL, TEAL, 0.5), rng)
    # The ship, from stern (left) to bow.
    containers(sheet, 226, 528, [4, 5, 6, 6, 5, 6, 7, 6, 5, 6, 4], rng)
    sheet.box(128, 340, 82, 190, CREAM)
    sheet.box(112, 352, 114, 26, CREAM)
    sheet.box(128, 378, 82, 6, mix(CREAM, INK, 0.25))
    for row in range(4):
        for column in range(4):
            sheet.box(138 + column * 17, 398 + row * 31, 9, 12, AMBER if (row + column) % 3 else DEEP)
    sheet.box(118, 358, 102, 9, DEEP)
    sheet.box(160, 296, 30, 46, RUST)
    sheet.box(160, 306, 30, 9, CREAM)
    sheet.box(142, 300, 4, 42, INK)
    sheet.shape([(84, 526), (896, 526), (942, 500), (902, 612), (116, 612)], INK)
    sheet.shape([(110, 594), (908, 594), (902, 616), (118, 616)], WINE)
    sheet.box(92, 530, 800, 4, mix(INK, TEAL, 0.4))
    ripples(sheet, 510, 622, 700, 330, mix(DEEP, INK, 0.5), rng)
    # The quay with its cranes.
    sheet.shape([(880, 660), (1280, 630), (1280, 800), (800, 800)], INK)
    sheet.shape([(880, 660), (1280, 630), (1280, 642), (876, 672)], mix(INK, TEAL, 0.35))
    containers(sheet, 1046, 646, [2, 3, 2, 1], rng)
    crane(sheet, 1080, 652, 480, 300)
    crane(sheet, 900, 668, 420, 205)
    for x in (930, 1020, 1120, 1220):
        sheet.disc(x, 716 - (x - 930) * 0.05, 5, LAMP)
    sheet.save("harbour.png")


def warehouse() -> None:
    sheet, rng = Sheet(), random.Random(9)
    sheet.bands(0, 600, [*ramp(mix(RUST, WINE, 0.15), RUST, 2), *ramp(mix(RUST, AMBER, 0.4), AMBER, 3),
                         *ramp(mix(AMBER, SAND, 0.5), CREAM, 3)], 0.92)  # fmt: skip
    sheet.disc(1010, 330, 96, LAMP)
    hills(sheet, 560, 120, mix(AMBER, WINE, 0.38), 1.2)
    # A sawtooth roof over the shed.
    for i in range(6):
        x = 70 + i * 160
        sheet.shape([(x, 300), (x + 112, 222), (x + 160, 300)], DEEP)
        sheet.shape([(x + 112, 222), (x + 160, 300), (x + 128, 300)], mix(AMBER, LAMP, 0.4))
    sheet.box(52, 296, 996, 18, INK)
    sheet.box(70, 314, 960, 306, PETROL)
    for x in range(82, 1030, 24):
        sheet.box(x, 314, 2, 306, mix(PETROL, DEEP, 0.55))
    sheet.box(0, 620, 1280, 180, INK)
    for door, x in enumerate((120, 420, 720)):
        sheet.box(x - 12, 368, 264, 252, INK)
        sheet.box(x, 380, 240, 240, LAMP)
        sheet.box(x, 380, 240, 240 * (0.16, 0.3, 0.1)[door], MIST)
        for slat in range(0, int(240 * (0.16, 0.3, 0.1)[door]), 9):
            sheet.box(x, 380 + slat, 240, 2, TEAL)
        for shelf in (470, 544, 616):
            sheet.box(x + 14, shelf, 212, 6, DEEP)
            at = x + 22.0
            while at < x + 200:
                w, h = rng.choice((26, 34, 42)), rng.choice((30, 40, 50))
                if at + w > x + 218 or (shelf == 470 and door == 1):
                    break
                ink = rng.choice((RUST, AMBER, TEAL, SAND, WINE))
                sheet.box(at, shelf - h, w, h, ink)
                sheet.box(at + w / 2 - 3, shelf - h, 6, h, mix(ink, CREAM, 0.45))
                at += w + 7
        for post in (x + 12, x + 117, x + 222):
            sheet.box(post, 410 + (40 if door == 1 else 0), 5, 212 - (40 if door == 1 else 0), DEEP)
        sheet.shape([(x, 620), (x + 240, 620), (x + 320, 760), (x - 80, 760)], mix(INK, AMBER, 0.42))
        sheet.shape([(x + 20, 620), (x + 220, 620), (x + 270, 700), (x - 30, 700)], mix(INK, LAMP, 0.62))
        sheet.disc(x + 120, 344, 9, LAMP)
    # The lorry waits on the right.
    sheet.box(842, 452, 310, 188, CREAM)
    sheet.box(842, 452, 310, 14, mix(CREAM, INK, 0.12))
    sheet.box(842, 560, 310, 26, RUST)
    sheet.shape([(1160, 500), (1218, 500), (1252, 566), (1252, 642), (1160, 642)], RUST)
    sheet.shape([(1172, 514), (1212, 514), (1236, 562), (1172, 562)], DEEP)
    sheet.shape([(1180, 514), (1196, 514), (1214, 562), (1198, 562)], PETROL)
    sheet.box(836, 640, 422, 14, mix(INK, PETROL, 0.5))
    sheet.box(1240, 604, 16, 14, LAMP, 4)
    for x in (900, 962, 1196):
        sheet.disc(x, 660, 30, "#0b1218")
        sheet.disc(x, 660, 14, MIST)
        sheet.disc(x, 660, 6, DEEP)
    sheet.box(0, 690, 1280, 3, mix(INK, PETROL, 0.4))
    sheet.save("warehouse.png")


def awning(sheet: Sheet, x: float, y: float, w: float, ink: str) -> None:
    stripes = 9
    step = w / stripes
    for i in range(stripes):
        colour = ink if i % 2 == 0 else CREAM
        left, right = x + i * step, x + (i + 1) * step
        centre = x + w / 2
        sheet.shape([(centre + (left - centre) * 0.86, y), (centre + (right - centre) * 0.86, y),
                     (right, y + 112), (left, y + 112)], colour)  # fmt: skip
        sheet.disc((left + right) / 2, y + 112, step / 2, colour)
    sheet.box(x + w * 0.07, y - 9, w * 0.86, 10, INK)


def market() -> None:
    sheet, rng = Sheet(), random.Random(40)
    sheet.bands(0, 800, [*ramp(mix(MIST, TEAL, 0.25), MIST, 3), *ramp(mix(MIST, CREAM, 0.4), CREAM, 4)], 1.05)
    sheet.disc(1030, 190, 92, mix(LAMP, AMBER, 0.35))
    # A street of tall houses behind.
    x = -20.0
    while x < 1290:
        w, top = rng.choice((86, 104, 122)), rng.randrange(120, 270)
        ink = mix(rng.choice((TEAL, MIST, SAND, PETROL)), MIST, 0.45)
        sheet.box(x, top, w, 500, ink)
        sheet.shape([(x - 5, top), (x + w / 2, top - 36), (x + w + 5, top)], mix(ink, PETROL, 0.4))
        for row in range(top + 26, 480, 58):
            for column in range(int(x) + 18, int(x + w) - 22, 34):
                sheet.box(column, row, 15, 26, mix(ink, DEEP, 0.32) if rng.random() > 0.16 else LAMP)
        x += w
    sheet.box(0, 640, 1280, 160, mix(SAND, WINE, 0.22))
    for y in (668, 704, 752):
        sheet.box(0, y, 1280, 2, mix(SAND, WINE, 0.36))
    for stall, (x, ink) in enumerate(((42, RUST), (456, PETROL), (870, AMBER))):
        w = 368
        sheet.box(x + 20, 320, 9, 390, INK)
        sheet.box(x + w - 29, 320, 9, 390, INK)
        sheet.box(x + 29, 440, w - 58, 130, mix(DEEP, INK, 0.3))
        sheet.box(x + 4, 570, w - 8, 132, mix(WINE, INK, 0.35))
        for plank in range(3):
            sheet.box(x + 4, 606 + plank * 34, w - 8, 3, mix(WINE, INK, 0.65))
        goods(sheet, stall, x, w, rng)
        sheet.box(x - 4, 566, w + 8, 12, mix(SAND, WINE, 0.3))
        awning(sheet, x - 8, 262, w + 16, ink)
    # Lamps on a string.
    sheet.stroke([(x, 208 + 18 * math.sin((x - 40) / 1200 * math.pi * 4) ** 2) for x in range(-20, 1300, 12)], DEEP, 2)
    for i in range(17):
        at = 40 + i * 75
        sag = 18 * math.sin(i / 16 * math.pi * 4) ** 2
        sheet.disc(at, 214 + sag, 7, LAMP)
        sheet.disc(at, 214 + sag, 3, AMBER)
    sheet.save("market.png")


def goods(sheet: Sheet, stall: int, x: float, w: float, rng: random.Random) -> None:
    if stall == 2:
        sheet.shape([(x + 14, 566), (x + w - 14, 566), (x + w - 40, 494), (x + 40, 494)], mix(MIST, CREAM, 0.5))
        for row in range(2):
            for i in range(4):
                at, y = x + 76 + i * 72 - row * 14, 520 + row * 30
                ink = (TEAL, PETROL, RUST)[(i + row) % 3]
                sheet.draw.ellipse([v * SCALE for v in (at - 30, y - 11, at + 22, y + 11)], fill=ink)
                sheet.shape([(at + 14, y), (at + 36, y - 12), (at + 36, y + 12)], ink)
                sheet.disc(at - 20, y - 2, 3, CREAM)
        return
    for crate in range(3):
        left = x + 22 + crate * 110
        ink = (AMBER, RUST, mix(TEAL, AMBER, 0.3), TEAL, WINE, AMBER)[stall * 3 + crate]
        for row, count in ((0, 4), (1, 3), (2, 2)):
            for i in range(count):
                at, y = left + 18 + i * 23 + row * 11.5, 524 - row * 19
                sheet.disc(at, y, 13.5, ink)
                sheet.disc(at - 4, y - 4, 4, mix(ink, CREAM, 0.45))
                if (stall, crate) in {(0, 2), (1, 0)}:
                    sheet.stroke([(at, y - 12), (at + rng.uniform(-6, 6), y - 22)], PETROL, 3)
        sheet.box(left, 528, 104, 40, mix(SAND, AMBER, 0.25))
        sheet.box(left, 545, 104, 4, mix(SAND, WINE, 0.45))
        sheet.box(left + 34, 533, 36, 24, CREAM)
        sheet.box(left + 41, 541, 22, 3, INK)
        sheet.box(left + 41, 548, 14, 3, INK)


def coldstore() -> None:
    sheet, rng = Sheet(), random.Random(4)
    sheet.bands(0, 500, [*ramp(mix(DEEP, TEAL, 0.55), MIST, 4), *ramp(mix(MIST, SAND, 0.6), mix(SAND, AMBER, 0.55), 4)], 0.93)
    sheet.disc(232, 452, 84, mix(LAMP, AMBER, 0.3))
    hills(sheet, 504, 66, mix(TEAL, MIST, 0.3), 1.0)
    sheet.bands(486, 800, [*ramp(mix(SAND, TEAL, 0.42), mix(PETROL, SAND, 0.3), 3), *ramp(PETROL, DEEP, 3)], 1.3)
    # The building: a doubled white roof, air between its skins, a long slatted wall.
    sheet.shape([(326, 262), (800, 192), (1236, 262), (1236, 276), (326, 276)], CREAM)
    sheet.shape([(372, 276), (1190, 276), (1190, 300), (372, 300)], mix(DEEP, INK, 0.4))
    for x in range(392, 1190, 66):
        sheet.box(x, 276, 7, 24, MIST)
    sheet.shape([(348, 300), (1214, 300), (1214, 314), (348, 314)], mix(CREAM, MIST, 0.45))
    sheet.box(372, 314, 818, 216, mix(WINE, INK, 0.3))
    slats = 40
    step = 818 / slats
    for i in range(slats):
        x = 372 + i * step
        turn = 1 if i < 13 else max(0.2, 1 - (i - 13) / 16) if i < 27 else 0.24
        if turn < 0.9:
            sheet.box(x, 314, step, 216, mix(LAMP, AMBER, 0.25 + i / 120))
        sheet.box(x, 314, max(3.5, step * turn - 1.5), 216, mix(mix(WINE, AMBER, 0.28), SAND, 0.18 if i % 2 else 0.0))
    sheet.box(360, 526, 842, 14, INK)
    for x in range(388, 1190, 88):
        sheet.box(x, 540, 12, 26, INK)
    sheet.box(1060, 400, 84, 126, INK)
    sheet.box(1070, 410, 64, 116, LAMP)
    sheet.box(1098, 456, 10, 70, INK)
    sheet.disc(1103, 448, 9, INK)
    # The pond mirrors it.
    sheet.draw.ellipse([v * SCALE for v in (250, 560, 1330, 780)], fill=mix(TEAL, MIST, 0.3))
    for i in range(15, 40):
        x = 372 + i * step
        glow = mix(mix(TEAL, MIST, 0.3), AMBER, 0.62 if i > 24 else 0.3)
        sheet.box(x, 584, step * 0.6, 40 + 46 * abs(math.sin(i * 1.7)), glow, 3)
    for y in (612, 640, 668, 700, 736):
        for _ in range(5):
            at = rng.uniform(330, 1180)
            sheet.box(at, y, rng.uniform(60, 170), 4, mix(TEAL, CREAM, 0.42), 2)
    for _ in range(90):
        x = rng.choice((rng.uniform(-10, 330), rng.uniform(1150, 1290), rng.uniform(-10, 240)))
        foot = rng.uniform(690, 815)
        high, lean = rng.uniform(80, 230), rng.uniform(-26, 30)
        ink = rng.choice((INK, DEEP, mix(PETROL, INK, 0.4), mix(WINE, INK, 0.5)))
        sheet.stroke([(x, foot), (x + lean * 0.4, foot - high * 0.6), (x + lean, foot - high)], ink, 3.4)
        if rng.random() < 0.4:
            sheet.stroke([(x + lean, foot - high), (x + lean * 1.12, foot - high - 26)], mix(WINE, AMBER, 0.25), 9)
    for x, y in ((690, 108), (742, 90), (790, 118), (520, 140)):
        sheet.stroke([(x - 17, y - 7), (x, y + 2), (x + 17, y - 7)], INK, 3.5)
    sheet.save("coldstore.png")


def frame(title: str, unit: str) -> Sheet:
    """The paper of a chart: a title, what is measured, nothing that is not read."""
    sheet = Sheet(1280, 760, CREAM)
    sheet.box(72, 64, 72, 8, RUST)
    sheet.words(72, 132, title, INK, 46, face="Serif-Bold")
    sheet.words(72, 182, unit, PETROL, 29)
    return sheet


def spline(points: list[Point], steps: int = 24) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    ends = [points[0], *points, points[-1]]
    smooth: list[Point] = []
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for i in range(steps):
            t = i / steps
            smooth.append(
                tuple(  # type: ignore[arg-type]
                    0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
                    for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
                )
            )
    return [*smooth, points[-1]]


def freight() -> None:
    sheet = frame("Five months downhill", "Freight rate index, January = 100")
    values = [("June", 168), ("July", 151), ("Aug", 133), ("Sept", 139), ("Oct", 117), ("Nov", 104)]
    left, right, low = 110.0, 1120.0, 640.0
    place = [(left + i * (right - left) / 5, low - (value - 80) * 4.1) for i, (_, value) in enumerate(values)]
    for level in (100, 125, 150):
        y = low - (level - 80) * 4.1
        sheet.box(72, y, 1136, 2, mix(CREAM, INK, 0.16))
        sheet.words(1208, y - 10, str(level), mix(INK, CREAM, 0.25), 25, anchor="rs")
    for (x, y), following in zip(place, place[1:], strict=False):
        sheet.shape([(x, y), following, (following[0], low), (x, low)], mix(MIST, CREAM, 0.42))
    sheet.box(72, low, 1136, 4, INK)
    sheet.stroke(place, PETROL, 8)
    for i, (x, y) in enumerate(place):
        last = i in (0, len(place) - 1)
        sheet.disc(x, y, 15 if last else 9, RUST if last else PETROL)
        sheet.disc(x, y, 7 if last else 4, CREAM)
        sheet.words(x, low + 52, values[i][0], INK, 28, anchor="ms")
        if last:
            sheet.words(x, y - 34, str(values[i][1]), RUST, 50, face="Serif-Bold", anchor="ms")
    sheet.save("freight.png", 48)


def power() -> None:
    sheet = frame("The quiet afternoon", "Power drawn over one July day, in kilowatts")
    left, right, low, unit = 110.0, 1208.0, 640.0, 0.98

    def at(hour: float, value: float) -> Point:
        return left + hour * (right - left) / 24, low - value * unit

    usual = spline([at(*p) for p in ((0, 190), (3, 170), (6, 180), (9, 260), (12, 360), (15, 410), (18, 350), (21, 250), (24, 196))])
    wen = [at(*p) for p in ((0, 55), (0.8, 60), (1, 290), (4, 290), (4.2, 58), (8, 46), (12, 52), (15, 58), (19, 52), (24, 54))]
    for level in (200, 400):
        y = low - level * unit
        sheet.box(72, y, 1136, 2, mix(CREAM, INK, 0.16))
        sheet.words(72, y - 10, str(level), mix(INK, CREAM, 0.25), 25)
    sheet.shape([*usual, (right, low), (left, low)], mix(MIST, CREAM, 0.48))
    sheet.shape([*wen, (right, low), (left, low)], mix(RUST, CREAM, 0.25))
    sheet.stroke(usual, PETROL, 6)
    sheet.stroke(wen, RUST, 6)
    sheet.box(72, low, 1136, 4, INK)
    sheet.words(at(15, 0)[0], at(0, 432)[1], "A usual store", PETROL, 34, face="Serif-Bold", anchor="ms")
    sheet.words(at(4.5, 0)[0], at(0, 292)[1], "The Wens’", mix(RUST, INK, 0.12), 34, face="Serif-Bold")
    for hour in (0, 4, 8, 12, 16, 20, 24):
        anchor = "ls" if hour == 0 else "rs" if hour == 24 else "ms"
        sheet.words(at(hour, 0)[0], low + 50, f"{hour}:00", INK, 27, anchor=anchor)
    sheet.save("power.png", 48)


def logo() -> None:
    """A signal flag with two piers and the swell between them: an H. One tile, for light and dark paper."""
    size, big = 160, 4
    image = Image.new("RGBA", (size * big, size * big), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    edge = size * big
    draw.rounded_rectangle([0, 0, edge - 1, edge - 1], 34 * big, fill="#b5401f")
    for x in (40, 98):
        draw.rectangle([x * big, 34 * big, (x + 22) * big - 1, 126 * big - 1], fill="#ffffff")
    for i in range(0, 361):
        x = 26 + 108 * i / 360
        y = 81 + 8.5 * math.sin(math.radians(i * 2 + 180))
        draw.ellipse([(x - 8) * big, (y - 8) * big, (x + 8) * big, (y + 8) * big], fill="#ffffff")
    image.resize((size, size), Image.Resampling.LANCZOS).save(FOLDER / "logo.png", optimize=True)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for draw in (harbour, warehouse, market, coldstore, freight, power, logo):
        draw()


if __name__ == "__main__":
    main()

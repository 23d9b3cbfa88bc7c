"""Two pictures by daylight: the market, and the cold store on the mudflats."""

from __future__ import annotations

import math
import random

from tools.pictures.sheet import (
    AMBER,
    CREAM,
    DEEP,
    INK,
    LAMP,
    MIST,
    PETROL,
    RUST,
    SAND,
    SCALE,
    TEAL,
    WINE,
    Sheet,
    hills,
    mix,
    ramp,
)


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
    sheet, rng = Sheet(), random.Random(40)  # noqa: S311
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
    sheet.stroke(
        [(x, 208 + 18 * math.sin((x - 40) / 1200 * math.pi * 4) ** 2) for x in range(-20, 1300, 12)], DEEP, 2
    )
    for i in range(17):
        at = 40 + i * 75
        sag = 18 * math.sin(i / 16 * math.pi * 4) ** 2
        sheet.disc(at, 214 + sag, 7, LAMP)
        sheet.disc(at, 214 + sag, 3, AMBER)
    sheet.save("market.png")


def goods(sheet: Sheet, stall: int, x: float, w: float, rng: random.Random) -> None:
    if stall == 2:
        sheet.shape(
            [(x + 14, 566), (x + w - 14, 566), (x + w - 40, 494), (x + 40, 494)], mix(MIST, CREAM, 0.5)
        )
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
    x: float
    sheet, rng = Sheet(), random.Random(4)  # noqa: S311
    sheet.bands(
        0,
        500,
        [*ramp(mix(DEEP, TEAL, 0.55), MIST, 4), *ramp(mix(MIST, SAND, 0.6), mix(SAND, AMBER, 0.55), 4)],
        0.93,
    )
    sheet.disc(232, 452, 84, mix(LAMP, AMBER, 0.3))
    hills(sheet, 504, 66, mix(TEAL, MIST, 0.3), 1.0)
    sheet.bands(
        486, 800, [*ramp(mix(SAND, TEAL, 0.42), mix(PETROL, SAND, 0.3), 3), *ramp(PETROL, DEEP, 3)], 1.3
    )
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
        sheet.box(
            x,
            314,
            max(3.5, step * turn - 1.5),
            216,
            mix(mix(WINE, AMBER, 0.28), SAND, 0.18 if i % 2 else 0.0),
        )
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
            sheet.stroke(
                [(x + lean, foot - high), (x + lean * 1.12, foot - high - 26)], mix(WINE, AMBER, 0.25), 9
            )
    for x, y in ((690, 108), (742, 90), (790, 118), (520, 140)):
        sheet.stroke([(x - 17, y - 7), (x, y + 2), (x + 17, y - 7)], INK, 3.5)
    sheet.save("coldstore.png")

"""Two pictures of work after dark: the quay, and the warehouse behind it."""

from __future__ import annotations

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
    TEAL,
    WINE,
    Point,
    Sheet,
    hills,
    mix,
    ramp,
)


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


def ripples(
    sheet: Sheet, x: float, top: float, bottom: float, wide: float, ink: str, rng: random.Random
) -> None:
    """What a light or a body leaves on the water: short strokes that widen towards us."""
    y = top
    while y < bottom:
        near = (y - top) / (bottom - top)
        half = wide * (0.35 + 0.65 * near) * rng.uniform(0.45, 1)
        at = x + rng.uniform(-0.25, 0.25) * wide
        sheet.box(at - half, y, 2 * half, 3 + 4 * near, ink, 2)
        y += 10 + 13 * near


def harbour() -> None:
    sheet, rng = Sheet(), random.Random(21)  # noqa: S311
    sheet.bands(
        0, 540, [*ramp(DEEP, PETROL, 3), *ramp(TEAL, SAND, 4), *ramp(mix(SAND, AMBER, 0.5), AMBER, 2)], 0.9
    )
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
    sheet, rng = Sheet(), random.Random(9)  # noqa: S311
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

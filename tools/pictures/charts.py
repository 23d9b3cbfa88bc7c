"""The two charts. Their words are large, since a telephone shows them at a quarter of their size."""

from __future__ import annotations

import itertools

from tools.pictures.sheet import CREAM, INK, MIST, PETROL, RUST, Point, Sheet, mix


def frame() -> Sheet:
    """The paper of a chart. A chart has no title: its caption or a heading says what it shows."""
    return Sheet(1280, 760, CREAM)


def spline(points: list[Point], steps: int = 24) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    ends = [points[0], *points, points[-1]]
    smooth: list[Point] = []
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for i in range(steps):
            t = i / steps
            smooth.append(
                tuple(  # type: ignore[arg-type]
                    0.5
                    * (
                        2 * b
                        + (c - a) * t
                        + (2 * a - 5 * b + 4 * c - d) * t * t
                        + (3 * b - a - 3 * c + d) * t**3
                    )
                    for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
                )
            )
    return [*smooth, points[-1]]


def freight() -> None:
    sheet = frame()
    values = [("June", 168), ("July", 151), ("Aug", 133), ("Sept", 139), ("Oct", 117), ("Nov", 104)]
    left, right, low = 128.0, 1056.0, 620.0
    place = [(left + i * (right - left) / 5, low - (value - 80) * 5.2) for i, (_, value) in enumerate(values)]
    for level in (100, 125, 150):
        y = low - (level - 80) * 5.2
        sheet.box(72, y, 1136, 2, mix(CREAM, INK, 0.16))
        sheet.words(1208, y - 12, str(level), mix(INK, CREAM, 0.25), 40, anchor="rs")
    for (x, y), following in itertools.pairwise(place):
        sheet.shape([(x, y), following, (following[0], low), (x, low)], mix(MIST, CREAM, 0.42))
    sheet.box(72, low, 1136, 4, INK)
    sheet.stroke(place, PETROL, 10)
    for i, (x, y) in enumerate(place):
        last = i in (0, len(place) - 1)
        sheet.disc(x, y, 20 if last else 12, RUST if last else PETROL)
        sheet.disc(x, y, 9 if last else 5, CREAM)
        sheet.words(x, low + 70, values[i][0], INK, 42, anchor="ms")
        if last:
            sheet.words(x, y - 40, str(values[i][1]), RUST, 70, face="Serif-Bold", anchor="ms")
    sheet.save("freight.png", 48)


def power() -> None:
    sheet = frame()
    left, right, low, unit = 72.0, 1208.0, 620.0, 1.18

    def at(hour: float, value: float) -> Point:
        return left + hour * (right - left) / 24, low - value * unit

    usual = spline(
        [
            at(*p)
            for p in (
                (0, 190),
                (3, 170),
                (6, 180),
                (9, 260),
                (12, 360),
                (15, 410),
                (18, 350),
                (21, 250),
                (24, 196),
            )
        ]
    )
    wen = [
        at(*p)
        for p in (
            (0, 55),
            (0.8, 60),
            (1, 290),
            (4, 290),
            (4.2, 58),
            (8, 46),
            (12, 52),
            (15, 58),
            (19, 52),
            (24, 54),
        )
    ]
    sheet.shape([*usual, (right, low), (left, low)], mix(MIST, CREAM, 0.48))
    sheet.shape([*wen, (right, low), (left, low)], mix(RUST, CREAM, 0.25))
    for level in (200, 400):
        y = low - level * unit
        sheet.box(72, y, 1136, 2, mix(MIST, INK, 0.14))
        sheet.words(
            1208, y + (46 if level == 200 else -12), f"{level} kW", mix(INK, CREAM, 0.25), 40, anchor="rs"
        )
    sheet.stroke(usual, PETROL, 8)
    sheet.stroke(wen, RUST, 8)
    sheet.box(72, low, 1136, 4, INK)
    sheet.words(at(15, 0)[0], at(0, 430)[1], "A usual store", PETROL, 52, face="Serif-Bold", anchor="ms")
    sheet.words(at(4.5, 0)[0], at(0, 292)[1], "The Wens’", mix(RUST, INK, 0.12), 52, face="Serif-Bold")
    for hour in (0, 4, 9, 15, 24):
        anchor = "ls" if hour == 0 else "rs" if hour == 24 else "ms"
        sheet.words(at(hour, 0)[0], low + 70, f"{hour}:00", INK, 42, anchor=anchor)
    sheet.save("power.png", 48)

"""Colours: mixing them, and whether one can be read on another (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

__all__ = ["contrast", "mix", "readable"]


def _channels(colour: str) -> tuple[int, int, int]:
    digits = str(colour).removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f'"{colour}" is not a colour such as #b4232a')
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        part = channel / 255
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21. Text wants 4.5."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mix(colour: str, other: str, share: float = 0.5) -> str:
    """`colour` with `share` (0 to 1) of `other` in it."""
    share = min(1.0, max(0.0, float(share)))
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable(colour: str) -> str:
    """White or near-black: whichever reads better on `colour`."""
    return max(("#ffffff", "#1d1d1f"), key=lambda text: contrast(text, colour))

"""Mixes colours (`#rrggbb`), and computes how well one can be read on another (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["LUMINANCE", "contrast", "linear", "mix", "most_readable", "readable"]

#: The shares of red, green and blue in the relative luminance of a colour.
LUMINANCE = (0.2126, 0.7152, 0.0722)


def _channels(colour: str) -> tuple[int, int, int]:
    digits = str(colour).removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f'"{colour}" is not a colour such as #b4232a')
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def linear(channel: int) -> float:
    """Returns the linear light of an sRGB channel (0 to 255) as a share of the maximum, 0 to 1."""
    part = channel / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _luminance(colour: str) -> float:
    return sum(share * linear(channel) for share, channel in zip(LUMINANCE, _channels(colour), strict=True))


def contrast(one: str, other: str) -> float:
    """Returns the contrast ratio of two colours, from 1 to 21. Text needs 4.5."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mix(colour: str, other: str, share: float = 0.5) -> str:
    """Returns `colour` mixed with `share` (0 to 1) of `other`."""
    share = min(1.0, max(0.0, float(share)))
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def most_readable(colour: str, texts: Iterable[str]) -> str:
    """Returns the first of the `texts` colours that has the most contrast on `colour`."""
    return max(texts, key=lambda text: contrast(text, colour))


def readable(colour: str) -> str:
    """Returns white or near-black, whichever has more contrast on `colour`."""
    return most_readable(colour, ("#ffffff", "#1d1d1f"))

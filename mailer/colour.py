"""Mixes colours (`#rrggbb`) and computes the contrast between two of them (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "LUMINANCE",
    "contrast_ratio",
    "legible_colour",
    "linear_intensity",
    "mix_colours",
    "most_readable_colour",
    "readable_text_colour",
]

#: The shares of red, green and blue in the relative luminance of a colour.
LUMINANCE = (0.2126, 0.7152, 0.0722)


def _rgb_channels(colour: str) -> tuple[int, int, int]:
    digits = str(colour).removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f'"{colour}" is not a colour; write a colour such as #b4232a')
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def linear_intensity(channel: int) -> float:
    """Returns the linear intensity, from 0 to 1, of an sRGB channel whose value is from 0 to 255."""
    part = channel / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _relative_luminance(colour: str) -> float:
    return sum(
        share * linear_intensity(channel)
        for share, channel in zip(LUMINANCE, _rgb_channels(colour), strict=True)
    )


def contrast_ratio(colour: str, other_colour: str) -> float:
    """Returns the contrast ratio of two colours, from 1 to 21. Text needs at least 4.5 to be readable."""
    light, dark = sorted((_relative_luminance(colour), _relative_luminance(other_colour)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mix_colours(colour: str, other_colour: str, share: float = 0.5) -> str:
    """Returns a mixture of two colours. `share` (0 to 1) is the part of `other_colour` in it."""
    share = min(1.0, max(0.0, float(share)))
    pairs = zip(_rgb_channels(colour), _rgb_channels(other_colour), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def legible_colour(colour: str, *others: str, least: float = 4.5) -> str:
    """Returns the colour, with as little black or white in it as gives it this contrast to all others.

    If no mixture has that contrast to all of them, returns black or white, whichever comes nearer.
    """
    for share in range(101):
        for end in ("#000000", "#ffffff"):
            mixed = mix_colours(colour, end, share / 100) if share else colour
            if all(contrast_ratio(mixed, other) >= least for other in others):
                return mixed
    return max(("#000000", "#ffffff"), key=lambda end: min(contrast_ratio(end, each) for each in others))


def most_readable_colour(background: str, text_colours: Iterable[str]) -> str:
    """Returns the text colour with the highest contrast on `background`; of equal ones, the first."""
    return max(text_colours, key=lambda text: contrast_ratio(text, background))


def readable_text_colour(background: str) -> str:
    """Returns white or black, whichever has more contrast on `background`: at least 4.5."""
    return most_readable_colour(background, ("#ffffff", "#000000"))

"""Converts pixels to the form that all mail programs show: 8 bits, sRGB, visible on a dark background too.

Pillow reads some kinds of pixels that it does not convert correctly: it clips 16-bit grey to white, and it
ignores colour profiles. This module converts each kind to L, LA, RGB or RGBA.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageMath

from mailer.colour import LUMINANCE, contrast_ratio, linear_intensity

__all__ = ["to_eight_bit", "png_gamma", "drawing_background", "to_srgb", "make_visible_on_any_background"]

#: Below this relative luminance, a pixel has less than 3:1 (WCAG 2.2, 1.4.11) against the dark paper.
_DARK = 0.13
#: A drawing of which so much is dark would lose something in the dark: a word mark beside a large disc.
_SHARE = 0.05
#: The least contrast of a light ground with black.
_LIGHT = 10
#: The gamma of sRGB as PNG writes it, 1/2.2, and what is as good as that.
_GAMMA, _NEAR = 0.45455, 0.02
_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def drawing_background(paper: str) -> str:
    """Returns the background colour for dark drawings: `paper`, or white if `paper` is dark itself.

    Colours are `#rrggbb`.
    """
    return paper if contrast_ratio(paper, "#000000") >= _LIGHT else "#ffffff"


def to_eight_bit(image: Image.Image) -> Image.Image:
    """Returns the picture in mode L, LA, RGB, RGBA or CMYK. A transparent colour becomes an alpha channel."""
    transparent_value = image.info.get("transparency")
    if image.mode.startswith("I") or image.mode == "F":
        image = image.copy()
        image.info.pop("transparency", None)  # which Pillow cannot convert
        return _grey_to_eight_bit(
            image.convert("I"), transparent_value if isinstance(transparent_value, int) else None
        )
    if image.mode == "1":
        image = image.convert("LA" if transparent_value is not None else "L")
    elif transparent_value is not None and image.mode in ("P", "L", "RGB"):
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return image.convert("RGBA" if image.mode == "PA" else "RGB")


def _grey_to_eight_bit(grey: Image.Image, transparent_value: int | None) -> Image.Image:
    """Returns a picture of 16-bit grey (mode I) in 8 bits.

    Pixels of `transparent_value` become transparent; None means that no pixel does.
    """
    light = grey.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if transparent_value is None:
        return light
    alpha = ImageMath.lambda_eval(
        lambda have: have["convert"]((have["grey"] != transparent_value) * 255, "L"), grey=grey
    )
    return Image.merge("LA", (light, alpha))


@cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def png_gamma(info: dict[str | tuple[int, int], Any]) -> float | None:
    """Returns the gamma that a PNG must be corrected for, or None if no correction is needed.

    `info` is Pillow's `Image.info`. A PNG with a colour profile, or with the gamma of sRGB, needs no
    correction.
    """
    gamma = info.get("gamma")
    if not isinstance(gamma, float) or "icc_profile" in info or "srgb" in info:
        return None
    return gamma if 0.1 <= gamma <= 10 and abs(gamma - _GAMMA) > _NEAR else None


def to_srgb(image: Image.Image, profile: bytes | None, gamma: float | None = None) -> Image.Image:
    """Returns the picture in sRGB, in mode L, LA, RGB or RGBA.

    `profile` is the picture's ICC profile; a broken profile, or a profile for another mode, is ignored.
    `gamma` is the gamma to correct a PNG without a profile for; None means no correction.
    """
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    base = image.convert(image.mode[:-1]) if alpha else image
    if profile:
        base = _convert_by_profile(base, profile)
    elif gamma:
        base = base.point(
            [round(255 * (value / 255) ** (_GAMMA / gamma)) for value in range(256)] * len(base.mode)
        )
    if base.mode == "CMYK":
        base = base.convert("RGB")
    if alpha is None:
        return base
    return Image.merge(base.mode + "A", (*base.split(), alpha))


def _convert_by_profile(base: Image.Image, profile: bytes) -> Image.Image:
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _SPACES.get(own.profile.xcolor_space.strip()) != base.mode:
            return base
        changed = ImageCms.profileToProfile(base, own, _srgb_profile(), outputMode="RGB")
    except Exception:  # LittleCMS and Pillow each raise their own
        return base
    if changed is None:
        return base
    return changed.convert("L") if base.mode == "L" else changed


@cache
def _linear_light_table() -> list[int]:
    """Returns a table of 3 × 256 numbers: the linear light of each value of the channels R, G and B."""
    return [round(255 * linear_intensity(value)) for value in range(256)] * 3


def make_visible_on_any_background(image: Image.Image, background: str) -> Image.Image:
    """Returns a picture with an alpha channel so that it can be seen on any background.

    An opaque picture loses its alpha channel. A picture with dark parts is laid on `background` (`#rrggbb`),
    because some mail programs have a dark background. Any other picture stays as it is.
    """
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return image.convert(image.mode[:-1])
    light = image.convert("RGB").point(_linear_light_table()).convert("L", (*LUMINANCE, 0))
    dark = light.point([255 if value < _DARK * 255 else 0 for value in range(256)])
    if _sum_of_channel_values(ImageChops.multiply(dark, alpha)) <= _SHARE * _sum_of_channel_values(alpha):
        return image
    paper = Image.new("RGBA", image.size, background)
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


def _sum_of_channel_values(channel: Image.Image) -> int:
    return sum(value * number for value, number in enumerate(channel.histogram()))

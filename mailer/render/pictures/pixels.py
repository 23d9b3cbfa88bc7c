"""Converts pixels to the form that all mail programs show: 8 bits, sRGB, visible on a dark background too.

Pillow reads more kinds of pixels than it converts faithfully: 16-bit grey is clipped to white, and colour
profiles are left alone. Here each kind becomes L, LA, RGB or RGBA.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageMath

from mailer.colour import LUMINANCE, contrast_ratio, linear_light

__all__ = ["eight_bit", "gamma_of", "background_of", "in_srgb", "on_background"]

#: Below this relative luminance, a pixel has less than 3:1 (WCAG 2.2, 1.4.11) against the dark paper.
_DARK = 0.13
#: A drawing of which so much is dark would lose something in the dark: a word mark beside a large disc.
_SHARE = 0.05
#: The least contrast of a light ground with black.
_LIGHT = 10
#: The gamma of sRGB as PNG writes it, 1/2.2, and what is as good as that.
_GAMMA, _NEAR = 0.45455, 0.02
_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def background_of(paper: str) -> str:
    """Returns the background for dark drawings: the paper, or white where the paper is dark itself."""
    return paper if contrast_ratio(paper, "#000000") >= _LIGHT else "#ffffff"


def eight_bit(image: Image.Image) -> Image.Image:
    """Returns the picture as L, LA, RGB, RGBA or CMYK, its transparent colour as alpha."""
    clear = image.info.get("transparency")
    if image.mode.startswith("I") or image.mode == "F":
        image = image.copy()
        image.info.pop("transparency", None)  # which Pillow cannot convert
        return _scaled(image.convert("I"), clear if isinstance(clear, int) else None)
    if image.mode == "1":
        image = image.convert("LA" if clear is not None else "L")
    elif clear is not None and image.mode in ("P", "L", "RGB"):
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return image.convert("RGBA" if image.mode == "PA" else "RGB")


def _scaled(grey: Image.Image, clear: int | None) -> Image.Image:
    """Returns a picture of 16-bit grey (mode I) in 8 bits. `clear` is the value that means transparent."""
    light = grey.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if clear is None:
        return light
    alpha = ImageMath.lambda_eval(lambda have: have["convert"]((have["grey"] != clear) * 255, "L"), grey=grey)
    return Image.merge("LA", (light, alpha))


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def gamma_of(info: dict[str | tuple[int, int], Any]) -> float | None:
    """Returns the gamma of a PNG that has no profile and whose gamma is not about that of sRGB, else None."""
    gamma = info.get("gamma")
    if not isinstance(gamma, float) or "icc_profile" in info or "srgb" in info:
        return None
    return gamma if 0.1 <= gamma <= 10 and abs(gamma - _GAMMA) > _NEAR else None


def in_srgb(image: Image.Image, profile: bytes | None, gamma: float | None = None) -> Image.Image:
    """Returns the picture in sRGB, as L, LA, RGB or RGBA.

    A profile that is broken, or for another kind of pixels, is as good as none. `gamma` is that of a PNG
    without a profile.
    """
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    base = image.convert(image.mode[:-1]) if alpha else image
    if profile:
        base = _by_profile(base, profile)
    elif gamma:
        base = base.point(
            [round(255 * (value / 255) ** (_GAMMA / gamma)) for value in range(256)] * len(base.mode)
        )
    if base.mode == "CMYK":
        base = base.convert("RGB")
    if alpha is None:
        return base
    return Image.merge(base.mode + "A", (*base.split(), alpha))


def _by_profile(base: Image.Image, profile: bytes) -> Image.Image:
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _SPACES.get(own.profile.xcolor_space.strip()) != base.mode:
            return base
        changed = ImageCms.profileToProfile(base, own, _srgb(), outputMode="RGB")
    except Exception:  # LittleCMS and Pillow each raise their own
        return base
    if changed is None:
        return base
    return changed.convert("L") if base.mode == "L" else changed


@cache
def _linear() -> list[int]:
    """Returns the light of each value of a channel as an 8-bit number, once for each of three channels."""
    return [round(255 * linear_light(value)) for value in range(256)] * 3


def on_background(image: Image.Image, ground: str) -> Image.Image:
    """Returns a picture with alpha so that it can be seen on any background.

    One that is opaque loses its alpha. One whose visible pixels are dark in part is laid on `ground`
    (`#rrggbb`), because mail programs put dark paper behind it. A light or coloured one stays as it is.
    """
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return image.convert(image.mode[:-1])
    light = image.convert("RGB").point(_linear()).convert("L", (*LUMINANCE, 0))
    dark = light.point([255 if value < _DARK * 255 else 0 for value in range(256)])
    if _total(ImageChops.multiply(dark, alpha)) <= _SHARE * _total(alpha):
        return image
    paper = Image.new("RGBA", image.size, ground)
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


def _total(channel: Image.Image) -> int:
    return sum(value * number for value, number in enumerate(channel.histogram()))

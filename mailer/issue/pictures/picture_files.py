"""Picture files of an issue: found in the workspace, read with limits, and looked at header first.

Which pictures an issue uses is found in `pictures`; what is published of them is made in `render`.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image

from mailer.issue.source import SourceFile, locate, name_in, read_bounded

__all__ = ["FORMATS", "MAX_PICTURE", "MAX_PIXELS", "moving", "read_picture"]

#: What a mail can be made of: rendering turns WebP into what mail programs show. SVG is not among it.
#: A phone's JPEG with a second picture (MPO) is a JPEG.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PICTURE = 10_000_000
MAX_PIXELS = 40_000_000

_MOVING = {"PNG": "an animated PNG", "WEBP": "an animated WebP"}


def read_picture(root: Path, folder: Path, src: str) -> SourceFile:
    """The file that `src`, written in `folder`, means. Raises ValueError with a sentence."""
    path = locate(root, folder, src)
    name = name_in(root, folder, src, path)
    try:
        data = read_bounded(path, MAX_PICTURE)
        _look(data)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
    return SourceFile(name, data)


def moving(image: Image.Image) -> str:
    """A sentence where this is an animation that mail programs would not show; else nothing."""
    kind = _MOVING.get(image.format or "")
    if kind is None or getattr(image, "n_frames", 1) == 1:
        return ""
    return (
        f"is {kind}, which most mail programs do not show; save it as GIF, or as a picture that stands still"
    )


def _look(data: bytes) -> None:
    """Raises ValueError with a sentence unless this is a picture of a sane size. Reads no pixels of it."""
    still = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height <= MAX_PIXELS:
                    still = moving(picture)
                    picture.verify()
    except Image.DecompressionBombError:
        width = height = MAX_PIXELS
    except Exception:  # Pillow raises whatever a broken header happens to trip over
        raise ValueError("is not a sound PNG, JPEG, GIF or WebP picture, whatever its name says") from None
    if width * height > MAX_PIXELS:
        raise ValueError(f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller")
    if still:
        raise ValueError(still)

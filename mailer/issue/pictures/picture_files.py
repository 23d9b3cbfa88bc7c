"""Reads the picture files of an issue with limits, and checks their headers.

Which pictures an issue uses is found in `pictures`; what is published of them is made in `render`.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image
from PIL.ImageFile import ImageFile

from mailer.issue.files.source_file import SourceFile, locate, name_in, read_bounded
from mailer.issue.pictures.limits import MAX_FILE, MAX_PIXELS

__all__ = ["FORMATS", "open_picture", "read_picture"]

#: What a mail can be made of: rendering turns WebP into what mail programs show. SVG is not among it.
#: A phone's JPEG with a second picture (MPO) is a JPEG.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_TOO_MANY_PIXELS = f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"
_MOVING = {"PNG": "an animated PNG", "WEBP": "an animated WebP"}


def read_picture(root: Path, folder: Path, src: str) -> SourceFile:
    """Returns the file that `src`, written in a file of `folder`, names. Raises ValueError with a reason."""
    path = locate(root, folder, src)
    name = name_in(root, folder, src, path)
    try:
        data = read_bounded(path, MAX_FILE)
        open_picture(data, verify=True)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
    return SourceFile(name, data)


def open_picture(data: bytes, *, verify: bool = False) -> ImageFile:
    """Returns a picture after reading its header only; with `verify` its checksums are compared too.

    A picture that was verified cannot be used further. Raises ValueError with a sentence unless this is a
    picture that a mail can be made of, and of a sane size.
    """
    animation = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            pixels = image.width * image.height
            if pixels <= MAX_PIXELS:
                animation = _animation_of(image)
                if verify:
                    image.verify()
    except Image.DecompressionBombError:
        raise ValueError(_TOO_MANY_PIXELS) from None
    except Exception:  # Pillow raises whatever a broken header happens to trip over
        sound = "sound " if verify else ""
        raise ValueError(f"is not a {sound}PNG, JPEG, GIF or WebP picture, whatever its name says") from None
    if pixels > MAX_PIXELS:
        raise ValueError(_TOO_MANY_PIXELS)
    if animation:
        raise ValueError(animation)
    return image


def _animation_of(image: Image.Image) -> str:
    """Returns a sentence about an animation that mail programs would not show, else an empty text."""
    kind = _MOVING.get(image.format or "")
    if kind is None or getattr(image, "n_frames", 1) == 1:
        return ""
    return (
        f"is {kind}, which most mail programs do not show; save it as GIF, or as a picture that stands still"
    )

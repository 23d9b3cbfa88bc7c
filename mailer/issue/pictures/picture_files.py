"""Reads the picture files of an issue within limits, and checks their headers.

`pictures` finds out which pictures an issue uses; `render` makes the published files from them.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image
from PIL.ImageFile import ImageFile

from mailer.issue.files.source_file import (
    SourceFile,
    locate_file,
    read_bounded_file,
    workspace_path_as_written,
)
from mailer.issue.pictures.limits import MAX_FILE, MAX_PIXELS

__all__ = ["FORMATS", "open_picture", "read_picture"]

#: Formats of pictures for mails. Rendering turns WebP into a format that mail programs show. SVG is refused.
#: A phone's JPEG with a second picture (MPO) is a JPEG.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_TOO_MANY_PIXELS = f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"
_MOVING = {"PNG": "an animated PNG", "WEBP": "an animated WebP"}


def read_picture(root: Path, folder: Path, src: str) -> SourceFile:
    """Returns the picture file that a file in `folder` names as `src`. Raises ValueError with a reason."""
    path = locate_file(root, folder, src)
    name = workspace_path_as_written(root, folder, src, path)
    try:
        data = read_bounded_file(path, MAX_FILE)
        open_picture(data, verify_checksums=True)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
    return SourceFile(name, data)


def open_picture(data: bytes, *, verify_checksums: bool = False) -> ImageFile:
    """Returns a picture after reading only its header; with `verify_checksums`, also checks its checksums.

    After `verify_checksums` the returned picture cannot be used further. Raises ValueError with a sentence if
    the picture is broken or too large, or has a format or an animation that mail programs do not show.
    """
    animation = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            pixels = image.width * image.height
            if pixels <= MAX_PIXELS:
                animation = _animation_problem(image)
                if verify_checksums:
                    image.verify()
    except Image.DecompressionBombError:
        raise ValueError(_TOO_MANY_PIXELS) from None
    except Exception:  # Pillow raises whatever a broken header happens to trip over
        sound = "valid " if verify_checksums else ""
        raise ValueError(
            f"is not a {sound}PNG, JPEG, GIF or WebP picture; save it again in one of these formats"
        ) from None
    if pixels > MAX_PIXELS:
        raise ValueError(_TOO_MANY_PIXELS)
    if animation:
        raise ValueError(animation)
    return image


def _animation_problem(image: Image.Image) -> str:
    """Returns a sentence if the picture is an animation that mail programs do not show, else ""."""
    kind = _MOVING.get(image.format or "")
    if kind is None or getattr(image, "n_frames", 1) == 1:
        return ""
    return (
        f"is {kind}, which most mail programs do not show; save it as GIF, or as a picture without animation"
    )

"""Warns of pictures that can be sent, but may load slowly or may not be shown to all readers."""

from __future__ import annotations

from urllib.parse import urlsplit

from mailer.display_text import shortened
from mailer.issue.pictures.limits import WARN_ANIMATION, WARN_FILE
from mailer.render.rendition import Picture

__all__ = ["remote_format_warning", "file_size_warning"]

_NOT_SHOWN = {
    "svg": "SVG",
    "svgz": "SVG",
    "webp": "WebP",
    "avif": "AVIF",
    "heic": "HEIC",
    "heif": "HEIF",
    "jxl": "JPEG XL",
    "tif": "TIFF",
    "tiff": "TIFF",
    "bmp": "BMP",
    "pdf": "PDF",
}


def file_size_warning(src: str, picture: Picture) -> str:
    """Returns a warning if the published file of the picture is large, else ''.

    `src` is the picture's path in the issue.
    """
    size = len(picture.data)
    animation = picture.name.endswith(".gif")
    limit = WARN_ANIMATION if animation else WARN_FILE
    if size <= limit:
        return ""
    advice = "remove frames or colours" if animation else "show it smaller, or save a photo as JPEG"
    limits = f"{advice} (at most {limit / 1e6:g} MB)"
    return f"the picture {src} is sent to readers with {size / 1e6:.1f} MB; {limits}"


def remote_format_warning(src: str) -> str:
    """Returns a warning if many mail programs cannot show the format of the picture `src`, else ''.

    `src` is a URL; the end of its path, such as `.webp`, names the format.
    """
    try:
        path = urlsplit(src).path
    except ValueError:
        return ""
    kind = _NOT_SHOWN.get(path.rpartition("/")[2].rpartition(".")[2].lower()) if "." in path else None
    if kind is None:
        return ""
    return (
        f"the picture {shortened(src)} is {kind}, which many mail programs do not show; use PNG, JPEG or GIF"
    )

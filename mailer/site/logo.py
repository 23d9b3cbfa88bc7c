"""Reads the workspace's logo for the pages for readers, as a data URL.

A page with a personal link must load nothing from elsewhere, so a logo of another site is not shown there.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from mailer.config import Settings
from mailer.issue.files.source_file import locate_file, read_bounded_file
from mailer.issue.pictures.limits import MAX_FILE

__all__ = ["PageLogo", "page_logo"]

#: A logo that is published with more bytes would make every page slow.
_LARGEST = 64_000


@dataclass(frozen=True, slots=True)
class PageLogo:
    """Holds a logo for a page: `src` is a data URL, `width` and `height` are in CSS px."""

    src: str
    width: int
    height: int


def page_logo(settings: Settings) -> PageLogo | None:
    """Returns the logo of the workspace, or None if it has none, a remote one, or one of too many bytes.

    Raises ValueError if the file of the logo cannot be used.
    """
    from mailer.render.pictures.pixels import drawing_background
    from mailer.render.pictures.publish import publish_picture, read_picture_header

    brand = settings.brand
    if not brand.logo or brand.logo.startswith("https://"):
        return None
    root = settings.root.resolve()
    original = read_picture_header(read_bounded_file(locate_file(root, root, brand.logo), MAX_FILE))
    picture = publish_picture(
        original, *original.displayed_size(brand.logo_width), background=drawing_background(brand.paper)
    )
    if len(picture.data) > _LARGEST:
        return None
    kind = {"jpg": "jpeg"}.get(suffix := picture.name.rpartition(".")[2], suffix)
    data = base64.b64encode(picture.data).decode()
    return PageLogo(f"data:image/{kind};base64,{data}", picture.width, picture.height)

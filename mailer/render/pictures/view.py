"""Defines the view of a picture: the object that templates see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol

from mailer.render.pictures.publish import OriginalPicture
from mailer.render.rendition import Picture

__all__ = ["PictureView", "PrintsHtml"]


class PrintsHtml(Protocol):
    """Defines a text that an HTML template prints as safe HTML, and a text template as plain text."""

    def __html__(self) -> str:
        """Returns the text as HTML."""
        ...


@dataclass(frozen=True)
class PictureView:
    """Describes a picture in a page, with its size in CSS px.

    The height of a picture of another site is None, and so is its width unless the issue gives one. `credit`
    names the photographer. `place` is where a picture of an item stands: `above` the headline, `below` it, or
    `after` the text.
    """

    called: ClassVar[str] = "a picture"

    alt: str
    caption: PrintsHtml | str
    url: str
    width: int | None
    height: int | None
    _source: OriginalPicture | str = field(repr=False)
    _published: Callable[[OriginalPicture, int, int], tuple[str, Picture]] = field(repr=False)
    credit: str = ""
    place: str = "above"

    @property
    def src(self) -> str:
        """Returns the URL of the picture. A picture of the workspace is published with this call."""
        if isinstance(self._source, str):
            return self._source
        return self._published(self._source, self.width or 1, self.height or 1)[0]

    @property
    def pixels(self) -> int | None:
        """Returns the width of the original file in pixels, or None for a picture of another site."""
        return None if isinstance(self._source, str) else self._source.width

    def fit(self, width: int) -> PictureView:
        """Returns the same picture, at most `width` CSS px wide."""
        if self.width is None:
            return self
        room = max(1, min(int(width), self.width))
        if isinstance(self._source, str):
            return replace(self, width=room)
        shown = self._source.displayed_size(room, self.height or 1)
        return replace(self, width=shown[0], height=shown[1])

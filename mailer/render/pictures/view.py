"""Defines the view of a picture that templates get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol

from mailer.render.pictures.publish import Original
from mailer.render.rendition import Picture

__all__ = ["PictureView", "PrintsHtml"]


class PrintsHtml(Protocol):
    """Defines a text that prints safe HTML in an HTML template and plain text in a text template."""

    def __html__(self) -> str:
        """Returns the text as HTML."""
        ...


@dataclass(frozen=True)
class PictureView:
    """Describes a picture in a page.

    A picture of another site has no height, and only the width that was written.
    """

    called: ClassVar[str] = "a picture"

    alt: str
    caption: PrintsHtml | str
    url: str
    width: int | None
    height: int | None
    _source: Original | str = field(repr=False)
    _published: Callable[[Original, int, int], tuple[str, Picture]] = field(repr=False)

    @property
    def src(self) -> str:
        """Returns the address of the picture."""
        if isinstance(self._source, str):
            return self._source
        return self._published(self._source, self.width or 1, self.height or 1)[0]

    @property
    def pixels(self) -> int | None:
        """Returns the width of the original in pixels; None for a picture of another site."""
        return None if isinstance(self._source, str) else self._source.width

    def fit(self, width: int) -> PictureView:
        """Returns the same picture, at most `width` CSS px wide."""
        if self.width is None:
            return self
        room = max(1, min(int(width), self.width))
        if isinstance(self._source, str):
            return replace(self, width=room)
        shown = self._source.shown(room, self.height or 1)
        return replace(self, width=shown[0], height=shown[1])

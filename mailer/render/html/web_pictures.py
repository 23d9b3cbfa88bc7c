"""Finds pictures in a web page whose addresses lead nowhere, because they are relative to the page."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

from mailer.render.html.wellformed import MarkupFault

__all__ = ["find_relative_pictures"]

#: Addresses of the web, of this site from its root, and as the pictures of an issue are published.
_LOADS = re.compile(
    r"\s*(?:https?://[^\s/]|data:image/|/|(?:[\w./-]*/)?[0-9a-f]{20}\.\w+\s*$|$)", re.IGNORECASE
)

#: The value of each attribute `src`, and of what looks like one.
_SOURCE = re.compile(r"\bsrc\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]*)", re.IGNORECASE)


def find_relative_pictures(page: str) -> list[MarkupFault]:
    """Returns a fault for each `<img>` of the HTML `page` whose `src` is relative to the page."""
    if all(_LOADS.match(html.unescape(found[1].strip("\"'"))) for found in _SOURCE.finditer(page)):
        return []
    scanner = _PictureScanner(page)
    scanner.feed(page)
    scanner.close()
    return scanner.faults


class _PictureScanner(HTMLParser):
    """Collects a fault for each `<img>` with a relative address."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[MarkupFault] = []
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", page))]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("src") if tag == "img" else None
        if address is not None and not _LOADS.match(address):
            line, column = self.getpos()
            self.faults.append(
                MarkupFault(
                    f'"{address[:60]}" is not a URL that leads to a picture from the page of every issue; '
                    "print the URL of a picture of the issue, such as item.image.src, or write an https URL",
                    self._line_starts[line - 1] + column,
                )
            )

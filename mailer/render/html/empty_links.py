"""Makes words of links without an address, as an earlier template makes one of a part without a URL."""

from __future__ import annotations

import re

__all__ = ["without_empty_links"]

#: The start tag of a link without an address, up to the attribute that has none.
_EMPTY_LINK = re.compile(r"""(<a\b(?:[^<>"']|"[^"]*"|'[^']*')*?)\shref=""(?=[\s/>])""")


def without_empty_links(html: str) -> str:
    """Returns the HTML in which no link has an empty `href`: such an element has none, and is words."""
    return _EMPTY_LINK.sub(r"\1", html) if ' href=""' in html else html

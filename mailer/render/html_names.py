"""Lists the names of HTML elements and attributes that several modules of `render` look for."""

from __future__ import annotations

__all__ = ["URL_ATTRIBUTES", "VOID_ELEMENTS"]

#: Elements that have no end tag.
VOID_ELEMENTS = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905
)
#: Attributes whose value is an address.
URL_ATTRIBUTES = frozenset(("href", "src", "action", "formaction", "background", "cite", "poster"))

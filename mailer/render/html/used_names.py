"""Tells which selectors of a style sheet may fit an element of a page; the inliner tries no others."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from html import unescape

__all__ = ["UsedNames", "used_names"]

_CLASS_SELECTOR = re.compile(r"\.([A-Za-z_-][\w-]*)")
_ATTRIBUTE_SELECTOR = re.compile(r"\[[A-Za-z][\w-]*\]")
#: Selectors in which a dot may mean something else than a class, or a class may be excluded.
_NOT_PLAIN = re.compile(r"[^\w\s.#>+~*-]")
_CLASS_ATTRIBUTE = re.compile(r"\bclass\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)


class UsedNames:
    """Knows the classes and attributes of the HTML `page`."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._attributes: dict[str, bool] = {}

    def may_fit(self, selector: str) -> bool:
        """Returns False if no element of the page has a class or attribute that the selector needs."""
        return all(
            self._has_attribute(name) if name.startswith("[") else name in self._classes
            for name in _needs_of(selector)
        )

    @cached_property
    def _classes(self) -> frozenset[str]:
        """Returns all words that stand in values of an attribute `class`, and in what looks like one."""
        values = unescape(" ".join(_CLASS_ATTRIBUTE.findall(self._page)))
        return frozenset(values.replace('"', " ").replace("'", " ").split())

    def _has_attribute(self, selector: str) -> bool:
        """Returns whether a tag of the page seems to have the attribute of a selector such as `[dir]`."""
        if selector not in self._attributes:
            written = rf"<[a-z][^<>]*\s{re.escape(selector[1:-1])}[\s=/>]"
            self._attributes[selector] = re.search(written, self._page, re.IGNORECASE) is not None
        return self._attributes[selector]


@lru_cache(maxsize=4)
def used_names(page: str) -> UsedNames:
    """Returns the names that the HTML `page` uses. The last pages are remembered, for their other sheets."""
    return UsedNames(page)


@lru_cache(maxsize=2000)
def _needs_of(selector: str) -> frozenset[str]:
    """Returns what elements must have for a selector: classes, and attributes in brackets.

    The set is empty for a selector that is not understood here.
    """
    attributes = _ATTRIBUTE_SELECTOR.findall(selector)
    rest = _ATTRIBUTE_SELECTOR.sub("", selector)
    if _NOT_PLAIN.search(rest):
        return frozenset()
    return frozenset((*_CLASS_SELECTOR.findall(rest), *attributes))

"""Moves the rules of style sheets into `style` attributes, with premailer and without network access."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from mailer.errors import ThemeError
from mailer.render.html.mrml_html import INLINE_ONLY
from mailer.render.html.used_names import used_names

__all__ = ["inline_styles", "is_inlined"]

_MAX_SHEETS = 100
_INLINE_ONLY_SHEET = re.compile(rf"<style\b[^>]*\b{INLINE_ONLY}\b[^>]*>[^<]*</style>\s*")
_DOCTYPE = re.compile(r"<!doctype[^>]*>\s*", re.IGNORECASE)


@cache
def _inliner_class() -> Any:
    """Returns a subclass of premailer's class, imported on first use because the import is slow."""
    # Its cache of parsed declarations holds 128 by default, fewer than one edition has.
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "2000")
    import cssutils  # type: ignore[import-untyped]

    with _requests_replaced_by_empty_module():
        from premailer import Premailer
        from premailer.premailer import _create_cssselector

    # Values are not validated: `disable_validation` does not reach every place where premailer parses them.
    cssutils.profile.removeProfile(all=True)
    parser = cssutils.CSSParser(
        loglevel=logging.CRITICAL, raiseExceptions=False, fetcher=lambda _: (None, b""), validate=False
    )

    rules: dict[tuple[str, int], Any] = {}

    class Inliner(Premailer):  # type: ignore[misc]
        """Parses each style sheet only once in a process, with a parser that cannot load other sheets.

        Rules for classes and attributes that the page does not have are left out, because each rule costs a
        search.
        """

        def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:  # noqa: ARG002
            return parser.parseString(css_body)

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
            known = rules.get((css_body, ruleset_index))
            if known is None:
                inlined, left_over = super()._parse_style_rules(css_body, ruleset_index)
                inlined = [rule for rule in inlined if _can_be_compiled(rule[1], _create_cssselector)]
                known = rules[css_body, ruleset_index] = inlined, left_over
                while len(rules) > _MAX_SHEETS:
                    rules.pop(next(iter(rules)))
            names = used_names(self.html)
            return [rule for rule in known[0] if names.may_fit(rule[1])], [*known[1]]

    return Inliner


def _can_be_compiled(selector: str, compile_selector: Callable[[str], object]) -> bool:
    try:
        compile_selector(selector)
    except Exception:  # cssselect raises several errors, premailer for selectors with a comma in quotes too
        return False
    return True


@contextmanager
def _requests_replaced_by_empty_module() -> Iterator[None]:
    """Lets the `with` block import premailer without its dependency `requests`.

    premailer uses `requests` only to fetch style sheets, which this module never does.
    """
    if "requests" in sys.modules:
        yield
        return
    sys.modules["requests"] = ModuleType("requests")
    try:
        yield
    finally:
        del sys.modules["requests"]


def _inliner(html: str) -> Any:
    """Returns an instance of the inliner, with its options, for a page."""
    return _inliner_class()(
        html,
        keep_style_tags=True,
        strip_important=False,
        disable_validation=True,
        disable_basic_attributes=["width", "height", "bgcolor", "align"],
        allow_network=False,
        cssutils_logging_level=logging.CRITICAL,
    )


@lru_cache(maxsize=2000)
def is_inlined(selectors: str) -> bool:
    """Returns whether the inliner applies a rule with these selectors, or with at least one of them."""
    inlined, _ = _inliner("<html></html>")._parse_style_rules(f"{selectors} {{ color: red }}", 0)
    return bool(inlined)


def inline_styles(html: str) -> str:
    """Returns the HTML with the rules of its style sheets in `style` attributes.

    `<style>` elements stay in the HTML, for rules that cannot be inlined (media queries, :hover), except
    those with the attribute INLINE_ONLY. Each `!important` stays too. Raises ThemeError if the page cannot be
    parsed.
    """
    doctype = _DOCTYPE.match(html.lstrip())
    try:
        inlined: str = _inliner(html).transform(pretty_print=False)
    except Exception as error:  # cssselect, cssutils and lxml each raise their own
        raise ThemeError(f"the style sheets of the theme cannot be inlined: {error}") from None
    # A reference to a carriage return comes out as the bare character, which no mail may hold.
    inlined = inlined.replace("\r\n", "\n").replace("\r", "\n")
    inlined = _INLINE_ONLY_SHEET.sub("", inlined)
    head = doctype[0].strip() if doctype else "<!doctype html>"
    return head + "\n" + _DOCTYPE.sub("", inlined.lstrip(), count=1)

"""Puts the rules of style sheets into `style` attributes, by premailer, with nothing ever fetched."""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import Any

__all__ = ["inline_styles"]

_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>\s*", re.IGNORECASE)


@cache
def _premailer() -> Any:
    """The class, made on first use: premailer takes a third of a second to import."""
    import cssutils  # type: ignore[import-untyped]
    from premailer import Premailer

    parser = cssutils.CSSParser(
        loglevel=logging.CRITICAL, raiseExceptions=False, fetcher=lambda _: (None, b""), validate=False
    )

    class Inliner(Premailer):  # type: ignore[misc]
        """Reads style sheets with a parser that cannot load others."""

        def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:  # noqa: ARG002
            return parser.parseString(css_body)

    return Inliner


def inline_styles(html: str) -> str:
    """The HTML with its plain rules inlined.

    `<style>` blocks stay for what cannot be inlined (media queries, :hover), with every `!important`.
    """
    doctype = _DOCTYPE.match(html)
    inlined: str = _premailer()(
        html,
        keep_style_tags=True,
        strip_important=False,
        disable_validation=True,
        disable_basic_attributes=["width", "height"],
        allow_network=False,
        cssutils_logging_level=logging.CRITICAL,
    ).transform(pretty_print=False)
    head = doctype[0].strip() if doctype else "<!doctype html>"
    return head + "\n" + _DOCTYPE.sub("", inlined, count=1)

"""Defines the filters that templates have beside Jinja2's own."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

import idna
from babel.dates import format_date
from jinja2 import pass_context
from jinja2.runtime import Context

from mailer.colour import mix_colours, readable_text_colour
from mailer.language.catalogue import Translated
from mailer.language_tags import SOURCE_LANGUAGE, locale_of, primary_language
from mailer.render.pictures.view import PictureView
from mailer.render.text.plain_inline import address_of, is_address_of
from mailer.render.text.wrap import WIDTH, underline, wrap
from mailer.render.theme.mirror import mirror

__all__ = ["FILTERS"]


@pass_context
def _dateformat(context: Context, value: dt.date, format: str = "long") -> Translated:
    language: str = context["language"]
    locale = locale_of(language)
    shown = Translated(format_date(value, format, locale))
    shown.language = language if locale.language == primary_language(language) else SOURCE_LANGUAGE
    return shown


def _fit(picture: Any, width: int) -> PictureView:
    if not isinstance(picture, PictureView):
        raise TypeError("fit is for a picture, such as item.image or brand.logo")
    return picture.fit(width)


def _host(url: str) -> str:
    """Returns the host as people read it: in its own letters."""
    host = (urlsplit(str(url)).hostname or "").removeprefix("www.")
    try:
        return idna.decode(host) if "xn--" in host else host
    except (idna.IDNAError, UnicodeError):
        return host


def _linked(
    words: Any, url: str, width: int = WIDTH, indent: str = "", first: str | None = None, label: str = ""
) -> str:
    """Returns words wrapped, and below them the address that they link to.

    The address is written once where the words are the address.
    """
    if not url:
        return wrap(f"{label}{words}", width, indent, first)
    address = address_of(url)
    if is_address_of(str(words), url):
        return wrap(label + address, width, indent, first)
    return wrap(f"{label}{words}", width, indent, first) + f"\n{indent}{address}"


FILTERS: dict[str, Any] = {
    "address": address_of,
    "dateformat": _dateformat,
    "fit": _fit,
    "host": _host,
    "linked": _linked,
    "mirror": mirror,
    "mix": mix_colours,
    "readable": readable_text_colour,
    "underline": underline,
    "wrap": wrap,
}

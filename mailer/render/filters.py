"""The filters that a theme has beside Jinja2's own."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

import idna
from babel.dates import format_date
from jinja2 import pass_context
from jinja2.runtime import Context

from mailer.languages import locale_of, primary_of
from mailer.render.catalogues import SOURCE_LANGUAGE, Said
from mailer.render.colour import mix, readable
from mailer.render.mirror import mirror
from mailer.render.views import PictureView
from mailer.render.wrap import underline, wrap

__all__ = ["FILTERS"]


@pass_context
def _dateformat(context: Context, value: dt.date, format: str = "long") -> Said:
    language: str = context["language"]
    locale = locale_of(language)
    said = Said(format_date(value, format, locale))
    said.language = language if locale.language == primary_of(language) else SOURCE_LANGUAGE
    return said


def _fit(picture: Any, width: int) -> PictureView:
    if not isinstance(picture, PictureView):
        raise TypeError("fit is for a picture, such as item.image or brand.logo")
    return picture.fit(width)


def _host(url: str) -> str:
    """The host as people read it: in its own letters."""
    host = (urlsplit(str(url)).hostname or "").removeprefix("www.")
    try:
        return idna.decode(host) if "xn--" in host else host
    except (idna.IDNAError, UnicodeError):
        return host


FILTERS: dict[str, Any] = {
    "dateformat": _dateformat,
    "fit": _fit,
    "host": _host,
    "mirror": mirror,
    "mix": mix,
    "readable": readable,
    "underline": underline,
    "wrap": wrap,
}

"""The filters that a theme has beside Jinja2's own."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_date
from jinja2 import pass_context
from jinja2.runtime import Context

from mailer.render.colour import mix, readable
from mailer.render.views import PictureView
from mailer.render.wrap import underline, wrap

__all__ = ["FILTERS", "locale_of"]


def locale_of(language: str) -> Locale:
    """Babel's locale of a language tag."""
    return Locale.parse(language.replace("-", "_"))


@pass_context
def _dateformat(context: Context, value: dt.date, format: str = "long") -> str:
    return format_date(value, format, locale_of(context["language"]))


def _fit(picture: Any, width: int) -> PictureView:
    if not isinstance(picture, PictureView):
        raise TypeError("fit is for a picture, such as item.image or brand.logo")
    return picture.fit(width)


def _host(url: str) -> str:
    host = urlsplit(str(url)).hostname or ""
    return host.removeprefix("www.")


FILTERS: dict[str, Any] = {
    "dateformat": _dateformat,
    "fit": _fit,
    "host": _host,
    "mix": mix,
    "readable": readable,
    "underline": underline,
    "wrap": wrap,
}

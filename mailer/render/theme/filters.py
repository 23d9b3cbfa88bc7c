"""Defines the filters and tests that templates can use in addition to those of Jinja2."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

import idna
from babel.dates import format_date
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from mailer.colour import legible_colour, mix_colours, readable_text_colour
from mailer.language.catalogue import TranslatedText
from mailer.language.dates import month_and_day
from mailer.language.east_asian import (
    comma,
    full_stop_after,
    has_east_asian_characters,
    is_east_asian,
    is_unspaced,
    with_title_marks,
)
from mailer.language_tags import SOURCE_LANGUAGE, locale_of, primary_language
from mailer.render.markdown.html import MarkdownText
from mailer.render.markdown.long_words import breakable
from mailer.render.pictures.view import PictureView
from mailer.render.text.plain_inline import is_same_address, plain_address
from mailer.render.text.wrap import WIDTH, underline, wrap
from mailer.render.theme.mirror import mirror_rules
from mailer.render.theme.schema_org import event_data

__all__ = ["FILTERS", "add_filters_and_tests"]


@pass_context
def _format_date(context: Context, value: dt.date, format: str = "long") -> TranslatedText:
    language: str = context["language"]
    locale = locale_of(language)
    shown = TranslatedText(
        month_and_day(value, language) if format == "day" else format_date(value, format, locale)
    )
    shown.language = language if locale.language == primary_language(language) else SOURCE_LANGUAGE
    return shown


def _breakable_words(text: str | MarkdownText) -> str:
    """Returns a plain text, or a caption, as HTML for a mail in which long words may break."""
    return text.mail_inline if isinstance(text, MarkdownText) else breakable(text)


@pass_context
def _with_title_marks(context: Context, name: str) -> str:
    return with_title_marks(name, context["language"])


def _fit_picture(picture: Any, width: int) -> PictureView:
    if not isinstance(picture, PictureView):
        raise TypeError("the filter fit can only be used with a picture, such as item.image or brand.logo")
    return picture.fit(width)


def _host_of(url: str) -> str:
    """Returns the host of a URL without `www.`, with letters such as `ü` instead of their `xn--` encoding."""
    host = (urlsplit(str(url)).hostname or "").removeprefix("www.")
    try:
        return idna.decode(host) if "xn--" in host else host
    except (idna.IDNAError, UnicodeError):
        return host


def _linked_words(
    words: Any, url: str, width: int = WIDTH, indent: str = "", first: str | None = None, label: str = ""
) -> str:
    """Returns a link for the text part: the wrapped words, and below them the URL on a line of its own.

    If the words are the URL itself, the URL is written once. `label` is written before the words. `width`,
    `indent` and `first` have the same meaning as for the filter `wrap`.
    """
    if not url:
        return wrap(f"{label}{words}", width, indent, first)
    address = plain_address(url)
    if is_same_address(str(words), url):
        return wrap(label + address, width, indent, first)
    return wrap(f"{label}{words}", width, indent, first) + f"\n{indent}{address}"


FILTERS: dict[str, Any] = {
    "address": plain_address,
    "breakable": _breakable_words,
    "comma": comma,
    "dateformat": _format_date,
    "event_data": event_data,
    "fit": _fit_picture,
    "full_stop": full_stop_after,
    "host": _host_of,
    "legible": legible_colour,
    "linked": _linked_words,
    "mirror": mirror_rules,
    "mix": mix_colours,
    "readable": readable_text_colour,
    "title_marks": _with_title_marks,
    "underline": underline,
    "wrap": wrap,
}

_TESTS: dict[str, Any] = {
    "east_asian": is_east_asian,
    "east_asian_text": has_east_asian_characters,
    "unspaced": is_unspaced,
}


def add_filters_and_tests(environment: Environment) -> None:
    """Adds the filters and tests of this module to those of the environment."""
    environment.filters.update(FILTERS)
    environment.tests.update(_TESTS)

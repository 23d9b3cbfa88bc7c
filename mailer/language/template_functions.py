"""Provides the functions that translate in a template: `_`, `gettext`, `ngettext`, `pgettext` and
`npgettext`.

A template gets texts that know their language: `direction.ours` marks those that are not in the language of
the text around them.
"""

from __future__ import annotations

from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from mailer.language.catalogue import Translated, Translations

__all__ = ["GLOBALS", "TRANSLATIONS", "TranslatedHtml"]

#: The key of the context under which the translations are; no template can name it.
TRANSLATIONS = " translations"


class TranslatedHtml(Markup):
    """Represents a translated text as HTML that knows the tag of its language."""

    __slots__ = ("language",)
    language: str


def _translations(context: Context) -> Translations:
    found: Translations = context[TRANSLATIONS]
    return found


def _filled(
    context: Context, text: Translated, values: dict[str, Any], *, trusted: bool
) -> Translated | TranslatedHtml:
    """Returns a translation with its values filled in. `%` is special only where there are values."""
    shown: str = text
    if context.eval_ctx.autoescape:
        shown = Markup(text) if trusted else escape(text)  # noqa: S704
    shown = shown % values if values or trusted else shown
    filled = TranslatedHtml(shown) if isinstance(shown, Markup) else Translated(shown)
    filled.language = text.language
    return filled


@pass_context
def _text(context: Context, message: str, /, **values: Any) -> Translated | TranslatedHtml:
    return _filled(context, _translations(context).text(message), values, trusted=False)


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> Translated | TranslatedHtml:
    return _filled(context, _translations(context).text(message), values, trusted=True)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int, /, **values: Any) -> str:
    text = _translations(context).counted(one, many, number)
    return _filled(context, text, {"num": number, **values}, trusted=True)


@pass_context
def _pgettext(context: Context, about: str, message: str, /, **values: Any) -> str:
    return _filled(context, _translations(context).text(message, about), values, trusted=True)


@pass_context
def _npgettext(context: Context, about: str, one: str, many: str, number: int, /, **values: Any) -> str:
    text = _translations(context).counted(one, many, number, about)
    return _filled(context, text, {"num": number, **values}, trusted=True)


#: What templates call. `{% trans %}` becomes calls of all but `_`, and its body may hold tags.
GLOBALS: dict[str, Any] = {
    "_": _text,
    "gettext": _gettext,
    "ngettext": _ngettext,
    "pgettext": _pgettext,
    "npgettext": _npgettext,
}

"""Defines the functions that translate texts in templates: `_`, `gettext`, `ngettext` and others.

Translated texts carry the tag of their language, so that the template function `ours` can mark texts that are
not in the language of the text around them.
"""

from __future__ import annotations

from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from mailer.language.catalogue import TranslatedText, Translations

__all__ = ["GLOBALS", "TRANSLATIONS", "TranslatedHtml"]

#: The key of the translations in a template's context. No template can use this name.
TRANSLATIONS = " translations"


class TranslatedHtml(Markup):
    """Represents a translated text as HTML, together with the tag of its language."""

    __slots__ = ("language",)
    language: str


def _translations_of(context: Context) -> Translations:
    found: Translations = context[TRANSLATIONS]
    return found


def _fill_in_values(
    context: Context, text: TranslatedText, values: dict[str, Any], *, is_trusted_html: bool
) -> TranslatedText | TranslatedHtml:
    """Returns a translation with `values` in place of its placeholders, such as `%(name)s`.

    If `is_trusted_html`, HTML tags in the text are kept, and each `%` begins a placeholder. Otherwise the
    text is escaped, and `%` begins a placeholder only if there are values.
    """
    shown: str = text
    if context.eval_ctx.autoescape:
        shown = Markup(text) if is_trusted_html else escape(text)  # noqa: S704
    shown = shown % values if values or is_trusted_html else shown
    filled = TranslatedHtml(shown) if isinstance(shown, Markup) else TranslatedText(shown)
    filled.language = text.language
    return filled


@pass_context
def _translate_as_text(context: Context, message: str, /, **values: Any) -> TranslatedText | TranslatedHtml:
    return _fill_in_values(
        context, _translations_of(context).translate(message), values, is_trusted_html=False
    )


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> TranslatedText | TranslatedHtml:
    return _fill_in_values(
        context, _translations_of(context).translate(message), values, is_trusted_html=True
    )


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int, /, **values: Any) -> str:
    text = _translations_of(context).translate_plural(singular, plural, count)
    return _fill_in_values(context, text, {"num": count, **values}, is_trusted_html=True)


@pass_context
def _pgettext(context: Context, message_context: str, message: str, /, **values: Any) -> str:
    return _fill_in_values(
        context, _translations_of(context).translate(message, message_context), values, is_trusted_html=True
    )


@pass_context
def _npgettext(
    context: Context, message_context: str, singular: str, plural: str, count: int, /, **values: Any
) -> str:
    text = _translations_of(context).translate_plural(singular, plural, count, message_context)
    return _fill_in_values(context, text, {"num": count, **values}, is_trusted_html=True)


#: The functions that templates call. `{% trans %}` is compiled to calls of all but `_`, and its body may
#: contain tags.
GLOBALS: dict[str, Any] = {
    "_": _translate_as_text,
    "gettext": _gettext,
    "ngettext": _ngettext,
    "pgettext": _pgettext,
    "npgettext": _npgettext,
}

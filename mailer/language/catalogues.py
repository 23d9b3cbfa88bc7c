"""The theme's words in the issue's language: gettext catalogues, read from their .po files.

`zh-Hant-TW` asks its own catalogue, then those of `zh-TW`, `zh-Hant` and `zh`, each the workspace's before
the built-in one; at the end stand the words as the templates have them, which are English. What a template
gets knows which language it is in: `direction.ours` marks what is not in that of its surroundings.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from babel.messages.pofile import PoFileError, read_po
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from mailer.errors import Problem, ThemeError
from mailer.language_tags import lookup, primary_of
from mailer.theme_files import ThemeFile, ThemeFiles

__all__ = ["GLOBALS", "SOURCE_LANGUAGE", "TRANSLATIONS", "Said", "SaidHtml", "Words", "words_of"]

#: The language of the words in the templates themselves.
SOURCE_LANGUAGE = "en"

#: The key of the context under which the words are; no template can name it.
TRANSLATIONS = " translations"

_LINE = re.compile(
    r'\s*(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[[0-5]\])?)\s*)?"(?:[^"\\]|\\.)*"\s*)?'
)


@dataclass(frozen=True)
class _Catalogue:
    """One .po file: (context, message) -> its forms, and which form a number takes."""

    messages: Mapping[tuple[str, str], tuple[str, ...]]
    form_of: Callable[[int], int]


class Said(str):
    """Words of the theme, and the tag of the language they are in."""

    __slots__ = ("language",)
    language: str


class SaidHtml(Markup):
    """The same as HTML."""

    __slots__ = ("language",)
    language: str


@dataclass(frozen=True)
class Words:
    """The catalogues to ask, in order. `language` is the tag they are asked for."""

    catalogues: tuple[_Catalogue, ...]
    language: str = SOURCE_LANGUAGE

    def text(self, message: str, about: str = "") -> Said:
        """The translation of a message, or the message."""
        for catalogue in self.catalogues:
            found = catalogue.messages.get((about, message))
            if found:
                return self._said(found[0], self.language)
        return self._said(message)

    def counted(self, one: str, many: str, number: int, about: str = "") -> Said:
        """The translation of a message with a number, in the form that the number takes."""
        for catalogue in self.catalogues:
            found = catalogue.messages.get((about, one))
            if found:
                return self._said(found[min(catalogue.form_of(number), len(found) - 1)], self.language)
        return self._said(one if number == 1 else many)

    def _said(self, text: str, language: str = "") -> Said:
        """The words; those of the templates count as the language's own in every kind of English."""
        said = Said(text)
        ours = primary_of(self.language) == SOURCE_LANGUAGE
        said.language = language or (self.language if ours else SOURCE_LANGUAGE)
        return said


def words_of(files: ThemeFiles, language: str) -> Words:
    """The words for a language tag. Raises ThemeError where a .po file is broken."""
    found = (file for tag in lookup(language) for file in files.catalogues.get(tag, ()))
    return Words(tuple(_catalogue(file) for file in found), language)


@lru_cache(maxsize=64)
def _catalogue(file: ThemeFile) -> _Catalogue:
    for number, line in enumerate(file.text.split("\n"), 1):
        if not _LINE.fullmatch(line):
            raise ThemeError(
                Problem("is not a line of a catalogue; are the quotes closed?", file.path, number)
            )
    try:
        catalogue = read_po(io.BytesIO(file.text.encode()), abort_invalid=True)
        form_of = gettext.c2py(catalogue.plural_expr)
    except (PoFileError, ValueError, LookupError) as error:
        raise ThemeError(Problem(f"is not a catalogue: {error}", file.path)) from None
    messages: dict[tuple[str, str], tuple[str, ...]] = {}
    for message in catalogue:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        name = message.id[0] if isinstance(message.id, tuple | list) else message.id
        if name and all(forms) and not message.fuzzy:
            messages[str(message.context or ""), str(name)] = tuple(str(form) for form in forms)
    return _Catalogue(messages, form_of)


def _words(context: Context) -> Words:
    found: Words = context[TRANSLATIONS]
    return found


def _filled(context: Context, said: Said, values: dict[str, Any], *, trusted: bool) -> Said | SaidHtml:
    """A translation with its values. `%` needs a value only where there are any."""
    text: str = said
    if context.eval_ctx.autoescape:
        text = Markup(said) if trusted else escape(said)  # noqa: S704
    text = text % values if values or trusted else text
    filled = SaidHtml(text) if isinstance(text, Markup) else Said(text)
    filled.language = said.language
    return filled


@pass_context
def _text(context: Context, message: str, /, **values: Any) -> Said | SaidHtml:
    return _filled(context, _words(context).text(message), values, trusted=False)


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> Said | SaidHtml:
    return _filled(context, _words(context).text(message), values, trusted=True)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int, /, **values: Any) -> str:
    text = _words(context).counted(one, many, number)
    return _filled(context, text, {"num": number, **values}, trusted=True)


@pass_context
def _pgettext(context: Context, about: str, message: str, /, **values: Any) -> str:
    return _filled(context, _words(context).text(message, about), values, trusted=True)


@pass_context
def _npgettext(context: Context, about: str, one: str, many: str, number: int, /, **values: Any) -> str:
    text = _words(context).counted(one, many, number, about)
    return _filled(context, text, {"num": number, **values}, trusted=True)


#: What templates call. `{% trans %}` becomes calls of all but `_`, and its body may hold tags.
GLOBALS: dict[str, Any] = {
    "_": _text,
    "gettext": _gettext,
    "ngettext": _ngettext,
    "pgettext": _pgettext,
    "npgettext": _npgettext,
}

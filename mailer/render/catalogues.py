"""The theme's words in the issue's language: gettext catalogues, read from their .po files.

`zh-Hans-CN` asks its own catalogue, then those of `zh-Hans` and `zh`, each the workspace's before the
built-in one; at the end stand the words as the templates have them.
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
from mailer.render.lookup import ThemeFile, ThemeFiles

__all__ = ["GLOBALS", "TRANSLATIONS", "Words", "words_of"]

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


@dataclass(frozen=True)
class Words:
    """The catalogues to ask, in order."""

    catalogues: tuple[_Catalogue, ...]

    def text(self, message: str, about: str = "") -> str:
        """The translation of a message, or the message."""
        for catalogue in self.catalogues:
            found = catalogue.messages.get((about, message))
            if found:
                return found[0]
        return message

    def counted(self, one: str, many: str, number: int, about: str = "") -> str:
        """The translation of a message with a number, in the form that the number takes."""
        for catalogue in self.catalogues:
            found = catalogue.messages.get((about, one))
            if found:
                return found[min(catalogue.form_of(number), len(found) - 1)]
        return one if number == 1 else many


def words_of(files: ThemeFiles, language: str) -> Words:
    """The words for a language tag. Raises ThemeError where a .po file is broken."""
    parts = language.lower().split("-")
    tags = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return Words(tuple(_catalogue(file) for tag in tags for file in files.catalogues.get(tag, ())))


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


def _filled(context: Context, text: str, values: dict[str, Any], *, trusted: bool) -> str:
    """A translation with its values. `%` needs a value only where there are any."""
    if context.eval_ctx.autoescape:
        text = Markup(text) if trusted else escape(text)  # noqa: S704
    return text % values if values or trusted else text


@pass_context
def _text(context: Context, message: str, /, **values: Any) -> str:
    return _filled(context, _words(context).text(message), values, trusted=False)


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> str:
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

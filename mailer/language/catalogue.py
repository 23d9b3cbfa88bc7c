"""Reads gettext catalogues (.po) and translates messages with them, for mails and pages alike.

Several catalogues are tried in order. A message that none of them has stays as it is in the templates, which
are in English.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from babel.messages.pofile import PoFileError, read_po

from mailer.language_tags import SOURCE_LANGUAGE, primary_of

__all__ = ["Catalogue", "Translated", "Translations", "parse_catalogue"]


@dataclass(frozen=True)
class Catalogue:
    """Holds one .po file: (context, message) -> its plural forms, and the number of the form for a count."""

    messages: Mapping[tuple[str, str], tuple[str, ...]]
    form_of: Callable[[int], int]


class Translated(str):
    """Represents a translated text that knows the tag of its language."""

    __slots__ = ("language",)
    language: str


@dataclass(frozen=True)
class Translations:
    """Holds the catalogues to try, in order. `language` is the tag of the language that was asked for."""

    catalogues: tuple[Catalogue, ...] = ()
    language: str = SOURCE_LANGUAGE

    def text(self, message: str, about: str = "") -> Translated:
        """Returns the translation of a message, or the message itself where there is none.

        `about` is the context (msgctxt).
        """
        for catalogue in self.catalogues:
            found = catalogue.messages.get((about, message))
            if found:
                return self._translated(found[0], self.language)
        return self._translated(message)

    def counted(self, one: str, many: str, number: int, about: str = "") -> Translated:
        """Returns the translation of a message with a number, in the plural form of that number."""
        for catalogue in self.catalogues:
            found = catalogue.messages.get((about, one))
            if found:
                form = found[min(catalogue.form_of(number), len(found) - 1)]
                return self._translated(form, self.language)
        return self._translated(one if number == 1 else many)

    def _translated(self, text: str, language: str = "") -> Translated:
        """Returns the text; an untranslated message counts as the language's own in every kind of English."""
        made = Translated(text)
        is_english = primary_of(self.language) == SOURCE_LANGUAGE
        made.language = language or (self.language if is_english else SOURCE_LANGUAGE)
        return made


def parse_catalogue(data: bytes) -> Catalogue:
    """Returns the catalogue of a .po file, without messages that are fuzzy or not translated.

    Raises ValueError with what is wrong where the file is broken.
    """
    try:
        read = read_po(io.BytesIO(data), abort_invalid=True)
        form_of = gettext.c2py(read.plural_expr)
    except (PoFileError, ValueError, LookupError) as error:
        raise ValueError(str(error)) from None
    messages: dict[tuple[str, str], tuple[str, ...]] = {}
    for message in read:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        name = message.id[0] if isinstance(message.id, tuple | list) else message.id
        if name and all(forms) and not message.fuzzy:
            messages[str(message.context or ""), str(name)] = tuple(str(form) for form in forms)
    return Catalogue(messages, form_of)

"""Reads gettext catalogues (.po) and translates messages with them, for mails and web pages.

Several catalogues are tried in order. A message that no catalogue translates stays as it is in the templates,
which are in English.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from babel.messages.pofile import PoFileError, read_po

from mailer.language_tags import SOURCE_LANGUAGE, primary_language

__all__ = ["Catalogue", "TranslatedText", "Translations", "parse_catalogue"]


@dataclass(frozen=True)
class Catalogue:
    """Holds the translations of one .po file.

    `messages` has the plural forms of each translation by (context, message). `plural_form_of` returns the
    index of the plural form for a count.
    """

    messages: Mapping[tuple[str, str], tuple[str, ...]]
    plural_form_of: Callable[[int], int]


class TranslatedText(str):
    """Represents a translated text together with the tag of its language."""

    __slots__ = ("language",)
    language: str


@dataclass(frozen=True)
class Translations:
    """Holds the catalogues to try, in order. `language` is the tag of the language to translate into."""

    catalogues: tuple[Catalogue, ...] = ()
    language: str = SOURCE_LANGUAGE

    def translate(self, message: str, context: str = "") -> TranslatedText:
        """Returns the translation of `message`, or the message itself if there is none.

        `context` is the context of the message in the catalogue (msgctxt).
        """
        for catalogue in self.catalogues:
            found = catalogue.messages.get((context, message))
            if found:
                return self._with_language_tag(found[0], self.language)
        return self._with_language_tag(message)

    def translate_plural(self, singular: str, plural: str, count: int, context: str = "") -> TranslatedText:
        """Returns the translation of a message in the plural form for `count`.

        If there is none, returns `singular` or `plural`. `context` is the context in the catalogue (msgctxt).
        """
        for catalogue in self.catalogues:
            found = catalogue.messages.get((context, singular))
            if found:
                form = found[min(catalogue.plural_form_of(count), len(found) - 1)]
                return self._with_language_tag(form, self.language)
        return self._with_language_tag(singular if count == 1 else plural)

    def _with_language_tag(self, text: str, language: str = "") -> TranslatedText:
        """Returns `text` with the tag of its language.

        `language` is "" for an untranslated text, which is English. Its tag is then the one that was asked
        for if that is a kind of English, else `en`.
        """
        translated = TranslatedText(text)
        is_english = primary_language(self.language) == SOURCE_LANGUAGE
        translated.language = language or (self.language if is_english else SOURCE_LANGUAGE)
        return translated


def parse_catalogue(data: bytes) -> Catalogue:
    """Returns the catalogue in the bytes of a .po file, without fuzzy and untranslated messages.

    Raises ValueError with the reason if the file is broken.
    """
    try:
        read = read_po(io.BytesIO(data), abort_invalid=True)
        plural_form_of = gettext.c2py(read.plural_expr)
    except (PoFileError, ValueError, LookupError) as error:
        raise ValueError(str(error)) from None
    messages: dict[tuple[str, str], tuple[str, ...]] = {}
    for message in read:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        name = message.id[0] if isinstance(message.id, tuple | list) else message.id
        if name and all(forms) and not message.fuzzy:
            messages[str(message.context or ""), str(name)] = tuple(str(form) for form in forms)
    return Catalogue(messages, plural_form_of)

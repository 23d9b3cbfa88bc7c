"""Translates the texts of the pages for readers, also into the languages of readers who are not known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from markupsafe import Markup, escape

from mailer.language.catalogue import TranslatedText
from mailer.language.reader_language import choose_language, page_translations
from mailer.language.template_functions import TranslatedHtml
from mailer.language_tags import primary_language

__all__ = ["PageWords"]

_HAN = "\u2e80-\u9fff\uf900-\ufaff"
_NAME = re.compile(r"(?<!《)\{name\}(?!》)")


class PageWords:
    """Translates texts into the language `language`, with the catalogues in `theme_folders`.

    `edition_languages` are the language tags of the editions: one of them is that of an unknown reader.
    """

    def __init__(
        self, language: str, theme_folders: tuple[Path, ...], edition_languages: Iterable[str]
    ) -> None:
        self._language = language
        self._folders = theme_folders
        self._editions = tuple(dict.fromkeys(edition_languages))

    def translate(self, text: str, **values: object) -> TranslatedText | TranslatedHtml:
        """Returns the translation of `text`, with `values` in place of its placeholders, such as `{name}`.

        If a value is HTML, the translation is escaped and is HTML too. In Chinese, a `name` that is written
        with Chinese characters gets book title marks, and any other name gets spaces around it.
        """
        return self._translated(self._language, text, values)

    def elsewhere(self, text: str, **values: object) -> tuple[TranslatedText | TranslatedHtml, ...]:
        """Returns `text` in each language of the editions whose words differ from those of the page.

        Each translation has the tag of its language as `language`.
        """
        shown = {str(self.translate(text, **values))}
        found: list[TranslatedText | TranslatedHtml] = []
        for tag in self._editions:
            words = self._translated(choose_language((tag,), self._folders), text, values)
            if str(words) not in shown:
                shown.add(str(words))
                found.append(words)
        return tuple(found)

    def _translated(
        self, language: str, text: str, values: Mapping[str, object]
    ) -> TranslatedText | TranslatedHtml:
        found = page_translations(language, self._folders).translate(text)
        message = str(found)
        if "name" in values and primary_language(found.language) == "zh":
            message = _with_name_in_chinese(message, str(values["name"]))
        if any(isinstance(value, Markup) for value in values.values()):
            html = TranslatedHtml(escape(message).format(**values))
            html.language = found.language.replace("_", "-")
            return html
        filled = TranslatedText(message.format(**values) if values else message)
        filled.language = found.language.replace("_", "-")
        return filled


def _with_name_in_chinese(message: str, name: str) -> str:
    """Returns a Chinese message with the marks or spaces around `{name}` that the name `name` needs."""
    if re.search(f"[{_HAN}]", name):
        return _NAME.sub("《{name}》", message)
    return re.sub(
        rf"(?<=[{_HAN}])\{{name\}}", " {name}", re.sub(rf"\{{name\}}(?=[{_HAN}])", "{name} ", message)
    )

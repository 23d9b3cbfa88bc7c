"""Loads the translations for an issue's templates from the `mailer.po` files of a theme.

`zh-Hant-TW` uses its own catalogue, then those of `zh-TW`, `zh-Hant` and `zh`. For each language the
catalogue of the workspace comes before the built-in one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mailer.errors import Problem, ThemeError
from mailer.language.catalogue import Catalogue, Translations, parse_catalogue
from mailer.language_tags import fallback_tags
from mailer.theme_files import ThemeFile, ThemeFiles

__all__ = ["theme_translations"]

_LINE = re.compile(
    r'\s*(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[[0-5]\])?)\s*)?"(?:[^"\\]|\\.)*"\s*)?'
)


def theme_translations(files: ThemeFiles, language: str) -> Translations:
    """Returns the translations of a theme for a language tag. Raises ThemeError if a .po file is broken."""
    found = (file for tag in fallback_tags(language) for file in files.catalogues.get(tag, ()))
    return Translations(tuple(_load_catalogue(file) for file in found), language)


@lru_cache(maxsize=64)
def _load_catalogue(file: ThemeFile) -> Catalogue:
    for number, line in enumerate(file.text.split("\n"), 1):
        if not _LINE.fullmatch(line):
            raise ThemeError(
                Problem(
                    "is not a valid line of a gettext catalogue; check that the quotes are closed",
                    file.path,
                    number,
                )
            )
    try:
        return parse_catalogue(file.text.encode())
    except ValueError as error:
        raise ThemeError(
            Problem(f"cannot be read as a gettext catalogue: {error}; correct the file", file.path)
        ) from None

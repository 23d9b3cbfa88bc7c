"""Chooses the language of a page for a reader, and loads its translations: the `web.po` files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from mailer.errors import Problem, ThemeError
from mailer.language.catalogue import Catalogue, Translations, parse_catalogue
from mailer.language_tags import SOURCE_LANGUAGE, is_language_tag, lookup

__all__ = ["accepted", "choose", "known_locale", "page_translations"]

_DOMAIN = "web.po"
_LONGEST_HEADER = 1000
#: A language and how much it is wanted: `zh-CN;q=0.8`.
_RANGE = re.compile(r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def choose(wishes: Iterable[str], folders: tuple[Path, ...]) -> str:
    """Returns the first of the wanted languages that has a catalogue; English where none has."""
    for wish in wishes:
        locale = known_locale(wish)
        if locale is None:
            continue
        for name in _names(str(locale)):
            if locale.language == SOURCE_LANGUAGE or _own_files(name, folders):
                return name
    return SOURCE_LANGUAGE


def accepted(header: str) -> tuple[str, ...]:
    """Returns the languages of an Accept-Language header (RFC 9110, 12.5.4), the most preferred first."""
    weighed: list[tuple[float, str]] = []
    for part in header[:_LONGEST_HEADER].split(","):
        found = _RANGE.fullmatch(part)
        if found and (weight := float(found[2] or 1)) > 0:
            weighed.append((weight, found[1]))
    return tuple(tag for _, tag in sorted(weighed, key=lambda one: -one[0]))


def known_locale(tag: object) -> Locale | None:
    """Returns the locale of a language field such as `zh-CN`, `ZH` or `en_GB`; None where it is no language.

    The field may hold anything (earlier versions accepted any text after `en@`), and the result goes into a
    header.
    """
    plain = tag.replace("_", "-") if isinstance(tag, str) else ""
    if not is_language_tag(plain):
        return None
    try:
        locale = Locale.parse(plain, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return None
    return locale if is_language_tag(str(locale).replace("_", "-")) else None


@lru_cache(maxsize=64)
def page_translations(language: str, folders: tuple[Path, ...]) -> Translations:
    """Returns the translations for a language: the nearest catalogue first, that of the first folder first.

    Raises ThemeError for a broken file, and OSError for one that cannot be read.
    """
    return Translations(tuple(_catalogue(path) for path in _files(language, folders)), language)


def _catalogue(path: Path) -> Catalogue:
    try:
        return parse_catalogue(path.read_bytes())
    except ValueError as error:
        raise ThemeError(Problem(f"cannot be read as a gettext catalogue: {error}", str(path))) from None


def _names(language: str) -> list[str]:
    """Returns the folder names of the catalogues that a language may use, the nearest first:

    `zh_Hant_TW` … `zh`.
    """
    return list(dict.fromkeys(_spelt(tag) for tag in lookup(language)))


def _spelt(tag: str) -> str:
    """Returns a tag in the spelling of folder names: `zh_Hant_TW`."""
    first, *others = tag.split("-")
    return "_".join([first, *(part.title() if len(part) == 4 else part.upper() for part in others)])


def _own_files(language: str, folders: tuple[Path, ...]) -> list[Path]:
    places = [folder / "locale" / language / "LC_MESSAGES" / _DOMAIN for folder in folders]
    return [place for place in places if place.is_file()]


def _files(language: str, folders: tuple[Path, ...]) -> list[Path]:
    """Returns the catalogues of a language and of its relatives, the nearest first."""
    return [file for name in _names(language) for file in _own_files(name, folders)]

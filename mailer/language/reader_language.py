"""Chooses the language of a web page for a reader, and loads its translations from `web.po` files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from mailer.errors import Problem, ThemeError
from mailer.language.catalogue import Catalogue, Translations, parse_catalogue
from mailer.language_tags import SOURCE_LANGUAGE, fallback_tags, is_language_tag

__all__ = ["accepted_languages", "choose_language", "known_locale", "page_translations"]

_DOMAIN = "web.po"
_LONGEST_HEADER = 1000
#: A language and the weight of the wish for it: `zh-CN;q=0.8`.
_RANGE = re.compile(r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def choose_language(wanted_languages: Iterable[str], theme_folders: tuple[Path, ...]) -> str:
    """Returns the first of the wanted languages that has a catalogue in a folder, or English if none has."""
    for wish in wanted_languages:
        locale = known_locale(wish)
        if locale is None:
            continue
        for name in _catalogue_folder_names(str(locale)):
            if locale.language == SOURCE_LANGUAGE or _catalogue_paths_in(name, theme_folders):
                return name
    return SOURCE_LANGUAGE


def accepted_languages(header: str) -> tuple[str, ...]:
    """Returns the language tags in an Accept-Language header (RFC 9110, 12.5.4), the most preferred first."""
    weighed: list[tuple[float, str]] = []
    for part in header[:_LONGEST_HEADER].split(","):
        found = _RANGE.fullmatch(part)
        if found and (weight := float(found[2] or 1)) > 0:
            weighed.append((weight, found[1]))
    return tuple(tag for _, tag in sorted(weighed, key=lambda one: -one[0]))


def known_locale(tag: object) -> Locale | None:
    """Returns the locale of a language tag such as `zh-CN`, `ZH` or `en_GB`; None if it is not known.

    `tag` may be any value, because earlier versions stored any text as the language of a reader. The name of
    the returned locale can be written into a header.
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
def page_translations(language: str, theme_folders: tuple[Path, ...]) -> Translations:
    """Returns the translations for a language tag, those of the nearest language first.

    Of the same language, those of the first theme folder come first. Raises ThemeError if a catalogue is
    broken, and OSError if it cannot be read.
    """
    return Translations(
        tuple(_load_catalogue(path) for path in _catalogue_paths(language, theme_folders)), language
    )


def _load_catalogue(path: Path) -> Catalogue:
    try:
        return parse_catalogue(path.read_bytes())
    except ValueError as error:
        raise ThemeError(
            Problem(f"cannot be read as a gettext catalogue: {error}; correct the file", str(path))
        ) from None


def _catalogue_folder_names(language: str) -> list[str]:
    """Returns the names of the folders whose catalogues can be used for a language, the nearest first.

    They are, for example, `zh_Hant_TW`, `zh_Hant` and `zh`.
    """
    return list(dict.fromkeys(_locale_folder_name(tag) for tag in fallback_tags(language)))


def _locale_folder_name(tag: str) -> str:
    """Returns a language tag in the spelling of folder names: `zh_Hant_TW`."""
    first, *others = tag.split("-")
    return "_".join([first, *(part.title() if len(part) == 4 else part.upper() for part in others)])


def _catalogue_paths_in(folder_name: str, theme_folders: tuple[Path, ...]) -> list[Path]:
    places = [folder / "locale" / folder_name / "LC_MESSAGES" / _DOMAIN for folder in theme_folders]
    return [place for place in places if place.is_file()]


def _catalogue_paths(language: str, theme_folders: tuple[Path, ...]) -> list[Path]:
    """Returns the paths of the catalogues that can be used for a language, the nearest language first."""
    return [
        file
        for name in _catalogue_folder_names(language)
        for file in _catalogue_paths_in(name, theme_folders)
    ]

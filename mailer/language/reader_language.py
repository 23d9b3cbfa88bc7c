"""The readers' languages: which one a page is in, and its strings (gettext catalogues `web.po`)."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from mailer.errors import Problem, ThemeError
from mailer.language_tags import is_language_tag, lookup

__all__ = ["SOURCE_LANGUAGE", "accepted", "catalogue", "choose", "locale_of"]

#: The language of the strings in the templates themselves.
SOURCE_LANGUAGE = "en"
_DOMAIN = "web.po"
_LONGEST_HEADER = 1000
#: A language and how much it is wanted: `zh-CN;q=0.8`.
_RANGE = re.compile(r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def choose(wishes: Iterable[str], folders: tuple[Path, ...]) -> str:
    """The first of the wished languages that there are strings for; English where there is none."""
    for wish in wishes:
        locale = locale_of(wish)
        if locale is None:
            continue
        for name in _names(str(locale)):
            if locale.language == SOURCE_LANGUAGE or _own_files(name, folders):
                return name
    return SOURCE_LANGUAGE


def accepted(header: str) -> tuple[str, ...]:
    """The languages of an Accept-Language header (RFC 9110 section 12.5.4), the most wanted first."""
    weighed: list[tuple[float, str]] = []
    for part in header[:_LONGEST_HEADER].split(","):
        found = _RANGE.fullmatch(part)
        if found and (weight := float(found[2] or 1)) > 0:
            weighed.append((weight, found[1]))
    return tuple(tag for _, tag in sorted(weighed, key=lambda one: -one[0]))


def locale_of(tag: object) -> Locale | None:
    """What a subscriber's language field means: `zh-CN`, `ZH`, `en_GB`; None where it means nothing.

    The field may hold anything (earlier versions took any text after `en@`), and what it means goes into a
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
def catalogue(language: str, folders: tuple[Path, ...]) -> gettext.NullTranslations:
    """The strings of a language, those of the nearest one and of the first folder before others.

    Raises ThemeError for a broken file.
    """
    chain: gettext.NullTranslations | None = None
    for path in _files(language, folders):
        try:
            with path.open("rb") as file:
                read = read_po(file, abort_invalid=True)
        except (PoFileError, ValueError) as error:
            raise ThemeError(Problem(f"cannot be read as a gettext catalogue: {error}", str(path))) from None
        compiled = io.BytesIO()
        write_mo(compiled, read)
        compiled.seek(0)
        strings = gettext.GNUTranslations(compiled)
        if chain is None:
            chain = strings
        else:
            chain.add_fallback(strings)
    return chain or gettext.NullTranslations()


def _names(language: str) -> list[str]:
    """The names of the folders whose strings a language may use, the nearest first: `zh_Hant_TW` … `zh`."""
    return list(dict.fromkeys(_spelt(tag) for tag in lookup(language)))


def _spelt(tag: str) -> str:
    """A tag as folders are named: `zh_Hant_TW`."""
    first, *others = tag.split("-")
    return "_".join([first, *(part.title() if len(part) == 4 else part.upper() for part in others)])


def _own_files(language: str, folders: tuple[Path, ...]) -> list[Path]:
    places = [folder / "locale" / language / "LC_MESSAGES" / _DOMAIN for folder in folders]
    return [place for place in places if place.is_file()]


def _files(language: str, folders: tuple[Path, ...]) -> list[Path]:
    """The catalogues of a language and of its relatives, the nearest first."""
    return [file for name in _names(language) for file in _own_files(name, folders)]

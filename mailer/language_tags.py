"""Reads language tags (BCP 47): their spelling, script and direction, and the tags to fall back to.

Babel has data for some 300 languages. Any other tag is valid in a `lang` attribute too, so nothing here fails
on one: its dates are written as those of its nearest relative, else in English.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_global

__all__ = [
    "SOURCE_LANGUAGE",
    "direction_of",
    "is_language_tag",
    "language_tag",
    "locale_of",
    "lookup",
    "primary_of",
    "script_of",
]

#: The longest tag that must be kept whole (RFC 5646 section 4.4.1).
LONGEST_LANGUAGE = 35
_KEPT = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
#: The language of the messages in the templates themselves.
SOURCE_LANGUAGE = "en"
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[a-z0-9](?:-[a-z0-9]{1,8})+)*)"
)
#: Codes that are never assigned to a country (RFC 5646 section 2.2.4).
_PRIVATE_REGION = re.compile(r"AA|Q[M-Z]|X[A-Z]|ZZ")
#: The scripts that run from right to left (Unicode, Bidi_Class R and AL).
_RIGHT_TO_LEFT = frozenset(
    "Adlm Arab Aran Armi Avst Chrs Cprt Elym Gara Hatr Hebr Hung Khar Lydi Mand Mani Mend Merc "  # noqa: SIM905
    "Mero Narb Nbat Nkoo Orkh Ougr Palm Perm Phli Phlp Phnx Prti Rohg Samr Sarb Sogd Sogo Syrc Syre Syrj "
    "Syrn Thaa Yezi".split()
)


def is_language_tag(text: str) -> bool:
    """Returns whether `text` has the form of a language tag, such as in an HTTP header."""
    return len(text) <= LONGEST_LANGUAGE and _KEPT.fullmatch(text) is not None


def language_tag(text: str) -> str:
    """Returns the tag in its usual spelling: `zh-Hant-TW` for `zh_tw`. Raises ValueError."""
    found = _TAG.fullmatch(text.replace("_", "-").lower()) if len(text) <= 35 else None
    if found is None:
        raise ValueError("not a language tag")
    try:
        locale = Locale.parse(text.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return _spelt(found)
    if found["rest"] or (found["script"] or "").title() not in ("", locale.script):
        return _spelt(found)  # Babel drops the parts that it does not know
    return str(locale).replace("_", "-")


def _spelt(found: re.Match[str]) -> str:
    """Returns the parts of a tag in their usual letter case, where each of them is known."""
    script, region = (found["script"] or "").title(), (found["region"] or "").upper()
    english = Locale(SOURCE_LANGUAGE)
    if (
        found["language"] not in english.languages
        or (script and script not in english.scripts)
        or (region and region not in english.territories and not _PRIVATE_REGION.fullmatch(region))
    ):
        raise ValueError("not a language tag")
    return "-".join(filter(None, (found["language"], script, region))) + found["rest"]


@lru_cache(maxsize=512)
def locale_of(tag: str) -> Locale:
    """Returns the locale for dates and numbers of a text in this language, or the nearest one."""
    for name in lookup(tag):
        try:
            return Locale.parse(name.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale(SOURCE_LANGUAGE)


@lru_cache(maxsize=512)
def direction_of(tag: str) -> Literal["ltr", "rtl"]:
    """Returns the direction of a language, by the script of the tag or the usual one of the language."""
    return "rtl" if script_of(tag) in _RIGHT_TO_LEFT else "ltr"


def primary_of(tag: str) -> str:
    """Returns the language of a tag without script and country, in lower case."""
    return re.split(r"[-_]", tag, maxsplit=1)[0].lower()


@lru_cache(maxsize=512)
def lookup(tag: str) -> tuple[str, ...]:
    """Returns the tags whose translations `tag` may use, in lower case, the nearest first.

    `zh-TW` may use zh-tw, zh-hant-tw, zh-hant, zh: a country implies a script.
    """
    plain = tag.replace("_", "-").lower()
    found = _TAG.fullmatch(plain)
    if found is None:
        return (plain,)
    language, region = found["language"], found["region"]
    script = (script_of(plain) if region and not found["script"] else found["script"] or "").lower()
    chain = [(script, region), (script, "")]
    if script_of(f"{language}-{region}").lower() == script:
        chain.insert(1, ("", region))
    names = ["-".join(filter(None, (language, *parts))) for parts in chain]
    return tuple(dict.fromkeys((plain, *names, language)))


def script_of(tag: str) -> str:
    """Returns the script that a language is written in, such as `Arab`; "" where it is not known."""
    found = _TAG.fullmatch(tag.replace("_", "-").lower())
    if found is None:
        return ""
    if found["script"]:
        return found["script"].title()
    likely: dict[str, str] = get_global("likely_subtags")  # type: ignore[assignment]
    language, region = found["language"], (found["region"] or "").upper()
    full = likely.get(f"{language}_{region}") or likely.get(language) or ""
    return next((part for part in full.split("_")[1:] if len(part) == 4), "")

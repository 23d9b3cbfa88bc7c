"""Reads language tags (BCP 47): their spelling, script and direction, and the tags to fall back to.

Babel has data for about 300 languages, and a `lang` attribute may name others too. Dates in a language
without data are written as in its nearest relative with data, else in English.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_global

import mailer.locale_data  # noqa: F401 (keeps locales apart)

__all__ = [
    "SOURCE_LANGUAGE",
    "direction_of",
    "is_language_tag",
    "normalised_language_tag",
    "locale_of",
    "fallback_tags",
    "nearest_tag",
    "primary_language",
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
    """Returns whether `text` has the form of a language tag such as `zh-Hant-TW`, known or not."""
    return len(text) <= LONGEST_LANGUAGE and _KEPT.fullmatch(text) is not None


def normalised_language_tag(text: str) -> str:
    """Returns a language tag in its usual spelling: `zh-Hant-TW` for `zh_tw`.

    Raises ValueError if `text` is not a language tag, or has a part that is not known.
    """
    found = _TAG.fullmatch(text.replace("_", "-").lower()) if len(text) <= 35 else None
    if found is None:
        raise ValueError("not a language tag")
    try:
        locale = Locale.parse(text.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return _with_usual_letter_case(found)
    if found["rest"] or (found["script"] or "").title() not in ("", locale.script):
        return _with_usual_letter_case(found)  # Babel drops the parts that it does not know
    return str(locale).replace("_", "-")


def _with_usual_letter_case(match: re.Match[str]) -> str:
    """Returns a tag with each part in its usual letter case. Raises ValueError for unknown parts.

    `match` is a match of the pattern `_TAG` with the tag in lower case.
    """
    script, region = (match["script"] or "").title(), (match["region"] or "").upper()
    english = Locale(SOURCE_LANGUAGE)
    if (
        match["language"] not in english.languages
        or (script and script not in english.scripts)
        or (region and region not in english.territories and not _PRIVATE_REGION.fullmatch(region))
    ):
        raise ValueError("not a language tag")
    return "-".join(filter(None, (match["language"], script, region))) + match["rest"]


@lru_cache(maxsize=512)
def locale_of(tag: str) -> Locale:
    """Returns the locale for dates and numbers in the language `tag`, or that of its nearest relative.

    If Babel knows no relative, the locale is English.
    """
    for name in fallback_tags(tag):
        try:
            return Locale.parse(name.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale(SOURCE_LANGUAGE)


@lru_cache(maxsize=512)
def direction_of(tag: str) -> Literal["ltr", "rtl"]:
    """Returns the writing direction of a language, by the script in its tag or else by its usual script."""
    return "rtl" if script_of(tag) in _RIGHT_TO_LEFT else "ltr"


def primary_language(tag: str) -> str:
    """Returns the language of a tag without script and country, in lower case."""
    return re.split(r"[-_]", tag, maxsplit=1)[0].lower()


@lru_cache(maxsize=512)
def fallback_tags(tag: str) -> tuple[str, ...]:
    """Returns the tags whose translations can be used for `tag`, in lower case, the nearest first.

    For `zh-TW` these are zh-tw, zh-hant-tw, zh-hant and zh, because a country implies a script.
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


def nearest_tag(wanted: str, known: Collection[str]) -> str | None:
    """Returns the tag of `known` whose text can be used for the language `wanted`, or None if there is none.

    The tags that `wanted` falls back to come first, the nearest first. Then come other tags of the same
    language, those of the same script first.
    """
    by_spelling = {tag.lower(): tag for tag in known}
    for tag in fallback_tags(wanted):
        if tag in by_spelling:
            return by_spelling[tag]
    related = [tag for tag in known if primary_language(tag) == primary_language(wanted)]
    same_script = [tag for tag in related if script_of(tag) == script_of(wanted)]
    return next(iter((*same_script, *related)), None)


def script_of(tag: str) -> str:
    """Returns the code of the script in which the language `tag` is written: `Arab`, or "" if unknown."""
    found = _TAG.fullmatch(tag.replace("_", "-").lower())
    if found is None:
        return ""
    if found["script"]:
        return found["script"].title()
    likely: dict[str, str] = get_global("likely_subtags")  # type: ignore[assignment]
    language, region = found["language"], (found["region"] or "").upper()
    full = likely.get(f"{language}_{region}") or likely.get(language) or ""
    return next((part for part in full.split("_")[1:] if len(part) == 4), "")

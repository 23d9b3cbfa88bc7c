"""Computes how likely a text is as the content of a list: the logarithm of the probability of its letters.

The text is what one encoding makes of a file's bytes. In the right encoding, letters belong to one language,
are combined to words as usual, and are in common use. A wrong encoding gives mixed scripts, signs within
words, capitals after small letters, or characters that are not used in names.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from mailer.audience.exchange.files.letters import (
    ALPHABETS,
    HANGUL,
    HANGUL_SURNAMES,
    KANJI,
    NOT_BEFORE,
    SURNAMES,
    common_hanzi,
    is_common_character,
)

__all__ = ["EAST_ASIAN", "LANGUAGES", "Likelihood", "log_likelihood"]

EAST_ASIAN = ("gb18030", "cp950", "big5hkscs", "cp949", "euc_jp", "cp932")
_WEST = "de fr es ca pt it nl sv da fi sq"
_CENTRAL = "de pl cs sk hu ro hr sq"
_CYRILLIC = "ru uk be bg sr"
#: The languages that are written in each single-byte encoding.
LANGUAGES = {
    codec: tuple(languages.split())
    for codec, languages in {
        "cp1252": f"{_WEST} is et",
        "iso8859_15": f"{_WEST} is et",
        "cp1250": _CENTRAL,
        "iso8859_2": _CENTRAL,
        "cp1251": _CYRILLIC,
        "koi8_r": "ru",
        "koi8_u": "ru uk",
        "iso8859_5": _CYRILLIC,
        "cp866": "ru be",
        "mac_cyrillic": _CYRILLIC,
        "cp1253": "el",
        "iso8859_7": "el",
        "cp1254": f"tr {_WEST}",
        "cp1257": "lt lv et de pl",
        "cp1255": "he",
        "cp1256": "ar",
        "cp1258": "vi",
        "cp874": "th",
        "mac_roman": _WEST,
        "mac_latin2": _CENTRAL,
        "mac_turkish": "tr",
        "mac_greek": "el",
        "cp850": f"{_WEST} is",
        "cp437": _WEST,
        "cp852": _CENTRAL,
        "cp857": "tr",
        "cp737": "el",
    }.items()
}
_NOT_LATIN = frozenset(("ru", "uk", "be", "bg", "sr", "el", "he", "ar", "th"))
_CELL = re.compile(r'[^,;|\t"\r\n]+')
_JOINING = frozenset("\u2019\u2018\u00b7\u2013\u2010\u2011\u00b4")
_ORDINARY = frozenset(
    "\u2019\u2018\u201c\u201d\u201e\u2013\u2014\u2026\u00b7\u00b0\u2116\u00ab\u00bb\u20ac\u00a3\u00a7\u00a9\u00ae\u00a0\u00aa\u00ba\u00bf\u00a1\u00b4"
)
_FINAL = frozenset("\u03c2\u05da\u05dd\u05df\u05e3\u05e5")
_NEVER_FIRST = frozenset("\u044a\u044b\u044c\u042a\u042b\u042c\u0131\u011f\u0131\u00df\u00ff\u0178")


@dataclass(slots=True)
class Likelihood:
    """Holds the likelihood of a text as a logarithm.

    `characters` is the number of characters beyond ASCII, and `odd` the number of those that are unusual in a
    list.
    """

    log: float = 0.0
    characters: int = 0
    odd: int = 0

    def add_character(self, log_probability: float, *, is_odd: bool) -> None:
        """Adds one character. `is_odd` is true if the character is unusual in a list."""
        self.log += log_probability
        self.characters += 1
        self.odd += is_odd

    @property
    def is_plausible(self) -> bool:
        """Returns whether the text may be a list: at most a quarter of the counted characters are odd."""
        return self.odd * 4 <= self.characters


def log_likelihood(codec: str, text: str) -> Likelihood:
    """Returns the likelihood of the text that `codec` made of a file. Repeated cells count once."""
    cells = [cell.strip() for cell in dict.fromkeys(_CELL.findall(text)) if not cell.isascii()]
    if codec in EAST_ASIAN:
        return _east_asian_likelihood(codec, cells)
    if codec == "cp1258":
        cells = [unicodedata.normalize("NFC", cell) for cell in cells]
    weights = [_alphabetic_likelihood(language, cells) for language in LANGUAGES[codec]]
    return max(weights, key=lambda weight: weight.log)


@cache
def _log_frequencies_of_letters(language: str) -> dict[str, float]:
    letters = ALPHABETS[language]
    shares = {letter: 1 / (rank + 1.5) for rank, letter in enumerate(letters)}
    if language == "tr":
        shares["\u0130"] = 0.2
    for letter in letters:
        capital = letter.upper()
        if len(capital) == 1 and capital != letter:
            shares[capital] = shares[letter] * 0.3
    total = sum(shares.values()) / 0.95
    return {letter: math.log(share / total) for letter, share in shares.items()}


def _alphabetic_likelihood(language: str, cells: list[str]) -> Likelihood:
    frequencies = _log_frequencies_of_letters(language)
    foreign = -11.0 if language in _NOT_LATIN else -8.0
    weight = Likelihood()
    for cell in cells:
        run = 0
        capitals = cell.isupper()
        for place, character in enumerate(cell):
            if character < "\x80":
                run = 0
                continue
            before = cell[place - 1 : place]
            after = cell[place + 1 : place + 2]
            if unicodedata.category(character)[0] not in "LM":
                log = _punctuation_log_probability(character, before, after)
                if language in _NOT_LATIN and after.isalpha() and not before.isalpha():
                    log -= 6
                weight.add_character(log, is_odd=character not in _ORDINARY)
                run = 0
                continue
            run += 1
            letter = character.lower() if capitals and len(character.lower()) == 1 else character
            odd = letter not in frequencies
            log = frequencies.get(letter, foreign if _is_latin_letter(character) else -13.0)
            fault = _neighbour_penalty(character, before, after)
            if (after.lower() if after.isalpha() else " ") in NOT_BEFORE.get(
                (language, character.lower()), ""
            ):
                fault += 4
            if len(cell) == 2 and cell.islower():
                fault += 4  # no name of two small letters is known
            if language in _NOT_LATIN:
                fault += 6 * (_is_ascii_letter(before) + _is_ascii_letter(after))
            elif run > 3 and language != "vi":
                fault += 4
            elif run == 2 and not after.isalpha() and not cell[max(place - 2, 0) : place - 1].isalpha():
                fault += 8  # a word of two letters, none of them of ASCII
            weight.add_character(log - fault, is_odd=odd or fault > 0)
    return weight


def _neighbour_penalty(character: str, before: str, after: str) -> float:
    """Returns how unusual a letter is between the characters `before` and `after` it, from 0 (usual) to 7."""
    if character.isupper():
        if before.islower():
            return 7
        if before.isupper() and after.islower():
            return 5
    elif character.islower() and before.isupper() and after.isupper():
        return 3
    if character in _FINAL and after.isalpha():
        return 5
    if not before.isalpha():
        if character in _NEVER_FIRST:
            return 5
        if character.islower() and after.islower():
            return 1
    return 0


def _punctuation_log_probability(character: str, before: str, after: str) -> float:
    if unicodedata.category(character) in ("Cc", "Co", "Cn", "Cs"):
        return -18
    letters = before.isalpha() + after.isalpha()
    if character in _JOINING:
        return -4 if after.isalpha() else -8
    if character in _ORDINARY:
        return (-6.0, -7.0, -12.0)[letters]
    return (-10.0, -12.0, -14.0)[letters]


def _is_ascii_letter(text: str) -> bool:
    return text.isascii() and text.isalpha()


@cache
def _is_latin_letter(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN")


def _east_asian_likelihood(codec: str, cells: list[str]) -> Likelihood:
    weight = Likelihood()
    for cell in cells:
        is_name = 2 <= len(cell) <= 4 and not any(one < "\x80" for one in cell)
        scripts = {_script_of(one) for one in cell}
        for place, character in enumerate(cell):
            if character < "\x80":
                continue
            log, odd = _east_asian_log_probability(codec, character)
            if is_name and not place and not odd:
                if codec == "cp949" and character in HANGUL_SURNAMES:
                    log = -3.9
                elif codec in ("gb18030", "cp950", "big5hkscs") and character in SURNAMES:
                    log = -4.7
            if codec == "cp949" and len(scripts & {"hangul", "han"}) == 2:
                log -= 2
            beside = cell[max(place - 1, 0) : place] + cell[place + 1 : place + 2]
            log -= 3 * sum(_is_ascii_letter(one) for one in beside)
            weight.add_character(log, is_odd=odd)
    return weight


def _script_of(character: str) -> str:
    if "\uac00" <= character <= "\ud7a3":
        return "hangul"
    if "\u3040" <= character <= "\u30ff":
        return "kana"
    if "\uff61" <= character <= "\uff9f":
        return "half-width"
    if "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff":
        return "han"
    if "\u3000" <= character <= "\u303f" or "\uff01" <= character <= "\uff5e":
        return "signs"
    return ""


@cache
def _east_asian_log_probability(codec: str, character: str) -> tuple[float, bool]:
    """Returns the logarithm of a character's probability in a list of subscribers, and whether the character
    is unusual there.

    `codec` implies the language of the list: gb18030 means Chinese.
    """
    script = _script_of(character)
    japanese = codec in ("cp932", "euc_jp")
    if script == "signs":
        return -8.0, False
    if script == "hangul" and codec == "cp949":
        if character in HANGUL:
            return -5.6, False
        return (-9.5, False) if is_common_character(codec, character) else (-13.0, True)
    if script == "kana":
        return (-5.5, False) if japanese else (-11.0, True)
    if script == "half-width" and codec == "cp932":
        return -7.0, False
    if script == "han" and codec != "cp949":
        return _han_log_probability(codec, character)
    if script == "han":
        return -12.0, True
    odd = unicodedata.category(character) in ("Cc", "Co", "Cn", "Cs")
    return (-18.0, True) if odd else (-13.0, True)


def _han_log_probability(codec: str, character: str) -> tuple[float, bool]:
    japanese = codec in ("cp932", "euc_jp")
    if character in (KANJI if japanese else common_hanzi(codec != "gb18030")):
        return -6.8, False
    if codec == "gb18030" and character in common_hanzi(True):  # traditional Chinese is kept in GBK too
        return -8.0, False
    if is_common_character(codec, character):
        return -10.0, False
    if codec == "gb18030" and is_common_character("cp950", character):
        return -11.5, False
    return -14.0, True

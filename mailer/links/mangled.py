"""Repairs tokens that mail programs, gateways or people changed on the way.

Nothing here decides what a link means: `possible_texts` only returns texts in which `tokens` may look, and
`begins_with` compares two of them within some edits. A token is accepted only if its signature is exactly
right.
"""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

__all__ = ["begins_with", "possible_texts"]

#: Longer than any link; the rest of a longer text is ignored.
_LONGEST_TEXT = 2000
_LONGEST_LETTERS = 160
#: The most times that an encoding is removed.
_ROUNDS = 3
#: A line that was broken in quoted-printable (RFC 2045): `=` and the end of the line.
_SOFT_BREAK = re.compile(r"=[ \t]*[\r\n]+[ \t]*|=[ \t]+")
#: A character in quoted-printable that is none of a token's.
_QUOTED_PRINTABLE = re.compile(r"=(?:0[9AD]|2[0-9A-CEF]|3[A-F]|40|5[B-E]|60|7[B-F])", re.IGNORECASE)
_ANY_QUOTED = re.compile(r"=([0-9A-F]{2})", re.IGNORECASE)
#: Where so many characters are quoted, all of them are; fewer are an `=` in front of a token's own letters.
_ALL_QUOTED = 10
#: Digits that a person types for the letters that they look like; a token holds neither.
_ALIKE = str.maketrans("018", "olb")


def possible_texts(text: str, alphabet: frozenset[str]) -> list[str]:
    """Returns the one or two texts over `alphabet` that `text` may have been, the likelier first."""
    plain = unicodedata.normalize("NFKC", _decoded(text[:_LONGEST_TEXT]))
    found = [_only(plain, alphabet)]
    if "0" not in alphabet:  # ours are small letters, without the digits that look like one
        found = [_only(plain.lower(), alphabet), _only(plain.lower().translate(_ALIKE), alphabet)]
    return list(dict.fromkeys(found))


def _only(text: str, alphabet: frozenset[str]) -> str:
    return "".join(filter(alphabet.__contains__, text))[:_LONGEST_LETTERS]


def _decoded(text: str) -> str:
    """Returns the text without percent-encoding, quoted-printable and HTML, even if applied repeatedly."""
    for _ in range(_ROUNDS):
        before = text
        text = _SOFT_BREAK.sub("", html.unescape(unquote(text, errors="replace")))
        text = _QUOTED_PRINTABLE.sub(" ", text)
        if len(_ANY_QUOTED.findall(text)) >= _ALL_QUOTED:
            text = _ANY_QUOTED.sub(lambda found: chr(int(found[1], 16)), text)
        if text == before:
            break
    return text


def begins_with(expected: str, given: str, edits: int) -> bool:
    """Returns whether `given` begins with `expected`, apart from 0 to 2 lost, wrong or added letters.

    The rest of `given` is ignored.
    """
    if given.startswith(expected):
        return True
    given = given[: len(expected) + edits]
    # Of edits + 1 pieces one is whole, wherever the edits are. This is quick, and most often says no.
    size = -(-len(expected) // (edits + 1))
    if not edits or not any(
        expected[begin : begin + size] in given for begin in range(0, len(expected), size)
    ):
        return False
    row = list(range(len(given) + 1))  # the distances of an empty beginning
    for number, letter in enumerate(expected, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(given, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (letter != other)),
            )
        if min(row) > edits:
            return False
    return min(row) <= edits

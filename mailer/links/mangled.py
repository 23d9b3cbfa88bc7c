"""Decodes and compares the texts of links that mail programs, gateways or people have changed.

`possible_token_texts` returns the texts in which `tokens` looks for a token, and `begins_nearly_with`
compares two texts and allows a few edits. Neither decides what a link means: `tokens` accepts a token only if
the signature is exactly right.
"""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

__all__ = ["begins_nearly_with", "possible_token_texts"]

#: Characters of a text that are read, more than any link has, and of a text that is returned.
_MAX_INPUT_LENGTH = 2000
_MAX_OUTPUT_LENGTH = 160
#: An encoding is removed at most this many times.
_MAX_ROUNDS = 3
#: A line that was broken in quoted-printable (RFC 2045): `=` and the end of the line.
_SOFT_BREAK = re.compile(r"=[ \t]*[\r\n]+[ \t]*|=[ \t]+")
#: A character in quoted-printable that no token contains.
_QUOTED_PRINTABLE = re.compile(r"=(?:0[9AD]|2[0-9A-CEF]|3[A-F]|40|5[B-E]|60|7[B-F])", re.IGNORECASE)
_ANY_QUOTED = re.compile(r"=([0-9A-F]{2})", re.IGNORECASE)
#: With at least this many, they are quoted characters; with fewer, each is an `=` before letters of a token.
_ALL_QUOTED = 10
#: Digits that a person types for the letters that they look like; a token holds neither.
_LETTERS_FOR_DIGITS = str.maketrans("018", "olb")


def possible_token_texts(text: str, alphabet: frozenset[str]) -> list[str]:
    """Returns `text` without encodings and without characters outside `alphabet`, in one or two versions.

    If `alphabet` has no digit 0, the versions are in lower case, and the second, less likely one has the
    letters o, l and b in place of the digits 0, 1 and 8.
    """
    plain = unicodedata.normalize("NFKC", _remove_encodings(text[:_MAX_INPUT_LENGTH]))
    versions = [_letters_in_alphabet(plain, alphabet)]
    if "0" not in alphabet:  # small letters, without the digits that look like letters
        versions = [
            _letters_in_alphabet(plain.lower(), alphabet),
            _letters_in_alphabet(plain.lower().translate(_LETTERS_FOR_DIGITS), alphabet),
        ]
    return list(dict.fromkeys(versions))


def _letters_in_alphabet(text: str, alphabet: frozenset[str]) -> str:
    return "".join(filter(alphabet.__contains__, text))[:_MAX_OUTPUT_LENGTH]


def _remove_encodings(text: str) -> str:
    """Returns `text` without percent-encoding, quoted-printable and HTML references, even nested ones."""
    for _ in range(_MAX_ROUNDS):
        before = text
        text = _SOFT_BREAK.sub("", html.unescape(unquote(text, errors="replace")))
        text = _QUOTED_PRINTABLE.sub(" ", text)
        if len(_ANY_QUOTED.findall(text)) >= _ALL_QUOTED:
            text = _ANY_QUOTED.sub(lambda found: chr(int(found[1], 16)), text)
        if text == before:
            break
    return text


def begins_nearly_with(prefix: str, text: str, max_edits: int) -> bool:
    """Returns whether `text` begins with `prefix`, with up to `max_edits` letters lost, wrong or added.

    `max_edits` is 0, 1 or 2. What follows the prefix in `text` is ignored.
    """
    if text.startswith(prefix):
        return True
    text = text[: len(prefix) + max_edits]
    # Of max_edits + 1 pieces one is whole, wherever the edits are. This is quick, and most often says no.
    size = -(-len(prefix) // (max_edits + 1))
    if not max_edits or not any(
        prefix[begin : begin + size] in text for begin in range(0, len(prefix), size)
    ):
        return False
    row = list(range(len(text) + 1))  # the distances of an empty beginning
    for number, letter in enumerate(prefix, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(text, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (letter != other)),
            )
        if min(row) > max_edits:
            return False
    return min(row) <= max_edits

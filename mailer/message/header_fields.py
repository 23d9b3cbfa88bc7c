"""Encodes the values of header fields, and folds them (RFC 5322 section 2.2.3, RFC 2047).

A line with an encoded word has at most 76 characters (RFC 2047 section 2), any other line at most 78 octets
where folding can achieve this. The name of the field and its colon count for the first line, so each function
takes the name of the field. A value is returned with the white space that follows the colon.
"""

from __future__ import annotations

import base64
import re

from mailer.addresses import address_with_ascii_domain
from mailer.errors import InputError

__all__ = [
    "encode_phrase",
    "encode_unstructured_value",
    "encoded_words",
    "field_value",
    "language_fields",
    "list_id_value",
    "mailbox_value",
]

#: The longest line with an encoded word, and the longest line that mailer writes otherwise, without its CRLF.
_ENCODED_LINE, _LINE = 76, 78

_LINE_BREAK = re.compile(r"[\r\n\0]")
_SAFE_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ .,:;()@<>\[\]-]*")
#: The characters of an encoded word around its base64: `=?utf-8?B?` and `?=`.
_FRAME = 12


def encoded_words(text: str, column: int = 1) -> bytes:
    """Returns `text` as RFC 2047 encoded words, each on a line of its own that has at most 76 characters.

    `column` is the number of characters that stand before the first word on its line. Mail programs drop the
    white space between two encoded words, so any number of words reads as one text.
    """
    words: list[bytes] = []
    chunk = b""
    room = _octets_of_word(column)
    for character in text:
        piece = character.encode("utf-8")
        if len(chunk) + len(piece) > room:
            words.append(chunk)
            chunk = b""
            room = _octets_of_word(1)
        chunk += piece
    if chunk:
        words.append(chunk)
    return b"\r\n ".join(b"=?utf-8?B?" + base64.b64encode(word) + b"?=" for word in words)


def _octets_of_word(column: int) -> int:
    """Returns how many octets fit into an encoded word that begins at `column`, counted from 0."""
    return (_ENCODED_LINE - column - _FRAME) // 4 * 3


def encode_unstructured_value(field: str, text: str) -> bytes:
    """Returns `text` as the value of an unstructured field such as Subject.

    The text is written as it is, and folded at its spaces, if it is ASCII and this can be read back.
    Otherwise it is written as encoded words.
    """
    column = len(field) + 2
    if text.isascii() and text.isprintable() and "=?" not in text and text == text.strip():
        if column + len(text) <= _LINE:
            return b" " + text.encode("ascii")
        lines = _folded_at_spaces(text, column)
        if lines:
            return b" " + "\r\n ".join(lines).encode("ascii")
    return b" " + encoded_words(text, column)


def _folded_at_spaces(text: str, column: int) -> list[str]:
    """Returns the lines of a text that begins at `column`, or an empty list if it cannot be folded.

    Two spaces in succession prevent folding, because some programs remove a space at the end of a line.
    """
    if "  " in text:
        return []
    lines: list[str] = []
    room = 0  # the characters that are left on the current line
    for word in text.split(" "):
        if len(word) < room:
            lines[-1] += " " + word
            room -= 1 + len(word)
        else:
            room = _LINE - (1 if lines else column) - len(word)
            if room < 0:
                return []
            lines.append(word)
    return lines


def encode_phrase(text: str, column: int = 0) -> bytes:
    """Returns `text` as a display name (RFC 5322 section 3.2.5): a quoted string, or else encoded words.

    `column` is the number of characters that stand before the name on its line.
    """
    fits = column + len(text) + 2 <= _LINE
    if fits and "=?" not in text and text == text.strip() and _SAFE_PHRASE.fullmatch(text):
        return b'"' + text.encode("ascii") + b'"' if text else b""
    return encoded_words(text, column)


def mailbox_value(field: str, name: str, address: str) -> bytes:
    """Returns `"Name" <address>`, encoded as the value of From, To or Reply-To.

    Raises InputError if the name or the address holds CR, LF or NUL.
    """
    if _LINE_BREAK.search(name + address):
        raise InputError(f"{address!r}: a name or an address must not contain a line break; remove it")
    ascii_domain = address_with_ascii_domain(address).encode("utf-8")
    return _phrase_and_brackets(field, name, ascii_domain) if name else field_value(field, ascii_domain)


def list_id_value(description: str, identifier: str) -> bytes:
    """Returns `"Description" <identifier>`, encoded as the value of List-Id (RFC 2919)."""
    return _phrase_and_brackets("List-Id", description, identifier.encode("ascii"))


def _phrase_and_brackets(field: str, name: str, inside: bytes) -> bytes:
    column = len(field) + 2
    phrase = encode_phrase(name, column)
    _, is_folded, last = phrase.rpartition(b"\r\n")
    longest = _LINE if phrase.startswith(b'"') else _ENCODED_LINE
    # The last line, a space, and the angle brackets.
    fits = (0 if is_folded else column) + len(last) + 3 + len(inside) <= longest
    return b" " + phrase + (b" <" if fits else b"\r\n <") + inside + b">"


def field_value(field: str, value: bytes) -> bytes:
    """Returns the value of a field that holds one word, on a line of its own if it is too long for the first.

    The fields List-* must not be passed: they are never folded right after the colon.
    """
    is_too_long = len(field) + 2 + len(value) > _LINE
    return (b"\r\n " if is_too_long and len(value) < _LINE else b" ") + value


def language_fields(language: str) -> tuple[tuple[str, str], ...]:
    """Returns the field Content-Language (RFC 3282) for a language tag as (name, value); () for ''."""
    return (("Content-Language", language.replace("_", "-")),) if language else ()

"""Encodes the pieces that a message is joined from, as encoded words and quoted-printable.

The standard library's `EmailMessage` does all of this too, at about 3 ms a message. Here everything is
encoded once, and only the slots are encoded for each recipient. The tests compare both results.

In quoted-printable no line of a message ever begins with a full stop (it becomes `=2E`): SMTP's dot-stuffing
(RFC 5321 section 4.5.2) then never has anything to do. Nor does a line begin with `From ` (`=46rom `), not
even after a soft line break.
"""

from __future__ import annotations

import base64
import re

__all__ = [
    "LINE",
    "encoded_words",
    "encode_phrase",
    "quoted_printable",
    "encode_slot_value",
    "encode_unstructured",
]

#: The longest line of quoted-printable, RFC 2045 section 6.7, without its CRLF.
LINE = 76

_SAFE_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ .,:;()@<>\[\]-]*")
_PLAIN_VALUE = re.compile(rb"[ -<>-~]{0,74}")
_TOKENS: tuple[bytes, ...] = tuple(
    bytes([i]) if 33 <= i <= 126 and i != 61 else (b"=%02X" % i) for i in range(256)
)
_SPACED = tuple(b" " if i == 32 else b"\t" if i == 9 else token for i, token in enumerate(_TOKENS))


def encoded_words(text: str) -> bytes:
    """Returns `text` as RFC 2047 encoded words of at most 75 characters, each on a line of its own.

    Mail programs drop the white space between two encoded words, so any number of words reads as one text.
    """
    words: list[bytes] = []
    chunk = b""
    for character in text:
        piece = character.encode("utf-8")
        if len(chunk) + len(piece) > 45:  # 45 octets are 60 of base64, 72 with the frame
            words.append(chunk)
            chunk = b""
        chunk += piece
    if chunk:
        words.append(chunk)
    return b"\r\n ".join(b"=?utf-8?B?" + base64.b64encode(word) + b"?=" for word in words)


def encode_unstructured(text: str) -> bytes:
    """Returns `text` as the value of an unstructured field such as Subject: as it is, or as encoded words."""
    if (
        text.isascii()
        and text.isprintable()
        and len(text) <= 65
        and "=?" not in text
        and text == text.strip()
    ):
        return text.encode("ascii")
    return encoded_words(text)


def encode_phrase(text: str) -> bytes:
    """Returns `text` as a display name (RFC 5322 section 3.2.5): a quoted string, or else encoded words."""
    if len(text) <= 60 and "=?" not in text and text == text.strip() and _SAFE_PHRASE.fullmatch(text):
        return b'"' + text.encode("ascii") + b'"' if text else b""
    return encoded_words(text)


def quoted_printable(text: str) -> bytes:
    """Returns `text`, a part of a body between two slots, in quoted-printable with CRLF line ends.

    A soft line break (`=` CRLF) can be added at either end, so the values of slots can be joined to the
    result.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return b"\r\n".join(_folded_line(line.encode("utf-8")) for line in lines)


def encode_slot_value(value: str) -> bytes:
    """Returns a slot's value in quoted-printable, with a soft line break before it and after it.

    So the text around a slot can be encoded without the value.
    """
    data = value.encode("utf-8")
    if _PLAIN_VALUE.fullmatch(data) and not data.startswith((b".", b"From ")):
        return b"=\r\n" + data + b"=\r\n"
    return b"=\r\n" + quoted_printable(value) + b"=\r\n"


def _folded_line(data: bytes) -> bytes:
    """Returns one line of text in quoted-printable, folded by soft line breaks."""
    folded: list[bytes] = []
    row: list[bytes] = []
    room = LINE - 1  # one is kept for the soft break's =
    for at, octet in enumerate(data):
        token = _SPACED[octet]
        if len(token) > room:
            folded.append(b"".join(row))
            row, room = [], LINE - 1
        if octet == 46 and not row:
            token = b"=2E"
        elif octet == 70 and not row and data.startswith(b"From ", at):
            token = b"=46"  # mailbox files mark messages with it, and some programs would change it
        row.append(token)
        room -= len(token)
    if row and row[-1] in (b" ", b"\t"):  # white space may not end a line
        token = b"=20" if row[-1] == b" " else b"=09"
        if room < 2:
            folded.append(b"".join(row[:-1]))
            row = []
        else:
            row.pop()
        row.append(token)
    folded.append(b"".join(row))
    return b"=\r\n".join(folded)

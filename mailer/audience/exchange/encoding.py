"""Finds out how a text file is encoded: UTF-8, UTF-16 or GB18030 (and so GBK). Reads it once, in pieces.

A guess is only made where the whole file agrees with it: a wrong one would spoil every name.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from mailer.errors import AudienceError, Problem

__all__ = ["detect_encoding"]

_PIECE = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FORMATS = (
    (b"PK\x03\x04", "is a spreadsheet or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook"),
    (b"%PDF", "is a PDF"),
    (b"\x1f\x8b", "is compressed"),
    (b"SQLite format 3", "is a database"),
)
#: So many characters are enough to tell Chinese from Western text.
_ENOUGH = 20_000


def detect_encoding(path: Path, name: str) -> str:
    """The Python codec for the file. Raises AudienceError where it is not text we can be sure of."""
    with path.open("rb") as file:
        head = file.read(4096)
    for magic, what in _OTHER_FORMATS:
        if head.startswith(magic):
            raise AudienceError(Problem(f"{what}, not a CSV file; save the list as CSV (UTF-8)", name))
    marked = [codec for bom, codec in _BOMS if head.startswith(bom)]
    encoding = marked[0] if marked else _wide(head) or "utf-8-sig"
    fault = _fault(path, encoding)
    if fault is None:
        return encoding
    if encoding == "utf-8-sig" and not marked and _is_chinese(path):
        return "gb18030"
    raise AudienceError(
        Problem(
            f"is not UTF-8, UTF-16 or GBK text{_guess(path)}; save it as CSV (UTF-8) and import that",
            name,
            fault,
        )
    )


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of its ASCII is NUL."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _fault(path: Path, encoding: str) -> int | None:
    """The line with the first byte that cannot be so, or None for a file that is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            try:
                line += decoder.decode(piece, final=not piece).count("\n")
            except UnicodeDecodeError as error:
                bad = error.object[: error.start]
                return line + bad.decode(encoding, errors="replace").count("\n")
            if not piece:
                return None


def _is_chinese(path: Path) -> bool:
    """Does the whole file decode as GB18030, and into what Chinese is written with?

    Western one-byte text often decodes too, but each accented letter then swallows the ASCII letter after
    it. In Chinese text, second bytes in the ASCII range are rare.
    """
    decoder = codecs.getincrementaldecoder("gb18030")()
    wide = swallowed = 0
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError:
                return False
            if wide < _ENOUGH:
                for character in filter(lambda c: c > "\x7f", text):
                    wide += 1
                    swallowed += character.encode("gb18030")[1] < 0x80
                    if wide >= _ENOUGH:
                        break
            if not piece:
                return swallowed * 2 <= wide


def _guess(path: Path) -> str:
    with path.open("rb") as file:
        best = from_bytes(file.read(1 << 16)).best()
    return (
        f" (it may be {best.encoding})" if best and best.encoding.startswith(("cp", "iso", "latin")) else ""
    )

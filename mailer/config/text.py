"""Decodes the text files of a workspace, and names the encoding of files that are not Unicode."""

from __future__ import annotations

import codecs

__all__ = ["decode_text"]

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_ADVICE = "save it as UTF-8 (in Notepad: File, Save as, Encoding UTF-8)"


def decode_text(data: bytes) -> str:
    """Returns the text of a file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark, without the mark.

    For other bytes, raises ValueError with a message that names the encoding which they seem to have.
    """
    for mark, codec, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            try:
                return data.decode(codec)
            except UnicodeDecodeError:
                raise ValueError(
                    f"begins with the byte order mark of {name}, but is not valid {name}; {_ADVICE}"
                ) from None
    if data.count(0) * 4 >= len(data) > 1:
        raise ValueError(f"seems to be UTF-16 without a byte order mark; {_ADVICE}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    raise ValueError(f"is not UTF-8 (from line {line} on) and seems to be {_guess_encoding(data)}; {_ADVICE}")


def _guess_encoding(data: bytes) -> str:
    """Returns the name of the encoding that `data` seems to have, if it is not UTF-8.

    It is GBK if most bytes beyond ASCII stand two by two, as in Chinese text. Otherwise it is a Western code
    page, in whose texts such a byte (an accented letter) mostly stands alone between ASCII letters.
    """
    try:
        wide = [character.encode("gb18030") for character in data.decode("gb18030") if character > "\x7f"]
    except UnicodeDecodeError:
        wide = []
    pairs = sum(len(code) == 2 and code[1] > 0x7F for code in wide)
    return "GBK" if wide and pairs * 4 >= len(wide) * 3 else "in a code page of Windows, such as Windows-1252"

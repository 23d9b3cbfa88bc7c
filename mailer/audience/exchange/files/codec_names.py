"""Finds the Python codec for the name of an encoding, as people and programs write it, and the reverse."""

from __future__ import annotations

import codecs

from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = ["codecs_for_encoding", "encoding_name_of"]

#: The codecs that programs use under these names of encodings, the likelier one first.
_MEANT = {
    "big5": ("cp950", "big5hkscs"),
    "cp950": ("cp950", "big5hkscs"),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "euc_kr": ("cp949",),
    "shift_jis": ("cp932", "shift_jis_2004"),
    "euc_jp": ("euc_jp", "euc_jis_2004"),
    "iso8859-1": ("cp1252", "iso8859-1"),
    "iso8859-9": ("cp1254", "iso8859-9"),
    "ascii": ("utf-8-sig",),
    "utf-8": ("utf-8-sig",),
    "utf-16": ("utf-16",),
}
#: Names in use that Python does not know.
_ALIASES = {
    "ansi": "cp1252", "western": "cp1252", "macintosh": "mac_roman", "mac": "mac_roman",
    "macintosh-western": "mac_roman", "macce": "mac_latin2", "mac-ce": "mac_latin2", "x-mac-ce": "mac_latin2",
    "unicode": "utf-16", "x-sjis": "cp932", "x-gbk": "gbk", "x-euc-jp": "euc_jp", "windows-949": "cp949",
    "windows-936": "gbk", "windows-950": "cp950", "windows-932": "cp932", "windows-31j": "cp932",
    "windows-874": "cp874", "x-windows-949": "cp949", "koi8": "koi8_r", "ms-ansi": "cp1252",
}  # fmt: skip
#: Codecs of Python that turn text into other text.
_NO_TEXT = frozenset(("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"))
_SHOWN = {
    "gb18030": "GBK",
    "cp950": "Big5",
    "big5hkscs": "Big5-HKSCS",
    "cp949": "EUC-KR",
    "euc_jp": "EUC-JP",
    "cp932": "Shift_JIS",
    "utf-8-sig": "UTF-8",
    "utf-8": "UTF-8",
    "koi8_r": "KOI8-R",
    "koi8_u": "KOI8-U",
    "cp866": "cp866",
    "mac_roman": "mac-roman",
    "mac_latin2": "mac-latin2",
    "mac_cyrillic": "mac-cyrillic",
    "mac_turkish": "mac-turkish",
    "mac_greek": "mac-greek",
    "iso8859_15": "ISO-8859-15",
    "iso8859_2": "ISO-8859-2",
    "iso8859_5": "ISO-8859-5",
    "iso8859_7": "ISO-8859-7",
}
_SUGGESTED = (
    "utf-8", "utf-16", "gbk", "gb18030", "big5", "euc-kr", "euc-jp", "shift_jis", "cp1252", "cp1250",
    "cp1251", "cp1253", "cp1254", "cp1257", "iso-8859-1", "iso-8859-2", "iso-8859-15", "koi8-r", "mac-roman",
    "cp850", "cp866", "windows-1252", "windows-1250", "windows-1251",
)  # fmt: skip


def codecs_for_encoding(name: str) -> tuple[str, ...]:
    """Returns the Python codecs that the name of an encoding may mean, the likeliest first.

    Raises AudienceError for an unknown name.
    """
    word = name.strip().lower()
    try:
        found = codecs.lookup(_ALIASES.get(word.replace("_", "-"), word)).name
        # Python distinguishes codecs of text from others only by this attribute.
        text = getattr(codecs.lookup(found), "_is_text_encoding", True)
    except (LookupError, ValueError, UnicodeError):
        text, found = False, ""
    if not text or found in _NO_TEXT:
        near = nearest_word(word, _SUGGESTED)
        hint = f"did you mean {near}?" if near else "choose utf-8, gbk, big5, euc-kr, cp1252 or another"
        raise AudienceError(f'there is no encoding "{name[:40]}"; {hint}')
    return _MEANT.get(found, (found,))


def encoding_name_of(codec: str) -> str:
    """Returns the name of a codec's encoding for messages. The option `--encoding` accepts this name."""
    return _SHOWN.get(codec, codec)

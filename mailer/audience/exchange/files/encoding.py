"""Detects the encoding of a text file. Reads the file at most twice, in pieces, with little memory.

UTF-8 and UTF-16 are recognised with certainty. Otherwise a sample is decoded in each usual encoding, and the
likelihood of each text is computed (`likelihood`), with chardet as second opinion. A wrong choice would
damage names unnoticed, so if two different texts are likely, or none is, the file is refused and the operator
must name the encoding.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from mailer.audience.exchange.files.codec_names import codecs_for_encoding, encoding_name_of
from mailer.audience.exchange.files.encoding_choice import codec_as_likely_as_utf8, likeliest_codecs
from mailer.audience.exchange.files.likelihood import EAST_ASIAN
from mailer.audience.exchange.files.sampling import PIECE, LineSample
from mailer.errors import AudienceError, Problem

__all__ = ["check_encoding", "decode_leniently", "detect_encoding"]

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
#: The beginning of a file, in bytes, tells its format and whether it is UTF-16.
_HEAD = 4096
#: The beginnings of the escape sequences of ISO-2022, in ASCII bytes.
_ESCAPES = (
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$B", "iso2022_jp_ext"),
    (b"\x1b$@", "iso2022_jp_ext"),
    (b"\x1b(J", "iso2022_jp_ext"),
)
#: Matches a character beyond ASCII in UTF-8.
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CELLS = re.compile(r'[,;|\t"\r\n]+')
#: The beginning of an export of mailer's, which is UTF-8 whatever names are in it.
_OWN_HEADER = b"address,name,language,timezone,tags,editions,status,joined,"
#: Bytes that no list holds.
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SAVE = "save the list as CSV (UTF-8) and import that"


def detect_encoding(file: BinaryIO, shown_name: str) -> str:
    """Returns the Python codec of a file. Raises AudienceError if the encoding is not certain.

    Messages call the file `shown_name`.
    """
    head = _read_first_bytes(file, shown_name)
    marked = _codec_of_bom(head)
    wide = "" if marked else _utf16_codec_without_bom(head)
    encoding = marked or wide or "utf-8-sig"
    sample = LineSample(16_384, seek_rare_bytes=False)
    fault = _first_invalid_line_number(file, encoding, None if marked or wide else sample)
    if marked or wide:
        if fault is not None:
            label = _bom_name(encoding)
            reason = (
                f"{'begins' if marked else 'looks'} as {label}, but this line is not valid {label}; {_SAVE}"
            )
            raise AudienceError(Problem(reason, shown_name, fault))
        return encoding
    if fault is None:
        return _codec_of_utf8_or_iso2022(sample, head, shown_name)
    return _codec_of_file_not_in_utf8(file, shown_name, fault)


def check_encoding(file: BinaryIO, shown_name: str, encoding: str) -> str:
    """Returns the Python codec of a file whose encoding the operator named.

    Raises AudienceError if the encoding is wrong.

    Messages call the file `shown_name`.
    """
    head = _read_first_bytes(file, shown_name)
    meant = codecs_for_encoding(encoding)
    marked = _codec_of_bom(head)
    if marked and marked not in meant and not (marked == "utf-16" and meant[0].startswith("utf-16")):
        reason = f"begins with the byte order mark of {_bom_name(marked)}; leave --encoding out"
        raise AudienceError(Problem(reason, shown_name))
    if marked:
        meant = (marked,)
    if meant == ("utf-16",) and not marked:
        meant = (_utf16_codec_without_bom(head) or "utf-16",)
    faults = []
    for codec in meant:
        fault = _first_invalid_line_number(file, codec, None)
        if fault is None:
            return codec
        faults.append(fault)
    reason = f"this line is not valid {encoding[:40]}; correct it, or name another encoding with --encoding"
    raise AudienceError(Problem(reason, shown_name, max(faults)))


def decode_leniently(data: bytes) -> str:
    """Returns the text of a list in a likely encoding, and never raises an error.

    For lists of which only the ASCII parts matter: a wrong choice damages nothing but names.
    """
    marked = _codec_of_bom(data) or _utf16_codec_without_bom(data[:_HEAD])
    if marked:
        return data.decode(marked, errors="replace")
    for codec in ("utf-8", "gb18030"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _read_first_bytes(file: BinaryIO, shown_name: str) -> bytes:
    """Returns the first bytes of a file.

    Raises AudienceError if they show another file format, such as a spreadsheet.
    """
    file.seek(0)
    head = file.read(_HEAD)
    for magic, what in _OTHER_FORMATS:
        if head.startswith(magic):
            raise AudienceError(Problem(f"{what}, not a CSV file; save the list as CSV (UTF-8)", shown_name))
    return head


def _codec_of_bom(head: bytes) -> str:
    return next((codec for bom, codec in _BOMS if head.startswith(bom)), "")


def _bom_name(codec: str) -> str:
    return "UTF-8" if codec.startswith("utf-8") else codec.upper()[:6]


def _utf16_codec_without_bom(head: bytes) -> str:
    """Returns the codec of UTF-16 text without a byte order mark, or "" for other text.

    A list has addresses in ASCII, of which every second byte is zero in UTF-16.
    """
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = max(even, odd)
    if most < 4 or most * 12 < len(head) or min(even, odd) * 8 > most:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _first_invalid_line_number(file: BinaryIO, encoding: str, sample: LineSample | None) -> int | None:
    """Returns the number of the line with the first invalid byte, or None if the file is valid.

    All bytes that are read are added to the sample, if there is one.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    file.seek(0)
    while True:
        piece = file.read(PIECE)
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            bad = error.object[: error.start].decode(encoding, errors="replace")
            return line + _count_line_breaks(bad)
        except UnicodeError:  # UTF-16 that ends in the middle, without a place
            return line
        line += _count_line_breaks(text)
        if sample is not None:
            sample.add(piece)
        if not piece:
            return None


def _count_line_breaks(text: str) -> int:
    return max(text.count("\n"), text.count("\r"))


def _codec_of_utf8_or_iso2022(sample: LineSample, head: bytes, shown_name: str) -> str:
    """Returns the codec of a file whose bytes are valid UTF-8.

    It is a codec of ISO-2022 if the file has ISO-2022 escape sequences, else UTF-8. Raises AudienceError if
    the text has so few non-ASCII letters that another encoding is as likely.
    """
    if not sample.all_lines:
        escaped = next((codec for escape, codec in _ESCAPES if escape in head), "")
        return escaped or "utf-8-sig"
    own = head.startswith(_OWN_HEADER)
    other = "" if own or sample.is_full else codec_as_likely_as_utf8(sample.all_lines)
    if other:
        raise AudienceError(
            Problem(_ambiguous_encoding_problem(sample.all_lines, "utf-8", other), shown_name)
        )
    return "utf-8-sig"


def _codec_of_file_not_in_utf8(file: BinaryIO, shown_name: str, invalid_line_number: int) -> str:
    """Returns the codec of a file that is not UTF-8. `invalid_line_number` is that of the first wrong line.

    Raises AudienceError if the encoding is not certain.
    """
    sample, best = _collect_sample(file)
    second = ""
    if _is_mostly_utf8(sample.all_lines):
        reason = (
            "is UTF-8 except for bytes in this line; correct the line, or name the encoding of the file with "
            "--encoding NAME"
        )
        raise AudienceError(Problem(reason, shown_name, invalid_line_number))
    sound = not _CONTROLS.search(sample.all_lines)
    if sound and not best:
        best, second = likeliest_codecs(sample.all_lines)
    if sound and not best:
        best, second = likeliest_codecs(sample.first_lines)  # a few lines may be damaged
    if best and second:
        raise AudienceError(Problem(_ambiguous_encoding_problem(sample.all_lines, best, second), shown_name))
    if not best:
        reason = (
            "is not UTF-8, and its encoding cannot be detected; name it with --encoding NAME, such as "
            f"--encoding cp1252, or {_SAVE}"
        )
        raise AudienceError(Problem(reason, shown_name, invalid_line_number))
    wrong = _first_invalid_line_number(file, best, None)
    if wrong is None:
        return best
    name = encoding_name_of(best)
    reason = (
        f"begins as {name}, but this line is not {name}; correct the line, or name the encoding with "
        "--encoding NAME"
    )
    raise AudienceError(Problem(reason, shown_name, wrong))


def _collect_sample(file: BinaryIO) -> tuple[LineSample, str]:
    """Returns a sample of the file, and its codec if that is certain before the end of the file, else "".

    Only an East Asian codec can be certain so early.
    """
    sample = LineSample(65_536, seek_rare_bytes=True)
    file.seek(0)
    while piece := file.read(PIECE):
        was_full = sample.is_full
        sample.add(piece)
        if sample.is_full and not was_full:
            best, second = likeliest_codecs(sample.first_lines)
            if best in EAST_ASIAN and not second:
                return sample, best
    sample.finish()
    return sample, ""


def _is_mostly_utf8(sample: bytes) -> bool:
    """Returns whether a file is UTF-8 with some damaged lines: most letters beyond ASCII are valid UTF-8."""
    rest = _UTF8.sub(b"", sample)
    stray = len(rest.translate(None, bytes(range(0x80))))
    return len(_UTF8.findall(sample)) > 2 * stray


def _ambiguous_encoding_problem(sample: bytes, first_codec: str, second_codec: str) -> str:
    """Returns a message that names two likely encodings, with a cell that differs between the two."""
    first, second = encoding_name_of(first_codec), encoding_name_of(second_codec)
    texts = [_CELLS.split(sample.decode(codec, "replace")) for codec in (first_codec, second_codec)]
    pairs = [(a.strip(), b.strip()) for a, b in zip(*texts, strict=False) if a != b]
    shown = ""
    if pairs:
        a, b = (part[:20] if part.isprintable() else "unreadable" for part in pairs[0])
        shown = f', so that a cell is "{a}" or "{b}"'
    return (
        f"may be {first} or {second}{shown}; say which with --encoding {first} or --encoding {second}, "
        f"or {_SAVE}"
    )

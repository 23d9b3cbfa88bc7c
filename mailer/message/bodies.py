"""Encodes a part of the body once for all recipients, in quoted-printable or in base64.

Both classes have the same interface: `transfer_encoding` is the value of Content-Transfer-Encoding,
`fragments` are bytes that all messages share, and `encode` returns the bytes between each two of them for one
recipient. All line ends are CRLF. No line begins with a full stop or with `From `, and none ends with white
space.

Base64 is chosen where it makes the fragments at least 5 % shorter, as for Chinese text, of which it makes 4
octets a character and quoted-printable 9. The choice depends on the fragments alone, so all messages of a
rendition have the same encoding.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from typing import NamedTuple

from mailer.message.mime import LINE, encode_quoted_printable, encode_slot_value
from mailer.message.paragraphs import EncodedParagraph
from mailer.render.slots.slots import RenditionPart, Slot

__all__ = ["Base64Body", "QuotedPrintableBody", "encode_body"]

#: The octets that a full line of base64 encodes.
_OCTETS_OF_LINE = LINE // 4 * 3


def encode_body(part: RenditionPart) -> QuotedPrintableBody | Base64Body:
    """Returns the part in the shorter encoding, which is base64 only if this is at least 5 % shorter."""
    quoted = QuotedPrintableBody(part)
    octets = sum(len(_canonical(fragment)) for fragment in part.fragments)
    base64_size = (octets + 2) // 3 * 4 * (LINE + 2) // LINE + 2
    return Base64Body(part) if 20 * base64_size <= 19 * quoted.constant_size else quoted


class QuotedPrintableBody:
    """Holds a part in quoted-printable. A value stands between two soft line breaks."""

    transfer_encoding = b"quoted-printable"

    def __init__(self, part: RenditionPart) -> None:
        #: The number of bytes of all that is the same for all recipients.
        self.constant_size = 0
        self.fragments: list[bytes] = []
        self._slots: list[Slot] = []
        # Each is the number of a slot, or a paragraph with the numbers of its slots.
        self._seams: list[int | tuple[EncodedParagraph, list[int]]] = []
        open_ = b""
        for piece in part.pieces():
            if isinstance(piece, str):
                open_ += encode_quoted_printable(piece)
                continue
            if isinstance(piece, int):
                self._seams.append(self._slot_number(part.slots[piece]))
            else:
                paragraph = EncodedParagraph(part, piece)
                self.constant_size += paragraph.constant_size
                self._seams.append((paragraph, [self._slot_number(slot) for slot in paragraph.slots]))
            self.fragments.append(open_)
            open_ = b""
        self.fragments.append(open_ + b"\r\n")
        self.constant_size += sum(map(len, self.fragments))

    def _slot_number(self, slot: Slot) -> int:
        if slot not in self._slots:
            self._slots.append(slot)
        return self._slots.index(slot)

    def encode(self, values: Mapping[str, str]) -> list[bytes]:
        """Returns the bytes between the fragments. `values` maps paths of slots to values."""
        texts = [slot.fill(values) for slot in self._slots]
        lines = [encode_slot_value(text) for text in texts]
        return [
            lines[seam]
            if isinstance(seam, int)
            else seam[0].encode([texts[i] for i in seam[1]], [lines[i] for i in seam[1]])
            for seam in self._seams
        ]


class _AlignedFragment(NamedTuple):
    """Holds a fragment whose first octets (`head`) complete the group of three octets before it.

    `lines` are the lines of all whole groups behind the head, in base64. `tail` are the octets behind the
    last whole group.
    """

    head: bytes
    lines: bytes
    tail: bytes


class Base64Body:
    """Holds a part in base64, which encodes groups of three octets.

    The groups of a fragment begin at its first, second or third octet, depending on the lengths of the values
    before the fragment. So each fragment is kept in three forms. A value is encoded together with the octets
    (none to two) on either side that its groups share with the fragments, on lines of its own.
    """

    transfer_encoding = b"base64"

    def __init__(self, part: RenditionPart) -> None:
        texts, self._seams = _fragments_and_seams(part)
        octets = [_canonical(text) for text in texts]
        first = _aligned(octets[0], 0)
        self._first_tail = first.tail
        self._aligned = [tuple(_aligned(each, head) for head in range(3)) for each in octets[1:]]
        # Behind the first fragment, even the bytes that do not depend on the recipient depend on the
        # alignment, so `encode` returns them.
        self.fragments: list[bytes] = [first.lines] + [b""] * (2 * len(self._seams) + 1)

    def encode(self, values: Mapping[str, str]) -> list[bytes]:
        """Returns the bytes between the fragments. `values` maps paths of slots to values."""
        carried = self._first_tail
        found: list[bytes] = []
        for seam, aligned in zip(self._seams, self._aligned, strict=True):
            carried += _canonical(seam.fill(values))
            head, lines, tail = aligned[-len(carried) % 3]
            carried += head
            over = len(carried) % 3  # unless the fragment is shorter than the head that it needs, 0
            if over:
                tail = carried[-over:]
                carried = carried[:-over]
            found += (_base64_lines(carried), lines)
            carried = tail
        found.append(_base64_lines(carried))
        return found


def _fragments_and_seams(part: RenditionPart) -> tuple[list[str], list[Slot | EncodedParagraph]]:
    """Returns the constant texts of a part, and the slots and paragraphs between them."""
    texts, seams = [""], list[Slot | EncodedParagraph]()
    for piece in part.pieces():
        if isinstance(piece, str):
            texts[-1] += piece
        else:
            seams.append(part.slots[piece] if isinstance(piece, int) else EncodedParagraph(part, piece))
            texts.append("")
    return texts, seams


def _aligned(data: bytes, head: int) -> _AlignedFragment:
    """Returns the octets of a fragment in base64, whose groups begin behind the first `head` octets."""
    end = len(data) - (len(data) - head) % 3 if len(data) >= head else len(data)
    return _AlignedFragment(data[:head], _base64_lines(data[head:end]), data[end:])


def _base64_lines(data: bytes) -> bytes:
    """Returns `data` in base64, as lines of at most 76 characters that each end with CRLF."""
    if len(data) <= _OCTETS_OF_LINE:
        return b2a_base64(data, newline=False) + b"\r\n" if data else b""
    text = b2a_base64(data, newline=False)
    return b"\r\n".join([text[begin : begin + LINE] for begin in range(0, len(text), LINE)]) + b"\r\n"


def _canonical(text: str) -> bytes:
    """Returns the octets of a text, with CRLF line ends."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n").encode("utf-8")

"""Samples the part of a file that shows its encoding: lines with bytes beyond ASCII."""

from __future__ import annotations

__all__ = ["PIECE", "Sample"]

#: The number of bytes of a file that are read at a time.
PIECE = 1 << 20
_LONGEST = 4096
_ASCII = bytes(range(0x80))


class Sample:
    """Collects lines with bytes beyond ASCII, joined by line feeds in `whole`, up to `size` bytes.

    With `rare`, the rest of the file is searched for lines with byte values that are still missing, so that
    all letters of the file are in `whole`, but not in `first`. `full` says that there were more lines.
    """

    def __init__(self, size: int, *, rare: bool) -> None:
        self._size = size
        self._rare = rare
        self._rest = b""
        self._lines: list[bytes] = []
        self._first = 0
        self._held = 0
        self._known = _ASCII
        self.full = False

    @property
    def whole(self) -> bytes:
        """Returns all sampled lines."""
        return b"\n".join(self._lines)

    @property
    def first(self) -> bytes:
        """Returns the lines that were sampled before the sample was full."""
        return b"\n".join(self._lines[: self._first])

    def add(self, piece: bytes) -> None:
        """Takes the next piece of the file; an empty piece is its end."""
        if self.full and not self._rare:
            return
        if not piece:
            self.finish()
            return
        piece = self._rest + piece
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if not end and len(piece) < PIECE:
            self._rest = piece
            return
        self._rest = piece[end:] if end else b""
        self._take(piece[:end] if end else piece)

    def finish(self) -> None:
        """Takes the last line, which may have no line end."""
        rest, self._rest = self._rest, b""
        self._take(rest)

    def _take(self, piece: bytes) -> None:
        if not piece.translate(None, self._known):
            return
        for line in piece.replace(b"\r", b"\n").split(b"\n"):
            if not line.translate(None, self._known):
                continue
            if self.full and not self._rare:
                return
            line = line if len(line) <= _LONGEST else self._cut(line)
            self._lines.append(line)
            self._held += len(line)
            if self.full:
                self._known = _values(self._known, line)
                continue
            self._first += 1
            if self._held >= self._size:
                self.full = True
                self._known = _values(_ASCII, *self._lines)

    @staticmethod
    def _cut(line: bytes) -> bytes:
        """Returns the beginning of a very long line, cut at an ASCII character that is no part of another."""
        end = max(line.rfind(mark, 0, _LONGEST) for mark in (b",", b";", b"\t", b" ", b'"'))
        return line[:end] if end > 0 else line[:_LONGEST]


def _values(*lines: bytes) -> bytes:
    """Returns every byte value that occurs in the lines."""
    return bytes(sorted({value for line in lines for value in line}))

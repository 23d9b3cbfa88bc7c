"""Samples the lines of a file that show its encoding: those with bytes beyond ASCII."""

from __future__ import annotations

__all__ = ["PIECE", "LineSample"]

#: The number of bytes of a file that are read at a time.
PIECE = 1 << 20
_LONGEST = 4096
_ASCII = bytes(range(0x80))


class LineSample:
    """Collects lines with bytes beyond ASCII, up to `size` bytes.

    With `seek_rare_bytes`, the rest of the file is searched for lines with byte values that the sample lacks.
    `all_lines` has these lines, too; `first_lines` does not. `is_full` is true if `size` was reached.
    """

    def __init__(self, size: int, *, seek_rare_bytes: bool) -> None:
        self._size = size
        self._rare = seek_rare_bytes
        self._rest = b""
        self._lines: list[bytes] = []
        self._first = 0
        self._held = 0
        self._known = _ASCII
        self.is_full = False

    @property
    def all_lines(self) -> bytes:
        """Returns all sampled lines, joined by line feeds."""
        return b"\n".join(self._lines)

    @property
    def first_lines(self) -> bytes:
        """Returns the lines that were sampled before the sample was full, joined by line feeds."""
        return b"\n".join(self._lines[: self._first])

    def add(self, piece: bytes) -> None:
        """Adds the lines of the file's next piece. An empty piece ends the file."""
        if self.is_full and not self._rare:
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
        self._sample_lines(piece[:end] if end else piece)

    def finish(self) -> None:
        """Adds the last line of the file, which may have no line end."""
        rest, self._rest = self._rest, b""
        self._sample_lines(rest)

    def _sample_lines(self, piece: bytes) -> None:
        if not piece.translate(None, self._known):
            return
        for line in piece.replace(b"\r", b"\n").split(b"\n"):
            if not line.translate(None, self._known):
                continue
            if self.is_full and not self._rare:
                return
            line = line if len(line) <= _LONGEST else self._shortened_line(line)
            self._lines.append(line)
            self._held += len(line)
            if self.is_full:
                self._known = _byte_values(self._known, line)
                continue
            self._first += 1
            if self._held >= self._size:
                self.is_full = True
                self._known = _byte_values(_ASCII, *self._lines)

    @staticmethod
    def _shortened_line(line: bytes) -> bytes:
        """Returns the beginning of a very long line, cut before a delimiter or a space if there is one."""
        end = max(line.rfind(mark, 0, _LONGEST) for mark in (b",", b";", b"\t", b" ", b'"'))
        return line[:end] if end > 0 else line[:_LONGEST]


def _byte_values(*lines: bytes) -> bytes:
    """Returns all byte values that occur in the lines, each once."""
    return bytes(sorted({value for line in lines for value in line}))

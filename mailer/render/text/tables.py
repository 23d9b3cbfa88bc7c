"""Writes a table as plain text: in aligned columns, or row after row where it is too wide."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.render.text.display_columns import columns

__all__ = ["Table"]

#: A table may be a little wider than a wrapped paragraph, up to the 78 columns of RFC 5322, section 2.1.1.
_SLACK = 6
_BETWEEN = " | "


@dataclass(frozen=True, slots=True)
class Table:
    """Holds the cells of a table, the first row being the head.

    `aligns` has left, right or center per column.
    """

    rows: tuple[tuple[str, ...], ...]
    aligns: tuple[str, ...]

    def laid_out(self, room: int) -> list[tuple[str, bool]]:
        """Returns (line, whether it is fixed) for about `room` columns.

        A table that is too wide is written row after row, its cells one behind the other, to be wrapped. So
        the words keep their order, and none is written twice.
        """
        widths = [max(columns(row[i]) for row in self.rows) for i in range(len(self.aligns))]
        whole = sum(widths) + len(_BETWEEN) * (len(widths) - 1)
        if whole > room + _SLACK:
            lines = [(_BETWEEN.join(row).rstrip(), False) for row in self.rows]
            return [lines[0], ("-" * min(room, 40), True), *lines[1:]]
        lines = [(self._row(row, widths), True) for row in self.rows]
        return [lines[0], ("-+-".join("-" * width for width in widths), True), *lines[1:]]

    def _row(self, row: tuple[str, ...], widths: list[int]) -> str:
        cells = (_padded(*each) for each in zip(row, widths, self.aligns, strict=True))
        return _BETWEEN.join(cells).rstrip()


def _padded(text: str, width: int, align: str) -> str:
    room = width - columns(text)
    before = room if align == "right" else room // 2 if align == "center" else 0
    return " " * before + text + " " * (room - before)

"""Writes a table as plain text: in aligned columns, or, if too wide, with each row as one flowing line."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.render.text.display_columns import display_width

__all__ = ["PlainTable"]

#: A table may be a little wider than a wrapped paragraph, up to the 78 columns of RFC 5322, section 2.1.1.
_SLACK = 6
_BETWEEN = " | "


@dataclass(frozen=True, slots=True)
class PlainTable:
    """Holds the cells of a table as plain text. The first row is the head.

    `aligns` holds `left`, `right` or `center` for each column.
    """

    rows: tuple[tuple[str, ...], ...]
    aligns: tuple[str, ...]

    def lay_out(self, max_columns: int) -> list[tuple[str, bool]]:
        """Returns the lines of the table as (line, is_fixed), each about `max_columns` columns wide at most.

        `is_fixed` is True for a line that must not be wrapped. If the table is too wide for aligned columns,
        each row is one line with the cells one behind the other, and this line may be wrapped.
        """
        widths = [max(display_width(row[i]) for row in self.rows) for i in range(len(self.aligns))]
        whole = sum(widths) + len(_BETWEEN) * (len(widths) - 1)
        if whole > max_columns + _SLACK:
            lines = [(_BETWEEN.join(row).rstrip(), False) for row in self.rows]
            return [lines[0], ("-" * min(max_columns, 40), True), *lines[1:]]
        lines = [(self._aligned_row(row, widths), True) for row in self.rows]
        return [lines[0], ("-+-".join("-" * width for width in widths), True), *lines[1:]]

    def _aligned_row(self, row: tuple[str, ...], widths: list[int]) -> str:
        cells = (_padded_cell(*each) for each in zip(row, widths, self.aligns, strict=True))
        return _BETWEEN.join(cells).rstrip()


def _padded_cell(text: str, width: int, align: str) -> str:
    room = width - display_width(text)
    before = room if align == "right" else room // 2 if align == "center" else 0
    return " " * before + text + " " * (room - before)

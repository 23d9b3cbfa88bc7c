"""Repairs quotes that other programs write differently from CSV, and detects an unclosed quote around rows.

Pure.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache

from mailer.audience.exchange.columns.header import Columns

__all__ = ["has_rows_within_cell", "cells_of_row_with_spaced_quotes"]


def cells_of_row_with_spaced_quotes(text: str, delimiter: str) -> list[str] | None:
    """Returns the cells of one row that has spaces before or after quotes, such as `"Ann" , "Port"`.

    Returns None if the text is still not a row: a quote is not closed, or is in the middle of a cell.
    """
    text = text.rstrip("\r\n")
    pattern = _cell_pattern(delimiter)
    cells, place = [], 0
    while True:
        found = pattern.match(text, place)
        if found is None:
            return None
        quoted, plain = found.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        place = found.end() + 1
        if place > len(text):
            return cells


@lru_cache(maxsize=8)
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    blank = "[ \u00a0\u3000\t]" if delimiter != "\t" else "[ \u00a0\u3000]"
    end = re.escape(delimiter)
    return re.compile(rf'{blank}*+(?:"((?:[^"]|"")*+)"{blank}*+|((?!")[^{end}\r\n]*+))(?={end}|\Z)')


def has_rows_within_cell(cells: list[str], columns: Columns, delimiter: str) -> bool:
    """Returns whether a cell with line breaks holds further rows of the list, because a quote was not closed.

    A line in a cell is a row if it has as many cells as the header and an address in the address column.
    """
    place = columns.fields.get("address", -1)
    for cell in cells:
        if "\n" not in cell and "\r" not in cell:
            continue
        for line in cell.splitlines()[1:]:
            if line.count(delimiter) < columns.width - 1 or "@" not in line:
                continue
            parts = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])
            if len(parts) >= columns.width and (place < 0 or "@" in parts[place]):
                return True
    return False

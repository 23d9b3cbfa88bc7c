"""Warns if CommonMark silently drops or changes what was typed: table cells, list numbers, a `>`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from mailer.issue.markdown.findings import Finding
from mailer.issue.markdown.leftovers import FOUND

__all__ = ["add_rule_for_silent_changes"]

_QUOTED = re.compile(r"[\s>]*")
#: A number right behind the mark of a quotation, as in `>50 guests`.
_MORE_THAN = re.compile(r"(?:\s|>|[-*+]\s|[0-9]{1,9}[.)]\s)*(>\d[^\s]*)")


def add_rule_for_silent_changes(parser: MarkdownIt) -> None:
    """Adds to `parser` the rule that warns if CommonMark silently drops or changes text."""
    parser.core.ruler.after("leftovers", "changed", _find_silent_changes)


def _find_silent_changes(state: StateCore) -> None:
    found: list[Finding] = state.env.setdefault(FOUND, [])
    lines = state.src.split("\n")
    found += _findings_about_lost_cells(state.tokens, lines)
    found += _findings_about_list_numbers(state.tokens)
    for token in state.tokens:
        if token.type == "heading_open" and token.markup in ("-", "=") and token.map:
            below = _QUOTED.sub("", lines[token.map[1] - 1], count=1).rstrip()
            if len(below) < 3:
                message = (
                    f"a line of {below} makes a heading of the text above it; put an empty line between them"
                )
                found.append(Finding(message, token.map[1] - 1, "warning"))
        if token.type == "blockquote_open" and token.map:
            begins = _MORE_THAN.match(lines[token.map[0]])
            if begins:
                message = f'the > of "{begins[1][:40]}" begins a quotation and is not printed; write \\>'
                finding = Finding(message, token.map[0], "warning")
                if finding not in found:
                    found.append(finding)


def _findings_about_lost_cells(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Finding]:
    """Yields a finding for the first row of each table that has more cells than the table's head."""
    columns, in_head, reported = 0, False, False
    for token in tokens:
        if token.type == "thead_open":
            columns, in_head, reported = 0, True, False
        elif token.type == "thead_close":
            in_head = False
        elif token.type == "th_open":
            columns += 1
        elif token.type == "tr_open" and not in_head and not reported and token.map:
            line = lines[token.map[0]]
            cells = _cells_of_row(line[_QUOTED.match(line).end() :])  # type: ignore[union-attr]
            lost = [cell.strip() for cell in cells[columns:] if cell.strip()]
            if lost:
                yield Finding(
                    f'"{lost[0][:40]}" is left out, because the head of the table has only '
                    f"{_cell_count_text(columns)}; write \\| if | is meant as text",
                    token.map[0],
                    "warning",
                )
                reported = True  # one row of a table is enough


def _cells_of_row(row: str) -> list[str]:
    cells: list[str] = escapedSplit(row.strip())
    return cells[1:] if cells and not cells[0] else cells


def _cell_count_text(count: int) -> str:
    return "one cell" if count == 1 else f"{count} cells"


def _findings_about_list_numbers(tokens: Sequence[Token]) -> Iterator[Finding]:
    """Yields a finding for each list with a number that is not printed as typed.

    A list whose entries all have the same number is meant to be numbered by the parser: it is not reported.
    """
    open_lists: list[list[Token]] = []
    for token in tokens:
        if token.type in ("ordered_list_open", "bullet_list_open"):
            open_lists.append([])
        elif token.type == "list_item_open":
            open_lists[-1].append(token)
        elif token.type == "ordered_list_close":
            yield from _misnumbered_entry_findings(open_lists.pop(), token.markup)
        elif token.type == "bullet_list_close":
            open_lists.pop()


def _misnumbered_entry_findings(entries: Sequence[Token], delimiter: str) -> Iterator[Finding]:
    typed = [int(entry.info) for entry in entries if entry.info.isdigit()]
    if len(set(typed)) < 2 or len(typed) < len(entries):
        return
    for number, entry in enumerate(entries):
        printed = typed[0] + number
        if typed[number] != printed and entry.map:
            yield Finding(
                f'"{typed[number]}{delimiter}" is printed as "{printed}{delimiter}", because a list '
                f"counts on from its first number; write {typed[number]}\\{delimiter} to print the "
                "number as it is typed",
                entry.map[0],
                "warning",
            )
            return

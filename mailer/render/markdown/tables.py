"""Lays out the tables of a Markdown text as HTML tokens, for the web page and for a mail.

A cell breaks between its words and nowhere else: numbers, short cells and words with hyphens are kept
whole; a long address may break anywhere, on an element of its own. How wide a table must be is estimated
in `cell_widths`, because many mail programs know no media queries:

* one that fits a phone is a table, if need be one step smaller;
* a wider one scrolls sideways on the web page, in a region that the keyboard reaches, and in a mail its rows
  are stacked: each cell is a line that begins with the head of its column, marked with the class `rowlabel`.
  `@media` rules of the theme lay it out as a table again where there is room.

Everything that a table needs to be read stands in `style` attributes, so that any theme has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Literal

from markdown_it.token import Token

from mailer.render.markdown.cell_widths import is_number, is_short, is_wide, min_width, pieces, width
from mailer.render.markdown.cells import Cell, rows_of

__all__ = ["ATTRIBUTES", "PHONE", "STYLES", "TAGS", "lay_out_tables"]

#: What the sanitiser must let through beyond plain Markdown: tags, attributes of tags, properties of `style`.
TAGS = frozenset(("div", "span"))
ATTRIBUTES = {
    "div": {"class", "style", "role", "tabindex", "aria-label"},
    "span": {"class", "style"},
    "code": {"style"},
    "table": {"class", "style"},
    **{tag: {"style"} for tag in ("thead", "tbody", "tr")},
    "th": {"class", "style"},
    "td": {"class", "style"},
}
STYLES = frozenset(
    "text-align white-space word-break overflow-wrap overflow-x display min-width mso-hide".split()  # noqa: SIM905
)

#: CSS px between the margins of a mail, on the smallest telephone (320) and at full width (600).
PHONE, FULL = 264, 544
#: Font sizes of cells in CSS px, the usual one and one step less; heads have the smaller one.
SIZES = (15, 13)
#: CSS px between two columns.
GAP = 12
#: By how many CSS px lists and quotations are set in.
_INDENT = 24

_WHOLE = "white-space:nowrap"
_ANYWHERE = "overflow-wrap:anywhere;word-break:break-word"
_BLOCK = "display:block"
_KEEP_WORDS = "word-break:normal;overflow-wrap:normal"


def lay_out_tables(
    tokens: Sequence[Token], *, mail: bool, room: int = FULL, rtl: bool = False
) -> list[Token]:
    """Returns a copy of the tokens with their tables laid out for a mail or for the web page.

    `room` is the width at hand in a mail of full width, in CSS px; `rtl` says that the text runs from right
    to left, for mail programs that know left and right alone.
    """
    out: list[Token] = []
    indents = 0
    start: int | None = None
    for index, token in enumerate(tokens):
        if token.type in ("bullet_list_open", "ordered_list_open", "blockquote_open"):
            indents += 1
        elif token.type in ("bullet_list_close", "ordered_list_close", "blockquote_close"):
            indents -= 1
        if token.type == "table_open":
            start = index
        elif start is None:
            out.append(token)
        if token.type == "table_close" and start is not None:
            table = _Table(tokens[start : index + 1], room - indents * _INDENT, rtl=rtl)
            out += table.mail() if mail else table.web()
            start = None
    return out


class _Table:
    """Converts one table from Markdown's tokens to those of a medium."""

    def __init__(self, tokens: Sequence[Token], room: int, *, rtl: bool) -> None:
        self.tokens = tokens
        self.room = room
        self.phone = PHONE - (FULL - room)
        self.rtl = rtl
        self.rows = rows_of(tokens)
        self.heads = self.rows[0] if self.rows else []
        body = self.rows[1:]
        self.numeric = [
            any(cell.text for cell in column) and all(is_number(cell.text) for cell in column if cell.text)
            for column in ([row[number] for row in body] for number in range(len(self.heads)))
        ]
        self.needs = [self._needs(size) for size in SIZES]
        self.natural = sum(max(width(row[n].runs) for row in self.rows) for n in range(len(self.heads)))

    def _needs(self, size: int) -> float:
        """Returns the least width of the table, in CSS px, with cells of a font size."""
        columns = [
            max(
                max(
                    min_width(row[number].runs, self.phone / size) * (size if index else SIZES[-1]),
                    row[number].icon,
                )
                for index, row in enumerate(self.rows)
            )
            for number in range(len(self.heads))
        ]
        return sum(columns) + GAP * (len(columns) - 1)

    def _size(self, room: float) -> int | None:
        """Returns the font size with which the table fits in `room`, if there is one."""
        return next((size for size, need in zip(SIZES, self.needs, strict=True) if need <= room), None)

    # The web page.

    def web(self) -> list[Token]:
        """Returns the table in a container that scrolls.

        A wide table is a region that the keyboard can reach.
        """
        size = self._size(self.phone)
        attrs: dict[str, str | int | float] = {"class": "scroll", "style": "overflow-x:auto"}
        if size is None:
            attrs |= {"class": "scroll wide", "role": "region", "tabindex": "0", "aria-label": self._name()}
        table = _element(self.tokens[0], {"class": "data small" if size == SIZES[-1] else "data"})
        style = _KEEP_WORDS
        if size is None:  # else each column of a text would be as narrow as its longest word
            least = min(self.natural * SIZES[0] + GAP * (len(self.heads) - 1), FULL) / 16
            style += f";min-width:{least:.1f}rem"
        table.attrs["style"] = style
        inside = [table, *self._cells(stacked=False, mail=False), self.tokens[-1]]
        return [_tag("table_scroll_open", "div", 1, attrs), *inside, _tag("table_scroll_close", "div", -1)]

    def _name(self) -> str:
        """Returns the column heads as the name of the region; the first row where there are none."""
        for row in self.rows:
            words = [" ".join(cell.text.split()) for cell in row if cell.text.strip()]
            if words:
                return ", ".join(words)
        return "–"

    # The mail.

    def mail(self) -> list[Token]:
        """Returns the table as a table, or with its rows stacked where it is too wide for a phone."""
        size = self._size(self.phone)
        stacked = size is None
        classes = ["data"]
        if stacked:
            size = self._size(self.room)
            classes += ["stack", "always" if size is None else "roomy"]
        if size == SIZES[-1]:
            classes.append("small")
        table = _element(self.tokens[0], {"class": " ".join(classes)})
        table.attrs["style"] = _KEEP_WORDS + (";" + _BLOCK if stacked else "")
        return [table, *self._cells(stacked=stacked, mail=True), self.tokens[-1]]

    # Both.

    def _cells(self, *, stacked: bool, mail: bool) -> Iterator[Token]:
        """Returns the tokens between the tags of the table."""
        cells = (cell for row in self.rows for cell in row)
        number = 0
        for token in self.tokens[1:-1]:
            if token.type in ("th_open", "td_open"):
                cell = next(cells)
                yield self._opened(cell, number, stacked=stacked, mail=mail)
                yield self._filled(cell, number if token.type == "td_open" else 0, stacked=stacked)
                number += 1
            elif token.type == "inline":
                continue
            else:
                if token.type == "tr_open":
                    number = 0
                yield _element(token, {"style": _BLOCK}) if stacked and token.nesting == 1 else token

    def _opened(self, cell: Cell, number: int, *, stacked: bool, mail: bool) -> Token:
        """Returns the start tag of a cell."""
        side = self._side(number, mail=mail)
        classes = ["first"] if number == 0 else []
        styles = []
        if not stacked:
            styles.append(f"text-align:{side}")
            if self._is_whole(cell):
                styles.append(_WHOLE)
        else:
            classes.append(side)
            styles.append("display:inline-block" if cell.open.tag == "th" else _BLOCK)
            start = "right" if self.rtl else "left"
            styles.append(f"text-align:{start}")
        opened = _element(cell.open, {"style": ";".join(styles)})
        opened.attrs.pop("align", None)
        if classes:
            opened.attrs["class"] = " ".join(classes)
        return opened

    def _side(self, number: int, *, mail: bool) -> str:
        """Returns the `text-align` of a column.

        It keeps the units of numbers below each other in any script.
        """
        align = _align(self.heads[number].open)
        if align == "center":
            return align
        if align == "right":
            if self.numeric[number] or (mail and not self.rtl):
                return "right"
            return "left" if mail else "end"
        if mail:
            return "right" if self.rtl else "left"
        return "start"

    def _is_whole(self, cell: Cell) -> bool:
        if cell.images:
            return False  # lines break between pictures, and what is short beside one is kept whole by itself
        return is_number(cell.text) or is_short(cell.text)

    def _filled(self, cell: Cell, column: int, *, stacked: bool) -> Token:
        """Returns the content of a cell, with the head of its column before it where rows are stacked."""
        if not stacked and self._is_whole(cell):
            return cell.inline
        inline = copy(cell.inline)
        inline.children = list(_kept_whole(cell.inline.children or (), self.phone / SIZES[0]))
        label = " ".join(self.heads[column].text.split()) if stacked and column else ""
        if label and (cell.text.strip() or cell.images):
            inline.children[:0] = _label(label, self.phone / SIZES[0])
        return inline


def _align(token: Token) -> str:
    """Returns the alignment that was typed: left, right, center or ''."""
    return str(token.attrs.get("align") or token.attrs.get("style") or "").removeprefix("text-align:")


def _label(head: str, room: float) -> list[Token]:
    """Returns the column head before a cell. Outlook shows a table, and therefore no labels."""
    end = "" if head[-1] in ":：?？" else "：" if is_wide(head[-1]) else ": "
    return [
        _tag("rowlabel_open", "span", 1, {"class": "rowlabel", "style": "mso-hide:all"}),
        *_kept_whole([_text(head)], room),
        _text(end or " "),
        _tag("rowlabel_close", "span", -1),
    ]


def _kept_whole(children: Sequence[Token], room: float) -> Iterator[Token]:
    """Returns the content of a cell, with an element around each word that a browser would break wrongly."""
    for child in children:
        if child.type == "code_inline":
            sorts = {sort for _, sort in pieces(child.content, room)}
            style = _ANYWHERE if "long" in sorts else "" if " " in child.content else _WHOLE
            yield _element(child, {"style": style}) if style else child
        elif child.type == "text":
            for text, sort in pieces(child.content, room):
                if sort == "plain":
                    yield _text(text)
                else:
                    style = _WHOLE if sort == "whole" else _ANYWHERE
                    yield _tag("span_open", "span", 1, {"style": style})
                    yield _text(text)
                    yield _tag("span_close", "span", -1)
        else:
            yield child


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _tag(
    name: str, tag: str, nesting: Literal[1, -1], attrs: dict[str, str | int | float] | None = None
) -> Token:
    return Token(name, tag, nesting, attrs=attrs or {})


def _element(token: Token, attrs: dict[str, str | int | float]) -> Token:
    """Returns a copy of a token with more attributes."""
    made = copy(token)
    made.attrs = {**token.attrs, **attrs}
    return made

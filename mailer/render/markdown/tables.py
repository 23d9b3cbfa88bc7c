"""Lays out the tables of a Markdown text as HTML tokens, for the web page and for a mail.

The text of a cell breaks only between words: numbers, short cells and words with hyphens are kept whole, and
a long address, in an element of its own, may break anywhere. `cell_widths` estimates the width of a table,
because many mail programs do not support media queries:

* a table that fits a phone is shown as a table, if necessary with smaller letters;
* a wider table scrolls sideways on the web page, in a region that the keyboard can reach. In a mail, its rows
  are stacked: each cell is a line that begins with the head of its column, in the class `rowlabel`.
  `@media` rules of the theme show it as a table again on a wide screen.

All styles that a table needs to be readable are in `style` attributes, so that they work with any theme.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy

from markdown_it.token import Token

from mailer.render.markdown.cell_tokens import UNBREAKABLE, row_label_tokens, with_unbreakable_words
from mailer.render.markdown.cell_widths import (
    cell_width,
    fits_on_one_line,
    is_number,
    min_cell_width,
)
from mailer.render.markdown.cells import Cell, table_rows
from mailer.render.markdown.tokens import tag_token, with_attributes

__all__ = ["ATTRIBUTES", "PHONE", "STYLES", "TAGS", "lay_out_tables"]

#: What the sanitiser must let through beyond plain Markdown: tags, attributes of tags, properties of `style`.
TAGS = frozenset(("div", "span"))
ATTRIBUTES = {
    "div": {"class", "style", "role", "tabindex", "aria-label"},
    "span": {"class", "style"},
    "code": {"style"},
    "table": {"class", "style"},
    **{tag: {"style"} for tag in ("thead", "tbody", "tr")},
    "th": {"class", "style", "scope"},
    "td": {"class", "style"},
}
STYLES = frozenset(
    "text-align white-space word-break overflow-wrap overflow-x display min-width mso-hide".split()  # noqa: SIM905
)

#: CSS px between the margins of a mail, on the smallest telephone (320) and at full width (600).
PHONE, FULL = 286, 512
#: Font sizes of cells in CSS px, the usual one and one step less; heads have the smaller one.
SIZES = (15, 13)
#: CSS px between two columns.
GAP = 16
#: By how many CSS px lists and quotations are set in.
_INDENT = 24

_BLOCK = "display:block"
_KEEP_WORDS = "word-break:normal;overflow-wrap:normal"


def lay_out_tables(
    tokens: Sequence[Token], *, for_mail: bool, width: int = FULL, is_rtl: bool = False
) -> list[Token]:
    """Returns the tokens with tables laid out for a mail (if `for_mail`) or else for a web page.

    The given tokens stay as they are. `width` is the width of the text in a mail on a wide screen, in CSS px.
    `is_rtl` is True for text from right to left.
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
            table = _TableLayout(tokens[start : index + 1], width - indents * _INDENT, is_rtl=is_rtl)
            out += table.mail_tokens() if for_mail else table.web_tokens()
            start = None
    return out


class _TableLayout:
    """Converts the tokens of one table for a web page, or for a mail that is `width` CSS px wide."""

    def __init__(self, tokens: Sequence[Token], width: int, *, is_rtl: bool) -> None:
        self.tokens = tokens
        self.width = width
        self.phone = PHONE - (FULL - width)
        self.is_rtl = is_rtl
        self.rows = table_rows(tokens)
        self.heads = self.rows[0] if self.rows else []
        body = self.rows[1:]
        self.numeric = [
            any(cell.text for cell in column) and all(is_number(cell.text) for cell in column if cell.text)
            for column in ([row[number] for row in body] for number in range(len(self.heads)))
        ]
        self.needs = [self._min_table_width(size) for size in SIZES]
        self.natural = sum(max(cell_width(row[n].runs) for row in self.rows) for n in range(len(self.heads)))

    def _min_table_width(self, size: int) -> float:
        """Returns the smallest width of the table in CSS px, for cells with the font size `size` (CSS px)."""
        columns = [
            max(
                max(
                    min_cell_width(row[number].runs, self.phone / size) * (size if index else SIZES[-1]),
                    row[number].icon_width,
                )
                for index, row in enumerate(self.rows)
            )
            for number in range(len(self.heads))
        ]
        return sum(columns) + GAP * (len(columns) - 1)

    def _fitting_font_size(self, width: float) -> int | None:
        """Returns the largest font size of SIZES at which the table fits into `width` CSS px, or None."""
        return next((size for size, need in zip(SIZES, self.needs, strict=True) if need <= width), None)

    def web_tokens(self) -> list[Token]:
        """Returns the tokens of the table for a web page: in a container that scrolls sideways.

        The container of a wide table is a region that the keyboard can reach.
        """
        size = self._fitting_font_size(self.phone)
        attrs: dict[str, str | int | float] = {"class": "scroll", "style": "overflow-x:auto"}
        if size is None:
            attrs |= {"class": "scroll wide", "role": "region", "tabindex": "0"}
            attrs["aria-label"] = self._region_name()
        table = with_attributes(self.tokens[0], {"class": "data small" if size == SIZES[-1] else "data"})
        style = _KEEP_WORDS
        if size is None:  # else each column of a text would be as narrow as its longest word
            least = min(self.natural * SIZES[0] + GAP * (len(self.heads) - 1), FULL) / 16
            style += f";min-width:{least:.1f}rem"
        table.attrs["style"] = style
        inside = [table, *self._cell_tokens(stacked=False, for_mail=False), self.tokens[-1]]
        start, end = (
            tag_token("table_scroll_open", "div", 1, attrs),
            tag_token("table_scroll_close", "div", -1),
        )
        return [start, *inside, end]

    def _region_name(self) -> str:
        """Returns the name of the scrolling region: the column heads, or the first row that is not empty."""
        for row in self.rows:
            words = [" ".join(cell.text.split()) for cell in row if cell.text.strip()]
            if words:
                return ", ".join(words)
        return "–"

    def mail_tokens(self) -> list[Token]:
        """Returns the tokens of the table for a mail. If it is too wide for a phone, its rows are stacked."""
        size = self._fitting_font_size(self.phone)
        stacked = size is None
        classes = ["data"]
        if stacked:
            size = self._fitting_font_size(self.width)
            classes += ["stack", "always" if size is None else "roomy"]
        if size == SIZES[-1]:
            classes.append("small")
        table = with_attributes(self.tokens[0], {"class": " ".join(classes)})
        if stacked:
            table.attrs["style"] = _BLOCK
        return [table, *self._cell_tokens(stacked=stacked, for_mail=True), self.tokens[-1]]

    def _cell_tokens(self, *, stacked: bool, for_mail: bool) -> Iterator[Token]:
        """Returns the tokens inside the table. If `stacked`, each cell becomes a line of its own."""
        cells = (cell for row in self.rows for cell in row)
        number = 0
        cell: Cell | None = None
        for token in self.tokens[1:-1]:
            if token.type in ("th_open", "td_open"):
                cell = next(cells)
                yield self._cell_start_tag(cell, number, stacked=stacked, for_mail=for_mail)
                yield self._cell_content(cell, number if token.type == "td_open" else 0, stacked=stacked)
                number += 1
            elif token.type == "inline":
                continue
            elif token.type == "th_close" and cell is not None and cell.is_empty:
                yield tag_token("td_close", "td", -1)
            else:
                if token.type == "tr_open":
                    number = 0
                yield with_attributes(token, {"style": _BLOCK}) if stacked and token.nesting == 1 else token

    def _cell_start_tag(self, cell: Cell, column: int, *, stacked: bool, for_mail: bool) -> Token:
        """Returns the start tag of a cell in the column `column` (from 0)."""
        side = self._text_align(column, for_mail=for_mail)
        classes = ["first"] if column == 0 else []
        styles = []
        if not stacked:
            styles.append(f"text-align:{side}")
            if self._is_unbreakable(cell):
                styles.append(UNBREAKABLE)
        else:
            classes.append(side)
            styles.append("display:inline-block" if cell.open.tag == "th" else _BLOCK)
            start = "right" if self.is_rtl else "left"
            styles.append(f"text-align:{start}")
        opened = with_attributes(cell.open, {"style": ";".join(styles)})
        opened.attrs.pop("align", None)
        if opened.tag == "th" and cell.is_empty:  # a head without words heads nothing
            opened.tag = "td"
        elif opened.tag == "th":
            opened.attrs["scope"] = "col"
        if classes:
            opened.attrs["class"] = " ".join(classes)
        return opened

    def _text_align(self, column: int, *, for_mail: bool) -> str:
        """Returns the `text-align` of the column `column` (from 0).

        A right-aligned column of numbers stays aligned right in text from right to left, too.
        """
        align = _alignment_in_markdown(self.heads[column].open)
        if align == "center":
            return align
        if align == "right" or (not align and self.numeric[column]):
            if self.numeric[column] or (for_mail and not self.is_rtl):
                return "right"
            return "left" if for_mail else "end"
        if for_mail:
            return "right" if self.is_rtl else "left"
        return "start"

    def _is_unbreakable(self, cell: Cell) -> bool:
        if cell.images:
            return False  # lines break between pictures, and what is short beside one is kept whole by itself
        return is_number(cell.text) or fits_on_one_line(cell.text)

    def _cell_content(self, cell: Cell, column: int, *, stacked: bool) -> Token:
        """Returns a cell's content; in stacked rows, the head of column number `column` stands before it."""
        if not stacked and self._is_unbreakable(cell):
            return cell.inline
        inline = copy(cell.inline)
        inline.children = list(with_unbreakable_words(cell.inline.children or (), self.phone / SIZES[0]))
        label = " ".join(self.heads[column].text.split()) if stacked and column else ""
        if label and (cell.text.strip() or cell.images):
            inline.children[:0] = row_label_tokens(label, self.phone / SIZES[0])
        return inline


def _alignment_in_markdown(token: Token) -> str:
    """Returns the alignment that the Markdown text gives a cell's column: left, right, center or ''."""
    return str(token.attrs.get("align") or token.attrs.get("style") or "").removeprefix("text-align:")

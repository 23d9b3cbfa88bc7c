"""Writes parsed Markdown as plain text. Blocks get marks, and code stays as it is:

    ## A heading        > a quotation        • an entry        10. an entry        (four spaces) code

A heading has one `#` for each level. `wrap` wraps the lines later, `plain_inline` writes inline text, and
`tables` lays out tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from mailer.issue.markdown.rules.attributions import is_before_attribution
from mailer.render.text.lines import MARKS, PlainText, TableLines, TextLine
from mailer.render.text.plain_inline import inline_text
from mailer.render.text.tables import PlainTable

__all__ = ["plain_text"]


def plain_text(tokens: Sequence[Token]) -> PlainText:
    """Returns a parsed Markdown document as plain text, with an empty line between paragraphs."""
    return _PlainTextWriter(tokens).write()


@dataclass
class _LinePrefixes:
    """Holds the beginnings of the lines of a quotation, a list entry or a footnote.

    `first` is written before the first line, and `rest` before each other line. `begun` is True as soon as
    the first line is written.
    """

    first: str
    rest: str
    begun: bool = False


@dataclass
class _OpenList:
    """Holds the state of an open list.

    `number` is the number of the next entry, or None for a list with bullets. `mark` is written behind each
    number. Numbers are padded to `width` characters.
    """

    number: int | None = None
    mark: str = "."
    width: int = 0

    def next_bullet(self) -> str:
        if self.number is None:
            return "• "
        self.number += 1
        return f"{self.number - 1}".rjust(self.width) + f"{self.mark} "


class _PlainTextWriter:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.lines: list[TextLine | TableLines] = []
        self.frames: list[_LinePrefixes] = []  # from outside to inside
        self.lists: list[_OpenList] = []
        self.gap = False
        self.heading = ""
        self.table: list[list[str]] | None = None
        self.aligns: list[str] = []

    def write(self) -> PlainText:
        for self.at, token in enumerate(self.tokens):  # noqa: B020
            handler = getattr(self, f"on_{token.type}", None)
            if handler is not None:
                handler(token)
        return PlainText.of(self.lines)

    def begin_block(self) -> tuple[str, str]:
        """Begins a block of text; writes an empty line before the block if needed.

        Returns the text before the first line of the block, and the text before each other line.
        """
        self.write_empty_line()
        first = "".join(frame.rest if frame.begun else frame.first for frame in self.frames)
        for frame in self.frames:
            frame.begun = True
        self.gap = True
        return first, "".join(frame.rest for frame in self.frames)

    def write_empty_line(self) -> None:
        if self.gap and self.lines:
            empty = "".join(frame.rest for frame in self.frames if frame.begun)
            self.lines.append(TextLine("", empty, empty, "fixed"))
        self.gap = False

    def write_block(self, text: str) -> None:
        """Writes a text as a new block, each line behind the marks of open quotations and lists."""
        first, rest = self.begin_block()
        for number, line in enumerate(text.split("\n")):
            self.lines.append(TextLine(line.strip(" \t"), rest if number else first, rest))

    def on_inline(self, token: Token) -> None:
        text = MARKS.sub("", inline_text(token.children or ()))
        if self.table is not None:
            self.table[-1].append(" ".join(text.split("\n")))
        elif self.heading and text:
            self.write_block(self.heading + " ".join(text.split("\n")))
        elif not self.heading:
            self.write_block(text)

    def on_paragraph_close(self, token: Token) -> None:
        self.gap = not (token.hidden or is_before_attribution(token))

    def on_heading_open(self, token: Token) -> None:
        level = len(token.markup) if token.markup.startswith("#") else 1 if token.markup == "=" else 2
        self.heading = "#" * level + " "

    def on_heading_close(self, _: Token) -> None:
        self.heading = ""

    def on_fence(self, token: Token) -> None:
        if self.frames and not self.frames[-1].begun and self.frames[-1].rest.isspace():
            self.write_block(
                ""
            )  # the bullet of an entry that begins with code: all lines of the code begin alike
            self.gap = False
        _, rest = self.begin_block()
        content = MARKS.sub("", token.content).removesuffix("\n")
        self.lines += [TextLine("    " + line, rest, rest, "code") for line in content.split("\n")]

    on_code_block = on_fence

    def on_html_block(self, token: Token) -> None:
        self.write_block(token.content.strip())

    def on_hr(self, _: Token) -> None:
        first, rest = self.begin_block()
        self.lines.append(TextLine("* * *", first, rest, "fixed"))

    def on_blockquote_open(self, _: Token) -> None:
        self.write_empty_line()  # outside of the quotation
        self.frames.append(_LinePrefixes("> ", "> "))

    def on_blockquote_close(self, _: Token) -> None:
        self.close_innermost_block()
        self.gap = True

    def on_bullet_list_open(self, _: Token) -> None:
        self.lists.append(_OpenList())

    def on_ordered_list_open(self, token: Token) -> None:
        start = int(token.attrs.get("start", 1))
        last = start + self._count_entries(token.level + 1) - 1
        self.lists.append(_OpenList(start, token.markup or ".", len(str(last))))

    def _count_entries(self, level: int) -> int:
        """Returns the number of entries in the list that has just been opened.

        `level` is the nesting level of the entries' tokens.
        """
        number = 0
        for token in self.tokens[self.at + 1 :]:
            if token.level < level:
                break
            number += token.type == "list_item_open" and token.level == level
        return number

    def on_bullet_list_close(self, _: Token) -> None:
        self.lists.pop()
        self.gap = not self.lists or self.gap

    on_ordered_list_close = on_bullet_list_close

    def on_list_item_open(self, _: Token) -> None:
        bullet = self.lists[-1].next_bullet()
        self.frames.append(_LinePrefixes(bullet, " " * len(bullet)))

    def on_list_item_close(self, _: Token) -> None:
        self.close_innermost_block()

    def close_innermost_block(self) -> None:
        """Ends the innermost quotation, list entry or footnote. If it is empty, its mark is written alone."""
        if not self.frames[-1].begun:
            gap = self.gap
            first, rest = self.begin_block()
            self.lines.append(TextLine("", first, rest, "fixed"))
            self.gap = gap
        self.frames.pop()

    def on_table_open(self, _: Token) -> None:
        self.table, self.aligns = [], []

    def on_note_open(self, token: Token) -> None:
        number = f"[{token.meta['number']}] "
        self.frames.append(_LinePrefixes(number, " " * len(number)))

    on_note_close = on_list_item_close

    def on_tr_open(self, _: Token) -> None:
        if self.table is not None:
            self.table.append([])

    def on_th_open(self, token: Token) -> None:
        style = f"{token.attrs.get('align', '')} {token.attrs.get('style', '')}"
        self.aligns.append(next((side for side in ("right", "center") if side in style), "left"))

    def on_table_close(self, _: Token) -> None:
        rows, self.table = self.table or [], None
        width = len(self.aligns)
        cells = tuple(tuple((row + [""] * width)[:width]) for row in rows)
        first, rest = self.begin_block()
        self.lines.append(TableLines(PlainTable(cells, tuple(self.aligns)), first, rest))

"""Writes parsed Markdown as plain text that keeps the marks of its blocks, and code as it is.

    ## A heading        > a quotation        • an entry        10. an entry        (four spaces) code

A heading keeps the `#` of its level. The lines are wrapped in `wrap`, inline text is made in `plain_inline`,
tables in `tables`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from mailer.render.text.lines import MARKS, Line, PlainText, TableLines
from mailer.render.text.plain_inline import inline_text
from mailer.render.text.tables import Table

__all__ = ["plain_text"]


def plain_text(tokens: Sequence[Token]) -> PlainText:
    """Returns the tokens of a document as text, with an empty line between paragraphs."""
    return _Writer(tokens).write()


@dataclass
class _Frame:
    """Holds the line beginnings of a quotation or an entry.

    `first` stands before its first line, `rest` before the others.
    """

    first: str
    rest: str
    begun: bool = False


@dataclass
class _List:
    """Holds the state of an open list.

    `number` is that of its next entry, None for bullets; `width` is that of its numbers.
    """

    number: int | None = None
    mark: str = "."
    width: int = 0

    def bullet(self) -> str:
        if self.number is None:
            return "• "
        self.number += 1
        return f"{self.number - 1}".rjust(self.width) + f"{self.mark} "


class _Writer:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.lines: list[Line | TableLines] = []
        self.frames: list[_Frame] = []  # from outside to inside
        self.lists: list[_List] = []
        self.gap = False
        self.heading = ""
        self.table: list[list[str]] | None = None
        self.aligns: list[str] = []

    def write(self) -> PlainText:
        for self.at, token in enumerate(self.tokens):  # noqa: B020
            handler = getattr(self, token.type, None)
            if handler is not None:
                handler(token)
        return PlainText.of(self.lines)

    def before(self) -> tuple[str, str]:
        """Returns the beginnings of the first and the other lines of a block, after an empty line if due."""
        self.empty_line()
        first = "".join(frame.rest if frame.begun else frame.first for frame in self.frames)
        for frame in self.frames:
            frame.begun = True
        self.gap = True
        return first, "".join(frame.rest for frame in self.frames)

    def empty_line(self) -> None:
        if self.gap and self.lines:
            empty = "".join(frame.rest for frame in self.frames if frame.begun)
            self.lines.append(Line("", empty, empty, "fixed"))
        self.gap = False

    def put(self, text: str) -> None:
        """Writes a block of text."""
        first, rest = self.before()
        for number, line in enumerate(text.split("\n")):
            self.lines.append(Line(line.strip(" \t"), rest if number else first, rest))

    def inline(self, token: Token) -> None:
        text = MARKS.sub("", inline_text(token.children or ()))
        if self.table is not None:
            self.table[-1].append(" ".join(text.split("\n")))
        elif self.heading and text:
            self.put(self.heading + " ".join(text.split("\n")))
        elif not self.heading:
            self.put(text)

    def paragraph_close(self, token: Token) -> None:
        self.gap = not token.hidden

    def heading_open(self, token: Token) -> None:
        level = len(token.markup) if token.markup.startswith("#") else 1 if token.markup == "=" else 2
        self.heading = "#" * level + " "

    def heading_close(self, _: Token) -> None:
        self.heading = ""

    def fence(self, token: Token) -> None:
        if self.frames and not self.frames[-1].begun and self.frames[-1].rest.isspace():
            self.put("")  # the bullet of an entry that begins with code: all lines of the code begin alike
            self.gap = False
        _, rest = self.before()
        content = MARKS.sub("", token.content).removesuffix("\n")
        self.lines += [Line("    " + line, rest, rest, "code") for line in content.split("\n")]

    code_block = fence

    def html_block(self, token: Token) -> None:
        self.put(token.content.strip())

    def hr(self, _: Token) -> None:
        first, rest = self.before()
        self.lines.append(Line("* * *", first, rest, "fixed"))

    def blockquote_open(self, _: Token) -> None:
        self.empty_line()  # outside of the quotation
        self.frames.append(_Frame("> ", "> "))

    def blockquote_close(self, _: Token) -> None:
        self.close()
        self.gap = True

    def bullet_list_open(self, _: Token) -> None:
        self.lists.append(_List())

    def ordered_list_open(self, token: Token) -> None:
        start = int(token.attrs.get("start", 1))
        last = start + self._entries(token.level + 1) - 1
        self.lists.append(_List(start, token.markup or ".", len(str(last))))

    def _entries(self, level: int) -> int:
        """Returns the number of entries of the list that has just been opened."""
        number = 0
        for token in self.tokens[self.at + 1 :]:
            if token.level < level:
                break
            number += token.type == "list_item_open" and token.level == level
        return number

    def bullet_list_close(self, _: Token) -> None:
        self.lists.pop()
        self.gap = not self.lists or self.gap

    ordered_list_close = bullet_list_close

    def list_item_open(self, _: Token) -> None:
        bullet = self.lists[-1].bullet()
        self.frames.append(_Frame(bullet, " " * len(bullet)))

    def list_item_close(self, _: Token) -> None:
        self.close()

    def close(self) -> None:
        """Ends a quotation or an entry.

        An empty one is written as its mark alone.
        """
        if not self.frames[-1].begun:
            gap = self.gap
            first, rest = self.before()
            self.lines.append(Line("", first, rest, "fixed"))
            self.gap = gap
        self.frames.pop()

    def table_open(self, _: Token) -> None:
        self.table, self.aligns = [], []

    def note_open(self, token: Token) -> None:
        number = f"[{token.meta['number']}] "
        self.frames.append(_Frame(number, " " * len(number)))

    note_close = list_item_close

    def tr_open(self, _: Token) -> None:
        if self.table is not None:
            self.table.append([])

    def th_open(self, token: Token) -> None:
        style = f"{token.attrs.get('align', '')} {token.attrs.get('style', '')}"
        self.aligns.append(next((side for side in ("right", "center") if side in style), "left"))

    def table_close(self, _: Token) -> None:
        rows, self.table = self.table or [], None
        width = len(self.aligns)
        cells = tuple(tuple((row + [""] * width)[:width]) for row in rows)
        first, rest = self.before()
        self.lines.append(TableLines(Table(cells, tuple(self.aligns)), first, rest))

"""Parsed Markdown as plain text: paragraphs, bullets, `text (address)`. Lines are wrapped in `wrap`."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

__all__ = ["plain_text"]


def plain_text(tokens: Sequence[Token]) -> str:
    """The tokens of a document, or of some of its blocks, as text. Paragraphs have an empty line between."""
    return _Writer().write(tokens)


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.lead: list[str] = []  # what stands before each line, from outside to inside
        self.numbers: list[int | None] = []  # of each open list; None for bullets
        self.tight: list[bool] = []
        self.bullet: str | None = None  # waits for the first line of its entry
        self.gap = False
        self.row: list[str] = []

    def write(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            handler = getattr(self, token.type, None)
            if handler is not None:
                handler(token)
        return "\n".join(self.lines)

    def put(self, text: str) -> None:
        """A block of text, with an empty line before it where there should be one."""
        if self.gap and self.lines:
            self.lines.append("".join(self.lead).rstrip())
        for line in text.split("\n"):
            before = "".join(self.lead)
            if self.bullet is not None:
                outer = "".join(self.lead[:-1])
                before, self.bullet = outer + self.bullet, None
            self.lines.append((before + line).rstrip())
        self.gap = True

    def inline(self, token: Token) -> None:
        text = _inline(token.children or ())
        if self.row and self.row[-1] == "":
            self.row[-1] = text
            return
        self.put(text)

    def paragraph_close(self, token: Token) -> None:
        self.gap = not token.hidden

    def fence(self, token: Token) -> None:
        self.put("\n".join("    " + line for line in token.content.rstrip("\n").split("\n")))

    code_block = fence

    def hr(self, _: Token) -> None:
        self.put("* * *")

    def blockquote_open(self, _: Token) -> None:
        if self.gap and self.lines:
            self.lines.append("".join(self.lead).rstrip())
            self.gap = False
        self.lead.append("> ")

    def blockquote_close(self, _: Token) -> None:
        self.lead.pop()
        self.gap = True

    def bullet_list_open(self, _: Token) -> None:
        self.numbers.append(None)

    def ordered_list_open(self, token: Token) -> None:
        self.numbers.append(int(token.attrs.get("start", 1)))

    def bullet_list_close(self, _: Token) -> None:
        self.numbers.pop()
        self.gap = not self.numbers or self.gap

    ordered_list_close = bullet_list_close

    def list_item_open(self, _: Token) -> None:
        number = self.numbers[-1]
        if self.bullet is not None:  # an entry that begins with a list: its own bullet stands alone
            self.put("")
            self.gap = False
        if number is None:
            self.bullet = "• "
        else:
            self.bullet = f"{number}. "
            self.numbers[-1] = number + 1
        self.lead.append(" " * len(self.bullet))

    def list_item_close(self, _: Token) -> None:
        if self.bullet is not None:
            self.put("")
            self.gap = False
        self.lead.pop()

    def note_open(self, token: Token) -> None:
        self.bullet = f"[{token.meta['number']}] "
        self.lead.append(" " * len(self.bullet))

    note_close = list_item_close

    def tr_open(self, _: Token) -> None:
        self.row = []

    def th_open(self, _: Token) -> None:
        self.row.append("")

    td_open = th_open

    def tr_close(self, _: Token) -> None:
        text, self.row = " | ".join(self.row), []
        self.put(text)
        self.gap = False

    def table_close(self, _: Token) -> None:
        self.gap = True


def _inline(children: Sequence[Token]) -> str:
    pieces: list[str] = []
    links: list[tuple[str, int]] = []
    for child in children:
        match child.type:
            case "text" | "code_inline":
                pieces.append(child.content)
            case "softbreak":
                pieces.append(" ")
            case "footnote_ref":
                pieces.append(f"[{child.meta['number']}]")
            case "hardbreak":
                pieces.append("\n")
            case "image":
                title = str(child.attrs.get("title", ""))
                pieces.append(" ".join([f"[{child.content}]"] * bool(child.content) + [title]).strip())
            case "link_open":
                links.append((str(child.attrs.get("href", "")), len(pieces)))
            case "link_close" if links:
                href, start = links.pop()
                text = "".join(pieces[start:]).strip()
                address = href.removeprefix("mailto:")
                if text in (href, address) or not text:
                    pieces[start:] = [text or href]
                else:
                    pieces.append(f" ({address})")
    return "".join(pieces).strip()

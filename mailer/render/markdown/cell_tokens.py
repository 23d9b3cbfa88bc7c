"""Makes the inline tokens of a table's cell: words that stay whole, words that may break, and row labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from mailer.render.markdown.cell_widths import is_wide_character, split_cell_text
from mailer.render.markdown.long_words import ANYWHERE
from mailer.render.markdown.tokens import styled_words, tag_token, text_token, with_attributes

__all__ = ["UNBREAKABLE", "row_label_tokens", "with_unbreakable_words"]

UNBREAKABLE = "white-space:nowrap"
_STYLES = {"whole": UNBREAKABLE, "long": ANYWHERE}


def row_label_tokens(column_head: str, line_width: float) -> list[Token]:
    """Returns the tokens of a column head, to be put before a cell in stacked rows. Outlook hides the head.

    `line_width` is the width of a line, in em.
    """
    end = "" if column_head[-1] in ":：?？" else "：" if is_wide_character(column_head[-1]) else ": "
    return [
        tag_token("rowlabel_open", "span", 1, {"class": "rowlabel", "style": "mso-hide:all"}),
        *with_unbreakable_words([text_token(column_head)], line_width),
        text_token(end or " "),
        tag_token("rowlabel_close", "span", -1),
    ]


def with_unbreakable_words(children: Sequence[Token], line_width: float) -> Iterator[Token]:
    """Returns a cell's tokens, with a `<span>` around words that must stay whole or may break anywhere.

    `line_width` is the width of a line, in em.
    """
    for child in children:
        if child.type == "code_inline":
            sorts = {sort for _, sort in split_cell_text(child.content, line_width)}
            style = ANYWHERE if "long" in sorts else "" if " " in child.content else UNBREAKABLE
            yield with_attributes(child, {"style": style}) if style else child
        elif child.type == "text":
            yield from styled_words(child.content, line_width, _STYLES)
        else:
            yield child

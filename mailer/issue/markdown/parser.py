"""The one parser of Markdown: CommonMark with tables, strikethrough and footnotes."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt

from mailer.issue.markdown import comments, footnotes, leftovers
from mailer.issue.markdown.inline import InlineParser

__all__ = ["parser"]


@cache
def parser() -> MarkdownIt:
    """The parser. It is made once in a process and never changed after that."""
    found = MarkdownIt("commonmark", {"html": True})
    found.inline = InlineParser()
    found.configure("commonmark", {"html": True}).enable(["table", "strikethrough"]).disable("html_block")
    comments.install(found)
    footnotes.install(found)
    leftovers.install(found)
    return found

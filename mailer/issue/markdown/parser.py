"""Builds the parser of Markdown: CommonMark with tables, strikethrough, footnotes and bare addresses.

The addresses of links are left as they were typed, so that `links` can check them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from markdown_it import MarkdownIt

from mailer.issue.markdown import leftovers, silent_changes
from mailer.issue.markdown.rules import bare_addresses as bare
from mailer.issue.markdown.rules import comments, footnotes
from mailer.issue.markdown.rules.inline import InlineParser

__all__ = ["parser"]


class _Parser(MarkdownIt):
    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link

    def validateLink(self, url: str, validator: Callable[[str], bool] | None = None) -> bool:  # noqa: ARG002
        return True


@cache
def parser() -> MarkdownIt:
    """Returns the parser. It is made once in a process and never changed after that."""
    options = {"html": True, "store_labels": True}  # `texts` asks which definitions are used
    found = _Parser("commonmark", options)
    found.inline = InlineParser()
    found.configure("commonmark", options).enable(["table", "strikethrough"]).disable("html_block")
    comments.install(found)
    footnotes.install(found)
    leftovers.install(found)
    silent_changes.install(found)
    bare.install(found)
    return found

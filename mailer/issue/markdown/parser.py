"""Builds the Markdown parser: CommonMark with tables, strikethrough, footnotes and bare URLs.

The URLs of links are left as they were typed, so that `links` can check them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from markdown_it import MarkdownIt

from mailer.issue.markdown import leftovers, silent_changes
from mailer.issue.markdown.rules import bare_addresses as bare
from mailer.issue.markdown.rules import comments, footnotes
from mailer.issue.markdown.rules.inline import InlineParser

__all__ = ["markdown_parser"]


class _UnnormalisedLinksParser(MarkdownIt):
    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link

    def validateLink(self, url: str, validator: Callable[[str], bool] | None = None) -> bool:  # noqa: ARG002
        return True


@cache
def markdown_parser() -> MarkdownIt:
    """Returns the parser. It is made once in each process, and is never changed after that."""
    options = {"html": True, "store_labels": True}  # `texts` asks which definitions are used
    found = _UnnormalisedLinksParser("commonmark", options)
    found.inline = InlineParser()
    found.configure("commonmark", options).enable(["table", "strikethrough"]).disable("html_block")
    comments.add_comment_rule(found)
    footnotes.add_footnote_rules(found)
    leftovers.add_rule_for_unused_markdown(found)
    silent_changes.add_rule_for_silent_changes(found)
    bare.add_bare_address_rule(found)
    return found

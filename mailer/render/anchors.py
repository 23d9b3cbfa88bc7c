"""Links within a page (`#item-2`), as an issue has them, with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from mailer.issue.load import LoadedIssue
from mailer.issue.markdown.document import line_of
from mailer.issue.problems import find
from mailer.issue.texts import line_in
from mailer.issue.tree import Node

__all__ = ["in_page_links"]


def in_page_links(loaded: LoadedIssue) -> Iterator[tuple[str, str, int]]:
    """The name of the part that each link leads to, and the file and the line of the link."""
    for key, document in loaded.documents.items():
        node = find(loaded.tree, key)[0]
        for token in document.inline():
            href = str(token.attrs.get("href", ""))
            if token.type == "link_open" and href.startswith("#"):
                yield unquote(href[1:]), node.mark.path, line_in(node, line_of(token))
    yield from _fields(loaded.tree)


def _fields(node: Node) -> Iterator[tuple[str, str, int]]:
    if isinstance(node.value, tuple):
        for entry in node.value:
            yield from _fields(entry)
    elif isinstance(node.value, Mapping):
        for key, child in node.value.items():
            if key == "url" and isinstance(child.value, str) and child.value.strip().startswith("#"):
                yield unquote(child.value.strip()[1:]), child.mark.path, child.mark.line
            else:
                yield from _fields(child)

"""Finds the links of an issue that lead to another part of the same page, such as `#item-2`."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from mailer.issue.load import LoadedIssue
from mailer.issue.markdown.findings import line_of_token

__all__ = ["in_page_links"]


def in_page_links(loaded: LoadedIssue) -> Iterator[tuple[str, str, int]]:
    """Returns each link to a part of the same page, as (part, path, line).

    `part` is the name behind the `#`; `path` and `line` are the file and the line of the link.
    """
    for key, document in loaded.documents.items():
        node = loaded.tree.find_deepest_node(key)[0]
        for token in document.inline_tokens():
            href = str(token.attrs.get("href", ""))
            if token.type == "link_open" and href.startswith("#"):
                yield unquote(href[1:]), node.position.path, node.file_line(line_of_token(token))
    for key, text, node in loaded.tree.walk_texts():
        if key[-1:] == ("url",) and text.strip().startswith("#"):
            yield unquote(text.strip()[1:]), node.position.path, node.position.line

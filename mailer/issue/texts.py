"""All Markdown texts of an issue, each read once, with references that hold across the fields of an item.

A text may use the definitions (`[label]: address`) of the other fields of its item or section, and those of
the issue's own fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mailer.errors import Problem
from mailer.issue.expressions import ExpressionError
from mailer.issue.fields import MAX_BODY
from mailer.issue.markdown.document import Document, definitions, line_of, read
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.tree import Node

__all__ = ["MARKDOWN_KEYS", "Key", "line_in", "read_texts"]

#: The keys whose texts are Markdown.
MARKDOWN_KEYS = ("intro", "body", "comment", "caption", "text", "notice")

#: Braces, and what stands between them on their line, as far as it can be an expression.
_BRACES = re.compile(r"\{\{.{0,1000}?\}\}|\{\{|\}\}")

#: The way to a value: ("sections", 0, "items", 2, "body").
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text on its way: `group` is the key of the item, section or issue whose definitions it shares."""

    key: Key
    group: Key
    node: Node
    text: str


def read_texts(tree: Node, placeholders: Placeholders, problems: list[Problem]) -> dict[Key, Document]:
    """The tree of each text, by its key. Findings, warnings too, are added to `problems`."""
    texts = [found for found in _texts(tree, (), ()) if len(found.node.value or "") <= MAX_BODY]
    filled: list[_Text] = []
    for each in texts:
        try:
            text = placeholders.fill(re.sub(r"\r\n?", "\n", each.text))
            filled.append(_Text(each.key, each.group, each.node, text))
        except ExpressionError as error:
            problems.append(_problem(each.node, str(error), error.line, "error"))
            text = _BRACES.sub("…", each.text)  # to go on with all the rest
            filled.append(_Text(each.key, each.group, each.node, text))
    known: dict[Key, dict[str, Mapping[str, Any]]] = {}
    for each in filled:
        group = known.setdefault(each.group, {})
        for label, definition in definitions(each.text).items():
            group.setdefault(label, definition)
    documents: dict[Key, Document] = {}
    for each in filled:
        references = {**known.get((), {}), **known.get(each.group, {})}
        document = read(each.text, references, "-".join(map(str, each.key)), placeholders.is_link)
        documents[each.key] = document
        problems += [_problem(each.node, f.message, f.line, f.severity) for f in document.findings]
        for token in document.inline():
            if token.type in ("text", "code_inline"):
                problems += [
                    _problem(each.node, message, line_of(token), "warning")
                    for message in placeholders.without_fallback(token.content)
                ]
    return documents


def line_in(node: Node, line: int) -> int:
    """The line in the file of a line of a text, counted from 0."""
    return node.line_at(line)


def _problem(node: Node, message: str, line: int, severity: Any) -> Problem:
    return Problem(message, node.mark.path, line_in(node, line), severity=severity)


def _texts(node: Node, key: Key, group: Key) -> Iterator[_Text]:
    if isinstance(node.value, tuple):
        for index, entry in enumerate(node.value):
            yield from _texts(entry, (*key, index), (*key, index))
    elif isinstance(node.value, Mapping):
        for name, child in node.value.items():
            if name in MARKDOWN_KEYS and isinstance(child.value, str):
                yield _Text((*key, name), group, child, child.value)
            else:
                yield from _texts(child, (*key, name), group)

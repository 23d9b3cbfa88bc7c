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

#: Slots, those that are the whole address of a link first, and braces that are left over. What stands between
#: braces is looked at as far as it can be an expression.
_BRACES = re.compile(r"(?P<address>(?<=\]\()\{\{[^\n]{0,1000}?\}\}(?=\)))|\{\{.{0,1000}?\}\}|\{\{|\}\}")

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
            text, wrong = _without_wrong(each.text, placeholders)
            told = dict.fromkeys([(str(error), error.line), *wrong])
            problems += [_problem(each.node, message, line, "error") for message, line in told]
            filled.append(_Text(each.key, each.group, each.node, text))
    known: dict[Key, dict[str, Mapping[str, Any]]] = {}
    defined: list[tuple[_Text, str, int]] = []
    for each in filled:
        group = known.setdefault(each.group, {})
        for label, definition in definitions(each.text).items():
            group.setdefault(label, definition)
            defined.append((each, label, definition["map"][0]))
    used: set[str] = set()
    documents: dict[Key, Document] = {}
    for each in filled:
        references = {**known.get((), {}), **known.get(each.group, {})}
        document = read(each.text, references, "-".join(map(str, each.key)), placeholders.is_link)
        documents[each.key] = document
        problems += [_problem(each.node, f.message, f.line, f.severity) for f in document.findings]
        for token in document.inline():
            used.add(token.meta.get("label", ""))
            if token.type in ("text", "code_inline"):
                problems += [
                    _problem(each.node, message, line_of(token), "warning")
                    for message in placeholders.without_fallback(token.content)
                ]
    problems += [_unused(each, line) for each, label, line in defined if label not in used]
    return documents


def line_in(node: Node, line: int) -> int:
    """The line in the file of a line of a text, counted from 0."""
    return node.line_at(line)


def _without_wrong(text: str, placeholders: Placeholders) -> tuple[str, list[tuple[str, int]]]:
    """A text with something harmless in place of wrong slots, to go on with all the rest; and what is wrong.

    Each sentence has its line, counted from 0.
    """
    wrong: list[tuple[str, int]] = []
    plain = re.sub(r"\r\n?", "\n", text)

    def filled(found: re.Match[str]) -> str:
        try:
            return placeholders.fill(found[0])
        except ExpressionError as error:
            wrong.append((str(error), plain.count("\n", 0, found.start()) + error.line))
            return "https://www.example.org/" if found["address"] else "…"

    return _BRACES.sub(filled, plain), wrong


def _unused(text: _Text, line: int) -> Problem:
    typed = re.search(r"\[.*\]:", text.text.split("\n")[line])
    label = typed[0] if typed else "[…]:"
    shown = label[:40]
    message = f"nothing leads to the definition {shown}, so it is left out; write \\{shown} where it is text"
    return _problem(text.node, message, line, "warning")


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

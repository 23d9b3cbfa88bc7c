"""Reads all Markdown texts of an issue once, with references that hold across the fields of an item.

A text may use the definitions (`[label]: address`) of the other fields of its item or section, and those of
the issue's own fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mailer.errors import Problem, Severity
from mailer.issue.markdown.document import Document, definitions, read
from mailer.issue.markdown.findings import line_of
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.values.expressions import ExpressionError
from mailer.issue.values.fields import MAX_BODY
from mailer.issue.yaml.tree import Key, Node

__all__ = ["MARKDOWN_KEYS", "read_texts"]

#: The keys whose texts are Markdown.
MARKDOWN_KEYS = ("intro", "body", "comment", "caption", "text", "notice")

#: Slots, those that are the whole address of a link first, and braces that are left over. What stands between
#: braces is looked at as far as it can be an expression.
_BRACES = re.compile(r"(?P<address>(?<=\]\()\{\{[^\n]{0,1000}?\}\}(?=\)))|\{\{.{0,1000}?\}\}|\{\{|\}\}")


@dataclass(frozen=True, slots=True)
class _Text:
    """Holds a text while it is read.

    `group` is the key of the item, section or issue whose link definitions it shares.
    """

    key: Key
    group: Key
    node: Node
    text: str


def read_texts(tree: Node, placeholders: Placeholders, problems: list[Problem]) -> dict[Key, Document]:
    """Returns the tree of each text, by its key. Adds findings, warnings too, to `problems`."""
    texts = [_filled(each, placeholders, problems) for each in _texts(tree) if len(each.text) <= MAX_BODY]
    own = {each.key: definitions(each.text) for each in texts}
    shared: dict[Key, dict[str, Mapping[str, Any]]] = {}
    for each in texts:
        group = shared.setdefault(each.group, {})
        for label, definition in own[each.key].items():
            group.setdefault(label, definition)
    used: set[str] = set()
    documents: dict[Key, Document] = {}
    for each in texts:
        references = {**shared.get((), {}), **shared[each.group], **own[each.key]}
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
    for each in texts:
        for label, definition in own[each.key].items():
            if label not in used:
                problems.append(_unused(each, definition["map"][0]))
    return documents


def _texts(tree: Node) -> Iterator[_Text]:
    for key, text, node in tree.texts():
        if key and key[-1] in MARKDOWN_KEYS:
            entries = [number for number, part in enumerate(key) if isinstance(part, int)]
            group = key[: entries[-1] + 1] if entries else ()
            yield _Text(key, group, node, re.sub(r"\r\n?", "\n", text))


def _filled(text: _Text, placeholders: Placeholders, problems: list[Problem]) -> _Text:
    """Returns a text with placeholders for its slots, and with a harmless word in place of wrong slots."""
    try:
        return replace(text, text=placeholders.fill(text.text))
    except ExpressionError as error:
        plain, wrong = _without_wrong(text.text, placeholders)
        errors = dict.fromkeys([(str(error), error.line), *wrong])
        problems += [_problem(text.node, message, line, "error") for message, line in errors]
        return replace(text, text=plain)


def _without_wrong(text: str, placeholders: Placeholders) -> tuple[str, list[tuple[str, int]]]:
    """Returns a text with a harmless word in place of wrong slots, and the errors of these.

    The rest of the text can then be checked, too.
    """
    wrong: list[tuple[str, int]] = []

    def filled(found: re.Match[str]) -> str:
        try:
            return placeholders.fill(found[0])
        except ExpressionError as error:
            wrong.append((str(error), text.count("\n", 0, found.start()) + error.line))
            return "https://www.example.org/" if found["address"] else "…"

    return _BRACES.sub(filled, text), wrong


def _unused(text: _Text, line: int) -> Problem:
    typed = re.search(r"\[.*\]:", text.text.split("\n")[line])
    label = typed[0] if typed else "[…]:"
    shown = label[:40]
    message = f"nothing leads to the definition {shown}, so it is left out; write \\{shown} where it is text"
    return _problem(text.node, message, line, "warning")


def _problem(node: Node, message: str, line: int, severity: Severity) -> Problem:
    return Problem(message, node.mark.path, node.line_at(line), severity=severity)

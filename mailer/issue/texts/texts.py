"""Parses each Markdown text of an issue once, with link definitions shared between fields.

A text may use the definitions (`[label]: URL`) of the other fields of its item or section, and those of the
issue's own fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mailer.errors import Problem, Severity
from mailer.issue.markdown.document import Document, link_definitions_in, parse_markdown
from mailer.issue.markdown.findings import line_of_token
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.values.expressions import ExpressionError
from mailer.issue.values.fields import MAX_BODY
from mailer.issue.yaml.tree import Key, Node

__all__ = ["is_markdown_key", "read_markdown_texts"]

#: The keys whose texts are Markdown.
_MARKDOWN_KEYS = (
    "intro", "body", "comment", "caption", "text", "notice", "standfirst", "quote", "condition"
)  # fmt: skip

#: Slots, those that are the whole URL of a link first, and braces that are left over. Only so much between
#: braces is looked at as an expression can be long.
_BRACES = re.compile(r"(?P<address>(?<=\]\()\{\{[^\n]{0,1000}?\}\}(?=\)))|\{\{.{0,1000}?\}\}|\{\{|\}\}")


@dataclass(frozen=True, slots=True)
class _MarkdownText:
    """Holds a Markdown text of an issue before it is parsed.

    `group` is the key of the item or section whose link definitions the text shares, or () for the issue.
    """

    key: Key
    group: Key
    node: Node
    text: str


def is_markdown_key(key: Key) -> bool:
    """Returns whether the text at a key of an issue is Markdown. The `text` of a link is one line."""
    return bool(key) and key[-1] in _MARKDOWN_KEYS and not (key[-1] == "text" and "links" in key)


def read_markdown_texts(
    tree: Node, placeholders: Placeholders, problems: list[Problem]
) -> dict[Key, Document]:
    """Returns the parsed Markdown texts of an issue by key. Adds errors and warnings to `problems`."""
    texts = [
        _with_placeholders(each, placeholders, problems)
        for each in _markdown_texts(tree)
        if len(each.text) <= MAX_BODY
    ]
    own = {each.key: link_definitions_in(each.text) for each in texts}
    shared: dict[Key, dict[str, Mapping[str, Any]]] = {}
    for each in texts:
        group = shared.setdefault(each.group, {})
        for label, definition in own[each.key].items():
            group.setdefault(label, definition)
    used: set[str] = set()
    documents: dict[Key, Document] = {}
    for each in texts:
        references = {**shared.get((), {}), **shared[each.group], **own[each.key]}
        document = parse_markdown(
            each.text, references, "-".join(map(str, each.key)), placeholders.is_reader_link
        )
        documents[each.key] = document
        problems += [_problem_at_line(each.node, f.message, f.line, f.severity) for f in document.findings]
        for token in document.inline_tokens():
            used.add(token.meta.get("label", ""))
            if token.type in ("text", "code_inline"):
                problems += [
                    _problem_at_line(each.node, message, line_of_token(token), "warning")
                    for message in placeholders.missing_fallback_warnings(token.content)
                ]
    for each in texts:
        for label, definition in own[each.key].items():
            if label not in used:
                problems.append(_unused_definition_problem(each, definition["map"][0]))
    return documents


def _markdown_texts(tree: Node) -> Iterator[_MarkdownText]:
    for key, text, node in tree.walk_texts():
        if is_markdown_key(key):
            entries = [number for number, part in enumerate(key) if isinstance(part, int)]
            group = key[: entries[-1] + 1] if entries else ()
            yield _MarkdownText(key, group, node, re.sub(r"\r\n?", "\n", text))


def _with_placeholders(
    text: _MarkdownText, placeholders: Placeholders, problems: list[Problem]
) -> _MarkdownText:
    """Returns a text with a placeholder for each slot, and with a harmless word for each invalid slot.

    Adds an error to `problems` for each invalid slot.
    """
    try:
        return replace(text, text=placeholders.replace_slots(text.text))
    except ExpressionError as error:
        plain, wrong = _without_wrong_slots(text.text, placeholders)
        errors = dict.fromkeys([(str(error), error.line), *wrong])
        problems += [_problem_at_line(text.node, message, line, "error") for message, line in errors]
        return replace(text, text=plain)


def _without_wrong_slots(text: str, placeholders: Placeholders) -> tuple[str, list[tuple[str, int]]]:
    """Returns a text with placeholders, and the mistakes in invalid slots as (message, line).

    A harmless word takes the place of each invalid slot, so that the rest of the text can be checked as well.
    Lines count from 0.
    """
    wrong: list[tuple[str, int]] = []

    def fill_slot(found: re.Match[str]) -> str:
        try:
            return placeholders.replace_slots(found[0])
        except ExpressionError as error:
            wrong.append((str(error), text.count("\n", 0, found.start()) + error.line))
            return "https://www.example.org/" if found["address"] else "…"

    return _BRACES.sub(fill_slot, text), wrong


def _unused_definition_problem(text: _MarkdownText, line: int) -> Problem:
    typed = re.search(r"\[.*\]:", text.text.split("\n")[line])
    label = typed[0] if typed else "[…]:"
    shown = label[:40]
    message = (
        f"no link uses the definition {shown}, so it is left out; write \\{shown} if it is meant as text"
    )
    return _problem_at_line(text.node, message, line, "warning")


def _problem_at_line(node: Node, message: str, line: int, severity: Severity) -> Problem:
    return Problem(message, node.position.path, node.file_line(line), severity=severity)

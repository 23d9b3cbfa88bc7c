"""Parses YAML into a tree of texts, lists and mappings, each with its position in the file.

The tree is built from PyYAML's events, not by its constructors: every scalar stays the text as written, so
that `no`, `12:30:00` and `2026` are what the editor typed. Reading events one by one also limits depth and
size while reading, and detects every alias, so that a small file cannot expand into a large one. The meaning
of the texts is left to `model`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from mailer.display_text import shortened
from mailer.errors import Problem
from mailer.issue.yaml.characters import without_unicode_line_ends
from mailer.issue.yaml.comments import check_comments
from mailer.issue.yaml.explain import fault_from_error
from mailer.issue.yaml.faults import TextFault, quoted_entry
from mailer.issue.yaml.folding import fold_block, fold_scalar
from mailer.issue.yaml.keys import known_keys
from mailer.issue.yaml.misread.check import check_text
from mailer.issue.yaml.recovery import without_unreadable_part
from mailer.issue.yaml.tree import Node, SourcePosition

__all__ = ["parse_yaml"]

MAX_DEPTH = 20
MAX_NODES = 50_000
#: So many parts of a file are left out at most, to read the rest.
MAX_CUTS = 20

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")


class _UnreadableRestError(Exception):
    """Signals that the rest of the file cannot be read usefully."""


def parse_yaml(text: str, path: str, problems: list[Problem]) -> Node | None:
    """Returns the tree of a YAML document, or None if nothing can be used. Adds mistakes to `problems`.

    A part that cannot be read is left out, and the rest is read. Nodes that contain a mistake have
    `is_readable` set to False, because further problems with them would only follow from that mistake.
    """
    faults: list[TextFault] = []
    ready = check_text(without_unicode_line_ends(text, faults), faults)
    reading = ready.text
    cuts: set[int] = set()
    root: Node | None = None
    reader = _TreeReader(reading, path, ready.folded_block_offsets)
    while True:
        try:
            root = reader.read_document()
        except _UnreadableRestError:
            pass
        except yaml.YAMLError as error:
            fault = fault_from_error(error, reading)
            if all(fault.line != earlier.line for earlier in faults):
                faults.append(fault)
            rest = without_unreadable_part(reading, fault.line) if len(cuts) < MAX_CUTS else None
            if rest and rest[1] not in cuts:
                reading = rest[0]
                cuts.add(rest[1])
                reader = _TreeReader(reading, path, ready.folded_block_offsets)
                continue
            reader.problems.clear()
        break
    if root:
        check_comments(reading, reader.spans, faults)
    problems += [Problem(message, path, line, column) for line, column, message in faults]
    faulty_lines = {fault.line for fault in faults}
    problems += [problem for problem in reader.problems if problem.line not in faulty_lines]
    return root and _mark_unreadable_nodes(root, faulty_lines | cuts)


def _mark_unreadable_nodes(node: Node, faulty_lines: Collection[int]) -> Node:
    """Returns the tree with `is_readable` set to False for the nodes on the faulty lines.

    Texts on these lines become None.
    """
    if not faulty_lines:
        return node
    value = node.value
    if isinstance(value, Mapping):
        value = {key: _mark_unreadable_nodes(child, faulty_lines) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_mark_unreadable_nodes(child, faulty_lines) for child in value)
    wrong = node.position.line in faulty_lines or (
        node.key_position is not None and node.key_position.line in faulty_lines
    )
    if wrong and isinstance(value, str):
        value = None
    return replace(node, value=value, is_readable=not wrong)


class _TreeReader:
    def __init__(self, text: str, path: str, folded_block_offsets: Collection[int]) -> None:
        self.text = text
        self.path = path
        self.folded_block_offsets = folded_block_offsets
        self.problems: list[Problem] = []
        #: The key that was read last, and whether it is being read.
        self.name: str | None = None
        self.in_key = False
        #: The scalars, (first character, character after the last).
        self.spans: list[tuple[int, int]] = []
        self.nodes = 0
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))

    def read_document(self) -> Node:
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            self.report_problem(
                "is empty; write at least edition, date and some content",
                SourcePosition(self.path, 1, 1),
            )
            raise _UnreadableRestError
        root = self.read_node(next(self.events), None, 0)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            self.report_problem(
                "a second document begins here, but a file must contain only one; delete the ---",
                self.position_of(after),
            )
        return root

    def read_node(self, event: Any, key_position: SourcePosition | None, depth: int) -> Node:
        position = self.position_of(event)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.report_problem(f"holds more than {MAX_NODES:,} values; make it smaller", position)
            raise _UnreadableRestError
        if depth > MAX_DEPTH:
            self.report_problem(
                f"is nested more than {MAX_DEPTH} levels deep; remove levels, because an issue "
                "needs only five",
                position,
            )
            raise _UnreadableRestError
        if isinstance(event, yaml.AliasEvent):
            self.report_problem(
                f'"*{event.anchor}" is a YAML alias, which is not allowed here; '
                "write the value out, or put a text that begins with * in quotes",
                position,
            )
            return Node(None, position, key_position, position.line)
        if event.anchor is not None:
            self.report_problem(
                f'"&{event.anchor}" is a YAML anchor, which is not allowed here; '
                "delete it, or put a text that begins with & in quotes",
                position,
            )
        if event.tag is not None:
            self.report_problem(
                f'the YAML type "{event.tag}" is not allowed here; '
                "delete it, or put a text that begins with ! in quotes",
                position,
            )
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(tuple(self.read_entries(depth)), position, key_position, position.line)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(dict(self.read_pairs(depth)), position, key_position, position.line)
        return self.read_scalar(event, position, key_position)

    def read_scalar(self, event: Any, position: SourcePosition, key_position: SourcePosition | None) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        self.spans.append((start, end))
        value: str = event.value
        if event.style in ("|", ">"):
            if start not in self.folded_block_offsets:
                return Node(value, position, key_position, position.line + 1)
            folded = fold_block(value)
            return Node(folded.text, position, key_position, position.line + 1, rows=folded.rows)
        if event.implicit[0] and value in _NULLS:
            if value and not self.in_key:
                self.report_problem(
                    f'{value} means "nothing" in YAML; leave the value empty, or put the word in quotes: '
                    f"{quoted_entry(self.name, value)}",
                    position,
                )
            return Node(None, position, key_position, position.line)
        if event.start_mark.line != event.end_mark.line:
            folded = fold_scalar(self.text[start:end], value)
            return Node(folded.text, position, key_position, position.line, rows=folded.rows)
        return Node(value, position, key_position, position.line)

    def read_entries(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            self.name = None
            yield self.read_node(event, None, depth + 1)

    def read_pairs(self, depth: int) -> Iterator[tuple[str, Node]]:
        first: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self.in_key = True
            name = self.read_node(event, None, depth + 1)
            self.in_key = False
            self.name = name.value if isinstance(name.value, str) else None
            below = next(self.events)
            value = self.read_node(below, name.position, depth + 1)
            self.report_missing_colon(event, below)
            if not isinstance(name.value, str):
                self.report_problem(
                    "a key must be a word; put a text that begins with [, { or ? in quotes",
                    name.position,
                )
            elif name.value in first:
                self.report_problem(
                    f'the key "{shortened(name.value, 40)}" is written twice; delete this or the one on line '
                    f"{first[name.value]}",
                    name.position,
                )
            else:
                first[name.value] = name.position.line
                yield name.value, value

    def report_missing_colon(self, key_event: Any, value_event: Any) -> None:
        """Reports a key inside { } without a colon, which is probably text after a comma."""
        between = self.text[key_event.end_mark.index : value_event.start_mark.index]
        if (
            getattr(value_event, "value", None) != ""
            or ":" in between
            or not isinstance(key_event, yaml.ScalarEvent)
        ):
            return
        word, colon, _ = key_event.value.partition(":")
        self.report_problem(
            f'a space is missing after "{word}:"'
            if colon and word in known_keys()
            else f'"{shortened(key_event.value, 40)}" is in the place of a key; '
            'put a text with a "," in quotes',
            self.position_of(key_event),
        )

    def position_of(self, event: Any) -> SourcePosition:
        return SourcePosition(self.path, event.start_mark.line + 1, event.start_mark.column + 1)

    def report_problem(self, message: str, position: SourcePosition) -> None:
        self.problems.append(Problem(message, position.path, position.line, position.column))

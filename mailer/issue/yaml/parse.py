"""Parses YAML into a tree of texts, lists and mappings, each with its place in the file.

Built from PyYAML's events and not by its constructors: every scalar stays the text as written, so that
`no`, `12:30:00` and `2026` are what the editor typed. Reading events one by one also bounds depth and
size while reading, and sees each alias, so that nothing can blow up. The meaning of the
texts is left to `model`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from mailer.display_text import shortened
from mailer.errors import Problem
from mailer.issue.yaml.characters import without_separators
from mailer.issue.yaml.comments import check_comments
from mailer.issue.yaml.explain import explain_error
from mailer.issue.yaml.faults import Fault, quoted_entry
from mailer.issue.yaml.folding import folded_block, folded_scalar
from mailer.issue.yaml.keys import known_keys
from mailer.issue.yaml.misread.check import check_text
from mailer.issue.yaml.recovery import without_part
from mailer.issue.yaml.tree import Mark, Node

__all__ = ["parse"]

MAX_DEPTH = 20
MAX_NODES = 50_000
#: So many parts of a file are left out at most, to read the rest.
MAX_CUTS = 20

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")


class _CannotContinue(Exception):
    """Signals that the rest of the file cannot be read sensibly."""


def parse(text: str, path: str, problems: list[Problem]) -> Node | None:
    """Returns the tree of one YAML document, or None where nothing is usable. Adds faults to `problems`.

    A part that cannot be read is left out, and the rest is read. Its node is not `sound`: whatever seems to
    be wrong with it is an echo.
    """
    faults: list[Fault] = []
    ready = check_text(without_separators(text, faults), faults)
    reading = ready.text
    cuts: set[int] = set()
    root: Node | None = None
    reader = _Reader(reading, path, ready.folded)
    while True:
        try:
            root = reader.document()
        except _CannotContinue:
            pass
        except yaml.YAMLError as error:
            fault = explain_error(error, reading)
            if all(fault.line != known.line for known in faults):
                faults.append(fault)
            rest = without_part(reading, fault.line) if len(cuts) < MAX_CUTS else None
            if rest and rest[1] not in cuts:
                reading = rest[0]
                cuts.add(rest[1])
                reader = _Reader(reading, path, ready.folded)
                continue
            reader.problems.clear()
        break
    if root:
        check_comments(reading, reader.spans, faults)
    problems += [Problem(message, path, line, column) for line, column, message in faults]
    faulty_lines = {fault.line for fault in faults}
    problems += [problem for problem in reader.problems if problem.line not in faulty_lines]
    return root and _marked(root, faulty_lines | cuts)


def _marked(node: Node, faulty_lines: Collection[int]) -> Node:
    """Returns the tree with the nodes on the faulty lines marked as not sound."""
    if not faulty_lines:
        return node
    value = node.value
    if isinstance(value, Mapping):
        value = {key: _marked(child, faulty_lines) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_marked(child, faulty_lines) for child in value)
    wrong = node.mark.line in faulty_lines or (node.key is not None and node.key.line in faulty_lines)
    if wrong and isinstance(value, str):
        value = None
    return replace(node, value=value, sound=not wrong)


class _Reader:
    def __init__(self, text: str, path: str, folded: Collection[int]) -> None:
        self.text = text
        self.path = path
        self.folded = folded
        self.problems: list[Problem] = []
        #: The key that was read last, and whether it is being read.
        self.name: str | None = None
        self.in_key = False
        #: The scalars, (first character, character after the last).
        self.spans: list[tuple[int, int]] = []
        self.nodes = 0
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))

    def document(self) -> Node:
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            self.report(
                "is empty; write at least edition, date and what there is to read", Mark(self.path, 1, 1)
            )
            raise _CannotContinue
        root = self.node(next(self.events), None, 0)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            self.report(
                "a second document begins here; one file holds one, so delete the ---", self.mark(after)
            )
        return root

    def node(self, event: Any, key: Mark | None, depth: int) -> Node:
        mark = self.mark(event)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.report(f"holds more than {MAX_NODES:,} values; make it smaller", mark)
            raise _CannotContinue
        if depth > MAX_DEPTH:
            self.report(f"is nested more than {MAX_DEPTH} levels deep; an issue needs five", mark)
            raise _CannotContinue
        if isinstance(event, yaml.AliasEvent):
            self.report(
                f'"*{event.anchor}" stands for another part of the file, which is not used here; '
                "write it out, or put a text that begins with * in quotes",
                mark,
            )
            return Node(None, mark, key, mark.line)
        if event.anchor is not None:
            self.report(
                f'"&{event.anchor}" gives a part of the file a name, which is not used here; '
                "delete it, or put a text that begins with & in quotes",
                mark,
            )
        if event.tag is not None:
            self.report(
                f'the type "{event.tag}" is not used here; '
                "delete it, or put a text that begins with ! in quotes",
                mark,
            )
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(tuple(self.entries(depth)), mark, key, mark.line)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(dict(self.pairs(depth)), mark, key, mark.line)
        return self.scalar(event, mark, key)

    def scalar(self, event: Any, mark: Mark, key: Mark | None) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        self.spans.append((start, end))
        value: str = event.value
        if event.style in ("|", ">"):
            if start not in self.folded:
                return Node(value, mark, key, mark.line + 1)
            folded = folded_block(value)
            return Node(folded.text, mark, key, mark.line + 1, rows=folded.rows)
        if event.implicit[0] and value in _NULLS:
            if value and not self.in_key:
                self.report(
                    f'{value} means "nothing" in YAML; leave the value empty, or put the word in quotes: '
                    f"{quoted_entry(self.name, value)}",
                    mark,
                )
            return Node(None, mark, key, mark.line)
        if event.start_mark.line != event.end_mark.line:
            folded = folded_scalar(self.text[start:end], value)
            return Node(folded.text, mark, key, mark.line, rows=folded.rows)
        return Node(value, mark, key, mark.line)

    def entries(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            self.name = None
            yield self.node(event, None, depth + 1)

    def pairs(self, depth: int) -> Iterator[tuple[str, Node]]:
        first: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self.in_key = True
            name = self.node(event, None, depth + 1)
            self.in_key = False
            self.name = name.value if isinstance(name.value, str) else None
            below = next(self.events)
            value = self.node(below, name.mark, depth + 1)
            self.without_colon(event, below)
            if not isinstance(name.value, str):
                self.report(
                    "a key must be a plain word; put a text that begins with [, { or ? in quotes", name.mark
                )
            elif name.value in first:
                self.report(
                    f'"{shortened(name.value, 40)}" is written twice; delete this or the one on line '
                    f"{first[name.value]}",
                    name.mark,
                )
            else:
                first[name.value] = name.mark.line
                yield name.value, value

    def without_colon(self, key: Any, value: Any) -> None:
        """Reports a text within { } in the place of a key, as after a comma."""
        between = self.text[key.end_mark.index : value.start_mark.index]
        if getattr(value, "value", None) != "" or ":" in between or not isinstance(key, yaml.ScalarEvent):
            return
        word, colon, _ = key.value.partition(":")
        self.report(
            f'a space is missing after "{word}:"'
            if colon and word in known_keys()
            else f'"{shortened(key.value, 40)}" stands where a key should; put a text with a "," in quotes',
            self.mark(key),
        )

    def mark(self, event: Any) -> Mark:
        return Mark(self.path, event.start_mark.line + 1, event.start_mark.column + 1)

    def report(self, message: str, mark: Mark) -> None:
        self.problems.append(Problem(message, mark.path, mark.line, mark.column))

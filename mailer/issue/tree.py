"""YAML text as a tree of texts, lists and mappings, each with the place where it was written.

Built from PyYAML's events and not by its constructors: every scalar stays the text as written, so that
`no`, `12:30:00` and `2026` are what the editor typed. Reading events one by one also bounds depth and
size while reading, and sees each alias, so that nothing can blow up. What the texts mean is
left to `model`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from mailer.errors import Problem

__all__ = ["Mark", "Node", "parse"]

MAX_DEPTH = 20
MAX_NODES = 50_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")

#: What PyYAML says, and what an editor can do about it.
_ADVICE = (
    ("mapping values are not allowed", 'a ": " does not fit here; put the whole text in quotes'),
    ("found unexpected end of stream", "a quote is opened here and never closed"),
    ("could not find expected ':'", 'a ":" is missing here, or the text above needs quotes'),
    ("did not find expected '-'", 'this line should begin with "- ", or its indentation is wrong'),
    (
        "did not find expected key",
        "this does not fit what stands before it; look at the indentation and quotes",
    ),
    ("expected <block end>", "this does not fit what stands before it; look at the indentation and quotes"),
    ("did not find expected ',' or", 'a "," or the closing bracket is missing; or put the text in quotes'),
    ("expected ',' or", 'a "," or the closing bracket is missing; or put the text in quotes'),
    ("escape character", "an unknown \\ escape; write \\\\ for a backslash, or use single quotes"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; `path` is relative to the workspace, line and column count from 1."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. `key` is where its key stands, `text_line` the line its text begins on."""

    value: str | tuple[Node, ...] | Mapping[str, Node] | None
    mark: Mark
    key: Mark | None = None
    text_line: int = 0

    def child(self, key: str | int) -> Node | None:
        """The value under a key or index, or None where there is none."""
        if isinstance(self.value, Mapping):
            return self.value.get(str(key))
        if isinstance(self.value, tuple) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def plain(self) -> Any:
        """The value as strings, lists and dicts. What was left blank in a mapping is left out."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items() if node.value is not None}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


class _Stop(Exception):
    """Reading on makes no sense."""


def parse(text: str, path: str, problems: list[Problem]) -> Node | None:
    """The tree of one YAML document. What is wrong is added to `problems`; None where nothing is usable."""
    reader = _Reader(text, path, problems)
    try:
        return reader.document()
    except _Stop:
        return None
    except yaml.YAMLError as error:
        problems.append(_explain(error, path, text))
        return None


class _Reader:
    def __init__(self, text: str, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self.nodes = 0
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))

    def document(self) -> Node:
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            self.complain(
                "is empty; write at least edition, date and what there is to read", Mark(self.path, 1, 1)
            )
            raise _Stop
        root = self.node(next(self.events), None, 0)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            self.complain(
                "a second document begins here; one file holds one, so delete the ---", self.mark(after)
            )
        return root

    def node(self, event: Any, key: Mark | None, depth: int) -> Node:
        mark = self.mark(event)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.complain(f"holds more than {MAX_NODES:,} values; make it smaller", mark)
            raise _Stop
        if depth > MAX_DEPTH:
            self.complain(f"is nested more than {MAX_DEPTH} levels deep; an issue needs five", mark)
            raise _Stop
        if isinstance(event, yaml.AliasEvent):
            self.complain(
                f'"*{event.anchor}" stands for another part of the file, which is not used here; '
                "write it out, or put a text that begins with * in quotes",
                mark,
            )
            return Node(None, mark, key, mark.line)
        if event.anchor is not None:
            self.complain(
                f'"&{event.anchor}" gives a part of the file a name, which is not used here; '
                "delete it, or put a text that begins with & in quotes",
                mark,
            )
        if event.tag is not None:
            self.complain(
                f'the type "{event.tag}" is not used here; '
                "delete it, or put a text that begins with ! in quotes",
                mark,
            )
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(tuple(self.entries(depth)), mark, key, mark.line)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(dict(self.pairs(depth)), mark, key, mark.line)
        blank = event.implicit[0] and event.value in _NULLS
        below = 1 if event.style in ("|", ">") else 0
        return Node(None if blank else event.value, mark, key, mark.line + below)

    def entries(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.node(event, None, depth + 1)

    def pairs(self, depth: int) -> Iterator[tuple[str, Node]]:
        first: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            name = self.node(event, None, depth + 1)
            value = self.node(next(self.events), name.mark, depth + 1)
            if not isinstance(name.value, str):
                self.complain(
                    "a key must be a plain word; put a text that begins with [, { or ? in quotes", name.mark
                )
            elif name.value in first:
                self.complain(
                    f'"{_short(name.value)}" is written twice; delete this or the one on line '
                    f"{first[name.value]}",
                    name.mark,
                )
            else:
                first[name.value] = name.mark.line
                yield name.value, value

    def mark(self, event: Any) -> Mark:
        return Mark(self.path, event.start_mark.line + 1, event.start_mark.column + 1)

    def complain(self, message: str, mark: Mark) -> None:
        self.problems.append(Problem(message, mark.path, mark.line, mark.column))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def _explain(error: yaml.YAMLError, path: str, text: str) -> Problem:
    """One plain sentence out of what PyYAML says."""
    said = str(getattr(error, "problem", None) or error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    opened = getattr(error, "context_mark", None)
    late = "unexpected end of stream" in said or "could not find expected ':'" in said
    if mark and opened and (late or mark.line > text.rstrip().count("\n")):
        mark = opened  # what is never closed is seen only later, often at the end of the file
    if mark is None:
        return Problem(f"is not valid YAML: {said}", path, 1, 1)
    line, column = mark.line + 1, mark.column + 1
    message = next((advice for words, advice in _ADVICE if words in said), f"is not valid YAML: {said}")
    if "cannot start any token" in said:
        lines = text.splitlines()
        found = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
        message = (
            "a tab is used for indentation; use spaces"
            if found == "\t"
            else f"a text cannot begin with {found}; put the whole text in quotes"
        )
    return Problem(message, path, line, column)

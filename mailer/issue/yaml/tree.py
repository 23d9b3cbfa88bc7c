"""Defines the tree of a YAML file: texts, lists and mappings, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailer.issue.yaml.keys import known_keys

__all__ = ["Key", "Mark", "Node"]

#: The keys and indexes that lead to a value: ("sections", 0, "items", 2, "body").
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Holds a place in a file. `path` is relative to the workspace; line and column count from 1."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """Holds a value and its place.

    `key` is the place of its key, `text_line` the line on which its text begins.
    """

    value: str | tuple[Node, ...] | Mapping[str, Node] | None
    mark: Mark
    key: Mark | None = None
    text_line: int = 0
    sound: bool = True
    #: Of a text over several lines that is read as fewer, the row on which each of its lines begins.
    rows: tuple[int, ...] = ()

    def line_at(self, line: int) -> int:
        """Returns the line of the file on which a line of the text, counted from 0, begins."""
        if self.rows:
            return self.text_line + self.rows[min(line, len(self.rows) - 1)]
        return self.text_line + (line if self.text_line > self.mark.line else 0)

    def child(self, key: str | int) -> Node | None:
        """Returns the value under a key or index, or None where there is none."""
        if isinstance(self.value, Mapping):
            return self.value.get(str(key))
        if isinstance(self.value, tuple) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def find(self, keys: Sequence[str | int]) -> tuple[Node, int]:
        """Returns the value under `keys`, or the nearest one above it, and how many of the keys were used."""
        node = self
        for used, key in enumerate(keys):
            below = node.child(key)
            if below is None:
                return node, used
            node = below
        return node, len(keys)

    def texts(self, key: Key = ()) -> Iterator[tuple[Key, str, Node]]:
        """Returns (key from here, text, node) of every text, in the order in which they are written."""
        if isinstance(self.value, Mapping):
            for name, child in self.value.items():
                yield from child.texts((*key, name))
        elif isinstance(self.value, tuple):
            for index, entry in enumerate(self.value):
                yield from entry.texts((*key, index))
        elif self.value is not None:
            yield key, self.value, self

    def plain(self) -> Any:
        """Returns the value as strings, lists and dicts, without keys of an issue that were left blank."""
        if isinstance(self.value, Mapping):
            return {
                key: node.plain()
                for key, node in self.value.items()
                if node.value is not None or key not in known_keys()
            }
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

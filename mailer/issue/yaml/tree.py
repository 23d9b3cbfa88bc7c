"""Defines the tree of a YAML file: texts, lists and mappings, each with its position in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailer.issue.yaml.keys import known_keys

__all__ = ["Key", "SourcePosition", "Node"]

#: The keys and indexes that lead to a value: ("sections", 0, "items", 2, "body").
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SourcePosition:
    """Holds a position in a file. `path` is relative to the workspace; line and column count from 1."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """Holds a value of a YAML file and its position.

    `key_position` is the position of the value's key, `text_line` the line on which its text begins.
    `is_readable` is False if YAML could not read the value. `rows` is empty unless lines of a text were
    joined: then it has, for each line of the joined text, the number of lines from `text_line` to its
    beginning.
    """

    value: str | tuple[Node, ...] | Mapping[str, Node] | None
    position: SourcePosition
    key_position: SourcePosition | None = None
    text_line: int = 0
    is_readable: bool = True
    rows: tuple[int, ...] = ()

    def file_line(self, text_line_index: int) -> int:
        """Returns the line of the file on which a line of the text begins. Lines of the text count from 0."""
        if self.rows:
            return self.text_line + self.rows[min(text_line_index, len(self.rows) - 1)]
        return self.text_line + (text_line_index if self.text_line > self.position.line else 0)

    def child(self, key: str | int) -> Node | None:
        """Returns the value under a key or index, or None if there is none."""
        if isinstance(self.value, Mapping):
            return self.value.get(str(key))
        if isinstance(self.value, tuple) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def find_deepest_node(self, keys: Sequence[str | int]) -> tuple[Node, int]:
        """Returns the value under `keys`, or the deepest existing value on the way to it.

        Also returns how many of the keys lead to that value.
        """
        node = self
        for used, key in enumerate(keys):
            below = node.child(key)
            if below is None:
                return node, used
            node = below
        return node, len(keys)

    def walk_texts(self, key_prefix: Key = ()) -> Iterator[tuple[Key, str, Node]]:
        """Yields (key, text, node) of every text in this value, in the order in which the texts are written.

        Each key begins with `key_prefix`, the key of this value.
        """
        if isinstance(self.value, Mapping):
            for name, child in self.value.items():
                yield from child.walk_texts((*key_prefix, name))
        elif isinstance(self.value, tuple):
            for index, entry in enumerate(self.value):
                yield from entry.walk_texts((*key_prefix, index))
        elif self.value is not None:
            yield key_prefix, self.value, self

    def as_plain_data(self) -> Any:
        """Returns the value as strings, lists and dicts, without known keys that were left blank."""
        if isinstance(self.value, Mapping):
            return {
                key: node.as_plain_data()
                for key, node in self.value.items()
                if node.value is not None or key not in known_keys()
            }
        if isinstance(self.value, tuple):
            return [node.as_plain_data() for node in self.value]
        return self.value

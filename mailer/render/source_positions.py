"""Finds the file and line where each part of an issue, or of a variant of the issue, is written."""

from __future__ import annotations

from mailer.errors import Problem
from mailer.issue.load import LoadedIssue
from mailer.issue.model import Issue
from mailer.issue.yaml.tree import Key

__all__ = ["SourcePositions"]


class SourcePositions:
    """Finds the positions of an issue's values, and collects problems with their positions."""

    def __init__(self, loaded: LoadedIssue) -> None:
        self.loaded = loaded
        self.problems: list[Problem] = []

    def position_of(self, key: Key, line: int = 0) -> tuple[str, int]:
        """Returns the (path, line) of the value at `key`; `line` is a line number (from 0) in its text."""
        node, used = self.loaded.tree.find_deepest_node(key)
        if used == len(key) and node.file_line(line) > node.position.line:
            return node.position.path, node.file_line(line)
        return self.loaded.path_and_line_of(*key)

    def key_of_entry(self, key: Key, index: int) -> Key:
        """Returns the key of an entry of the list at `key`, which may be written as one value alone."""
        node, used = self.loaded.tree.find_deepest_node(key)
        return (*key, index) if used == len(key) and isinstance(node.value, tuple) else key

    def is_written(self, key: Key) -> bool:
        """Returns whether the value at `key` is written in a file and is not a default."""
        return self.loaded.line_of(*key) is not None

    def add_problem(self, message: str, key: Key, line: int = 0) -> None:
        """Adds a problem at the position of `key`; `line` is a line number (from 0) in the text at `key`."""
        problem = Problem(message, *self.position_of(key, line))
        if problem not in self.problems:
            self.problems.append(problem)

    def keys_by_id(self, variant: Issue) -> dict[int, Key]:
        """Returns, by the id() of each section and item of a variant, the key of this part in the issue."""
        whole = self.loaded.issue
        keys: dict[int, Key] = {id(item): ("items", i) for i, item in enumerate(whole.items)}
        originals = iter(enumerate(whole.sections))
        for section in variant.sections:
            for index, original in originals:
                if original.model_copy(update={"items": section.items}) == section:
                    keys[id(section)] = ("sections", index)
                    for number, item in enumerate(original.items):
                        keys[id(item)] = ("sections", index, "items", number)
                    break
        return keys

"""Finds the lines of the files where the parts of an issue are written, for its variants too."""

from __future__ import annotations

from mailer.errors import Problem
from mailer.issue.load import LoadedIssue
from mailer.issue.model import Issue
from mailer.issue.yaml.tree import Key

__all__ = ["SourcePositions"]


class SourcePositions:
    """Collects the problems of an issue's texts, each with its file and line."""

    def __init__(self, loaded: LoadedIssue) -> None:
        self.loaded = loaded
        self.problems: list[Problem] = []

    def at(self, key: Key, line: int = 0) -> tuple[str, int]:
        """Returns (path, line) of a value, or of a line (counted from 0) in a text of several lines."""
        node, used = self.loaded.tree.find_deepest(key)
        if used == len(key) and node.file_line(line) > node.position.line:
            return node.position.path, node.file_line(line)
        return self.loaded.path_and_line_of(*key)

    def is_written(self, key: Key) -> bool:
        """Returns whether a value is written in a file, and is no default."""
        return self.loaded.line_of(*key) is not None

    def add_problem(self, message: str, key: Key, line: int = 0) -> None:
        """Adds a problem with the file and line of its key."""
        problem = Problem(message, *self.at(key, line))
        if problem not in self.problems:
            self.problems.append(problem)

    def keys_of(self, variant: Issue) -> dict[int, Key]:
        """Returns the key in the whole issue of each section and item of a variant, by their `id`."""
        whole = self.loaded.issue
        keys: dict[int, Key] = {id(item): ("items", i) for i, item in enumerate(whole.items)}
        originals = iter(enumerate(whole.sections))
        for section in variant.sections:
            for index, original in originals:
                same = (original.title, original.intro, original.only)
                if same == (section.title, section.intro, section.only):
                    keys[id(section)] = ("sections", index)
                    for number, item in enumerate(original.items):
                        keys[id(item)] = ("sections", index, "items", number)
                    break
        return keys

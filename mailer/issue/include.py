"""Reads an issue's file and puts the entries that it includes in their places.

An entry of `items`, `sections` or `related` may be `include: path`. The path is relative to the file that it
stands in; a file that holds a list gives all its entries.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mailer.errors import Problem
from mailer.issue.files.source_file import (
    MAX_FILE,
    SourceFile,
    TextError,
    decode,
    locate,
    name_in,
    read_bounded,
)
from mailer.issue.yaml.parse import parse
from mailer.issue.yaml.tree import Mark, Node

__all__ = ["LISTS", "Includes"]

#: The lists whose entries may be included.
LISTS = ("items", "sections", "related")

MAX_INCLUDES = 200
MAX_ENTRIES = 2_000
MAX_DEPTH = 8
MAX_TOTAL = 4_000_000


class Includes:
    """Reads the files of one issue. `files` has the issue first; `problems` is added to."""

    def __init__(self, root: Path, problems: list[Problem]) -> None:
        self.root = root
        self.problems = problems
        self.files: dict[str, SourceFile] = {}
        #: Whether an include failed, so that what seems to be missing may be in there.
        self.incomplete = False
        self._trees: dict[str, Node | None] = {}
        self._number = 0
        self._total = 0
        self._number_of_entries = 0
        self._full = False

    def read(self, path: Path) -> Node | None:
        """Returns the whole tree of the issue at `path`, a resolved path inside the workspace."""
        name = path.relative_to(self.root).as_posix()
        tree = self._tree(path, name)
        if tree is None:
            return None
        if not isinstance(tree.value, Mapping):
            what = "a list" if isinstance(tree.value, tuple) else "a text"
            self._complain(f"is {what}; an issue begins with keys such as edition: and date:", tree.mark)
            return None
        return self._mapping(tree, (name,))

    def _tree(self, path: Path, name: str) -> Node | None:
        if name not in self._trees:
            tree = None
            try:
                data = read_bounded(path, MAX_FILE)
                self.files[name] = SourceFile(name, data)
                tree = parse(decode(data), name, self.problems)
            except TextError as error:
                self.problems.append(Problem(str(error), name, error.line, error.column))
            except ValueError as error:
                self.problems.append(Problem(str(error), name))
            self._trees[name] = tree
        return self._trees[name]

    def _mapping(self, node: Node, chain: tuple[str, ...]) -> Node:
        if not isinstance(node.value, Mapping):
            return node
        return replace(
            node,
            value={
                key: replace(child, value=self._entries(child.value, chain))
                if key in LISTS and isinstance(child.value, tuple)
                else child
                for key, child in node.value.items()
            },
        )

    def _entries(self, entries: tuple[Node, ...], chain: tuple[str, ...]) -> tuple[Node, ...]:
        found: list[Node] = []
        for entry in entries:
            if isinstance(entry.value, Mapping) and "include" in entry.value:
                included = self._included(entry, chain)
                self.incomplete = self.incomplete or included is None
                found += included or ()
            else:
                found.append(self._mapping(entry, chain))
        return tuple(found)

    def _included(self, entry: Node, chain: tuple[str, ...]) -> tuple[Node, ...] | None:
        """Returns the entries that one `include` inserts, or None where they cannot be determined."""
        assert isinstance(entry.value, Mapping)  # noqa: S101
        wanted = entry.value["include"]
        if not wanted.sound:
            return None
        if len(entry.value) > 1:
            other = next(key for key in entry.value if key != "include")
            self._complain(f'"include" stands alone; write "{other[:40]}" into the file', entry.mark)
            return None
        if not isinstance(wanted.value, str) or not wanted.value.strip():
            self._complain("include needs the path of a file", wanted.mark)
            return None
        folder = self.root / posixpath.dirname(entry.mark.path)
        try:
            path = locate(self.root, folder, wanted.value.strip())
        except ValueError as error:
            self._complain(f"the include {error}", wanted.mark)
            return None
        name = path.relative_to(self.root).as_posix()
        self._number += 1
        if name in chain:
            circle = " -> ".join([*chain[chain.index(name) :], name])
            self._complain(f"this include goes in a circle: {circle}", wanted.mark)
        elif len(chain) > MAX_DEPTH:
            self._complain(f"includes are nested more than {MAX_DEPTH} deep", wanted.mark)
        elif self._number > MAX_INCLUDES or self._total > MAX_TOTAL:
            self._too_much(wanted.mark)
        else:
            written = name_in(self.root, folder, wanted.value.strip(), path)
            tree = self._tree(path, written)
            self._total += len(self.files[written].data) if written in self.files else 0
            if tree is None:
                return None
            if tree.value is None or isinstance(tree.value, str):
                self._complain("must hold one entry or a list of entries, because it is included", tree.mark)
                return None
            entries = tree.value if isinstance(tree.value, tuple) else (tree,)
            self._number_of_entries += len(entries)
            if self._number_of_entries <= MAX_ENTRIES:
                return self._entries(entries, (*chain, name))
            self._too_much(wanted.mark)
        return None

    def _too_much(self, mark: Mark) -> None:
        if not self._full:
            self._full = True
            limits = f"{MAX_INCLUDES} files, {MAX_ENTRIES:,} entries and {MAX_TOTAL / 1e6:g} MB"
            self._complain(f"an issue includes at most {limits}; make it smaller", mark)

    def _complain(self, message: str, mark: Mark) -> None:
        self.problems.append(Problem(message, mark.path, mark.line, mark.column))

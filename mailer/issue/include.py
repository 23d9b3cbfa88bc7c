"""Reads an issue's file and replaces each include by the entries of the included file.

An entry of `items`, `sections` or `related` may be `include: path`. The path is relative to the file that
contains the include. If the included file holds a list, all entries of the list are inserted.
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
    TextDecodingError,
    decode_utf8,
    locate_file,
    read_bounded_file,
    workspace_path_as_written,
)
from mailer.issue.yaml.parse import parse_yaml
from mailer.issue.yaml.tree import Node, SourcePosition

__all__ = ["LISTS", "IncludeReader"]

#: The lists whose entries may be included.
LISTS = ("items", "sections", "related")

MAX_INCLUDES = 200
MAX_ENTRIES = 2_000
MAX_DEPTH = 8
MAX_TOTAL = 4_000_000


class IncludeReader:
    """Reads the file of one issue and the files that it includes.

    `root` is the workspace. `files` has the files that were read so far by path, the issue's own file
    first. Everything that is wrong with the files is added to `problems`.
    """

    def __init__(self, root: Path, problems: list[Problem]) -> None:
        self.root = root
        self.problems = problems
        self.files: dict[str, SourceFile] = {}
        #: Whether an include failed, so that what seems to be missing may be in there.
        self.is_incomplete = False
        self._trees: dict[str, Node | None] = {}
        self._number = 0
        self._total = 0
        self._number_of_entries = 0
        self._full = False

    def read_issue(self, path: Path) -> Node | None:
        """Returns the tree of the issue at `path`, or None if the issue's own file cannot be read.

        In the tree each include is replaced by the included entries. `path` must be a resolved path in the
        workspace.
        """
        name = path.relative_to(self.root).as_posix()
        tree = self._parsed_file(path, name)
        if tree is None:
            return None
        if not isinstance(tree.value, Mapping):
            what = "a list" if isinstance(tree.value, tuple) else "a text"
            self._report_problem(
                f"is {what}; an issue must begin with keys such as edition: and date:", tree.position
            )
            return None
        return self._node_with_includes_replaced(tree, (name,))

    def _parsed_file(self, path: Path, name: str) -> Node | None:
        if name not in self._trees:
            tree = None
            try:
                data = read_bounded_file(path, MAX_FILE)
                self.files[name] = SourceFile(name, data)
                tree = parse_yaml(decode_utf8(data), name, self.problems)
            except TextDecodingError as error:
                self.problems.append(Problem(str(error), name, error.line, error.column))
            except ValueError as error:
                self.problems.append(Problem(str(error), name))
            self._trees[name] = tree
        return self._trees[name]

    def _node_with_includes_replaced(self, node: Node, including_files: tuple[str, ...]) -> Node:
        if not isinstance(node.value, Mapping):
            return node
        return replace(
            node,
            value={
                key: replace(child, value=self._entries_with_includes_replaced(child.value, including_files))
                if key in LISTS and isinstance(child.value, tuple)
                else child
                for key, child in node.value.items()
            },
        )

    def _entries_with_includes_replaced(
        self, entries: tuple[Node, ...], including_files: tuple[str, ...]
    ) -> tuple[Node, ...]:
        found: list[Node] = []
        for entry in entries:
            if isinstance(entry.value, Mapping) and "include" in entry.value:
                included = self._included_entries(entry, including_files)
                self.is_incomplete = self.is_incomplete or included is None
                found += included or ()
            else:
                found.append(self._node_with_includes_replaced(entry, including_files))
        return tuple(found)

    def _included_entries(self, entry: Node, including_files: tuple[str, ...]) -> tuple[Node, ...] | None:
        """Returns the entries that the include in `entry` inserts, or None if they cannot be read.

        `including_files` are the files that lead to this include, the issue's own file first.
        """
        assert isinstance(entry.value, Mapping)  # noqa: S101
        wanted = entry.value["include"]
        position = wanted.position
        if not wanted.is_readable:
            return None
        if len(entry.value) > 1:
            other = next(key for key in entry.value if key != "include")
            self._report_problem(
                f'"include" must be the only key of an entry; write "{other[:40]}" into the included file',
                entry.position,
            )
            return None
        if not isinstance(wanted.value, str) or not wanted.value.strip():
            self._report_problem("include must be the path of a file, as in include: news.yaml", position)
            return None
        folder = self.root / posixpath.dirname(entry.position.path)
        try:
            path = locate_file(self.root, folder, wanted.value.strip())
        except ValueError as error:
            self._report_problem(f"the include {error}", position)
            return None
        name = path.relative_to(self.root).as_posix()
        self._number += 1
        if name in including_files:
            circle = " -> ".join([*including_files[including_files.index(name) :], name])
            self._report_problem(f"this include leads back to its own file: {circle}; remove it", position)
        elif len(including_files) > MAX_DEPTH:
            self._report_problem(f"includes must not be nested more than {MAX_DEPTH} levels deep", position)
        elif self._number > MAX_INCLUDES or self._total > MAX_TOTAL:
            self._report_exceeded_limit(position)
        else:
            written = workspace_path_as_written(self.root, folder, wanted.value.strip(), path)
            tree = self._parsed_file(path, written)
            self._total += len(self.files[written].data) if written in self.files else 0
            if tree is None:
                return None
            if tree.value is None or isinstance(tree.value, str):
                self._report_problem(
                    "must hold one entry or a list of entries, because it is included", tree.position
                )
                return None
            entries = tree.value if isinstance(tree.value, tuple) else (tree,)
            self._number_of_entries += len(entries)
            if self._number_of_entries <= MAX_ENTRIES:
                return self._entries_with_includes_replaced(entries, (*including_files, name))
            self._report_exceeded_limit(position)
        return None

    def _report_exceeded_limit(self, position: SourcePosition) -> None:
        if not self._full:
            self._full = True
            limits = f"{MAX_INCLUDES} files, {MAX_ENTRIES:,} entries and {MAX_TOTAL / 1e6:g} MB"
            self._report_problem(f"an issue may include at most {limits}; make it smaller", position)

    def _report_problem(self, message: str, position: SourcePosition) -> None:
        self.problems.append(Problem(message, position.path, position.line, position.column))

"""Loads an issue from its file, checks it, and keeps the file and line of each of its values.

All problems are returned at once. Problems that show only in templates, segments or mails are left to the
later stages, which find lines with `place_of`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mailer.config import Settings
from mailer.errors import IssueError, Problem
from mailer.issue.defaults import with_defaults
from mailer.issue.files.source_file import SourceFile
from mailer.issue.include import Includes
from mailer.issue.markdown.document import Document
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.model import MAX_ONLY, Issue, only_expressions
from mailer.issue.pictures.pictures import Pictures, read_pictures, uses_of
from mailer.issue.problems import sorted_problems, validation_problems
from mailer.issue.repair import repaired
from mailer.issue.texts.doubtful_urls import check_urls
from mailer.issue.texts.one_line import check_lines
from mailer.issue.texts.texts import read_texts
from mailer.issue.yaml.tree import Key, Mark, Node

__all__ = ["LoadedIssue", "SourceFile", "examine_issue", "load_issue"]


@dataclass(frozen=True, slots=True)
class LoadedIssue:
    """Holds an issue, the files that it was made of, and the place of each key.

    `path` is relative to the workspace, with slashes. `files` has the issue's own file first, then every
    include; `pictures` are the pictures that are files. `digest` is SHA-256 in hex over the bytes of all of
    them, whatever they are called. `documents` has the tree of each Markdown text by its key, with
    `placeholders` where slots are. `findings` are warnings.
    """

    issue: Issue
    path: str
    files: tuple[SourceFile, ...]
    pictures: tuple[SourceFile, ...]
    digest: str
    findings: tuple[Problem, ...]
    tree: Node = field(repr=False)
    documents: Mapping[Key, Document] = field(repr=False)
    placeholders: Placeholders = field(repr=False)
    _pictures: Pictures = field(repr=False)

    def picture(self, folder: str, src: str) -> bytes:
        """Returns the bytes of a picture that is written as `src` in a file of `folder`. Raises ValueError.

        Only what is in `pictures`, and so in the digest, is ever shown.
        """
        found = self._pictures.find(folder, src)
        if found is None:
            raise ValueError("was not read with the issue")
        return found

    @property
    def has_all_pictures(self) -> bool:
        """Returns whether all pictures were read.

        If not, there is an error at the first one beyond the limit.
        """
        return self._pictures.complete

    def mark_of(self, *keys: str | int) -> Mark:
        """Returns the place of a value such as ("items", 2, "body"), or of what should hold it."""
        return self.tree.find(keys)[0].mark

    def place_of(self, *keys: str | int) -> tuple[str, int]:
        """Returns the file and line of a key, or of what should hold it."""
        node, _ = self.tree.find(keys)
        mark = node.key or node.mark
        return mark.path, mark.line

    def line_of(self, *keys: str | int) -> int | None:
        """Returns the line of a key, or None where it is not written anywhere (a default)."""
        return self.place_of(*keys)[1] if self.tree.find(keys)[1] == len(keys) else None


def load_issue(path: Path, settings: Settings) -> LoadedIssue:
    """Returns the issue in a file of the workspace. Raises IssueError with all that is wrong, and where."""
    loaded, problems = examine_issue(path, settings)
    if loaded is None or any(problem.severity == "error" for problem in problems):
        raise IssueError.from_problems(problems)
    return loaded


def examine_issue(path: Path, settings: Settings) -> tuple[LoadedIssue | None, list[Problem]]:
    """Returns the issue as far as it can be read, and all its problems, in reading order.

    Faulty values are left out or filled in, so that all the rest can be looked at; the issue is None where
    nothing of it can be read. Raises IssueError where there is no file.
    """
    root = settings.root.resolve()
    file = _inside(path, root)
    name = _name(file, root)
    problems: list[Problem] = []
    includes = Includes(root, problems)
    tree = includes.read(file)
    if tree is None:
        return None, sorted_problems(problems, name)
    issue: Issue | None = None
    try:
        issue = Issue.model_validate(tree.plain(), context={"editions": tuple(settings.editions)})
    except ValidationError as error:
        issue = repaired(tree.plain(), error, settings)
        # A value that is not sound YAML has its problem already; the model would only repeat it.
        reported = {(p.path, p.line, p.column) for p in problems}
        problems += [
            p for p in validation_problems(error, tree) if (p.path, p.line, p.column) not in reported
        ]
    files = tuple(includes.files.values())
    placeholders = Placeholders(_digest(files))
    documents = read_texts(tree, placeholders, problems)
    check_lines(tree, placeholders, problems)
    check_urls(tree, problems)
    pictures = read_pictures(root, uses_of(tree, documents), problems)
    problems += _whole(tree, issue, complete=not includes.incomplete and _is_sound(tree))
    warnings = [problem for problem in problems if problem.severity == "warning"]
    if issue is None:
        return None, sorted_problems(problems, name)
    loaded = LoadedIssue(
        issue=with_defaults(issue, settings, documents, placeholders),
        path=name,
        files=files,
        pictures=pictures.files,
        digest=_digest((*files, *pictures.files)),
        findings=tuple(sorted_problems(warnings, name)),
        tree=tree,
        documents=documents,
        placeholders=placeholders,
        _pictures=pictures,
    )
    return loaded, sorted_problems(problems, name)


def _inside(path: Path, root: Path) -> Path:
    """Returns the resolved path of an issue in the workspace.

    A relative path counts from the current folder if that is in the workspace.
    """
    shown = str(path)
    try:
        file = path.resolve()
        if not (file.is_relative_to(root) and file.exists()) and (root / path).exists():
            file = (root / path).resolve()
        there = file.exists()
    except (OSError, RuntimeError, ValueError):
        raise IssueError(Problem("is not the name of a file", shown.replace("\0", "?"))) from None
    if not there:
        raise IssueError(Problem("is not there; correct the path, or make a draft with `mailer new`", shown))
    if not file.is_relative_to(root):
        raise IssueError(Problem(f"is outside the workspace {root}; move it to issues/", shown))
    return file


def _name(file: Path, root: Path) -> str:
    """Returns the path of an issue in its workspace, with slashes, which is its name in everything stored."""
    name = file.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        advice = "rename it, and its folder; letters beyond ASCII need a UTF-8 locale, such as LC_ALL=C.UTF-8"
        raise IssueError(Problem(f"has a name that is not text; {advice}", name)) from None
    if "\\" in name:
        raise IssueError(Problem("has a backslash in its name; rename it, or its folder", name))
    return name


def _is_sound(tree: Node) -> bool:
    """Returns whether all that is written at the top of the issue could be read."""
    return isinstance(tree.value, Mapping) and all(node.sound for node in tree.value.values())


def _whole(tree: Node, issue: Issue | None, *, complete: bool) -> list[Problem]:
    """Returns the problems of the issue as a whole, though each part may be right."""
    found: list[tuple[str, Mark]] = []
    items, sections = tree.child("items"), tree.child("sections")
    if items and items.value and sections and sections.value:
        found.append(
            (
                "an issue has items or sections, not both; move the items into a section",
                sections.key or sections.mark,
            )
        )
    written = [tree.child(key) for key in ("items", "sections", "body", "column")]
    if complete and not any(node is not None and node.value for node in written):
        found.append(("there is nothing to read; write items, sections or a body", tree.mark))
    if complete and sections and isinstance(sections.value, tuple):
        for section in sections.value:
            parts = [section.child("items"), section.child("intro")]
            if (
                isinstance(section.value, dict)
                and _is_sound(section)
                and not any(node is not None and node.value for node in parts)
            ):
                found.append(("this section has nothing in it; write items, or delete it", section.mark))
    if issue and len(only_expressions(issue)) > MAX_ONLY:
        found.append((f'at most {MAX_ONLY} different "only" expressions fit into one issue', tree.mark))
    return [Problem(message, mark.path, mark.line, mark.column) for message, mark in found]


def _digest(files: Sequence[SourceFile]) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(len(file.data).to_bytes(8, "big") + file.data)
    return whole.hexdigest()

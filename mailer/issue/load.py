"""Loads an issue from its file, checks it, and keeps the file and line of each of its values.

All problems are returned at once. Problems that show only in templates, segments or mails are found in later
stages, which get the lines from `path_and_line_of`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mailer.config import Settings
from mailer.errors import IssueError, Problem
from mailer.issue.consistency import problems_of_whole_issue
from mailer.issue.defaults import issue_with_defaults
from mailer.issue.files.source_file import SourceFile
from mailer.issue.include import IncludeReader
from mailer.issue.markdown.document import Document
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.model import Issue
from mailer.issue.pictures.pictures import IssuePictures, picture_uses, read_pictures
from mailer.issue.problems import sorted_problems, validation_problems
from mailer.issue.repair import repaired_issue
from mailer.issue.texts.doubtful_urls import warn_of_doubtful_urls
from mailer.issue.texts.one_line import check_one_line_texts
from mailer.issue.texts.texts import read_markdown_texts
from mailer.issue.yaml.tree import Key, Node, SourcePosition

__all__ = ["LoadedIssue", "SourceFile", "examine_issue", "load_issue"]


@dataclass(frozen=True, slots=True)
class LoadedIssue:
    """Holds an issue, the files that it was made of, and the position of each key.

    `path` is relative to the workspace, with slashes. `files` has the issue's own file and then every
    include; `pictures` has the picture files. `digest` is the SHA-256 in hex over the bytes of these files,
    without their names. `findings` are the warnings about the issue. `tree` has the position of each value.
    `documents` has the parsed Markdown texts by key, in which `placeholders` stand for slots.
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
    _pictures: IssuePictures = field(repr=False)

    def picture_bytes(self, folder: str, src: str) -> bytes:
        """Returns the bytes of a picture that a file in `folder` names as `src`.

        Raises ValueError if the picture was not read together with the issue: only pictures in `pictures`,
        which the digest covers, are used.
        """
        found = self._pictures.find_bytes(folder, src)
        if found is None:
            raise ValueError("was not read with the issue")
        return found

    @property
    def has_all_pictures(self) -> bool:
        """Returns whether all pictures were read.

        If not, a limit was exceeded, and there is an error at the first picture beyond the limit.
        """
        return self._pictures.is_complete

    @property
    def has_own_title(self) -> bool:
        """Returns whether the editor wrote a title, so that it is not made from the edition's pattern."""
        title = self.tree.child("title")
        return title is not None and bool(str(title.value or "").strip())

    def position_of(self, *keys: str | int) -> SourcePosition:
        """Returns the position of the value under keys such as ("items", 2, "body").

        If there is no such value, returns the position of the value that would contain it.
        """
        return self.tree.find_deepest_node(keys)[0].position

    def path_and_line_of(self, *keys: str | int) -> tuple[str, int]:
        """Returns the path of the file and the line on which a key such as ("items", 2, "body") is written.

        If the key is not written, returns the path and line of the value that would contain it.
        """
        node, _ = self.tree.find_deepest_node(keys)
        mark = node.key_position or node.position
        return mark.path, mark.line

    def line_of(self, *keys: str | int) -> int | None:
        """Returns the line of a key, or None if the key is not written in a file (a default applies)."""
        return self.path_and_line_of(*keys)[1] if self.tree.find_deepest_node(keys)[1] == len(keys) else None


def load_issue(path: Path, settings: Settings) -> LoadedIssue:
    """Returns the issue in a file of the workspace. Raises IssueError with all problems and their lines."""
    loaded, problems = examine_issue(path, settings)
    if loaded is None or any(problem.severity == "error" for problem in problems):
        raise IssueError.from_problems(problems)
    return loaded


def examine_issue(path: Path, settings: Settings) -> tuple[LoadedIssue | None, list[Problem]]:
    """Returns the issue as far as it can be read, and all its problems in reading order.

    Faulty values are left out or filled in, so that everything else can be checked. The issue is None if the
    file cannot be read or a faulty value cannot be replaced. Raises IssueError if the file does not exist.
    """
    root = settings.root.resolve()
    file = _resolved_issue_path(path, root)
    name = _issue_path_in_workspace(file, root)
    problems: list[Problem] = []
    includes = IncludeReader(root, problems)
    tree = includes.read_issue(file)
    if tree is None:
        return None, sorted_problems(problems, name)
    issue: Issue | None = None
    try:
        issue = Issue.model_validate(tree.as_plain_data(), context={"editions": tuple(settings.editions)})
    except ValidationError as error:
        issue = repaired_issue(tree.as_plain_data(), error, settings)
        # A value that is not sound YAML has its problem already; the model would only repeat it.
        reported = {(p.path, p.line, p.column) for p in problems}
        problems += [
            p for p in validation_problems(error, tree) if (p.path, p.line, p.column) not in reported
        ]
    files = tuple(includes.files.values())
    placeholders = Placeholders(_digest_of_files(files))
    documents = read_markdown_texts(tree, placeholders, problems)
    check_one_line_texts(tree, placeholders, problems)
    warn_of_doubtful_urls(tree, problems)
    pictures = read_pictures(root, picture_uses(tree, documents), problems)
    problems += problems_of_whole_issue(tree, issue, settings, is_incomplete=includes.is_incomplete)
    warnings = [problem for problem in problems if problem.severity == "warning"]
    if issue is None:
        return None, sorted_problems(problems, name)
    loaded = LoadedIssue(
        issue=issue_with_defaults(issue, settings, documents, placeholders),
        path=name,
        files=files,
        pictures=pictures.files,
        digest=_digest_of_files((*files, *pictures.files)),
        findings=tuple(sorted_problems(warnings, name)),
        tree=tree,
        documents=documents,
        placeholders=placeholders,
        _pictures=pictures,
    )
    return loaded, sorted_problems(problems, name)


def _resolved_issue_path(issue_path: Path, root: Path) -> Path:
    """Returns the resolved path of an issue in the workspace at `root`.

    A relative path is looked up in the current folder first, then in the workspace. Raises IssueError if the
    file does not exist or is outside the workspace.
    """
    shown = str(issue_path)
    try:
        file = issue_path.resolve()
        if not (file.is_relative_to(root) and file.exists()) and (root / issue_path).exists():
            file = (root / issue_path).resolve()
        there = file.exists()
    except (OSError, RuntimeError, ValueError):
        raise IssueError(
            Problem("cannot be the name of a file; correct it", shown.replace("\0", "?"))
        ) from None
    if not there:
        raise IssueError(
            Problem("does not exist; correct the path, or make a draft with `mailer new`", shown)
        )
    if not file.is_relative_to(root):
        raise IssueError(Problem(f"is outside the workspace {root}; move it to issues/", shown))
    return file


def _issue_path_in_workspace(resolved_path: Path, root: Path) -> str:
    """Returns the path of an issue relative to the workspace, with slashes.

    Raises IssueError if the path is not valid text or contains a backslash.
    """
    name = resolved_path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        advice = "rename it or its folder; letters beyond ASCII need a UTF-8 locale, such as LC_ALL=C.UTF-8"
        raise IssueError(Problem(f"has a name that is not valid text; {advice}", name)) from None
    if "\\" in name:
        raise IssueError(Problem("has a backslash in its name; rename it, or its folder", name))
    return name


def _digest_of_files(files: Sequence[SourceFile]) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(len(file.data).to_bytes(8, "big") + file.data)
    return whole.hexdigest()

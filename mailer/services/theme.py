"""Lists the files of the theme, copies built-in files into the workspace, and makes whole themes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from mailer.config import Settings
from mailer.display_text import nearest_word, shortened
from mailer.errors import FailureError, InputError, Problem
from mailer.files import create_files
from mailer.theme_files import (
    FOLDERS,
    built_in_file_paths,
    built_in_theme_folder,
    check_template_folders,
    own_file_paths,
)

__all__ = ["FileState", "ListedFile", "NewTheme", "create_theme", "export_files", "list_theme"]

#: The folder of a workspace that holds its own theme files.
_OWN = "templates"
_FIRST_COMMENT = re.compile(r"\s*\{#-?(.*?)-?#\}", re.DOTALL)
_FIRST_SENTENCE = re.compile(r".*?\.(?=\s|$)")
_CATALOGUES = {
    "mailer.po": "Translations into {language} for mails and for the web pages of issues.",
    "web.po": "Translations into {language} for the pages for readers.",
}


class FileState(StrEnum):
    """Tells whether the workspace has its own file in place of a built-in one."""

    BUILT_IN = "built-in"
    EQUAL = "equal"
    DIFFERS = "differs"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """Describes a file of the theme: its path under templates/, what it is for, and its state.

    The state OWN means that the built-in theme has no such file. `description` may be empty.
    """

    path: str
    description: str
    state: FileState

    @property
    def folder(self) -> str:
        """Returns the top folder of the file: email, text, web or locale."""
        return self.path.partition("/")[0]

    def to_json(self) -> dict[str, Any]:
        """Returns the file as JSON data."""
        return {
            "path": self.path,
            "folder": self.folder,
            "description": self.description,
            "state": self.state.value,
        }


@dataclass(frozen=True, slots=True)
class NewTheme:
    """Holds the folder of a copied theme, the paths of its files in that folder, and whether it is used."""

    folder: str
    files: tuple[str, ...]
    is_used: bool

    def to_json(self) -> dict[str, Any]:
        """Returns the new theme as JSON data."""
        return {"folder": self.folder, "files": list(self.files), "is_used": self.is_used}


def list_theme(settings: Settings) -> tuple[ListedFile, ...]:
    """Returns all files of the theme, by folder. Raises ThemeError if a file cannot be found or opened."""
    own = own_file_paths(settings.root)
    built_in = built_in_file_paths()
    is_built_in = (settings.root / _OWN).resolve() == built_in_theme_folder().resolve()
    listed = []
    for name in sorted({*own, *built_in}, key=_order):
        text = _text_of(built_in.get(name) or own[name])
        if is_built_in:
            state = FileState.BUILT_IN
        elif name not in built_in:
            state = FileState.OWN
        else:
            state = _state_of(settings.root / _OWN / name, text)
        listed.append(ListedFile(name, _description(name, text), state))
    return tuple(listed)


def export_files(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """Copies built-in files into the folder templates/ of the workspace, and returns their paths there.

    `names` are paths below templates/, with or without `templates/`. Raises InputError if a name is unknown
    or a file exists already, and FailureError if a file cannot be written; then nothing has changed.
    """
    root = settings.root
    check_template_folders(root)
    built_in = built_in_file_paths()
    problems: list[Problem] = []
    chosen: dict[str, Path] = {}
    for written in names:
        name = _name_below_templates(written)
        if name not in built_in:
            problems.append(Problem(_unknown_file_message(written, name, built_in)))
        elif problem := _problem_of_target(root, name):
            problems.append(problem)
        else:
            chosen[name] = built_in[name]
    if problems:
        raise InputError.from_problems(dict.fromkeys(problems))
    _copy_files(root / _OWN, chosen, _OWN)
    return tuple(f"{_OWN}/{name}" for name in chosen)


def create_theme(settings: Settings, folder: Path) -> NewTheme:
    """Copies the whole built-in theme into `folder`. A relative path is relative to the workspace.

    Raises InputError if the folder is not empty, and FailureError if a file cannot be written; then nothing
    has changed. Files in it that begin with a dot, and README.md, do not count.
    """
    root = settings.root
    target, shown = root / folder, folder.as_posix()
    existing = next(path for path in (target, *target.parents) if os.path.lexists(path))
    if not existing.is_dir():
        if existing != target:
            shown = existing.relative_to(root).as_posix() if existing.is_relative_to(root) else str(existing)
        raise InputError(Problem("is not a folder; nothing was changed. Choose another folder", shown))
    is_own = os.path.abspath(target) == os.path.abspath(root / _OWN)  # noqa: PTH100 (links are not followed)
    if is_own and not target.resolve().is_relative_to(root.resolve()):
        raise InputError(
            Problem("is a link to a folder outside the workspace; put the folder itself there", shown)
        )
    if target.is_dir() and any(path.name[0] != "." and path.name != "README.md" for path in target.iterdir()):
        raise InputError(
            Problem(
                "is not empty, and nothing was changed; choose another folder, or copy single files with "
                "`mailer theme export FILE`",
                shown,
            )
        )
    files = built_in_file_paths()
    _copy_files(target, files, shown)
    is_used = target.resolve() == (root / _OWN).resolve()
    return NewTheme(shown, tuple(sorted(files, key=_order)), is_used)


def _order(name: str) -> tuple[int, int, str]:
    """Returns the sort key of a file: its top folder, then files before those of subfolders."""
    return FOLDERS.index(name.partition("/")[0]), name.count("/"), name


def _text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n")


def _state_of(own: Path, built_in_text: str) -> FileState:
    try:
        text = _text_of(own)
    except FileNotFoundError:
        return FileState.BUILT_IN
    return FileState.EQUAL if text == built_in_text else FileState.DIFFERS


def _description(name: str, text: str) -> str:
    """Returns the first sentence of the comment at the beginning of a template, or that of a catalogue."""
    path = PurePosixPath(name)
    if path.name in _CATALOGUES:
        return _CATALOGUES[path.name].format(language=path.parts[1])
    comment = _FIRST_COMMENT.match(text)
    words = " ".join(comment[1].split()) if comment else ""
    sentence = _FIRST_SENTENCE.match(words)
    return shortened(sentence[0] if sentence else words, 100)


def _name_below_templates(written: str) -> str:
    return PurePosixPath(written.replace("\\", "/")).as_posix().removeprefix(f"{_OWN}/")


def _unknown_file_message(written: str, name: str, known: Mapping[str, Path]) -> str:
    """Returns the sentence for a name that no built-in file has, with the name that was probably meant.

    A name without its folder, such as `footer.mjml`, is compared with the names of files alone.
    """
    short_names = {PurePosixPath(each).name: each for each in reversed(list(known))}
    last = PurePosixPath(name).name
    best = short_names.get(last) or nearest_word(name, known)
    if best is None and (near := nearest_word(last, short_names)):
        best = short_names[near]
    advice = f'did you mean "{best}"?' if best else "`mailer theme list` lists its files"
    return f'the built-in theme has no file "{shortened(written)}"; {advice}'


def _problem_of_target(root: Path, name: str) -> Problem | None:
    """Returns what prevents the file `name` from being created in the workspace at `root`, or None."""
    path = root / _OWN / name
    shown = f"{_OWN}/{name}"
    if os.path.lexists(path):
        return Problem("exists already and was not changed; edit it, or move it away first", shown)
    for folder in list(PurePosixPath(shown).parents)[:-1]:
        if os.path.lexists(root / folder) and not (root / folder).is_dir():
            return Problem("is a file, not a folder; rename it, or move it away", folder.as_posix())
    if not path.parent.resolve().is_relative_to(root.resolve()):
        return Problem("is in a folder outside the workspace, to which a link leads; remove the link", shown)
    return None


def _copy_files(folder: Path, files: Mapping[str, Path], shown: str) -> None:
    """Copies built-in files, by their names, into `folder`, which messages call `shown`."""
    try:
        create_files(folder, {name: path.read_bytes() for name, path in files.items()})
    except FileExistsError as error:
        raise InputError(
            f"{error.filename} appeared just now and was left as it is; nothing was copied"
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FailureError(
            Problem(f"nothing was copied: {reason}; correct that and try again", shown)
        ) from None

"""Reads all files of a theme at once. Files of the workspace take the place of built-in ones.

All files are read into memory first, so that the hash of the theme matches what is rendered even if somebody
edits the files meanwhile. A workspace file that exists but cannot be read is an error, because the built-in
file would otherwise be sent in its place unnoticed.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import mailer
from mailer.errors import Problem, ThemeError

__all__ = [
    "FOLDERS",
    "ThemeFile",
    "ThemeFiles",
    "built_in_file_paths",
    "built_in_theme_folder",
    "check_template_folders",
    "own_file_paths",
    "read_theme",
]

FOLDERS = ("email", "text", "web", "locale")
SUFFIXES = (".mjml", ".html", ".txt", ".po")
MAX_FILE = 512_000
MAX_FILES = 500


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """Holds a template or a catalogue of translations. Templates refer to `name`; messages show `path`."""

    name: str
    path: str
    text: str


@dataclass(frozen=True)
class ThemeFiles:
    """Holds all files of a theme, those of the workspace before the built-in ones.

    Two themes are equal if all their files are equal.
    """

    all: tuple[ThemeFile, ...]

    @cached_property
    def templates(self) -> Mapping[str, ThemeFile]:
        """Returns the templates by their names."""
        return {file.name: file for file in self.all if not file.name.startswith("locale/")}

    @cached_property
    def catalogues(self) -> Mapping[str, tuple[ThemeFile, ...]]:
        """Returns the catalogues of translations by language tag (in lower case).

        For each language the catalogue of the workspace comes first.
        """
        found: dict[str, tuple[ThemeFile, ...]] = {}
        for file in self.all:
            parts = file.name.split("/")
            if len(parts) == 4 and parts[0] == "locale" and parts[2:] == ["LC_MESSAGES", "mailer.po"]:
                language = parts[1].replace("_", "-").lower()
                found[language] = (*found.get(language, ()), file)
        return found

    @cached_property
    def digest(self) -> str:
        """Returns the SHA-256 in hex over the names and texts of all files."""
        whole = hashlib.sha256()
        for file in sorted(self.all, key=lambda file: (file.name, file.text)):
            for text in (file.name, file.text):
                data = text.encode()
                whole.update(len(data).to_bytes(8, "big") + data)
        return whole.hexdigest()

    def display_path(self, name: str) -> str:
        """Returns the path that messages show for the template `name`."""
        file = self.templates.get(name)
        return file.path if file else f"templates/{name}"


def built_in_theme_folder() -> Path:
    """Returns the folder of the built-in theme, in an installed package or beside one in a checkout."""
    package = Path(mailer.__file__).parent
    inside = package / "theme"
    return inside if inside.is_dir() else package.parent / "templates"


def built_in_file_paths() -> dict[str, Path]:
    """Returns the paths of all files of the built-in theme by their names, such as `email/morning.mjml`.

    The style sheet of the pages for readers is one of them.
    """
    folder = built_in_theme_folder()
    return {
        path.relative_to(folder).as_posix(): path
        for name in FOLDERS
        for path in sorted((folder / name).rglob("*"))
        if path.suffix in (*SUFFIXES, ".css") and path.is_file()
    }


def own_file_paths(root: Path) -> dict[str, Path]:
    """Returns the paths of the templates and catalogues of the workspace at `root` by their names.

    Raises ThemeError if they cannot be found or opened.
    """
    problems: list[Problem] = []
    folder = root / "templates"
    paths = _theme_file_paths(folder, "templates/", problems)
    if problems:
        raise ThemeError.from_problems(problems)
    return {path.relative_to(folder).as_posix(): path for path in paths}


def read_theme(root: Path) -> ThemeFiles:
    """Returns the theme of the workspace at `root`. Raises ThemeError with all files that cannot be used."""
    own, built_in = root / "templates", built_in_theme_folder()
    problems: list[Problem] = []
    files = _read_theme_files(own, root, "templates/", problems)
    if problems:
        raise ThemeError.from_problems(problems)
    if own.resolve() != built_in.resolve():
        ours = {file.name: file.text for file in files}
        for file in _read_theme_files(built_in, built_in, "(built-in) templates/", problems):
            is_catalogue = file.name.endswith(".po")
            if file.name not in ours or (is_catalogue and file.text != ours[file.name]):
                files.append(file)
    if problems:
        raise ThemeError.from_problems(problems)
    return ThemeFiles(tuple(files))


def check_template_folders(root: Path) -> None:
    """Raises ThemeError if the theme files of the workspace at `root` cannot be found or opened."""
    own_file_paths(root)


def _theme_file_paths(folder: Path, display_prefix: str, problems: list[Problem]) -> list[Path]:
    """Returns the paths of all theme files in `folder`, sorted; none if there is no such folder.

    In messages `display_prefix` stands for the folder. Adds what is wrong to `problems`.
    """
    if not _is_folder(folder, display_prefix.rstrip("/"), problems):
        return []
    return sorted(
        path
        for name in FOLDERS
        for path in _template_paths_below(folder / name, display_prefix + name, problems)
    )


def _template_paths_below(folder: Path, display_name: str, problems: list[Problem]) -> list[Path]:
    """Returns the paths of the theme files in `folder` and its subfolders.

    In messages `display_name` stands for the folder. Adds what is wrong to `problems`.
    """
    if not _is_folder(folder, display_name, problems):
        return []
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        problems.append(_unreadable_problem(error, display_name))
        return []
    found: list[Path] = []
    for path in paths:
        place, is_template = f"{display_name}/{path.name}", path.suffix in SUFFIXES
        # Of a file with another ending, as of notes.md, nothing is taken in any case.
        mode = _file_mode(path, place, problems if is_template or not path.suffix else [])
        if stat.S_ISDIR(mode) and is_template:
            problems.append(Problem("is a folder, not a file; rename it", place))
        elif stat.S_ISDIR(mode) and _is_symlink(path):
            problems.append(Problem("is a link to a folder; put the folder itself there", place))
        elif stat.S_ISDIR(mode):
            found += _template_paths_below(path, place, problems)
        elif stat.S_ISREG(mode) and is_template:
            found.append(path)
        elif mode and is_template:
            problems.append(Problem("is not a regular file; move it away", place))
    return found


def _is_folder(path: Path, display_name: str, problems: list[Problem]) -> bool:
    mode = _file_mode(path, display_name, problems)
    if mode and not stat.S_ISDIR(mode):
        problems.append(Problem("is a file, not a folder; rename it, or move it away", display_name))
    return stat.S_ISDIR(mode)


def _file_mode(path: Path, display_name: str, problems: list[Problem]) -> int:
    """Returns the mode of a path (`st_mode`), or 0 if nothing is there or the mode cannot be read.

    Adds a problem to `problems`, with `display_name` as its path, if the mode cannot be read.
    """
    try:
        return path.stat().st_mode
    except OSError as error:
        if _is_symlink(path):
            problems.append(
                Problem(
                    "is a link to a file that does not exist or that this user may not read; correct it",
                    display_name,
                )
            )
        elif not isinstance(error, FileNotFoundError):
            problems.append(_unreadable_problem(error, display_name))
        return 0


def _is_symlink(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        return False


def _unreadable_problem(error: OSError, display_name: str) -> Problem:
    why = (error.strerror or str(error)).lower()
    return Problem(f"cannot be read: {why}; let this user read it, or move it away", display_name)


def _read_theme_files(
    folder: Path, allowed_root: Path, display_prefix: str, problems: list[Problem]
) -> list[ThemeFile]:
    files: list[ThemeFile] = []
    paths = _theme_file_paths(folder, display_prefix, problems)
    if len(paths) > MAX_FILES:
        problems.append(
            Problem(
                f"has more than {MAX_FILES} files; delete those that the theme does not use", display_prefix
            )
        )
        return []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            if not path.resolve().is_relative_to(allowed_root.resolve()):
                problems.append(
                    Problem(
                        "is a link to a file outside the workspace; put the file itself there",
                        display_prefix + name,
                    )
                )
                continue
            with path.open("rb") as stream:
                data = stream.read(MAX_FILE + 1)
            if len(data) > MAX_FILE:
                problems.append(
                    Problem(f"is larger than {MAX_FILE // 1000} KB; make it smaller", display_prefix + name)
                )
                continue
            text = data.decode("utf-8-sig").replace("\r\n", "\n")
            files.append(ThemeFile(name, display_prefix + name, text))
        except OSError as error:
            problems.append(
                Problem(
                    f"cannot be read: {error.strerror}; correct this, or move the file away",
                    display_prefix + name,
                )
            )
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            problems.append(Problem("is not UTF-8; save it as UTF-8", display_prefix + name, line))
    return files

"""Describes one imported list: its path, and the names that messages and origins use for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from mailer.config import Settings
from mailer.display_text import without_control_characters

__all__ = ["ListFile", "refused_beside", "shown_path"]


@dataclass(frozen=True, slots=True)
class ListFile:
    """Describes one list. `path` is its file, or the place it would have beside its archive.

    `name` is its name in messages, `file_name` the name of its file, and `refused` the path for refused rows.
    `stream` is read in place of the file, from its beginning, and then closed.
    """

    path: Path
    name: str
    file_name: str
    refused: Path
    stream: BinaryIO | None = None

    @classmethod
    def at(cls, path: Path, settings: Settings, refused: Path | None = None) -> Self:
        """Returns the list that is the file at `path`. Refused rows go beside it by default."""
        return cls(
            path,
            shown_path(path, settings),
            without_control_characters(path.name),
            refused or refused_beside(path),
        )


def refused_beside(path: Path) -> Path:
    """Returns the path `<name>.refused.csv` beside the file."""
    return path.parent / f"{path.stem}.refused.csv"


def shown_path(path: Path, settings: Settings) -> str:
    """Returns a path as messages show it: from the workspace where it is inside, with slashes, as text."""
    whole = path.absolute()
    return without_control_characters(
        (whole.relative_to(settings.root) if whole.is_relative_to(settings.root) else path).as_posix()
    )

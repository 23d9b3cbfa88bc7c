"""Describes a list that is imported: its path, and its names in messages and in records of consent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from mailer.config import Settings
from mailer.display_text import without_control_characters

__all__ = ["ListFile", "default_refused_path", "shown_path"]


@dataclass(frozen=True, slots=True)
class ListFile:
    """Describes one list. `path` is the file of the list, or the archive that holds the list.

    Messages call the list `name`, records of consent call it `file_name`, and refused rows are written to
    `refused`. `stream`, if given, is at its beginning; it is read instead of the file, and then closed.
    """

    path: Path
    name: str
    file_name: str
    refused: Path
    stream: BinaryIO | None = None

    @classmethod
    def at(cls, path: Path, settings: Settings, refused: Path | None = None) -> Self:
        """Returns the description of the list in the file at `path`.

        By default, refused rows go to a file beside the list.
        """
        return cls(
            path,
            shown_path(path, settings),
            without_control_characters(path.name),
            refused or default_refused_path(path),
        )


def default_refused_path(list_path: Path) -> Path:
    """Returns the path `<name>.refused.csv` in the folder of the list."""
    return list_path.parent / f"{list_path.stem}.refused.csv"


def shown_path(path: Path, settings: Settings) -> str:
    """Returns a path for messages, with slashes: relative to the workspace if the path is inside."""
    whole = path.absolute()
    return without_control_characters(
        (whole.relative_to(settings.root) if whole.is_relative_to(settings.root) else path).as_posix()
    )

"""Checks names of files in a campaign folder, so that nothing is written or read outside of the folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

__all__ = ["is_published_file_name", "is_path_inside_folder", "display_path"]

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def is_published_file_name(text: str) -> bool:
    """Returns whether `text` is a valid file name for a published picture; the name becomes part of a URL."""
    return _FILE_NAME.fullmatch(text) is not None


def is_path_inside_folder(text: str) -> bool:
    """Returns whether `text` is a relative path with slashes that cannot lead outside of its folder.

    Returns False for a path that only some operating systems would accept.
    """
    if not text or len(text) > 1000 or any(ord(c) < 32 or c in "\\\x7f" for c in text):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    parts = text.split("/")
    return PurePosixPath(text).as_posix() == text and all(part not in ("", ".", "..") for part in parts)


def display_path(folder: Path, name: str = "") -> str:
    """Returns `campaigns/SLUG/name`: the path of a campaign's folder, or of a file in it, for messages."""
    place = f"{folder.parent.name}/{folder.name}"
    return f"{place}/{name}" if name else place

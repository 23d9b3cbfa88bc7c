"""Checks names in a campaign folder, so that nothing is written or read outside of it."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

__all__ = ["is_file_name", "is_inner_path", "path_text"]

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def is_file_name(text: str) -> bool:
    """Returns whether a published picture may have this name, which appears in URLs."""
    return _FILE_NAME.fullmatch(text) is not None


def is_inner_path(text: str) -> bool:
    """Returns whether `text` is a relative path with slashes that stays in its folder, on any system."""
    if not text or len(text) > 1000 or any(ord(c) < 32 or c in "\\\x7f" for c in text):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    parts = text.split("/")
    return PurePosixPath(text).as_posix() == text and all(part not in ("", ".", "..") for part in parts)


def path_text(folder: Path, name: str = "") -> str:
    """Returns the name of a campaign's folder, or of a file in it, for messages: `campaigns/SLUG/name`."""
    place = f"{folder.parent.name}/{folder.name}"
    return f"{place}/{name}" if name else place

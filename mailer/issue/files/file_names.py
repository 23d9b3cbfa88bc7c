"""Finds files whose names are stored in another Unicode form (NFC, NFD) than they are typed.

"é" is one code point (NFC) or an "e" with an accent behind it (NFD). Keyboards give the first, and files that
were on a Mac often have the second; both are the same name.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

__all__ = ["as_on_disk"]


def as_on_disk(folder: Path, name: str) -> Path:
    """Returns the path of `name` in `folder`, each part as the file system writes it.

    A part that is there as it is written is taken so; one that is there in no form is left as it is.
    """
    path = folder / name
    if name.isascii() or os.path.lexists(path):
        return path
    path = folder
    for part in name.split("/"):
        path = path / _entry(path, part)
    return path


def _entry(folder: Path, part: str) -> str:
    if part.isascii() or os.path.lexists(folder / part):
        return part
    wanted = unicodedata.normalize("NFC", part)
    try:
        entries = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return part
    return next((entry for entry in entries if unicodedata.normalize("NFC", entry) == wanted), part)

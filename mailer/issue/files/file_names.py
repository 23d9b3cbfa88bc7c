"""Finds files whose names are stored in another Unicode form (NFC, NFD) than they are typed in.

"é" is one code point (NFC) or an "e" followed by an accent (NFD). Keyboards give the first, and files that
were on a Mac often have the second; both are the same name to a person.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

__all__ = ["path_on_disk"]


def path_on_disk(folder: Path, name: str) -> Path:
    """Returns the path of `name` in `folder`, with each part spelled as the file system has it.

    A part of `name` that exists as typed is kept, and so is a part that exists in no Unicode form.
    """
    path = folder / name
    if name.isascii() or os.path.lexists(path):
        return path
    path = folder
    for part in name.split("/"):
        path = path / _entry_name_on_disk(path, part)
    return path


def _entry_name_on_disk(folder: Path, typed_name: str) -> str:
    if typed_name.isascii() or os.path.lexists(folder / typed_name):
        return typed_name
    wanted = unicodedata.normalize("NFC", typed_name)
    try:
        entries = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return typed_name
    return next((entry for entry in entries if unicodedata.normalize("NFC", entry) == wanted), typed_name)

"""Finds the files of an issue inside the workspace, and reads and decodes them with limits.

Their content is parsed in `yaml/parse.py`, `include` and `pictures`.
"""

from __future__ import annotations

import codecs
import os
import posixpath
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from mailer.issue.files.file_names import as_on_disk

__all__ = ["MAX_FILE", "SourceFile", "TextError", "decode", "locate", "name_in", "read_bounded"]

#: The most bytes that one YAML file may have. A long feature has 50 KB.
MAX_FILE = 1_000_000

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Holds a file that an issue is made of. `path` is relative to the workspace, with slashes."""

    path: str
    data: bytes


class TextError(ValueError):
    """Says why bytes are not usable as text, with the place (counted from 1)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def locate(root: Path, folder: Path, name: str) -> Path:
    """Returns the file that `name` means in a file of `folder`, following symbolic links.

    `root` must be resolved. Raises ValueError with a sentence where the file is not in the workspace.
    """
    if not name or any(ord(c) < 32 for c in name):
        raise ValueError("is not the name of a file")
    if name.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", name):
        raise ValueError(f'"{name}" must be written relative to this file, and lie inside the workspace')
    if "\\" in name:
        raise ValueError(
            f'"{name}" holds a backslash; write / between folders, and rename a file that has one'
        )
    try:
        path = (folder / name).resolve()
        if path.is_relative_to(root):
            path = as_on_disk(folder, name).resolve()
        inside = path.is_relative_to(root)
        known = inside and path.exists()
    except (OSError, RuntimeError, ValueError):
        raise ValueError(f'"{name}" cannot be followed to a file') from None
    if not inside:
        raise ValueError(f'"{name}" leaves the workspace; move the file into it')
    if not known:
        raise ValueError(
            f"{path.relative_to(root).as_posix()} is not there; correct the path or add the file"
        )
    return path


def name_in(root: Path, folder: Path, name: str, path: Path) -> str:
    """Returns the name of a located file in the workspace: as it was written, also where that is a link.

    So the archive, which holds no links, finds it under the name that the issue uses.
    """
    written = posixpath.normpath(posixpath.join(folder.relative_to(root).as_posix(), name))
    if not written.startswith("..") and as_on_disk(root, written).resolve() == path:
        return written
    return path.relative_to(root).as_posix()


def read_bounded(path: Path, limit: int) -> bytes:
    """Returns the bytes of a regular file. Raises ValueError with a sentence, also for more than `limit`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ValueError(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise ValueError("is a folder; a file is needed here")
        if not stat.S_ISREG(mode):
            raise ValueError("is not a regular file")
        with open(handle, "rb", closefd=False) as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    finally:
        os.close(handle)
    if len(data) > limit:
        raise ValueError(f"is larger than {limit / 1_000_000:g} MB; make it smaller or split it")
    return data


def decode(data: bytes) -> str:
    """Returns UTF-8 bytes, with or without a byte order mark, as text that YAML can be read from."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TextError("is saved as UTF-16; save it as UTF-8", 1, 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        byte = data[error.start]
        message = f"is not UTF-8 from here on (byte 0x{byte:02x}); save the file as UTF-8"
        raise TextError(message, *_place(before)) from None
    text = text.removeprefix("\ufeff")
    found = _FORBIDDEN.search(text)
    if found:
        name = f"the control character U+{ord(found[0]):04X}"
        message = f"holds {'a NUL character' if found[0] == chr(0) else name}; delete it"
        raise TextError(message, *_place(text[: found.start()]))
    return text


def _place(before: str) -> tuple[int, int]:
    lines = _BREAK.split(before)
    return len(lines), len(lines[-1]) + 1

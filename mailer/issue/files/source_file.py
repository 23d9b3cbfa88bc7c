"""Finds the files of an issue inside the workspace, and reads and decodes them within limits.

The content of the files is parsed in `yaml/parse.py`, `include` and `pictures`.
"""

from __future__ import annotations

import codecs
import os
import posixpath
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from mailer.issue.files.file_names import path_on_disk

__all__ = [
    "MAX_FILE",
    "SourceFile",
    "TextDecodingError",
    "decode_utf8",
    "locate_file",
    "workspace_path_as_written",
    "read_bounded_file",
]

#: The most bytes that one YAML file may have. A long feature has 50 KB.
MAX_FILE = 1_000_000

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Holds a file that an issue is made of. `path` is relative to the workspace, with slashes."""

    path: str
    data: bytes


class TextDecodingError(ValueError):
    """Signals that bytes cannot be read as text from `line` and `column` on, which count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def locate_file(root: Path, folder: Path, name: str) -> Path:
    """Returns the resolved path of the file that a file in `folder` refers to as `name`.

    `root` is the resolved path of the workspace. Raises ValueError with a sentence if the file does not exist
    or is not in the workspace.
    """
    if not name or any(ord(c) < 32 for c in name):
        raise ValueError("is not the name of a file; correct it")
    if name.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", name):
        raise ValueError(f'"{name}" must be a path relative to this file, inside the workspace')
    if "\\" in name:
        raise ValueError(
            f'"{name}" holds a backslash; write / between folders, and rename a file that has one'
        )
    try:
        path = (folder / name).resolve()
        if path.is_relative_to(root):
            path = path_on_disk(folder, name).resolve()
        inside = path.is_relative_to(root)
        known = inside and path.exists()
    except (OSError, RuntimeError, ValueError):
        raise ValueError(f'"{name}" is not a path to a file; correct it') from None
    if not inside:
        raise ValueError(f'"{name}" leads out of the workspace; move the file into it')
    if not known:
        raise ValueError(
            f"{path.relative_to(root).as_posix()} does not exist; correct the path or add the file"
        )
    return path


def workspace_path_as_written(root: Path, folder: Path, name: str, resolved_path: Path) -> str:
    """Returns the path of a file relative to the workspace `root`, under the name that was written.

    `name` is the file's name as a file in `folder` writes it; `resolved_path` is where it leads. The written
    name is used even if it is a link, because the archive contains no links and must have the file under the
    name that the issue uses.
    """
    written = posixpath.normpath(posixpath.join(folder.relative_to(root).as_posix(), name))
    if not written.startswith("..") and path_on_disk(root, written).resolve() == resolved_path:
        return written
    return resolved_path.relative_to(root).as_posix()


def read_bounded_file(path: Path, max_bytes: int) -> bytes:
    """Returns the bytes of the regular file at `path`.

    Raises ValueError with a sentence if `path` is not a regular file, if the file has more than `max_bytes`,
    or if it cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ValueError(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise ValueError("is a folder, but must be a file; correct the path")
        if not stat.S_ISREG(mode):
            raise ValueError("must be a regular file; replace it by one")
        with open(handle, "rb", closefd=False) as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    finally:
        os.close(handle)
    if len(data) > max_bytes:
        raise ValueError(f"is larger than {max_bytes / 1_000_000:g} MB; make it smaller or split it")
    return data


def decode_utf8(data: bytes) -> str:
    """Decodes UTF-8 and returns the text, without a byte order mark, for a YAML parser.

    Raises TextDecodingError if `data` is not UTF-8 or contains control characters.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TextDecodingError("is saved as UTF-16; save it as UTF-8", 1, 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        byte = data[error.start]
        message = f"is not UTF-8 from here on (byte 0x{byte:02x}); save the file as UTF-8"
        raise TextDecodingError(message, *_line_and_column_after(before)) from None
    text = text.removeprefix("\ufeff")
    found = _FORBIDDEN.search(text)
    if found:
        name = f"the control character U+{ord(found[0]):04X}"
        message = f"holds {'a NUL character' if found[0] == chr(0) else name}; delete it"
        raise TextDecodingError(message, *_line_and_column_after(text[: found.start()]))
    return text


def _line_and_column_after(text_before: str) -> tuple[int, int]:
    lines = _BREAK.split(text_before)
    return len(lines), len(lines[-1]) + 1

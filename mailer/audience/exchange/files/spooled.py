"""Copies a stream that can be read only once to a nameless temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from mailer.errors import FailureError

__all__ = ["spooled"]

_PIECE = 1 << 20


def spooled(read: Callable[[int], bytes], folder: Path, what: str, *, most: int | None = None) -> BinaryIO:
    """Returns a private temporary file with everything that `read` gives, positioned at its beginning.

    `read` takes a number of bytes and returns at most so many, none at the end. The file is made in `folder`,
    because the folder for temporary files may be in memory. It has no name there, or loses it at once, so
    nothing is left of it however the process ends. Error messages call the content `what`. Raises ValueError
    for more than `most` bytes, and FailureError where there is no room.
    """
    try:
        file = cast(BinaryIO, tempfile.TemporaryFile(dir=folder, prefix=".import-"))  # noqa: SIM115
    except OSError as error:
        raise _no_room(error, what) from None
    try:
        size = 0
        while piece := read(_PIECE):
            size += len(piece)
            if most is not None and size > most:
                raise ValueError(f"more than {most} bytes")
            _write(file, piece, what)
        try:
            file.flush()
        except OSError as error:
            raise _no_room(error, what) from None
        file.seek(0)
    except BaseException:
        _close(file)
        raise
    return file


def _write(file: BinaryIO, piece: bytes, what: str) -> None:
    try:
        file.write(piece)
    except OSError as error:
        raise _no_room(error, what) from None


def _no_room(error: OSError, what: str) -> FailureError:
    reason = (error.strerror or str(error)).lower()
    return FailureError(f"{what} cannot be kept beside the database while it is read: {reason}")


def _close(file: BinaryIO) -> None:
    try:
        file.close()
    except OSError:  # what is left in its buffer has no room
        file.close()

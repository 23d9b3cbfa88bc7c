"""Copies a stream that can be read only once, such as standard input, to a temporary file without a name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from mailer.errors import FailureError

__all__ = ["copy_to_temporary_file"]

_PIECE = 1 << 20


def copy_to_temporary_file(
    read: Callable[[int], bytes], folder: Path, content_name: str, *, max_bytes: int | None = None
) -> BinaryIO:
    """Returns a private temporary file with everything that `read` returns, positioned at its beginning.

    `read` takes the largest number of bytes to return, and returns no bytes at the end. The file is made in
    `folder`, because the system's temporary folder may be in memory. The file has no name, or loses it at
    once, so nothing of it is left however the process ends. Error messages call the content `content_name`.
    Raises ValueError for more than `max_bytes` bytes, and FailureError if the disk is full.
    """
    try:
        file = cast(BinaryIO, tempfile.TemporaryFile(dir=folder, prefix=".import-"))  # noqa: SIM115
    except OSError as error:
        raise _no_room_error(error, content_name) from None
    try:
        size = 0
        while piece := read(_PIECE):
            size += len(piece)
            if max_bytes is not None and size > max_bytes:
                raise ValueError(f"more than {max_bytes} bytes")
            _write_piece(file, piece, content_name)
        try:
            file.flush()
        except OSError as error:
            raise _no_room_error(error, content_name) from None
        file.seek(0)
    except BaseException:
        _close_despite_errors(file)
        raise
    return file


def _write_piece(file: BinaryIO, piece: bytes, content_name: str) -> None:
    try:
        file.write(piece)
    except OSError as error:
        raise _no_room_error(error, content_name) from None


def _no_room_error(error: OSError, content_name: str) -> FailureError:
    reason = (error.strerror or str(error)).lower()
    return FailureError(
        f"{content_name} cannot be copied to a file beside the database: {reason}; make room for it"
    )


def _close_despite_errors(file: BinaryIO) -> None:
    try:
        file.close()
    except OSError:  # what is left in its buffer has no room
        file.close()

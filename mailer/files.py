"""Replaces files atomically, even with several writers and after a crash.

A new file is written under a temporary name of its own in the same folder, synced and renamed; then the
folder is synced, so that the name is on disk too. A writer holds a lock on its temporary file. The system
releases that lock however the process ends, so that the next writer can recognise a dead writer's file and
remove it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

__all__ = [
    "TEMPORARY",
    "NewFile",
    "clear_leftovers",
    "is_temporary",
    "new_file",
    "put_file",
    "sync_folder",
]

#: The end of every temporary name; nothing else should read such a file.
TEMPORARY = ".tmp"
_NAME = re.compile(r"\.(?P<name>.*)\.[0-9a-f]{16}" + re.escape(TEMPORARY), re.DOTALL)
#: A name may have 255 bytes, and a temporary one has 22 more than this.
_LONGEST = 200
#: Errors of file systems that cannot sync a folder, and do not need to.
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)


class NewFile:
    """Represents a file being written, which replaces `path` with `commit`.

    `file` is binary; with an `encoding` it is text, whose line ends are left as they are. The umask applies
    to `mode`. Raises OSError where it cannot be created.
    """

    def __init__(self, path: Path, *, mode: int = 0o666, encoding: str | None = None) -> None:
        self.path = path
        self.temporary, descriptor = _create(path, mode)
        if encoding is None:
            self.file: IO[Any] = os.fdopen(descriptor, "wb")
        else:
            self.file = os.fdopen(descriptor, "w", encoding=encoding, newline="")

    def commit(self) -> None:
        """Renames the file to `path`, with both on disk.

        Raises OSError; before the renaming, the old file stays.
        """
        self.file.flush()
        os.fsync(self.file.fileno())
        self._rename()
        self.file.close()
        sync_folder(self.path.parent)

    def commit_at_once(self) -> None:
        """Renames the file to `path` with a single sync, at half the cost. Raises OSError.

        Its name is on disk where a file system syncs the name of a renamed file with the file (ext4, XFS,
        Btrfs). After a power cut before the end, the file may be incomplete.
        """
        self.file.flush()
        self._rename()
        os.fsync(self.file.fileno())
        self.file.close()

    def _rename(self) -> None:
        with _named(self.path):
            self.temporary.replace(self.path)

    def discard(self) -> None:
        """Removes the unfinished file. Does nothing after `commit`."""
        self.temporary.unlink(missing_ok=True)
        with suppress(OSError):  # there is no room for the rest of its buffer
            self.file.close()


@contextmanager
def new_file(path: Path, *, mode: int = 0o666, encoding: str | None = None) -> Iterator[IO[Any]]:
    """Yields a file to write to, which replaces `path` at the end of the block unless the block raises.

    Temporary files that dead writers of the same path left are removed first. Raises OSError.
    """
    clear_leftovers(path.parent, path.name)
    made = NewFile(path, mode=mode, encoding=encoding)
    try:
        yield made.file
        made.commit()
    except BaseException:
        made.discard()
        raise


def put_file(path: Path, data: bytes) -> None:
    """Writes `path`, replacing an earlier file atomically, and syncs its folder.

    Of several writers at once the last one wins. Raises OSError; then the old file is there, or, where only
    the folder cannot be synced, the new one.
    """
    with new_file(path) as file:
        file.write(data)


def is_temporary(name: str, path_name: str | None = None) -> bool:
    """Returns whether `name` is that of a temporary file: of the file `path_name`, if given, else of any."""
    match = _NAME.fullmatch(name)
    return match is not None and (path_name is None or match["name"] == _shortened(path_name))


def clear_leftovers(folder: Path, name: str | None = None) -> None:
    """Removes the temporary files that dead writers left in `folder`: of the file `name`, or of all.

    Files that cannot be read or removed stay, and so do the temporary files of running writers.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if is_temporary(path.name, name):
                _remove_if_dead(path)


def sync_folder(folder: Path) -> None:
    """Syncs the names in `folder` to disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def _shortened(name: str) -> str:
    return os.fsencode(name)[:_LONGEST].decode("utf-8", "ignore")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Makes an OSError name `path` instead of a temporary file, which the user does not know."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _create(path: Path, mode: int) -> tuple[Path, int]:
    """Returns the path and the descriptor of a new empty file, locked, that no other writer has."""
    while True:
        temporary = path.with_name(f".{_shortened(path.name)}.{secrets.token_hex(8)}{TEMPORARY}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with _named(path):
            descriptor = os.open(temporary, flags, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kept = os.fstat(descriptor).st_nlink > 0
        except BlockingIOError:
            kept = False
        except OSError:
            kept = True  # this file system has no locks, so nobody takes a living writer for a dead one
        if kept:
            return temporary, descriptor
        # Another process took it for a leftover before it was locked.
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


def _remove_if_dead(path: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        finally:
            os.close(descriptor)

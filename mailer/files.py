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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

__all__ = [
    "TEMPORARY",
    "NewFile",
    "remove_created_paths",
    "remove_leftover_files",
    "is_temporary_name",
    "atomically_replaced_file",
    "create_files",
    "make_missing_folders",
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
    """Represents a new file that replaces the file at `path` when `commit` is called.

    `file` is the open file: a binary file, or a text file if there is an `encoding`, with line ends left as
    they are written. `mode` holds the permissions; the umask applies to it. Raises OSError if the file cannot
    be created.
    """

    def __init__(self, path: Path, *, mode: int = 0o666, encoding: str | None = None) -> None:
        self.path = path
        self.temporary, descriptor = _create_temporary_file(path, mode)
        if encoding is None:
            self.file: IO[Any] = os.fdopen(descriptor, "wb")
        else:
            self.file = os.fdopen(descriptor, "w", encoding=encoding, newline="")

    def commit(self) -> None:
        """Syncs the file to disk, renames it to `path`, and syncs the folder.

        Raises OSError. If a step before the renaming fails, the old file stays.
        """
        self.file.flush()
        os.fsync(self.file.fileno())
        self._rename()
        self.file.close()
        sync_folder(self.path.parent)

    def commit_with_one_sync(self) -> None:
        """Renames the file to `path` and then syncs it, at half the cost of `commit`. Raises OSError.

        The new name is on disk, too, on file systems that sync the name of a renamed file together with the
        file (ext4, XFS, Btrfs). If the power fails before the sync has ended, the file may be incomplete.
        """
        self.file.flush()
        self._rename()
        os.fsync(self.file.fileno())
        self.file.close()

    def _rename(self) -> None:
        with _naming_file_in_errors(self.path):
            self.temporary.replace(self.path)

    def commit_if_absent(self) -> None:
        """Syncs the file to disk and gives it the name `path`. The folder is not synced.

        Raises FileExistsError if there is a file at `path`, which stays, or another OSError.
        """
        self.file.flush()
        os.fsync(self.file.fileno())
        with _naming_file_in_errors(self.path):
            try:
                self.path.hardlink_to(self.temporary)
            except FileExistsError:
                raise
            except OSError:  # some file systems have no links
                if os.path.lexists(self.path):
                    raise
                self.temporary.replace(self.path)
        self.temporary.unlink(missing_ok=True)
        self.file.close()

    def discard(self) -> None:
        """Removes the unfinished file. Does nothing after `commit`."""
        self.temporary.unlink(missing_ok=True)
        with suppress(OSError):  # there is no room for the rest of its buffer
            self.file.close()


@contextmanager
def atomically_replaced_file(
    path: Path, *, mode: int = 0o666, encoding: str | None = None
) -> Iterator[IO[Any]]:
    """Yields an open file that replaces `path` at the end of the block, unless the block raises an exception.

    First removes temporary files for the same path whose writers died. Raises OSError.
    """
    remove_leftover_files(path.parent, path.name)
    made = NewFile(path, mode=mode, encoding=encoding)
    try:
        yield made.file
        made.commit()
    except BaseException:
        made.discard()
        raise


def put_file(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, replacing an earlier file atomically, and syncs the folder.

    If several writers do this at once, the last one wins. Raises OSError. After an error the old file is
    still there, unless only the sync of the folder failed.
    """
    with atomically_replaced_file(path) as file:
        file.write(data)


def create_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Creates the files `contents`, by their paths below `folder`, and the folders that they need.

    Each file appears whole. Raises FileExistsError if one of the files exists already, which stays as it is,
    or another OSError. After an error, everything that was created is removed.
    """
    created: list[Path] = []
    try:
        for name, data in contents.items():
            path = folder / name
            make_missing_folders(path.parent, created)
            made = NewFile(path)
            try:
                made.file.write(data)
                made.commit_if_absent()
            except BaseException:
                made.discard()
                raise
            created.append(path)
            sync_folder(path.parent)
    except BaseException:
        remove_created_paths(created)
        raise


def make_missing_folders(folder: Path, created: list[Path]) -> None:
    """Makes `folder` and its parents where they are missing, and adds each to `created`. Raises OSError."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.is_dir():
            missing.mkdir()
            created.append(missing)
            sync_folder(missing.parent)


def remove_created_paths(created: list[Path]) -> None:
    """Removes the files and the empty folders in `created`, the newest first."""
    for path in reversed(created):
        with suppress(OSError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def is_temporary_name(name: str, target_name: str | None = None) -> bool:
    """Returns whether `name` is the name of a temporary file of this module.

    With `target_name`, only a temporary file that would replace the file of that name counts.
    """
    match = _NAME.fullmatch(name)
    return match is not None and (target_name is None or match["name"] == _shortened_file_name(target_name))


def remove_leftover_files(folder: Path, target_name: str | None = None) -> None:
    """Removes the temporary files in `folder` whose writers died.

    With `target_name`, only those that would replace the file of that name are removed. Files that cannot be
    read or removed stay, and so do the temporary files of running writers.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if is_temporary_name(path.name, target_name):
                _remove_if_writer_died(path)


def sync_folder(folder: Path) -> None:
    """Writes the names of the files in `folder` to disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def _shortened_file_name(name: str) -> str:
    return os.fsencode(name)[:_LONGEST].decode("utf-8", "ignore")


@contextmanager
def _naming_file_in_errors(path: Path) -> Iterator[None]:
    """Makes an OSError in the block name `path` and not a temporary file, which users do not know."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _create_temporary_file(path: Path, mode: int) -> tuple[Path, int]:
    """Creates an empty temporary file for `path` and locks it. Returns its path and its descriptor."""
    while True:
        temporary = path.with_name(f".{_shortened_file_name(path.name)}.{secrets.token_hex(8)}{TEMPORARY}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with _naming_file_in_errors(path):
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


def _remove_if_writer_died(path: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        finally:
            os.close(descriptor)

"""Writes a folder atomically: the folder exists whole or not at all, even after a crash or on a full disk.

The folder is written under a hidden name in the same parent, synced, and renamed, as `mailer.files` does with
a file. The next call removes hidden folders that an earlier crash has left.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mailer.files import TEMPORARY, sync_folder

__all__ = ["write_folder_atomically"]

#: The end of the name of a folder that is being replaced.
_REPLACED = ".old"


def write_folder_atomically(
    folder: Path, files: Iterable[tuple[str, bytes]], *, replace: bool = False
) -> None:
    """Writes `folder` with `files`, each as (path in the folder, bytes): completely or not at all.

    If the folder exists, it is replaced if `replace` is True, and else FileExistsError is raised. Raises
    OSError if the folder cannot be written; then nothing has changed.
    """
    _make_folders(folder.parent)
    with _folder_lock(folder.parent):
        _remove_leftovers(folder.parent)
        if folder.exists() and not replace:
            raise FileExistsError(folder)
        temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}{TEMPORARY}")
        try:
            temporary.mkdir()
            _write_files(temporary, files)
            _replace_folder(temporary, folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(folder.parent)


def _write_files(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    inner = {folder}
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_synced(path, data)
        while path != folder:
            path = path.parent
            inner.add(path)
    for path in inner:
        sync_folder(path)


def _replace_folder(temporary: Path, folder: Path) -> None:
    if not folder.exists():
        temporary.rename(folder)
        return
    replaced = folder.with_name(f".{folder.name}{_REPLACED}")
    folder.rename(replaced)
    try:
        temporary.rename(folder)
    except BaseException:
        replaced.rename(folder)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _make_folders(folder: Path) -> None:
    """Makes `folder` and its missing parents. Syncs the parents, so that the new folders survive a crash."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.is_dir():
            missing.mkdir(exist_ok=True)
            sync_folder(missing.parent)


@contextmanager
def _folder_lock(parent: Path) -> Iterator[None]:
    """Locks `parent` for one writer, so that any hidden folder found in `parent` is a leftover of a crash."""
    descriptor = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(parent: Path) -> None:
    for path in parent.iterdir():
        if not path.name.startswith(".") or path.is_symlink() or not path.is_dir():
            continue
        if path.name.endswith(TEMPORARY):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.endswith(_REPLACED):
            # The crash came between the two renames: only the old folder exists.
            folder = parent / path.name[1 : -len(_REPLACED)]
            if folder.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(folder)

"""Searches the operator's own files below a workspace (lists, messages, backups) for an address.

The search is limited in bytes and time, and reports what it skipped.
"""

from __future__ import annotations

import gzip
import os
import time
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from mailer.audience.spellings import LONGEST_SPELLING, AddressSpellings

__all__ = ["SKIPPED", "Traces", "look_for", "pieces"]

#: The search ends after this number of bytes and this time (seconds).
MOST_BYTES: Final = 4_000_000_000
MOST_SECONDS: Final = 60.0
#: This number of files is listed; the others are only counted.
MOST_NAMED: Final = 1000
#: This number of unpacked bytes of a compressed file is searched.
MOST_UNPACKED: Final = 256_000_000
#: Folders without personal data, and Git's, whose objects cannot be searched as plain files.
SKIPPED: Final = (".git", ".venv", "node_modules", "__pycache__")
_PIECE: Final = 1 << 20
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Traces:
    """Holds the result of a search. `files` are paths within the workspace, at most 1,000 of `number`.

    `looked_at` files of `size` bytes were read; `left_out` names what was skipped; `whole` is False where the
    search reached its limit.
    """

    files: tuple[str, ...]
    number: int
    looked_at: int
    size: int
    left_out: tuple[str, ...]
    whole: bool


class _LimitReached(Exception):
    """Signals that the search has reached its limit of bytes or time."""


class _Search:
    def __init__(self, root: Path, most_bytes: int, until: float, clock: Callable[[], float]) -> None:
        self.root = root
        self.left_out: set[str] = set()
        self.looked_at = self.size = 0
        self._most_bytes, self._until, self._clock = most_bytes, until, clock

    def files(self, ours: Collection[Path]) -> Iterator[Path]:
        """Yields every file except `ours`; the files of a folder come before those of its subfolders."""
        folders = deque([self.root])
        while folders:
            folder = folders.popleft()
            try:
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                self.left_out.add(self._name(folder))
                continue
            for entry in found:
                path = Path(entry.path)
                if path in ours:
                    continue
                if entry.is_symlink():
                    self.left_out.add(self._name(path))
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name in SKIPPED:
                        self.left_out.add(self._name(path))
                    else:
                        folders.append(path)
                elif entry.is_file(follow_symlinks=False):
                    yield path

    def holds(self, path: Path, sought: Sequence[AddressSpellings]) -> bool:
        """Returns whether the file contains one of the addresses."""
        self.looked_at += 1
        found = False
        try:
            for piece in pieces(path):
                self.size += len(piece)
                if any(spellings.is_in(piece) for spellings in sought):
                    found = True
                    break
                if self.size > self._most_bytes or self._clock() > self._until:
                    raise _LimitReached
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
            self.looked_at -= 1
            self.left_out.add(self._name(path))
        return found or any(spellings.is_in(os.fsencode(path.name)) for spellings in sought)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def look_for(
    spellings: AddressSpellings,
    root: Path,
    ours: Collection[Path] = (),
    *,
    before: Sequence[AddressSpellings] = (),
    most_bytes: int = MOST_BYTES,
    seconds: float = MOST_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Traces:
    """Searches every file below `root` except `ours`, also for earlier addresses (`before`). Symbolic links
    are not followed."""
    search = _Search(root, most_bytes, clock() + seconds, clock)
    files: list[str] = []
    number, whole = 0, True
    with suppress(_LimitReached):
        whole = False
        for path in search.files(ours):
            if search.holds(path, (spellings, *before)):
                number += 1
                if len(files) < MOST_NAMED:
                    files.append(path.relative_to(root).as_posix())
        whole = True
    left_out = tuple(sorted(search.left_out))
    return Traces(tuple(files), number, search.looked_at, search.size, left_out, whole)


def pieces(path: Path) -> Iterator[bytes]:
    """Yields the content of a file in overlapping pieces, unpacked where it is a zip or gzip file.

    Raises OSError, and the errors of `zipfile` and `zlib` where it cannot be unpacked.
    """
    with path.open("rb") as file:
        start = file.read(len(_ZIP))
        file.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(file) as unpacked:
                yield from _of(unpacked, MOST_UNPACKED)
        elif start == _ZIP:
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    yield member.filename.encode("utf-8", "replace")
                    with archive.open(member) as inner:
                        yield from _of(inner, MOST_UNPACKED)
        else:
            yield from _of(file)


def _of(file: IO[bytes] | gzip.GzipFile, most: int | None = None) -> Iterator[bytes]:
    """Yields up to `most` bytes of a file in pieces; each piece begins with the end of the one before."""
    before, read = b"", 0
    while (most is None or read < most) and (data := file.read(_PIECE)):
        read += len(data)
        yield before + data
        before = data[-LONGEST_SPELLING:]

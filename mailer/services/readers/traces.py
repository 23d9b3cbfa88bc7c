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

__all__ = ["SKIPPED", "AddressTraces", "search_files", "read_file_in_pieces"]

#: The search ends after this number of bytes and this time (seconds).
MAX_BYTES: Final = 4_000_000_000
MAX_SECONDS: Final = 60.0
#: This number of files is listed; the others are only counted.
MAX_LISTED_FILES: Final = 1000
#: This number of unpacked bytes of a compressed file is searched.
MAX_UNPACKED_BYTES: Final = 256_000_000
#: Folders without personal data, and Git's, whose objects cannot be searched as plain files.
SKIPPED: Final = (".git", ".venv", "node_modules", "__pycache__")
_PIECE: Final = 1 << 20
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class AddressTraces:
    """Holds the result of a search for an address.

    `number` files contain the address, of which `files` lists at most 1,000 as paths within the workspace.
    The search read `looked_at` files of `size` bytes in all. `left_out` lists what was skipped. `whole` is
    False if the search ended early, at its limit.
    """

    files: tuple[str, ...]
    number: int
    looked_at: int
    size: int
    left_out: tuple[str, ...]
    whole: bool


class _LimitReached(Exception):
    """Signals that the search has reached its limit of bytes or time."""


class _FileSearch:
    def __init__(self, root: Path, max_bytes: int, end_time: float, clock: Callable[[], float]) -> None:
        self.root = root
        self.left_out: set[str] = set()
        self.looked_at = self.size = 0
        self._max_bytes, self._end_time, self._clock = max_bytes, end_time, clock

    def files_except_skipped(self, skipped: Collection[Path]) -> Iterator[Path]:
        """Yields every file below the root except those in `skipped`. The files of a folder come before those
        of its subfolders."""
        folders = deque([self.root])
        while folders:
            folder = folders.popleft()
            try:
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                self.left_out.add(self._relative_name(folder))
                continue
            for entry in found:
                path = Path(entry.path)
                if path in skipped:
                    continue
                if entry.is_symlink():
                    self.left_out.add(self._relative_name(path))
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name in SKIPPED:
                        self.left_out.add(self._relative_name(path))
                    else:
                        folders.append(path)
                elif entry.is_file(follow_symlinks=False):
                    yield path

    def contains_any_address(self, path: Path, addresses: Sequence[AddressSpellings]) -> bool:
        """Returns whether the file or its name contains one of the addresses."""
        self.looked_at += 1
        found = False
        try:
            for piece in read_file_in_pieces(path):
                self.size += len(piece)
                if any(spellings.is_in(piece) for spellings in addresses):
                    found = True
                    break
                if self.size > self._max_bytes or self._clock() > self._end_time:
                    raise _LimitReached
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
            self.looked_at -= 1
            self.left_out.add(self._relative_name(path))
        return found or any(spellings.is_in(os.fsencode(path.name)) for spellings in addresses)

    def _relative_name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def search_files(
    spellings: AddressSpellings,
    root: Path,
    skipped: Collection[Path] = (),
    *,
    earlier_spellings: Sequence[AddressSpellings] = (),
    max_bytes: int = MAX_BYTES,
    seconds: float = MAX_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> AddressTraces:
    """Searches all files below `root`, except the paths in `skipped`, for the spellings of an address.

    `earlier_spellings` holds the spellings of earlier addresses of the person, which are searched for, too.
    The search ends after `max_bytes` or `seconds`. It does not follow symbolic links.
    """
    search = _FileSearch(root, max_bytes, clock() + seconds, clock)
    files: list[str] = []
    number, whole = 0, True
    with suppress(_LimitReached):
        whole = False
        for path in search.files_except_skipped(skipped):
            if search.contains_any_address(path, (spellings, *earlier_spellings)):
                number += 1
                if len(files) < MAX_LISTED_FILES:
                    files.append(path.relative_to(root).as_posix())
        whole = True
    left_out = tuple(sorted(search.left_out))
    return AddressTraces(tuple(files), number, search.looked_at, search.size, left_out, whole)


def read_file_in_pieces(path: Path) -> Iterator[bytes]:
    """Yields the content of a file in overlapping pieces. Zip and gzip files are unpacked.

    Raises OSError, and the errors of `zipfile` and `zlib` if a file cannot be unpacked.
    """
    with path.open("rb") as file:
        start = file.read(len(_ZIP))
        file.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(file) as unpacked:
                yield from _read_open_file_in_pieces(unpacked, MAX_UNPACKED_BYTES)
        elif start == _ZIP:
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    yield member.filename.encode("utf-8", "replace")
                    with archive.open(member) as inner:
                        yield from _read_open_file_in_pieces(inner, MAX_UNPACKED_BYTES)
        else:
            yield from _read_open_file_in_pieces(file)


def _read_open_file_in_pieces(
    file: IO[bytes] | gzip.GzipFile, max_bytes: int | None = None
) -> Iterator[bytes]:
    """Yields up to `max_bytes` bytes of a file in pieces (None: the whole file).

    Each piece begins with the end of the previous piece, so that an address on the border is found.
    """
    before, read = b"", 0
    while (max_bytes is None or read < max_bytes) and (data := file.read(_PIECE)):
        read += len(data)
        yield before + data
        before = data[-LONGEST_SPELLING:]

"""Opens the lists that an argument of `subscribers import` names: a file, standard input, or an archive."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from mailer.audience.exchange.columns.options import ImportOptions
from mailer.audience.exchange.files.spooled import copy_to_temporary_file
from mailer.audience.exchange.files.zip_archive import ZipOfLists, is_zip_of_lists
from mailer.audience.exchange.importer import decide_columns_of_file
from mailer.audience.exchange.list_file import ListFile, default_refused_path, shown_path
from mailer.audience.exchange.records import CsvFile
from mailer.config import Settings
from mailer.display_text import without_control_characters

__all__ = ["STANDARD_INPUT", "ImportSources", "open_sources"]

#: The argument that stands for standard input.
STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class ImportSources:
    """Holds the lists that an argument names, in the order in which they are imported.

    Messages call the argument `name`. `left_out` has the names of an archive's files that are no lists.
    """

    name: str
    lists: tuple[ListFile, ...]
    is_archive: bool = False
    left_out: tuple[str, ...] = field(default=())


@contextmanager
def open_sources(
    path: Path,
    settings: Settings,
    *,
    refused: Path | None = None,
    options: ImportOptions | None = None,
) -> Iterator[ImportSources]:
    """Opens the lists of `path` (`-` is standard input), and closes all files at the end.

    `refused` is the file for refused rows; by default it is beside the list. All lists of an archive are
    checked before the first is imported: if one were left out, its people who have left would stay
    subscribed. Raises AudienceError if a list cannot be used.
    """
    with ExitStack() as closing:
        folder = settings.database.parent
        name = "standard input" if path == STANDARD_INPUT else shown_path(path, settings)
        stream = _open_stream(path, folder)
        if stream is None:
            yield ImportSources(name, (ListFile.at(path, settings, refused),))
            return
        closing.callback(stream.close)
        target = path if path.is_file() else Path("stdin.csv")
        if not is_zip_of_lists(stream):
            yield ImportSources(
                name, (ListFile(target, name, name, refused or default_refused_path(target), stream),)
            )
            return
        archive = ZipOfLists(stream, name)
        closing.callback(archive.close)
        lists = []
        for number, (member, unpacked) in enumerate(archive.open_lists(folder), start=1):
            closing.callback(unpacked.close)
            place = (
                _numbered_path(refused, number)
                if refused
                else default_refused_path(_numbered_path(target, number))
            )
            lists.append(ListFile(target, archive.shown_member_name(member), member, place, unpacked))
        for one in lists:
            _check_list(one, settings, replace(options or ImportOptions(), partial=True))
        yield ImportSources(name, tuple(lists), True, tuple(archive.left_out))


def _numbered_path(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def _open_stream(path: Path, folder: Path) -> BinaryIO | None:
    """Returns the stream of an archive or of standard input, at its beginning, or None for any other file."""
    if path == STANDARD_INPUT:
        return copy_to_temporary_file(_standard_input().read, folder, "standard input")
    try:
        if path.is_fifo():  # as a shell makes of <(...)
            with path.open("rb") as pipe:
                return copy_to_temporary_file(pipe.read, folder, without_control_characters(str(path)))
        if not path.is_file():
            return None
        file = path.open("rb")
    except OSError:
        return None  # reading it as a list says what is wrong
    if is_zip_of_lists(file):
        return file
    file.close()
    return None


def _standard_input() -> BinaryIO:
    binary: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    return binary if binary is not None else io.BytesIO(sys.stdin.read().encode())


def _check_list(source: ListFile, settings: Settings, options: ImportOptions) -> None:
    """Raises AudienceError if a list cannot be used. The list's stream can be read again afterwards."""
    copy = os.fdopen(os.dup(source.stream.fileno()), "rb") if source.stream else None
    with CsvFile(source.path, source.name, encoding=options.encoding, stream=copy) as file:
        decide_columns_of_file(file, settings, options, source.file_name)

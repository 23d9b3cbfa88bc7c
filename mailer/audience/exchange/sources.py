"""Opens what one argument of an import stands for: a file, standard input, or each list of an archive."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from mailer.audience.exchange.columns.options import Options
from mailer.audience.exchange.files.spooled import spooled
from mailer.audience.exchange.files.zip_archive import Archive, is_archive
from mailer.audience.exchange.importer import decided_columns
from mailer.audience.exchange.list_file import ListFile, refused_beside, shown_path
from mailer.audience.exchange.records import CsvFile
from mailer.config import Settings
from mailer.display_text import without_control_characters

__all__ = ["STANDARD_INPUT", "Sources", "open_sources"]

#: The argument that stands for standard input.
STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Sources:
    """Holds what is imported: its name, its lists in order, and the other files beside them."""

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
    options: Options | None = None,
) -> Iterator[Sources]:
    """Opens the lists of `path` (`-` is standard input), and closes everything at the end.

    All lists of an archive are checked before the first is imported. Raises AudienceError where one cannot be
    used, because its people who have left would otherwise stay subscribed.
    """
    with ExitStack() as closing:
        folder = settings.database.parent
        name = "standard input" if path == STANDARD_INPUT else shown_path(path, settings)
        stream = _stream(path, folder)
        if stream is None:
            yield Sources(name, (ListFile.at(path, settings, refused),))
            return
        closing.callback(stream.close)
        target = path if path.is_file() else Path("stdin.csv")
        if not is_archive(stream):
            yield Sources(name, (ListFile(target, name, name, refused or refused_beside(target), stream),))
            return
        archive = Archive(stream, name)
        closing.callback(archive.close)
        lists = []
        for number, (member, unpacked) in enumerate(archive.open(folder), start=1):
            closing.callback(unpacked.close)
            place = _numbered(refused, number) if refused else refused_beside(_numbered(target, number))
            lists.append(ListFile(target, archive.shown(member), member, place, unpacked))
        for one in lists:
            _check(one, settings, replace(options or Options(), partial=True))
        yield Sources(name, tuple(lists), True, tuple(archive.left_out))


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def _stream(path: Path, folder: Path) -> BinaryIO | None:
    """Returns the stream of an archive or of standard input, from its beginning; None for a plain file."""
    if path == STANDARD_INPUT:
        return spooled(_standard_input().read, folder, "standard input")
    try:
        if path.is_fifo():  # as a shell makes of <(...)
            with path.open("rb") as pipe:
                return spooled(pipe.read, folder, without_control_characters(str(path)))
        if not path.is_file():
            return None
        file = path.open("rb")
    except OSError:
        return None  # reading it as a list says what is wrong
    if is_archive(file):
        return file
    file.close()
    return None


def _standard_input() -> BinaryIO:
    binary: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    return binary if binary is not None else io.BytesIO(sys.stdin.read().encode())


def _check(source: ListFile, settings: Settings, options: Options) -> None:
    """Checks that a list can be used. Its stream can be read again afterwards."""
    copy = os.fdopen(os.dup(source.stream.fileno()), "rb") if source.stream else None
    with CsvFile(source.path, source.name, encoding=options.encoding, stream=copy) as file:
        decided_columns(file, settings, options, source.file_name)

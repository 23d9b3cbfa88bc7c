"""Reads a zip archive of lists, such as Mailchimp's export of an audience: subscribed, unsubscribed and so
on.

Each list is read as a separate file. Names in the archive are shown in messages but never used as paths, and
the unpacked size is limited.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mailer.audience.exchange.files.spooled import copy_to_temporary_file
from mailer.display_text import without_control_characters
from mailer.errors import AudienceError, Problem

__all__ = ["ZipOfLists", "is_zip_of_lists", "is_exclusion_list_name"]

MAX_MEMBERS = 1000
#: The largest number of lists in an archive. All are open at once.
MAX_LISTS = 200
#: The largest size of all lists of an archive together, unpacked, in bytes.
MAX_SIZE = 16 << 30
#: The largest compression ratio. Text compresses to a tenth or a fiftieth; a file beyond that is no list.
MAX_RATIO = 300
_ANY_RATIO = 10 << 20
_MAX_DIRECTORY = 4 << 20
_LISTS = (".csv", ".tsv", ".txt", ".tab")
_LEAVING = re.compile(
    r"(?<![a-z])(?:un[-_ ]?subs?(?:cribe[drs]*)?|cleaned|bounced?s?|complain(?:ts?|ed)|spam"
    r"|suppress(?:ed|ions?)"
    r"|block(?:ed|list(?:ed)?)|black[-_ ]?list(?:ed)?|inactive|cancel(?:l?ed)?|opt(?:ed)?[-_ ]?outs?|removed"
    r"|deleted|disabled|archived|invalid)(?![a-z])|退订|取消|拒收|黑名单|退信|投诉|無效|退訂",
    re.IGNORECASE,
)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OSError, ValueError, IndexError)


@dataclass(frozen=True, slots=True)
class _Member:
    info: zipfile.ZipInfo
    name: str


def is_zip_of_lists(file: BinaryIO) -> bool:
    """Returns whether a file is a zip archive and no spreadsheet, and goes back to the file's beginning.

    Returns True for a damaged archive, too, so that `ZipOfLists` reports the damage.
    """
    file.seek(0)
    head = file.read(4)
    try:
        if head not in (b"PK\x03\x04", b"PK\x05\x06"):
            return False
        _check_table_of_contents(file, "")
        with zipfile.ZipFile(file) as archive:
            names = {info.filename for info in archive.infolist()}
    except (AudienceError, *_DAMAGED, NotImplementedError):
        return True  # opening it says what is wrong
    finally:
        file.seek(0)
    return not names & {"[Content_Types].xml", "mimetype"}


def is_exclusion_list_name(name: str) -> bool:
    """Returns whether the name of a list says that the people in the list have left."""
    return _LEAVING.search(name.rsplit("/", 1)[-1]) is not None


class ZipOfLists:
    """Opens the lists of a zip archive, beginning with those of people who have left.

    Raises AudienceError if the archive is damaged, too large or without lists. Messages call the archive
    `shown_name`. `left_out` has the names of the archive's files that are no lists.
    """

    def __init__(self, file: BinaryIO, shown_name: str) -> None:
        self._name = shown_name
        self.left_out: list[str] = []
        _check_table_of_contents(file, shown_name)
        try:
            self._zip = zipfile.ZipFile(file)
        except (*_DAMAGED, NotImplementedError):
            raise _damaged_error(shown_name) from None
        self.members = self._checked_members()

    def _checked_members(self) -> list[_Member]:
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise _too_many_files_error(self._name)
        members = []
        for info in infos:
            name = without_control_characters(info.filename.replace("\\", "/"))
            parts = name.split("/")
            if info.is_dir() or "__MACOSX" in parts or parts[-1].startswith("."):
                continue
            if not name.lower().endswith(_LISTS) or not info.file_size:
                self.left_out.append(name[-200:])
                continue
            self._check_member(info, name[-200:])
            members.append(_Member(info, name[-200:]))
        if sum(member.info.file_size for member in members) > MAX_SIZE:
            raise AudienceError(
                Problem(
                    f"unpacks to more than {MAX_SIZE >> 30} GiB; unpack it and import its files one by one",
                    self._name,
                )
            )
        if len(members) > MAX_LISTS:
            raise AudienceError(
                Problem(
                    f"holds more than {MAX_LISTS} lists; unpack it and import them one by one", self._name
                )
            )
        if not members:
            raise AudienceError(Problem("holds no CSV file; name an archive with lists", self._name))
        # Lists of people who have left come first: after a crash between two lists nobody is wrongly active.
        return sorted(members, key=lambda member: not is_exclusion_list_name(member.name))

    def _check_member(self, info: zipfile.ZipInfo, name: str) -> None:
        problem = ""
        if info.flag_bits & 0x1:
            problem = "is encrypted; unpack the archive with its password and import its files"
        elif info.file_size > _ANY_RATIO and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            problem = f"unpacks to more than {MAX_RATIO} times its size, as no list does; remove it"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = "is compressed with an unsupported method; unpack the archive and import its files"
        if problem:
            raise AudienceError(Problem(problem, self.shown_member_name(name)))

    def shown_member_name(self, member_name: str) -> str:
        """Returns the name of a file in the archive for messages."""
        return f"{self._name}/{member_name}"

    def open_lists(self, folder: Path) -> Iterator[tuple[str, BinaryIO]]:
        """Yields each list as (name, unpacked private file). The files are made in `folder`."""
        for member in self.members:
            yield member.name, self._unpack_member(member, folder)

    def _unpack_member(self, member: _Member, folder: Path) -> BinaryIO:
        try:
            with self._zip.open(member.info) as packed:
                return copy_to_temporary_file(
                    packed.read, folder, self.shown_member_name(member.name), max_bytes=member.info.file_size
                )
        except (*_DAMAGED, NotImplementedError, RuntimeError):
            raise _damaged_error(self.shown_member_name(member.name)) from None

    def close(self) -> None:
        """Closes the archive, but not the file from which the archive was read."""
        self._zip.close()


def _check_table_of_contents(file: BinaryIO, shown_name: str) -> None:
    """Raises AudienceError if the archive's table of contents is damaged or too large."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(size - 65_557, 0))
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < 22:
        raise _damaged_error(shown_name)
    members, length = struct.unpack("<HL", tail[place + 10 : place + 16])
    if members > MAX_MEMBERS or length > _MAX_DIRECTORY:
        raise _too_many_files_error(shown_name)


def _too_many_files_error(shown_name: str) -> AudienceError:
    return AudienceError(
        Problem(f"has more than {MAX_MEMBERS:,} files; unpack it and import the lists among them", shown_name)
    )


def _damaged_error(shown_name: str) -> AudienceError:
    return AudienceError(Problem("is damaged; download or copy it again", shown_name))

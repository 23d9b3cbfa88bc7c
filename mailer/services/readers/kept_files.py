"""Removes an address from the files that mailer writes in a workspace, and from unused pages of database
files.

rescued copies of the database ─► journals ─► .mailer ─► manifests ─► free pages
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailer.archive.campaign import read_manifest, update_manifest
from mailer.audience.erasure import (
    erase,
    is_in_data_of_any_subscriber,
    personal_words,
    redact_address,
    truncate_wal,
)
from mailer.audience.people import find
from mailer.audience.spellings import REPLACEMENT, AddressSpellings, redact_addresses
from mailer.audience.values.address import Address
from mailer.campaign.slug import is_slug
from mailer.config import Settings
from mailer.errors import ArchiveError, BusyError, MailerError
from mailer.files import atomically_replaced_file
from mailer.services.readers.traces import read_file_in_pieces
from mailer.services.sending.recovery import recover_campaign_if_idle
from mailer.services.workspace import make_workspace
from mailer.spool.erased_words import journal_has_text_about_erased_people, redact_journal
from mailer.spool.lock import campaign_lock
from mailer.spool.open import retained_texts_of
from mailer.store.database import clear_free_pages, compact_database, open_store

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["KeptFileRedactor"]

#: A run that is alive gets this time to remove server replies from its journal (seconds).
WAIT_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05
_SQLITE: Final = b"SQLite format 3\x00"
#: These may contain the sender's own account, and are useless when changed.
_SECRETS: Final = ("oauth",)
#: A larger file in `.mailer` is not rewritten (bytes).
_LARGEST: Final = 64_000_000


class KeptFileRedactor:
    """Removes one address from mailer's own files outside of the database.

    The address must already be erased from the database. The methods yield sentences about data that could
    not be removed.
    """

    def __init__(
        self, db: Database, settings: Settings, address: Address, sleep: Callable[[float], None]
    ) -> None:
        self._db = db
        self._settings = settings
        self._address = address
        self._sleep = sleep
        self._folder = settings.root / ".mailer"
        self.spellings = AddressSpellings(address)

    def redact_all_files(
        self, subscriber_id: int | None, personal_texts: Sequence[str], *, source: str
    ) -> Iterator[str]:
        """Removes the address from all files. `subscriber_id` is None if the address was erased before.

        `personal_texts` are texts that concern only this person. `source` is recorded as the origin of the
        erasure.
        """
        yield from self._redact_rescued_copies(source)
        yield from self._redact_journals(subscriber_id)
        yield from self._redact_files_in_mailer_folder()
        yield from self._redact_manifests()
        yield from _clear_free_pages(self._db, self._settings.database, self.spellings, personal_texts)

    def redacted_paths(self) -> frozenset[Path]:
        """Returns the files and folders from which this class removes the address, so that the search of the
        operator's own files can skip them."""
        path = self._settings.database
        family = {path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-journal")}
        return frozenset({*family, self._folder, *self._rescued_copy_paths(), self._settings.root / ".env"})

    def _rescued_copy_paths(self) -> Iterator[Path]:
        """Yields the copies of the database that a run made when the database file was removed, and the log
        files of the copies."""
        path = self._settings.database
        yield from sorted(path.parent.glob(f"{path.name}-rescued*"))

    def _redact_rescued_copies(self, source: str) -> Iterator[str]:
        """Erases the address from each copy of the database that a run made when the database file was
        removed."""
        for path in self._rescued_copy_paths():
            if not path.name.endswith(("-wal", "-shm", "-journal")):
                yield from self._redact_database_copy(path, source)

    def _redact_database_copy(self, path: Path, source: str) -> Iterator[str]:
        try:
            with closing(open_store(path)) as copy:
                person = find(copy, self._address.address)
                words = personal_words(copy, person.id) if person else ()
                if person is not None:
                    erase(copy, person.id, source=source, retained=retained_texts_of(copy))
                else:
                    redact_address(copy, self._address, retained_texts_of(copy))
                yield from _clear_free_pages(copy, path, self.spellings, words)
        except (MailerError, sqlite3.Error, OSError) as error:
            yield (
                f"{path.name} may hold the address and cannot be changed ({error}); remove the file, "
                "or correct the error and erase the same address again"
            )

    def _redact_journals(self, subscriber_id: int | None) -> Iterator[str]:
        """Removes server replies about the person from the journals of runs. An active run removes such
        replies from its own journal."""
        for path in sorted(self._folder.glob("*.journal")):
            slug = path.stem
            try:
                cleared = self._redact_journal(slug, path, subscriber_id)
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                yield (
                    f".mailer/{path.name} may hold the address and cannot be changed: {why}; correct "
                    "the error and erase the same address again"
                )
                continue
            if not cleared:
                yield (
                    f"campaign {slug} is being sent, and .mailer/{path.name} holds replies of the server "
                    "until the run removes them; erase the same address again when the run has ended"
                )

    def _redact_journal(self, slug: str, path: Path, subscriber_id: int | None) -> bool:
        for _ in range(round(WAIT_SECONDS / _POLL_SECONDS) + 1):
            with suppress(MailerError, sqlite3.Error):
                workspace = make_workspace(self._settings, self._db)
                recover_campaign_if_idle(workspace, workspace.spools.find(slug))
            with suppress(BusyError), campaign_lock(self._settings, slug):
                redact_journal(self._db, path)
                return True
            if not (
                self._is_message_in_flight(slug, subscriber_id)
                or journal_has_text_about_erased_people(self._db, path)
            ):
                return True
            self._sleep(_POLL_SECONDS)
        return False

    def _is_message_in_flight(self, slug: str, subscriber_id: int | None) -> bool:
        """Returns whether a message to this subscriber is in flight, so that the server's reply will still be
        written to the journal."""
        if subscriber_id is None:
            return False
        try:
            spools = make_workspace(self._settings, self._db).spools
            return spools.open(spools.find(slug)).delivery_is_claimed(subscriber_id)
        except MailerError:
            return False  # the journal belongs to a campaign that the database lacks

    def _redact_files_in_mailer_folder(self) -> Iterator[str]:
        """Removes the address from all files in `.mailer` except journals: error logs, for example."""
        for path in sorted(self._folder.rglob("*")):
            is_journal = path.parent == self._folder and path.suffix == ".journal"
            if is_journal or path.is_symlink() or not path.is_file() or path.name in _SECRETS:
                continue
            name = path.relative_to(self._settings.root).as_posix()
            try:
                if any(map(self.spellings.is_in, read_file_in_pieces(path))):
                    yield from self._redact_file(path)
            except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                yield f"{name} may hold the address and cannot be changed ({error}); remove the file"

    def _redact_file(self, path: Path) -> Iterator[str]:
        with path.open("rb") as file:
            start = file.read(len(_SQLITE))
        if start == _SQLITE:
            yield from self._redact_database_copy(path, "cli")
            return
        if path.stat().st_size > _LARGEST:
            name = path.relative_to(self._settings.root).as_posix()
            yield f"{name} holds the address and is too large to be changed; remove the file"
            return
        data = b"".join(map(self._redact_address_in_line, path.read_bytes().splitlines(keepends=True)))
        with atomically_replaced_file(path, mode=0o600) as file:
            file.write(REPLACEMENT.encode() + b"\n" if self.spellings.is_in(data) else data)

    def _redact_address_in_line(self, line: bytes) -> bytes:
        if not self.spellings.is_in(line):
            return line
        text = self._redact_address_in_text(line.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )
        return REPLACEMENT.encode() + b"\n" if self.spellings.is_in(text) else text

    def _redact_address_in_text(self, text: str) -> str:
        return redact_addresses(text, lambda key: key == self._address.key)

    def _redact_manifests(self) -> Iterator[str]:
        """Removes the address from the segment expressions in the manifests of campaigns."""
        with suppress(OSError):
            for folder in sorted(self._settings.campaigns.iterdir()):
                if is_slug(folder.name) and folder.is_dir():
                    yield from self._redact_manifest(folder)

    def _redact_manifest(self, folder: Path) -> Iterator[str]:
        with suppress(ArchiveError):
            plan = read_manifest(folder).get("plan")
            plan = plan if isinstance(plan, dict) else {}
            segment = plan.get("segment")
            if not isinstance(segment, str) or self._redact_address_in_text(segment) == segment:
                return
            try:
                with campaign_lock(self._settings, folder.name):
                    update_manifest(
                        folder, {"plan": {**plan, "segment": self._redact_address_in_text(segment)}}
                    )
            except MailerError as error:
                yield (
                    f"campaigns/{folder.name}/manifest.json names the address in its segment and cannot be "
                    f"changed ({error}); correct the error and erase the same address again"
                )


def _clear_free_pages(
    db: Database, path: Path, spellings: AddressSpellings, personal_texts: Sequence[str]
) -> Iterator[str]:
    """Clears the free pages of a database file, and rewrites the file if it still contains the address.

    The address, or one of the texts in `personal_texts`, may be in unused parts of pages, if an earlier
    version or another program deleted it without overwriting it. Yields sentences about data that could not
    be removed.
    """
    again = "erase the same address again when no other command uses the database"
    try:
        clear_free_pages(db)
        if not truncate_wal(db):
            yield f"{path.name}-wal may hold the address, because another command is reading; {again}"
            return
        if not _file_contains_personal_data(db, path, spellings, personal_texts):
            return
        compact_database(db)
        if not truncate_wal(db):
            yield f"{path.name}-wal may hold the address, because another command is reading; {again}"
    except sqlite3.Error as error:
        yield f"{path.name} may hold the address in free pages, which cannot be cleared ({error}); {again}"


def _file_contains_personal_data(
    db: Database, path: Path, spellings: AddressSpellings, personal_texts: Sequence[str]
) -> bool:
    """Returns whether the file contains the address, or one of the texts in `personal_texts` that concern
    only this person."""
    own = {word: json.dumps(word, ensure_ascii=False)[1:-1] for word in personal_texts}
    sought = [form.encode() for word, escaped in own.items() for form in {word, escaped}]
    found: set[bytes] = set()
    for piece in read_file_in_pieces(path):
        if spellings.is_unencoded_in(piece):
            return True
        found.update(each for each in sought if each in piece)
    return any(not is_in_data_of_any_subscriber(db, each.decode()) for each in found)

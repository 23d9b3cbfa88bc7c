"""Erases a person for good, from the database and from all files that mailer writes.

    subscribers.db and its log ─► files that mailer keeps ─► a search of the operator's own files

Deliveries and events keep the subscriber id. The operator's own files (imported lists, refused rows, messages
in an outbox, backups) are searched and listed, but not changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailer.audience.erasure import (
    erase,
    personal_words,
    redact_address,
    truncate_wal,
    unused_former_addresses,
    was_erased,
)
from mailer.audience.people import find
from mailer.audience.spellings import AddressSpellings
from mailer.audience.values.address import Address, normalize_address
from mailer.config import Settings
from mailer.errors import AudienceError
from mailer.services.readers.kept_files import KeptFileRedactor
from mailer.services.readers.traces import AddressTraces, search_files
from mailer.spool.open import retained_texts_of
from mailer.store.database import open_store

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Erasure", "erase_person"]


@dataclass(frozen=True, slots=True)
class Erasure:
    """Holds the result of an erasure. `number` is the subscriber id; None if the address had been erased
    before.

    `left` lists sentences about data that mailer could not clear, each with what to do. `traces` lists the
    operator's files that contain the address; None without a search. `had_another` says whether the person
    had an earlier address, which was erased, too.
    """

    number: int | None
    address: str
    left: tuple[str, ...]
    traces: AddressTraces | None
    had_another: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON data, without the address or the name of the person."""
        return {"erased": self.number}


def erase_person(
    settings: Settings,
    address: str,
    *,
    confirm: Callable[[str], object] | None = None,
    source: str = "cli",
    search: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> Erasure:
    """Erases the person at this address. If the address was erased before, clears data that has come back,
    for example from a backup.

    Earlier addresses of the person are cleared, too. `confirm` is called with the address before anything is
    erased: if it raises, nothing is changed. `source` is recorded as the origin of the request. With
    `search`, the operator's own files are searched for the addresses. Raises AudienceError if nobody has or
    had the address. Waits up to ten seconds for a run that is active.
    """
    wanted = normalize_address(address)
    with closing(open_store(settings.database)) as db:
        if find(db, address) is None and not was_erased(db, wanted.key):
            raise AudienceError(
                f"{wanted.address} is not a subscriber; `mailer subscribers list` shows who is"
            )
        if confirm is not None:
            confirm(wanted.address)
        number, addresses, words = _erase_person_in_database(db, wanted, source)
        left: list[str] = []
        ours: frozenset[Path] = frozenset()
        for each in addresses:
            kept = KeptFileRedactor(db, settings, each, sleep)
            left += kept.redact_all_files(number, words, source=source)
            ours = kept.redacted_paths()
    *before, newest = map(AddressSpellings, addresses)
    traces = search_files(newest, settings.root, ours, earlier_spellings=before) if search else None
    return Erasure(number, addresses[-1].address, tuple(dict.fromkeys(left)), traces, bool(before))


def _erase_person_in_database(
    db: Database, address: Address, source: str
) -> tuple[int | None, tuple[Address, ...], tuple[str, ...]]:
    """Erases a person in the database.

    Returns the subscriber id (None if the address was erased before), the person's addresses with the current
    one last, and texts about this person that may still occur in files.
    """
    person = find(db, address.address)
    if person is None:
        redact_address(db, address, retained_texts_of(db))
        truncate_wal(db)
        return None, (address,), ()
    words, former = personal_words(db, person.id), unused_former_addresses(db, person.id)
    erase(db, person.id, source=source, retained=retained_texts_of(db))
    return person.id, (*former, normalize_address(person.address or address.address)), words

"""Erases people: clears everything in the database that shows who they were.

Deliveries and events keep the subscriber id, so that counts stay right. The address goes on the suppression
list as a hash, so that an erased address can still be recognised (`ErasedPeople`). `services/readers` erases
what is kept in files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol

from mailer.audience import events
from mailer.audience.change_address import earlier_addresses
from mailer.audience.consent import suppression
from mailer.audience.events import Event
from mailer.audience.people import address_of, find, get
from mailer.audience.planned import PlannedPeople
from mailer.audience.spellings import REPLACEMENT, AddressSpellings, redact_addresses
from mailer.audience.values.address import Address, normalize_address
from mailer.clock import utc_now
from mailer.errors import StoreError
from mailer.store.database import address_hash, writing
from mailer.store.texts import replace_texts, rows_with_address_letters

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "RetainedTexts",
    "ErasedPeople",
    "redact_address",
    "truncate_wal",
    "erase",
    "unused_former_addresses",
    "is_in_data_of_any_subscriber",
    "personal_words",
    "was_erased",
]

# Clears all fields of a person. The row stays, because deliveries and events refer to its id.
_ERASE = """
    UPDATE subscribers SET address = NULL, address_key = NULL, domain = '', name = '', language = '',
        timezone = '', tags = '[]', attributes = '{}', status = 'erased', updated_at = ?
    WHERE id = ?
"""

# The methods of consent that mailer itself writes; any other text may hold an address or a name.
_METHODS: Final = ("import", "web", "operator", "preferences", "confirm")

# Clears free text that may hold the address or a name. What readers wrote is in `events`.
_ERASE_TEXTS = (
    "DELETE FROM subscriptions WHERE subscriber_id = ?",
    "UPDATE consents SET origin = '', method = CASE WHEN method IN "
    f"({', '.join(repr(word) for word in _METHODS)}) THEN method ELSE '' END WHERE subscriber_id = ?",
)

# The reason may be an operator's own words about the person.
_SUPPRESSED = "UPDATE suppressions SET reason = ? WHERE address_hash = ?"

_IS_ERASED = "SELECT 1 FROM suppressions WHERE address_hash = ? AND reason = ?"
_ANY_ERASED = "SELECT 1 FROM subscribers WHERE status = 'erased' LIMIT 1"
_NUMBERS = "SELECT id FROM subscribers WHERE status = 'erased'"
_ERASED_AMONG = """
    SELECT s.id FROM json_each(?) AS o CROSS JOIN subscribers AS s ON s.id = o.value WHERE s.status = 'erased'
"""

_WORD = "SELECT 1 FROM subscribers WHERE instr(name, ?1) OR instr(attributes, ?1) LIMIT 1"

# Texts about other people, or nobody, that may repeat the address: the table, its key, its columns.
_ELSEWHERE: Final = (
    ("subscribers", ("id",), ("name", "tags", "attributes")),
    ("consents", ("id",), ("method", "origin")),
    ("suppressions", ("address_hash",), ("reason",)),
)

# Plans that were shown, as JSON. Only their segment may be about a person.
_PLANS: Final = (("plans", "hash"),)


class RetainedTexts(Protocol):
    """Clears texts about people in other tables of the database, such as campaigns and deliveries."""

    def forget_person(self, subscriber_id: int) -> None:
        """Empties all texts that are kept about one person."""
        ...

    def redact_texts(self, redact: Callable[[str], str], letters: str) -> None:
        """Replaces each text by the result of `redact`, which removes an address.

        `letters` is a part of the address in lower case. Texts without these letters stay as they are.
        """
        ...


class ErasedPeople:
    """Finds out which addresses and subscriber ids belong to people who were erased.

    The object is false if nobody was erased from the database; the methods then cost almost nothing.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return self._db.conn.execute(_ANY_ERASED).fetchone() is not None

    def subscriber_ids(self) -> frozenset[int]:
        """Returns the subscriber ids of all erased people."""
        return frozenset(row[0] for row in self._db.conn.execute(_NUMBERS))

    def erased_ids_among(self, subscriber_ids: Iterable[int]) -> frozenset[int]:
        """Returns those of the given subscriber ids whose people were erased."""
        ids = json.dumps(list(subscriber_ids))
        return frozenset(row[0] for row in self._db.conn.execute(_ERASED_AMONG, (ids,)))

    def __contains__(self, address_key: str) -> bool:
        """Returns whether the person with this address was erased."""
        if address_key not in self._known:
            row = self._db.conn.execute(
                _IS_ERASED, (address_hash(address_key), suppression.ERASED)
            ).fetchone()
            self._known[address_key] = row is not None
        return self._known[address_key]

    def redact(self, text: str) -> str:
        """Returns `text` with `[erased]` in place of each address of an erased person."""
        return redact_addresses(text, self.__contains__)


def was_erased(db: Database, address_key: str) -> bool:
    """Returns whether the person with this address was erased."""
    return address_key in ErasedPeople(db)


def personal_words(db: Database, subscriber_id: int) -> tuple[str, ...]:
    """Returns a person's name and text attributes, without those of less than 8 bytes.

    Shorter words would be found by chance in texts about other people.
    """
    person = get(db, subscriber_id)
    if person is None:
        return ()
    words = [person.name, *(value for value in person.attributes.values() if isinstance(value, str))]
    return tuple(word for word in words if len(word.encode()) >= _LONG_ENOUGH)


_LONG_ENOUGH: Final = 8


def is_in_data_of_any_subscriber(db: Database, word: str) -> bool:
    """Returns whether a word occurs in the name or the attributes of any subscriber."""
    return db.conn.execute(_WORD, (word,)).fetchone() is not None


def erase(
    db: Database, subscriber_id: int, *, source: str = "cli", retained: RetainedTexts | None = None
) -> bool:
    """Erases one person. Returns False if there is no such person, or if the person was erased before.

    Deliveries and events keep the subscriber id, but plans are kept without it. The address goes on the
    suppression list as a hash, so that no import adds the address again, and the address's bytes are
    overwritten in the database file. Texts about other people that repeat the address are redacted. Former
    addresses of the person that nobody has now are treated in the same way. `retained` removes the address
    from the stored texts of campaigns and deliveries; with None these texts stay unchanged. `source` says how
    the erasure came about, such as `cli`.
    """
    db.conn.execute("PRAGMA secure_delete=ON")
    with writing(db):
        person = get(db, subscriber_id)
        if person is None or person.address is None:
            return False
        now = utc_now()
        addresses = (address_of(db, subscriber_id), *unused_former_addresses(db, subscriber_id))
        for each in addresses:
            suppression.suppress(db, each.key, suppression.ERASED, source=source)
            db.conn.execute(_SUPPRESSED, (suppression.ERASED, address_hash(each.key)))
        db.conn.execute(_ERASE, (now, subscriber_id))
        for statement in _ERASE_TEXTS:
            db.conn.execute(statement, (subscriber_id,))
        events.clear_reasons_of_person(db, subscriber_id)
        events.record(db, Event(now, "erase", subscriber_id, source))
        _remove_from_plans(db, subscriber_id)
        if retained is not None:
            retained.forget_person(subscriber_id)
    # After that commit no writer adds the addresses again, so one pass finds all that is left of them.
    for each in addresses:
        redact_address(db, each, retained)
    truncate_wal(db)
    return True


def unused_former_addresses(db: Database, subscriber_id: int) -> tuple[Address, ...]:
    """Returns a person's former addresses that nobody has now. An erased person has none."""
    return tuple(
        normalize_address(text)
        for text in earlier_addresses(db, subscriber_id)
        if text != REPLACEMENT and find(db, text) is None  # somebody who had it since may have been erased
    )


def redact_address(db: Database, address: Address, retained: RetainedTexts | None = None) -> None:
    """Replaces an erased address by `[erased]` in all texts about other people.

    Call this after the erasure is committed. Other writers can work meanwhile. `retained` redacts the texts
    of campaigns and deliveries.
    """

    def redact(text: str) -> str:
        return redact_addresses(text, lambda key: key == address.key)

    events.redact_reasons(db, redact)
    letters = AddressSpellings(address).longest_letter_run
    for table, keys, columns in _ELSEWHERE:
        for key, before in list(rows_with_address_letters(db, table, keys, columns, letters)):
            after = tuple(map(redact, before))
            if after != before:
                replace_texts(db, table, keys, key, columns, before, after)
    for table, name in _PLANS:
        for number, plan in db.conn.execute(f"SELECT {name}, plan FROM {table}").fetchall():
            changed = redacted_plan(plan, redact)
            if changed != plan:
                replace_texts(db, table, (name,), (number,), ("plan",), (plan,), (changed,))
    if retained is not None:
        retained.redact_texts(redact, letters)


def redacted_plan(plan_json: str, redact: Callable[[str], str]) -> str:
    """Returns a plan (JSON text) with `redact`, which removes an address, applied to the plan's segment."""
    document = json.loads(plan_json)
    segment = document.get("segment") if isinstance(document, dict) else None
    if not isinstance(segment, str) or redact(segment) == segment:
        return plan_json
    return json.dumps({**document, "segment": redact(segment)}, ensure_ascii=False)


def truncate_wal(db: Database) -> bool:
    """Empties the database's write-ahead log, which may hold older pages.

    Waits for other connections as long as a write does. Returns False if a connection still read the log.
    """
    (busy, *_) = db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _remove_from_plans(db: Database, subscriber_id: int) -> None:
    """Removes a person from every kept plan, and deletes plans that cannot be read."""
    for (name,) in db.conn.execute("SELECT hash FROM plans").fetchall():
        (data,) = db.conn.execute("SELECT people FROM plans WHERE hash = ?", (name,)).fetchone()
        try:
            rest = PlannedPeople(data).without_subscriber(subscriber_id).data
        except StoreError:
            db.conn.execute("DELETE FROM plans WHERE hash = ?", (name,))
            continue
        if rest is not data:
            db.conn.execute("UPDATE plans SET people = ? WHERE hash = ?", (rest, name))

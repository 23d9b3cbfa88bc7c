"""Erases people: clears every row of the database that says who they were.

Deliveries and events keep their rows by subscriber id, so that counts stay true. The address goes on the
suppression list as a hash, by which later writers recognise it and leave it out (`ErasedPeople`).
`services/readers` erases what is outside of the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol

from mailer.audience import events
from mailer.audience.change_address import addresses_before
from mailer.audience.consent import suppression
from mailer.audience.events import Event
from mailer.audience.people import address_of, find, get
from mailer.audience.planned import Planned
from mailer.audience.spellings import REPLACEMENT, Spellings, redact_addresses
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
    "clear_log",
    "erase",
    "former_addresses",
    "is_shared_word",
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
    """Clears the texts about people that are kept outside the audience's tables: campaigns and deliveries."""

    def forget(self, person: int) -> None:
        """Empties the texts that are kept about one person, named by subscriber id."""
        ...

    def clear(self, cleared: Callable[[str], str], letters: str) -> None:
        """Replaces each text by what `cleared` makes of it, if it may hold an address with `letters`."""
        ...


class ErasedPeople:
    """Answers questions about the people who were erased from a database, by its suppression list.

    Costs almost nothing where nobody was erased.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return self._db.conn.execute(_ANY_ERASED).fetchone() is not None

    def numbers(self) -> frozenset[int]:
        """Returns the subscriber ids of all erased people."""
        return frozenset(row[0] for row in self._db.conn.execute(_NUMBERS))

    def among(self, subscriber_ids: Iterable[int]) -> frozenset[int]:
        """Returns those of the subscribers who were erased."""
        ids = json.dumps(list(subscriber_ids))
        return frozenset(row[0] for row in self._db.conn.execute(_ERASED_AMONG, (ids,)))

    def __contains__(self, key: str) -> bool:
        """Returns whether the address with this key was erased."""
        if key not in self._known:
            row = self._db.conn.execute(_IS_ERASED, (address_hash(key), suppression.ERASED)).fetchone()
            self._known[key] = row is not None
        return self._known[key]

    def redact(self, text: str) -> str:
        """Returns `text` with `[erased]` in place of each erased address."""
        return redact_addresses(text, self.__contains__)


def was_erased(db: Database, key: str) -> bool:
    """Returns whether the address with this key was erased."""
    return key in ErasedPeople(db)


def personal_words(db: Database, subscriber_id: int) -> tuple[str, ...]:
    """Returns a person's name and text attributes that are long enough to be searched for in other text."""
    person = get(db, subscriber_id)
    if person is None:
        return ()
    words = [person.name, *(value for value in person.attributes.values() if isinstance(value, str))]
    return tuple(word for word in words if len(word.encode()) >= _LONG_ENOUGH)


_LONG_ENOUGH: Final = 8


def is_shared_word(db: Database, word: str) -> bool:
    """Returns whether the name or an attribute of any subscriber holds this word."""
    return db.conn.execute(_WORD, (word,)).fetchone() is not None


def erase(
    db: Database, subscriber_id: int, *, source: str = "cli", retained: RetainedTexts | None = None
) -> bool:
    """Erases one person; returns False where there is nobody to erase.

    Deliveries and events keep their rows by subscriber id; kept plans lose the id. The address goes on the
    suppression list as a hash, so that no import adds it again, and its bytes are overwritten in the file.
    Texts about other people that repeat the address are cleared, too. So are addresses that the person had
    before and that nobody has now. `retained` clears the texts of campaigns and deliveries.
    """
    db.conn.execute("PRAGMA secure_delete=ON")
    with writing(db):
        person = get(db, subscriber_id)
        if person is None or person.address is None:
            return False
        now = utc_now()
        addresses = (address_of(db, subscriber_id), *former_addresses(db, subscriber_id))
        for each in addresses:
            suppression.suppress(db, each.key, suppression.ERASED, source=source)
            db.conn.execute(_SUPPRESSED, (suppression.ERASED, address_hash(each.key)))
        db.conn.execute(_ERASE, (now, subscriber_id))
        for statement in _ERASE_TEXTS:
            db.conn.execute(statement, (subscriber_id,))
        events.forget_reasons(db, subscriber_id)
        events.record(db, Event(now, "erase", subscriber_id, source))
        _remove_from_plans(db, subscriber_id)
        if retained is not None:
            retained.forget(subscriber_id)
    # After that commit no writer adds the addresses again, so one pass finds all that is left of them.
    for each in addresses:
        redact_address(db, each, retained)
    clear_log(db)
    return True


def former_addresses(db: Database, subscriber_id: int) -> tuple[Address, ...]:
    """Returns the addresses that a person had before and that are nobody's now; none once erased."""
    return tuple(
        normalize_address(text)
        for text in addresses_before(db, subscriber_id)
        if text != REPLACEMENT and find(db, text) is None  # somebody who had it since may have been erased
    )


def redact_address(db: Database, address: Address, retained: RetainedTexts | None = None) -> None:
    """Replaces an erased address by `[erased]` in all texts about other people.

    Reads the tables once, without keeping other writers waiting. To be called after the commit of the
    erasure.
    """

    def cleared(text: str) -> str:
        return redact_addresses(text, lambda key: key == address.key)

    events.clear_reasons(db, cleared)
    letters = Spellings(address).letters
    for table, keys, columns in _ELSEWHERE:
        for key, before in list(rows_with_address_letters(db, table, keys, columns, letters)):
            after = tuple(map(cleared, before))
            if after != before:
                replace_texts(db, table, keys, key, columns, before, after)
    for table, name in _PLANS:
        for number, plan in db.conn.execute(f"SELECT {name}, plan FROM {table}").fetchall():
            changed = plan_without(plan, cleared)
            if changed != plan:
                replace_texts(db, table, (name,), (number,), ("plan",), (plan,), (changed,))
    if retained is not None:
        retained.clear(cleared, letters)


def plan_without(plan: str, cleared: Callable[[str], str]) -> str:
    """Returns a plan (JSON text) with its segment passed through `cleared`, which removes an address."""
    document = json.loads(plan)
    segment = document.get("segment") if isinstance(document, dict) else None
    if not isinstance(segment, str) or cleared(segment) == segment:
        return plan
    return json.dumps({**document, "segment": cleared(segment)}, ensure_ascii=False)


def clear_log(db: Database) -> bool:
    """Empties the write-ahead log, which may hold older pages; returns False where a reader prevented it.

    Waits for other connections as long as a write does.
    """
    (busy, *_) = db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _remove_from_plans(db: Database, subscriber_id: int) -> None:
    """Removes a person from every kept plan. A plan that cannot be read is deleted."""
    for (name,) in db.conn.execute("SELECT hash FROM plans").fetchall():
        (data,) = db.conn.execute("SELECT people FROM plans WHERE hash = ?", (name,)).fetchone()
        try:
            rest = Planned(data).without(subscriber_id).data
        except StoreError:
            db.conn.execute("DELETE FROM plans WHERE hash = ?", (name,))
            continue
        if rest is not data:
            db.conn.execute("UPDATE plans SET people = ? WHERE hash = ?", (rest, name))

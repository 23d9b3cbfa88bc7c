"""Checks whether subscribers may get mail now, and reads the data that their messages need.

The spool has only the ids of subscribers. Each claim of a run asks this module about all of its ids in one
statement, so that an unsubscribe takes effect even during a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mailer.audience.selection import Exclusion, exclusion_reason_sql
from mailer.errors import StoreError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Recipient", "RecipientChecker", "addresses_of", "attribute_texts", "unreachable_subscriber_ids"]

# Selects the addresses of some subscribers; NULL for an unknown id.
_ADDRESSES = "SELECT o.value, s.address FROM json_each(?) AS o LEFT JOIN subscribers AS s ON s.id = o.value"

# Selects, of [subscriber id, cause of the refusal], those to whom another attempt is of no use.
_UNREACHABLE = """
    SELECT s.id FROM json_each(?) AS o CROSS JOIN subscribers AS s ON s.id = o.value ->> 0
    WHERE s.status = 'bounced' OR (o.value ->> 1 = 'address' AND s.status <> 'active')
"""


class Recipient(NamedTuple):
    """Holds a subscriber who may get mail.

    `attributes` has the free attributes as texts, or is None if there are none. `domain` is the domain of the
    address, and `stable_id` has the 8 bytes by which links name the person.
    """

    subscriber_id: int
    address: str
    name: str
    language: str
    attributes: Mapping[str, str] | None
    domain: str
    stable_id: bytes


class RecipientChecker:
    """Checks the subscribers whose deliveries a run claims, for one edition.

    Must be used from one thread only.

    A call with subscriber ids returns the reasons why people may not get mail, and keeps the data of the
    other people until `take` is called.
    """

    def __init__(self, db: Database, edition: str) -> None:
        self._db = db
        reason, self._parameters = exclusion_reason_sql(edition)
        # Each requested id with the reason not to write to the person, or NULL. An unknown id is ERASED.
        self._sql = f"""
            SELECT o.value, s.address, s.name, s.language, s.attributes, s.domain, s.stable_id,
                CASE WHEN s.id IS NULL THEN '{Exclusion.ERASED}' ELSE {reason} END
            FROM json_each(?) AS o LEFT JOIN subscribers AS s ON s.id = o.value
        """
        self._found: dict[int, Recipient] = {}

    def __call__(self, subscriber_ids: Sequence[int]) -> dict[int, str]:
        """Returns by subscriber id why people may not get mail now. People who may get mail are left out.

        A reason is an Exclusion as text. An unknown id counts as erased. Raises StoreError if a person who
        may get mail has no stable id, because no unsubscribe link could name the person.
        """
        reasons: dict[int, str] = {}
        for *row, reason in self._db.conn.execute(
            self._sql, [*self._parameters, json.dumps(list(subscriber_ids))]
        ):
            if reason is None:
                self._found[row[0]] = _recipient_from_row(row)
            else:
                self._found.pop(row[0], None)
                reasons[row[0]] = reason
        return reasons

    def take(self, subscriber_id: int) -> Recipient:
        """Returns the recipient with this id and forgets the recipient.

        Raises KeyError if the id was not checked before, or if the person may not get mail.
        """
        return self._found.pop(subscriber_id)


def addresses_of(db: Database, subscriber_ids: Iterable[int]) -> dict[int, str | None]:
    """Returns the address of each subscriber by id. The address is None for erased people and unknown ids."""
    return dict(db.conn.execute(_ADDRESSES, [json.dumps(list(subscriber_ids))]).fetchall())


def unreachable_subscriber_ids(db: Database, refusals: Iterable[tuple[int, str]]) -> set[int]:
    """Returns the ids of people for whom a new delivery attempt is of no use.

    `refusals` has (subscriber id, cause of the refusal). An attempt is of no use if the person has bounced,
    or if the address was refused (cause `address`) and the person is not active.
    """
    return {row[0] for row in db.conn.execute(_UNREACHABLE, [json.dumps(list(refusals))])}


def attribute_texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Returns a person's free attributes as the texts that appear in a message."""
    return {key: _attribute_text(value) for key, value in attributes.items()}


def _recipient_from_row(row: Sequence[Any]) -> Recipient:
    subscriber_id, address, name, language, attributes, domain, stable_id = row
    if not stable_id:
        raise StoreError(
            f"subscriber {subscriber_id} has no stable id, so no unsubscribe link can be made; run "
            "`mailer send` again"
        )
    free = json.loads(attributes) if attributes and attributes != "{}" else {}
    return Recipient(
        subscriber_id, address, name, language, attribute_texts(free) if free else None, domain, stable_id
    )


def _attribute_text(value: object) -> str:
    """Returns the text of an attribute's value as it appears in a message."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(_attribute_text(item) for item in value)
    return str(value)

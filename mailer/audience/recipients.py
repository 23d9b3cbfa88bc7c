"""Reads the recipients of a run: whether each may be written to now, and the data that their message needs.

The spool knows subscribers by id alone. A claim asks here, with one statement for all of its ids, so that an
unsubscribe takes effect at any moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mailer.audience.selection import Exclusion, reason_sql
from mailer.errors import StoreError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Recipient", "Recipients", "addresses_of", "texts_of", "unreachable"]

# Selects the addresses of some subscribers; NULL for an unknown id.
_ADDRESSES = "SELECT o.value, s.address FROM json_each(?) AS o LEFT JOIN subscribers AS s ON s.id = o.value"

# Selects, of [subscriber id, cause of the refusal], those to whom another attempt is of no use.
_UNREACHABLE = """
    SELECT s.id FROM json_each(?) AS o CROSS JOIN subscribers AS s ON s.id = o.value ->> 0
    WHERE s.status = 'bounced' OR (o.value ->> 1 = 'address' AND s.status <> 'active')
"""


class Recipient(NamedTuple):
    """Holds a subscriber who may be written to. `attributes` are the free ones as text, None without any.

    `domain` is that of the address, and `stable_id` are the 8 bytes by which links name the person.
    """

    subscriber_id: int
    address: str
    name: str
    language: str
    attributes: Mapping[str, str] | None
    domain: str
    stable_id: bytes


class Recipients:
    """Checks the subscribers whose deliveries a run claims, for one edition. Used from one thread.

    Called with subscriber ids, it returns the reasons of those who may not be written to, and keeps the
    others until `take`.
    """

    def __init__(self, db: Database, edition: str) -> None:
        self._db = db
        reason, self._parameters = reason_sql(edition)
        # Each requested id with the reason not to write to the person, or NULL. An unknown id is ERASED.
        self._sql = f"""
            SELECT o.value, s.address, s.name, s.language, s.attributes, s.domain, s.stable_id,
                CASE WHEN s.id IS NULL THEN '{Exclusion.ERASED}' ELSE {reason} END
            FROM json_each(?) AS o LEFT JOIN subscribers AS s ON s.id = o.value
        """
        self._found: dict[int, Recipient] = {}

    def __call__(self, subscriber_ids: Sequence[int]) -> dict[int, str]:
        """Returns, by id, the Exclusion (as text) of each of these who may not be written to now.

        The id of nobody counts as erased. Raises StoreError where somebody who may be written to has no
        stable id, because no link could name them.
        """
        reasons: dict[int, str] = {}
        for *row, reason in self._db.conn.execute(
            self._sql, [*self._parameters, json.dumps(list(subscriber_ids))]
        ):
            if reason is None:
                self._found[row[0]] = _recipient(row)
            else:
                self._found.pop(row[0], None)
                reasons[row[0]] = reason
        return reasons

    def take(self, subscriber_id: int) -> Recipient:
        """Returns the recipient with this id and forgets it.

        Raises KeyError unless they were found eligible before.
        """
        return self._found.pop(subscriber_id)


def addresses_of(db: Database, subscriber_ids: Iterable[int]) -> dict[int, str | None]:
    """Returns the address of each of these subscribers; None for the erased and for unknown ids."""
    return dict(db.conn.execute(_ADDRESSES, [json.dumps(list(subscriber_ids))]).fetchall())


def unreachable(db: Database, refusals: Iterable[tuple[int, str]]) -> set[int]:
    """Returns the ids, of (subscriber id, cause of a refusal), to whom another attempt is of no use.

    These subscribers have bounced, or their address was refused (cause `address`) and they are not active
    since.
    """
    return {row[0] for row in db.conn.execute(_UNREACHABLE, [json.dumps(list(refusals))])}


def texts_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Returns a person's free attributes as text, as they appear in a message."""
    return {key: _text(value) for key, value in attributes.items()}


def _recipient(row: Sequence[Any]) -> Recipient:
    subscriber_id, address, name, language, attributes, domain, stable_id = row
    if not stable_id:
        raise StoreError(
            f"subscriber {subscriber_id} has no stable id, so no unsubscribe link can be made; run "
            "`mailer send` again"
        )
    free = json.loads(attributes) if attributes and attributes != "{}" else {}
    return Recipient(
        subscriber_id, address, name, language, texts_of(free) if free else None, domain, stable_id
    )


def _text(value: object) -> str:
    """Returns an attribute as text, as it appears in a message."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value)
    return str(value)

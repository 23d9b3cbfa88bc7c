"""Reads the recipients of a run: whether each may be written to now, and what a message to them needs.

A spool knows subscribers by number alone. A claim asks here, in one statement for all of its numbers, so
that an unsubscribe wins at any moment.
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

# The addresses of some subscribers; nobody's is NULL.
_ADDRESSES = "SELECT o.value, s.address FROM json_each(?) AS o LEFT JOIN subscribers AS s ON s.id = o.value"

# Of [subscriber id, cause of the refusal], those to whom another try is of no use.
_UNREACHABLE = """
    SELECT s.id FROM json_each(?) AS o CROSS JOIN subscribers AS s ON s.id = o.value ->> 0
    WHERE s.status = 'bounced' OR (o.value ->> 1 = 'address' AND s.status <> 'active')
"""


class Recipient(NamedTuple):
    """A subscriber who may be written to. `attributes` are the free ones as plain text, None without any.

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
    """The people of one edition, as the claims of a run ask for them. Used from one thread.

    Called with subscriber ids, it gives the reasons of those who may not be written to, and remembers the
    others until `take`.
    """

    def __init__(self, db: Database, edition: str) -> None:
        self._db = db
        reason, self._parameters = reason_sql(edition)
        # Each id that was asked for, with why not to write to the person, if so. Nobody counts as erased.
        self._sql = f"""
            SELECT o.value, s.address, s.name, s.language, s.attributes, s.domain, s.stable_id,
                CASE WHEN s.id IS NULL THEN '{Exclusion.ERASED}' ELSE {reason} END
            FROM json_each(?) AS o LEFT JOIN subscribers AS s ON s.id = o.value
        """
        self._found: dict[int, Recipient] = {}

    def __call__(self, subscriber_ids: Sequence[int]) -> dict[int, str]:
        """Returns the Exclusion, as text, of each of these who may not be written to now, by id.

        A number that is nobody's counts as erased. Raises StoreError where somebody who may be written to has
        no stable id: no link would be theirs.
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
        """Returns somebody who was asked for and may be written to, and forgets them. Raises KeyError."""
        return self._found.pop(subscriber_id)


def addresses_of(db: Database, subscriber_ids: Iterable[int]) -> dict[int, str | None]:
    """Returns the address of each of these subscribers; None of the erased, and for a number of nobody."""
    return dict(db.conn.execute(_ADDRESSES, [json.dumps(list(subscriber_ids))]).fetchall())


def unreachable(db: Database, refusals: Iterable[tuple[int, str]]) -> set[int]:
    """Returns those of (subscriber id, cause of a refusal) who cannot be reached by another try.

    These have bounced, or their address was refused (the cause `address`) and they are not active since.
    """
    return {row[0] for row in db.conn.execute(_UNREACHABLE, [json.dumps(list(refusals))])}


def texts_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Returns somebody's free attributes as they may see them."""
    return {key: _text(value) for key, value in attributes.items()}


def _recipient(row: Sequence[Any]) -> Recipient:
    subscriber_id, address, name, language, attributes, domain, stable_id = row
    if not stable_id:
        raise StoreError(
            f"subscriber {subscriber_id} has no stable id, so no unsubscribe link can be made; run "
            f"`mailer send` again"
        )
    free = json.loads(attributes) if attributes and attributes != "{}" else {}
    return Recipient(
        subscriber_id, address, name, language, texts_of(free) if free else None, domain, stable_id
    )


def _text(value: object) -> str:
    """An attribute as a reader may see it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value)
    return str(value)

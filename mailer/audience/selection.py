"""Decides who gets an edition. A plan, the claims of a run and `explain` all use these conditions.

SQL refers to subscribers by the alias `s`, and has `?` parameters in order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from mailer.audience.consent.suppression import suppressed_sql
from mailer.audience.segments import Segment

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "Exclusion",
    "exclusion_of",
    "exclusions_of",
    "is_within",
    "mask_sql",
    "reason_sql",
    "select_subscribers",
    "time_zones",
    "variant_of",
]

Sql = tuple[str, tuple[object, ...]]

#: A mask is a signed 64-bit number of SQLite. Issues have far fewer variants.
MAX_VARIANTS = 62
#: The number of subscribers that are read at once.
_AT_ONCE = 5000


class Exclusion(StrEnum):
    """Names the reason for which somebody does not get an edition. The first that applies is reported."""

    ERASED = "erased"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    PENDING = "pending"
    NOT_SUBSCRIBED = "not_subscribed"
    OUTSIDE_SEGMENT = "outside_segment"

    @property
    def sentence(self) -> str:
        """Returns the reason in plain words, for a table or an explanation."""
        return _SENTENCES[self]


_SENTENCES = {
    Exclusion.ERASED: "was erased",
    Exclusion.COMPLAINED: "reported a message as spam",
    Exclusion.UNSUBSCRIBED: "has unsubscribed",
    Exclusion.BOUNCED: "cannot be reached: mail came back",
    Exclusion.SUPPRESSED: "is on the suppression list",
    Exclusion.PENDING: "has not confirmed the subscription yet",
    Exclusion.NOT_SUBSCRIBED: "does not subscribe to this edition",
    Exclusion.OUTSIDE_SEGMENT: "is outside the segment",
}

_SUPPRESSED = suppressed_sql("s")

_SUBSCRIBED = """EXISTS (SELECT 1 FROM subscriptions AS chosen
    WHERE chosen.edition = ? AND chosen.subscriber_id = s.id)"""


def reason_sql(edition: str, segment: Segment | None = None) -> Sql:
    """Returns an SQL expression: a person's Exclusion as text, or NULL for somebody who gets `edition`."""
    sql = f"""CASE WHEN s.status IN ('erased', 'complained', 'unsubscribed', 'bounced') THEN s.status
        WHEN {_SUPPRESSED} THEN 'suppressed'
        WHEN s.status = 'pending' THEN 'pending'
        WHEN NOT {_SUBSCRIBED} THEN 'not_subscribed'"""
    params: tuple[object, ...] = (edition,)
    if segment is not None:
        condition, values = segment.sql()
        sql += f"\n        WHEN NOT {condition} THEN 'outside_segment'"
        params += values
    return f"{sql} END", params


def mask_sql(segments: Sequence[Segment]) -> Sql:
    """Returns an SQL expression: the variant of a person. Bit i is set where they are in the i-th segment."""
    if len(segments) > MAX_VARIANTS:
        raise ValueError(f"a mask has at most {MAX_VARIANTS} segments")
    parts = [segment.sql() for segment in segments]
    sql = " | ".join(f"({condition} << {bit})" for bit, (condition, _) in enumerate(parts))
    return f"({sql or '0'})", tuple(value for _, values in parts for value in values)


def exclusions_of(db: Database, subscriber_ids: Iterable[int], edition: str) -> list[tuple[int, str | None]]:
    """Returns (id, Exclusion as text) of each of these subscribers, with None for those who get `edition`."""
    sql, params = reason_sql(edition, None)
    return db.conn.execute(
        f"SELECT s.id, {sql} FROM json_each(?) AS o JOIN subscribers AS s ON s.id = o.value",
        (*params, json.dumps(sorted(subscriber_ids))),
    ).fetchall()


def exclusion_of(
    db: Database, subscriber_id: int, edition: str, segment: Segment | None = None
) -> Exclusion | None:
    """Returns why this person does not get `edition`, or None where they do. Raises LookupError."""
    sql, params = reason_sql(edition, segment)
    row = db.conn.execute(
        f"SELECT {sql} FROM subscribers s WHERE s.id = ?", (*params, subscriber_id)
    ).fetchone()
    if row is None:
        raise LookupError(f"there is no subscriber {subscriber_id}")
    return Exclusion(row[0]) if row[0] else None


def variant_of(db: Database, subscriber_id: int, segments: Sequence[Segment]) -> int:
    """Returns the variant that this person reads, numbered as by `mask_sql`.

    Raises LookupError for a wrong id.
    """
    sql, params = mask_sql(segments)
    row = db.conn.execute(
        f"SELECT {sql} FROM subscribers s WHERE s.id = ?", (*params, subscriber_id)
    ).fetchone()
    if row is None:
        raise LookupError(f"there is no subscriber {subscriber_id}")
    return int(row[0])


def is_within(db: Database, subscriber_id: int, segment: Segment) -> bool:
    """Returns whether this person is in the segment. Raises LookupError for a wrong id."""
    return bool(variant_of(db, subscriber_id, [segment]))


def select_subscribers(
    db: Database,
    edition: str,
    segment: Segment | None,
    variants: Sequence[Segment],
    *,
    cannot_write_to: Callable[[str], bool] | None = None,
) -> Iterator[list[tuple[int, str, str | None, int, int]]]:
    """Yields (id, domain, Exclusion as text, unwritable, variant) of every subscriber, in the order of ids.

    The rows come in lists of some thousands. The Exclusion is None for those who get `edition` within
    `segment`. `unwritable` is 1 where `cannot_write_to` is true of the address.
    """
    reason, reason_parameters = reason_sql(edition, segment)
    mask, mask_parameters = mask_sql(variants)
    # `cannot_write_to` is no SQL function, because SQLite cannot register one while a statement is read.
    address = "0" if cannot_write_to is None else "s.address"
    cursor = db.conn.execute(
        f"SELECT s.id, s.domain, {reason}, {address}, {mask} FROM subscribers AS s ORDER BY s.id",
        (*reason_parameters, *mask_parameters),
    )
    while rows := cursor.fetchmany(_AT_ONCE):
        if cannot_write_to is not None:
            # Erased people have no address.
            rows = [(i, d, r, int(a is not None and cannot_write_to(a)), v) for i, d, r, a, v in rows]
        yield rows


def time_zones(db: Database) -> Iterator[tuple[int, str]]:
    """Yields (id, name of the time zone) of every subscriber, in the order of ids; "" where not known."""
    yield from db.conn.execute("SELECT id, timezone FROM subscribers ORDER BY id")

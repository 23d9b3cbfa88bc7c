"""Decides who gets an edition.

A plan, the claims of a run and the command `explain` use the same SQL conditions.

The SQL names the table of subscribers `s`, and has `?` parameters in order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from mailer.audience.consent.suppression import is_suppressed_sql
from mailer.audience.segments import Segment

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "Exclusion",
    "exclusion_of",
    "exclusions_of",
    "is_in_segment",
    "variant_sql",
    "exclusion_reason_sql",
    "select_subscribers",
    "subscriber_time_zones",
    "variant_of",
]

Sql = tuple[str, tuple[object, ...]]

#: A mask is a signed 64-bit number of SQLite. Issues have far fewer variants.
MAX_VARIANTS = 62
#: The number of subscribers that are read at once.
_AT_ONCE = 5000


class Exclusion(StrEnum):
    """Names the reason why a person does not get an edition.

    If several apply, the first of this list is reported.
    """

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
        """Returns the reason as the end of a sentence about the person, such as "has unsubscribed"."""
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

_SUPPRESSED = is_suppressed_sql("s")

_SUBSCRIBED = """EXISTS (SELECT 1 FROM subscriptions AS chosen
    WHERE chosen.edition = ? AND chosen.subscriber_id = s.id)"""


def exclusion_reason_sql(edition: str, segment: Segment | None = None) -> Sql:
    """Returns an SQL expression, and its parameters, for the reason why a person does not get an edition.

    The expression is an Exclusion as text, or NULL if the person gets the edition.
    """
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


def variant_sql(segments: Sequence[Segment]) -> Sql:
    """Returns an SQL expression, and its parameters, for the number of the variant that a person reads.

    Bit i of the number is set if the person is in the i-th segment.
    """
    if len(segments) > MAX_VARIANTS:
        raise ValueError(f"variants can have at most {MAX_VARIANTS} segments")
    parts = [segment.sql() for segment in segments]
    sql = " | ".join(f"({condition} << {bit})" for bit, (condition, _) in enumerate(parts))
    return f"({sql or '0'})", tuple(value for _, values in parts for value in values)


def exclusions_of(db: Database, subscriber_ids: Iterable[int], edition: str) -> list[tuple[int, str | None]]:
    """Returns (subscriber id, Exclusion as text) of each of these people.

    The Exclusion is None if the person gets `edition`.
    """
    sql, params = exclusion_reason_sql(edition, None)
    return db.conn.execute(
        f"SELECT s.id, {sql} FROM json_each(?) AS o JOIN subscribers AS s ON s.id = o.value",
        (*params, json.dumps(sorted(subscriber_ids))),
    ).fetchall()


def exclusion_of(
    db: Database, subscriber_id: int, edition: str, segment: Segment | None = None
) -> Exclusion | None:
    """Returns the reason why a person does not get an edition, or None if the person gets the edition.

    `segment` limits who gets the edition. Raises LookupError if there is no such subscriber.
    """
    sql, params = exclusion_reason_sql(edition, segment)
    row = db.conn.execute(
        f"SELECT {sql} FROM subscribers s WHERE s.id = ?", (*params, subscriber_id)
    ).fetchone()
    if row is None:
        raise LookupError(f"there is no subscriber {subscriber_id}")
    return Exclusion(row[0]) if row[0] else None


def variant_of(db: Database, subscriber_id: int, segments: Sequence[Segment]) -> int:
    """Returns the number of the variant that a person reads, as `variant_sql` defines it.

    Raises LookupError if there is no such subscriber.
    """
    sql, params = variant_sql(segments)
    row = db.conn.execute(
        f"SELECT {sql} FROM subscribers s WHERE s.id = ?", (*params, subscriber_id)
    ).fetchone()
    if row is None:
        raise LookupError(f"there is no subscriber {subscriber_id}")
    return int(row[0])


def is_in_segment(db: Database, subscriber_id: int, segment: Segment) -> bool:
    """Returns whether a person is in a segment. Raises LookupError if there is no such subscriber."""
    return bool(variant_of(db, subscriber_id, [segment]))


def select_subscribers(
    db: Database,
    edition: str,
    segment: Segment | None,
    variant_segments: Sequence[Segment],
    *,
    cannot_write_to: Callable[[str], bool] | None = None,
) -> Iterator[list[tuple[int, str, str | None, int, int]]]:
    """Yields lists of some thousand tuples (id, domain, Exclusion as text, unwritable, variant).

    All subscribers are yielded, in the order of their ids. The Exclusion is None if the person gets `edition`
    within `segment`. `unwritable` is 1 if `cannot_write_to` returns true for the person's address, else 0.
    `variant` is made of `variant_segments`, as `variant_sql` defines it.
    """
    reason, reason_parameters = exclusion_reason_sql(edition, segment)
    mask, mask_parameters = variant_sql(variant_segments)
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


def subscriber_time_zones(db: Database) -> Iterator[tuple[int, str]]:
    """Yields (id, name of the time zone) of every subscriber in the order of the ids.

    The name is "" if it is not known.
    """
    yield from db.conn.execute("SELECT id, timezone FROM subscribers ORDER BY id")

"""Who exactly: the deliveries of a campaign with their people, for an operator to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailer.audience.values.address import normalize_address
from mailer.spool.sqlite.deliveries import Spool

__all__ = ["Listed", "addresses_in", "list_deliveries", "state_of", "subscriber_at"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One delivery. Times are UTC, or None; `address` is None for somebody who was erased.

    `reason` holds the words of the other side, `cause` whose matter a refusal is, `due_at` when it is tried
    (again), and `in_folder` says that it only went into an outbox folder.
    """

    subscriber_id: int
    address: str | None
    state: str
    cause: str
    reason: str
    attempts: int
    at: str | None
    due_at: str | None
    provider_id: str
    in_folder: bool


# Every delivery of a campaign, or those of one state or address, in the order of the subscribers.
_LIST = """
    SELECT d.subscriber_id, s.address, d.state, d.cause, d.reason, d.attempt,
        coalesce(d.settled_at, d.claimed_at), nullif(d.due_at, ''), d.provider_id, d.in_folder
    FROM deliveries AS d JOIN subscribers AS s ON s.id = d.subscriber_id
    WHERE d.campaign_id = ?1 AND (?2 = '' OR d.state = ?2) AND (?3 = '' OR s.address_key = ?3)
    ORDER BY d.subscriber_id
"""


def list_deliveries(spool: Spool, *, state: str = "", address: str | None = None) -> Iterator[Listed]:
    """The deliveries of a campaign, all or those of one state or to one address.

    Raises AudienceError for what is no address.
    """
    key = normalize_address(address).key if address is not None else ""
    for row in spool.database.conn.execute(_LIST, [spool.campaign.id, state, key]):
        *values, in_folder = row
        yield Listed(*(*values, bool(in_folder)))


def state_of(spool: Spool, address: str) -> str | None:
    """The state of the delivery to an address; None where there is none. Raises AudienceError."""
    found = next(list_deliveries(spool, address=address), None)
    return found.state if found else None


def subscriber_at(spool: Spool, address: str) -> int | None:
    """The id of the subscriber at an address in this campaign; None where there is none."""
    found = next(list_deliveries(spool, address=address), None)
    return found.subscriber_id if found else None


def addresses_in(spool: Spool, state: str, most: int) -> tuple[str, ...]:
    """Up to `most` addresses with a delivery in that state."""
    rows = spool.database.conn.execute(
        "SELECT s.address FROM deliveries AS d JOIN subscribers AS s ON s.id = d.subscriber_id "
        "WHERE d.campaign_id = ? AND d.state = ? AND s.address IS NOT NULL ORDER BY s.id LIMIT ?",
        [spool.campaign.id, state, most],
    )
    return tuple(row[0] for row in rows)

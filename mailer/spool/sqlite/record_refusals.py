"""What refusals do to the spool and to a reader's status, in the transaction that settles the deliveries.

One refusal of the address marks the reader as bounced. A mailbox that takes nothing does so only when it
lasts: three campaigns in a row, over a week at least. What is our fault or the server's never touches the
reader.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlite_utils import Database

from mailer.audience.change_address import moved_at
from mailer.audience.consent.bounces import last_bounced, record_bounce
from mailer.spool.sqlite.campaigns import Campaign
from mailer.transports.base import Outcome, Result
from mailer.transports.refusal.refusal import Cause

__all__ = ["MAILBOX_CAMPAIGNS", "MAILBOX_DAYS", "note_refusals"]

#: So many campaigns in a row that a mailbox took nothing of, the first of them so many days ago, and the
#: reader counts as bounced. A desk that sends twice a day is patient with a full mailbox for a week.
MAILBOX_CAMPAIGNS = 3
MAILBOX_DAYS = 7

# The claim is open, so this is the first to tell of it.
_CAUSE = """
    UPDATE deliveries SET cause = ?
    WHERE campaign_id = ? AND subscriber_id = ? AND attempt = ? AND state = 'sending'
"""

_CLAIMED_AT = "SELECT claimed_at FROM deliveries WHERE campaign_id = ? AND subscriber_id = ?"

# Refusals of the mailbox in other campaigns since the last that was taken, and since they last bounced.
_STREAK = """
    SELECT count(*), min(settled_at) FROM deliveries
    WHERE subscriber_id = ?1 AND campaign_id <> ?2 AND state = 'rejected' AND cause = 'mailbox'
        AND settled_at > max(?3, coalesce(
            (SELECT max(settled_at) FROM deliveries WHERE subscriber_id = ?1 AND state = 'accepted'), ''))
"""


def note_refusals(
    db: Database,
    campaign: Campaign,
    outcomes: Iterable[tuple[int, int, Outcome, str]],
    *,
    source: str,
    now: str,
) -> None:
    """Before (subscriber id, attempt, outcome, due) are settled: the causes, and who has bounced by them.

    A claim that is not open any more changes nothing, so that telling it twice counts once. A refusal of an
    address that has become another since the claim says nothing of the reader: they may be tried again.
    """
    for subscriber, attempt, outcome, _ in outcomes:
        if outcome.cause is None:
            continue
        of_the_address = outcome.result is Result.REJECTED and outcome.cause in (Cause.ADDRESS, Cause.MAILBOX)
        if of_the_address and _moved_since(db, subscriber, campaign.id):
            continue
        values = (outcome.cause.value, campaign.id, subscriber, attempt)
        if not db.conn.execute(_CAUSE, values).rowcount or outcome.result is not Result.REJECTED:
            continue
        if outcome.cause is Cause.ADDRESS or (
            outcome.cause is Cause.MAILBOX and _lasts(db, subscriber, campaign.id, now)
        ):
            record_bounce(
                db,
                subscriber,
                campaign_id=campaign.id,
                edition=campaign.edition,
                words=outcome.reason,
                source=source,
                at=now,
            )


def _moved_since(db: Database, subscriber_id: int, campaign_id: int) -> bool:
    """Whether the reader's address has become another since this delivery was claimed."""
    moved = moved_at(db, subscriber_id)
    if not moved:
        return False
    (claimed,) = db.conn.execute(_CLAIMED_AT, (campaign_id, subscriber_id)).fetchone() or ("",)
    return moved >= (claimed or "")


def _lasts(db: Database, subscriber_id: int, campaign_id: int, now: str) -> bool:
    """Whether this refusal of a mailbox is one too many."""
    number, since = db.conn.execute(
        _STREAK,
        (subscriber_id, campaign_id, max(last_bounced(db, subscriber_id), moved_at(db, subscriber_id))),
    ).fetchone()
    if number + 1 < MAILBOX_CAMPAIGNS:
        return False
    age = datetime.fromisoformat(now) - datetime.fromisoformat(since)
    return age >= timedelta(days=MAILBOX_DAYS)

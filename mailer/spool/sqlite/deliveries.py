"""The spool: one row a person and campaign, and the only truth about who received what.

    pending ── claim ──► sending ── settle ──► accepted | rejected | deferred | uncertain
       ▲  │                 │
       │  └─ claim ─► skipped (they left since the plan, or had left when it was frozen)
       └──── release ───────┘         deferred ── claim, once due ──► sending
       ▲                              uncertain ── resolve ──► pending | accepted

Every transition is one committed transaction here, and nowhere else is a delivery's state written. A claim
looks again at whether the person may be written to, so that an unsubscribe wins at any moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from mailer.audience.erasure import Erased
from mailer.audience.selection import reason_sql
from mailer.audience.values.address import normalize_address
from mailer.campaign.times import NEVER
from mailer.spool.claim import Claim, claim_of
from mailer.spool.erased_words import without_erased
from mailer.spool.journal import Record, begun_in, read_journal
from mailer.spool.sqlite.campaigns import Campaign, find_campaign
from mailer.spool.sqlite.folders import goes_into_folder
from mailer.spool.sqlite.reasons import Reason, reasons_of
from mailer.spool.sqlite.record_refusals import note_refusals
from mailer.store.database import utc_now, writing
from mailer.transports.base import Outcome, Result
from mailer.transports.refusal.watch import is_held, may_be_everybodys, stops
from mailer.transports.registry import is_folder, source_of

__all__ = ["ENDED", "STATES", "Spool"]

STATES = ("pending", "sending", "accepted", "rejected", "deferred", "uncertain", "skipped")


#: Statuses in which nobody is claimed, however late a run learns of them.
ENDED = ("paused", "cancelled")
#: The very words of the partial index `deliveries_open`: with them in a condition, SQLite uses it.
_OPEN = "state IN ('pending', 'sending', 'deferred', 'uncertain')"
# Many rows are named in one JSON text and changed by one statement, which costs half of a statement a row
# and leaves the interpreter to the workers meanwhile.
_LISTED = "subscriber_id IN (SELECT value FROM json_each(?))"
#: `o` is a table of [subscriber id, attempt, ...]; a claim that was settled meanwhile is left alone.
_CLAIMED = "subscriber_id = o.value ->> 0 AND attempt = o.value ->> 1 AND deliveries.state = 'sending'"
#: From so many outcomes on that share an answer, a statement for them alone is cheaper.
_MANY = 16
#: So many lines of a journal are looked up at once.
_AT_ONCE = 10_000
#: Else SQLite goes through the whole campaign for each of them.
_BY_PERSON = "INDEXED BY deliveries_subscriber"


class Spool:
    """The deliveries of one campaign. Used from one thread."""

    def __init__(self, db: Database, campaign: Campaign) -> None:
        self._db = self.database = db
        self.campaign = campaign
        #: Where it is set, only this subscriber is claimed.
        self.only: int | None = None
        #: How refusals are learned of, for the readers' history. A run by another transport changes it.
        self.source = source_of(campaign.transport)

    # -- making -----------------------------------------------------------------------------

    @staticmethod
    def freeze(
        db: Database,
        *,
        slug: str,
        issue: str,
        issue_hash: str,
        edition: str,
        issue_date: str,
        segment: str,
        plan_hash: str,
        plan: dict[str, Any],
        subject: str,
        transport: str,
        audience_sql: str,
        audience_parameters: Sequence[Any],
        due: Callable[[str], str] | None = None,
        reasons: bool = False,
    ) -> Spool:
        """Writes the campaign and a pending delivery for each person, inside the caller's transaction.

        `audience_sql` selects (subscriber_id, variant); with `reasons` also (reason), and who has one is
        skipped for it. `due` gives the time (UTC) from which somebody may be
        sent to, by the name of their time zone; without it, everybody may be at once.
        """
        cursor = db.conn.execute(
            # One row for the campaign itself.
            "INSERT INTO campaigns (slug, issue, issue_hash, edition, issue_date, segment, plan_hash, plan, "
            "subject, transport, created_at, stable_ids) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
            [
                slug,
                issue,
                issue_hash,
                edition,
                issue_date,
                segment,
                plan_hash,
                json.dumps(plan, ensure_ascii=False),
                subject,
                transport,
                utc_now(),
            ],
        )
        campaign_id = cursor.lastrowid
        slot = "''"
        if due is not None:
            db.conn.create_function("slot_in", 1, due, deterministic=True)
            slot = "(SELECT slot_in(p.timezone) FROM subscribers AS p WHERE p.id = a.subscriber_id)"
        db.conn.execute(
            # A pending delivery for everybody in the plan.
            "INSERT INTO deliveries (campaign_id, subscriber_id, variant, due_at) "
            f"SELECT {campaign_id}, a.subscriber_id, a.variant, {slot} FROM ({audience_sql}) AS a"
            f"{' WHERE a.reason IS NULL' if reasons else ''}",
            audience_parameters,
        )
        if reasons:
            db.conn.execute(
                # They left between the plan and now, or have the issue.
                "INSERT INTO deliveries (campaign_id, subscriber_id, variant, state, settled_at, reason) "
                f"SELECT {campaign_id}, a.subscriber_id, a.variant, 'skipped', ?, a.reason "
                f"FROM ({audience_sql}) AS a WHERE a.reason IS NOT NULL",
                [utc_now(), *audience_parameters],
            )
        return Spool(db, find_campaign(db, slug))

    # -- sending ----------------------------------------------------------------------------

    def together(self) -> AbstractContextManager[object]:
        """What is written within is one transaction, so that it is synced once."""
        return writing(self._db)

    def claim(self, limit: int) -> list[Claim] | None:
        """Up to `limit` deliveries that are due, now `sending`; None where none is left, or it was ended.

        Who may not get it any more is skipped: a claim of such people alone is empty.
        """
        now = utc_now()
        with writing(self._db) as db:
            if self.status() in ENDED:
                return None  # another campaign may hold by now whom this one has not claimed
            reason, parameters = self._but_for_others(*reason_sql(self.campaign.edition, None))
            rows = db.conn.execute(
                # What is pending, or deferred and due, with the person and why not to write to them, if so.
                "SELECT d.subscriber_id, d.variant, d.attempt, s.address, s.name, s.language, s.attributes, "
                f"s.domain, d.deferred_since, {reason}, s.stable_id "
                "FROM deliveries AS d INDEXED BY deliveries_open "
                "JOIN subscribers AS s ON s.id = d.subscriber_id "
                f"WHERE d.campaign_id = ? AND d.{_OPEN} AND d.state IN ('pending', 'deferred') "
                f"AND d.due_at <= ?{'' if self.only is None else ' AND d.subscriber_id = ?'} LIMIT ?",
                [*parameters, self.campaign.id, now, *(() if self.only is None else (self.only,)), limit],
            ).fetchall()
            claims = [claim_of(row) for row in rows if row[9] is None]
            db.conn.execute(
                # Ours from here on. The attempt tells this claim from an earlier one.
                "UPDATE deliveries SET state = 'sending', attempt = attempt + 1, claimed_at = ?, "
                f"settled_at = NULL, reason = '', cause = '' WHERE campaign_id = ? AND {_LISTED}",
                [now, self.campaign.id, json.dumps([claim.person.subscriber_id for claim in claims])],
            )
            db.conn.executemany(
                # They left, or became unreachable, since the plan was made.
                "UPDATE deliveries SET state = 'skipped', reason = ?, cause = '', settled_at = ? "
                "WHERE campaign_id = ? AND subscriber_id = ?",
                [(row[9], now, self.campaign.id, row[0]) for row in rows if row[9] is not None],
            )
        return claims if rows else None

    def _but_for_others(self, reason: str, parameters: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """The reason to skip somebody, extended by: another campaign of the issue has handed it over.

        Asked within the claim, so that two campaigns of one issue never hand it to the same person, whatever
        was planned. Copies in a folder count for nobody, and a run into a folder asks nobody.
        """
        others = [] if is_folder(self.source) else self._others()
        if not others:
            return reason, parameters
        marks = ", ".join("?" * len(others))
        received = (
            f"(SELECT 'received' FROM deliveries AS e WHERE e.campaign_id IN ({marks}) "
            "AND e.subscriber_id = d.subscriber_id AND e.in_folder = 0 "
            "AND e.state IN ('accepted', 'uncertain', 'sending') LIMIT 1)"
        )
        return f"coalesce({reason}, {received})", [*parameters, *others]

    def _others(self) -> list[int]:
        """The ids of other campaigns of the issue that were begun, but for those that went into a folder."""
        mine = self.campaign
        rows = self._db.conn.execute(
            "SELECT id FROM campaigns WHERE edition = ? AND issue_date = ? AND (issue = ? OR issue_hash = ?) "
            f"AND id <> ? AND started_at IS NOT NULL AND NOT ({goes_into_folder('transport')} AND NOT EXISTS "
            "(SELECT 1 FROM deliveries AS e WHERE e.campaign_id = campaigns.id AND e.in_folder = 0 "
            "AND e.state IN ('accepted', 'uncertain')))",
            [mine.edition, mine.issue_date, mine.issue, mine.issue_hash, mine.id],
        )
        return [row[0] for row in rows]

    def settle(self, outcomes: Sequence[tuple[int, int, Outcome, str]]) -> None:
        """Writes the outcome of (subscriber id, attempt, outcome, due) where that claim is still open.

        `due` is when a deferred delivery may be tried again (UTC), else empty. Who cannot be reached is
        marked as bounced with it.
        """
        if not outcomes:
            return
        now, folder = utc_now(), int(is_folder(self.source))
        with writing(self._db) as db:
            # Within the transaction: somebody may have been erased since the claim.
            outcomes = without_erased(db, outcomes)
            alike: dict[tuple[int, str, str, str, str], list[int]] = {}
            for subscriber, attempt, o, due in outcomes:
                key = (attempt, o.result._value_, o.provider_id, o.reason, due)
                alike.setdefault(key, []).append(subscriber)
            note_refusals(db, self.campaign, outcomes, source=self.source, now=now)
            if len(alike) * _MANY <= len(outcomes):
                for (attempt, *values), subscribers in alike.items():
                    db.conn.execute(
                        # What became of claims that share an answer, as those of one request do.
                        "UPDATE deliveries SET state = ?1, provider_id = ?2, reason = ?3, due_at = ?4, "
                        "settled_at = ?5, in_folder = ?6, deferred_since = CASE WHEN ?1 = 'deferred' "
                        "AND deferred_since = '' THEN ?5 ELSE deferred_since END WHERE campaign_id = ?7 AND "
                        "subscriber_id IN (SELECT value FROM json_each(?8)) AND attempt = ?9 "
                        "AND state = 'sending'",
                        [*values, now, folder, self.campaign.id, json.dumps(subscribers), attempt],
                    )
            else:
                rows = [(who, *key) for key, subscribers in alike.items() for who in subscribers]
                db.conn.execute(
                    # What became of each claim.
                    f"UPDATE deliveries {_BY_PERSON} SET state = o.value ->> 2, "
                    "provider_id = o.value ->> 3, reason = o.value ->> 4, due_at = o.value ->> 5, "
                    "settled_at = ?1, in_folder = ?2, deferred_since = CASE WHEN o.value ->> 2 = 'deferred' "
                    "AND deferred_since = '' THEN ?1 ELSE deferred_since END "
                    f"FROM json_each(?3) AS o WHERE campaign_id = ?4 AND {_CLAIMED}",
                    [now, folder, json.dumps(rows), self.campaign.id],
                )

    def release(self, deliveries: Iterable[tuple[int, int]], *, last: bool = False) -> None:
        """Gives back (subscriber id, attempt), claimed and not handed over; `last`: behind the others."""
        values = list(deliveries)
        if not values:
            return
        due = ", due_at = ?1" if last else ""  # claims begin with those that were never due at a time
        with writing(self._db) as db:
            db.conn.execute(
                # Never handed over: pending, as before the claim.
                f"UPDATE deliveries {_BY_PERSON} SET state = 'pending', claimed_at = NULL{due} "
                f"FROM json_each(?2) AS o WHERE campaign_id = ?3 AND {_CLAIMED}",
                [utc_now(), json.dumps(values), self.campaign.id],
            )

    def recover(self, journal: Path) -> dict[str, int]:
        """Settles what a dead process left `sending`, by what its journal knows. Gives counts by state."""
        rows = self._db.conn.execute(
            "SELECT subscriber_id, attempt FROM deliveries INDEXED BY deliveries_open "
            f"WHERE campaign_id = ? AND {_OPEN} AND state = 'sending'",
            [self.campaign.id],
        ).fetchall()
        record = read_journal(journal, set(rows))
        ever = record.accepted or self.was_accepted()
        doubted = not record.accepted and self._may_be_everybodys(record)
        settled: list[tuple[int, int, Outcome, str]] = []
        released: list[tuple[int, int]] = []
        doubtful: list[tuple[int, int]] = []
        for key in rows:
            outcome = record.outcomes.get(key)
            about_us = outcome is not None and stops(outcome, attempt=key[1], accepted=ever)
            if about_us or (outcome is not None and doubted and is_held(outcome)):
                doubtful.append(key)  # the run did not believe it either: it is tried again
            elif outcome is not None:
                settled.append((*key, outcome, ""))
            elif record.complete and key not in record.begun:
                released.append(key)
            else:
                settled.append((*key, _INTERRUPTED, ""))
        with writing(self._db):
            if record.accepted:
                self.note_accepted()
            self.settle(settled)
            self.release(released)
            self.release(doubtful, last=True)
        counts = {"pending": len(released) + len(doubtful)}
        for _, _, outcome, _ in settled:
            counts[outcome.result.value] = counts.get(outcome.result.value, 0) + 1
        return {state: number for state, number in counts.items() if number}

    def note_accepted(self) -> None:
        """Somebody of the campaign was accepted by its transport."""
        if not is_folder(self.source):
            with writing(self._db) as db:
                db.conn.execute(
                    "UPDATE campaigns SET accepted_by = transport WHERE id = ?", [self.campaign.id]
                )

    def was_accepted(self) -> bool:
        """Whether somebody of the campaign was accepted by the transport that it goes by now."""
        row = self._db.conn.execute(
            "SELECT accepted_by = transport FROM campaigns WHERE id = ?", [self.campaign.id]
        ).fetchone()
        return bool(row[0])

    def _may_be_everybodys(self, record: Record) -> bool:
        """Whether the refusals that a journal knows may be a matter of us. Nobody was accepted."""
        refused = {
            subscriber: outcome
            for (subscriber, _), outcome in record.outcomes.items()
            if outcome.result is not Result.SKIPPED
        }
        if not refused:
            return False
        rows = self._db.conn.execute(
            "SELECT s.id, coalesce(s.address, '') FROM json_each(?) AS o "
            "CROSS JOIN subscribers AS s ON s.id = o.value",
            [json.dumps(list(refused))],
        )
        return may_be_everybodys((address, refused[subscriber]) for subscriber, address in rows)

    # -- deciding ---------------------------------------------------------------------------

    def resolve(self, *, resend: bool, address: str | None = None) -> int:
        """Makes what is uncertain pending again (`resend`) or counts it as accepted. Gives how many.

        With `address`, the delivery to that address alone.
        """
        state, reason = (
            ("pending", "") if resend else ("accepted", "uncertain; taken as sent by the operator")
        )
        only, whose = _only(address)
        with writing(self._db) as db:
            return db.conn.execute(
                # The operator's word on what was on the wire.
                "UPDATE deliveries SET state = ?, reason = ?, due_at = '' "
                f"WHERE campaign_id = ? AND {_OPEN} AND state = 'uncertain'{only}",
                [state, reason, self.campaign.id, *whose],
            ).rowcount

    def retry(self, *, address: str | None = None) -> tuple[int, int]:
        """Makes what was rejected or deferred pending again, but for who cannot be reached.

        Gives how many are, and how many stay rejected. Who was restored since they bounced is tried again.
        With `address`, the delivery to that address alone. The time of `retry_for` begins anew.
        """
        only, whose = _only(address)
        with writing(self._db) as db:
            again = db.conn.execute(
                # Never what may have arrived: accepted and uncertain stay.
                "UPDATE deliveries SET state = 'pending', due_at = '', deferred_since = '' "
                "WHERE campaign_id = ? AND (state = 'deferred' OR (state = 'rejected' AND NOT EXISTS ("
                "SELECT 1 FROM subscribers AS s WHERE s.id = deliveries.subscriber_id AND "
                f"(s.status = 'bounced' OR (deliveries.cause = 'address' AND s.status <> 'active'))))){only}",
                [self.campaign.id, *whose],
            ).rowcount
        return again, 0 if address is not None else self.counts()["rejected"]

    def make_due(self, *, after: str | None = None) -> None:
        """Makes deferred deliveries due now: the operator asks for it, or the clock went wrong.

        With `after` (UTC), those alone that wait for a later time than that, and not those that an earlier
        version gave up: these wait for the operator.
        """
        beyond = "" if after is None else f" AND due_at > ? AND due_at < '{NEVER}'"
        with writing(self._db) as db:
            db.conn.execute(
                f"UPDATE deliveries SET due_at = '' WHERE campaign_id = ? AND {_OPEN} AND state = 'deferred'"
                f"{beyond}",
                [self.campaign.id] if after is None else [self.campaign.id, after],
            )

    def expire(self, before: str) -> int:
        """Gives up what has been deferred since before that time (UTC): rejected, with the last words.

        The cause is `them`, so that the reader is not blamed. Gives how many.
        """
        with writing(self._db) as db:
            return db.conn.execute(
                f"UPDATE deliveries SET state = 'rejected', cause = 'them', due_at = '', settled_at = ? "
                f"WHERE campaign_id = ? AND {_OPEN} AND state = 'deferred' "
                "AND deferred_since > '' AND deferred_since < ?",
                [utc_now(), self.campaign.id, before],
            ).rowcount

    def reopen_copies_in_folder(self) -> int:
        """Makes pending what only went into an outbox folder, which reached nobody. Gives how many.

        And who was skipped there: the next claim looks again whether they may be written to.
        """
        with writing(self._db) as db:
            return db.conn.execute(
                "UPDATE deliveries SET state = 'pending', due_at = '', reason = '', provider_id = '', "
                "in_folder = 0, settled_at = NULL WHERE campaign_id = ? "
                "AND ((in_folder = 1 AND state IN ('accepted', 'uncertain')) OR state = 'skipped')",
                [self.campaign.id],
            ).rowcount

    def doubt_the_rest(self) -> int:
        """Makes uncertain whoever is not known to have it: this database is an old copy. Gives how many.

        To be called before a campaign is given up, so that nobody in it gets the issue by another.
        """
        reason = "this database is older than the campaign's last run, which may have handed it over"
        with writing(self._db) as db:
            return db.conn.execute(
                "UPDATE deliveries SET state = 'uncertain', reason = ?, due_at = '', settled_at = ? "
                "WHERE campaign_id = ? AND state IN ('pending', 'sending', 'deferred', 'rejected')",
                [reason, utc_now(), self.campaign.id],
            ).rowcount

    def adopt(self, journal: Path) -> None:
        """Takes over what a journal knows of claims that the database has lost, as after a lost `-wal`.

        To be called before a campaign is given up, so that what was handed over is known to be.
        """
        record = read_journal(journal)
        lost = Outcome(Result.UNCERTAIN, reason="handed over, and unknown to this copy of the database")
        found = [(key, record.outcomes.get(key, lost)) for key in sorted(record.begun)]
        newest = {key[0]: (*key, o, "") for key, o in found}  # of several attempts at a person, the last
        with writing(self._db) as db:
            outcomes = without_erased(db, list(newest.values()))
            rows = [(who, n, o.result.value, o.provider_id, o.reason) for who, n, o, _ in outcomes]
            db.conn.execute(
                f"UPDATE deliveries {_BY_PERSON} SET attempt = o.value ->> 1, state = o.value ->> 2, "
                "provider_id = o.value ->> 3, reason = o.value ->> 4, due_at = '', settled_at = ? "
                "FROM json_each(?) AS o WHERE campaign_id = ? AND subscriber_id = o.value ->> 0 "
                "AND attempt < o.value ->> 1 AND deliveries.state <> 'accepted'",
                [utc_now(), json.dumps(rows), self.campaign.id],
            )

    # -- telling ----------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many deliveries are in each state; every state is there."""
        rows = self._db.conn.execute(
            "SELECT state, count(*) FROM deliveries WHERE campaign_id = ? GROUP BY state", [self.campaign.id]
        )
        return {**dict.fromkeys(STATES, 0), **dict(rows.fetchall())}

    def has_claims(self) -> bool:
        """Whether anything is `sending`: a run is on, or has died."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries INDEXED BY deliveries_open "
            f"WHERE campaign_id = ? AND {_OPEN} AND state = 'sending' LIMIT 1",
            [self.campaign.id],
        ).fetchone()
        return row is not None

    def is_claimed(self, subscriber_id: int) -> bool:
        """Whether the delivery to this subscriber is `sending`."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries WHERE campaign_id = ? AND subscriber_id = ? AND state = 'sending'",
            [self.campaign.id, subscriber_id],
        ).fetchone()
        return row is not None

    def is_free(self, *, copies: bool = False) -> bool:
        """Whether nobody has or may have it. With `copies`, one in an outbox folder counts as having it."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries WHERE campaign_id = ? AND (? OR in_folder = 0) "
            "AND state IN ('accepted', 'uncertain', 'sending') LIMIT 1",
            [self.campaign.id, copies],
        ).fetchone()
        return row is None

    def copies_in_folder(self) -> int:
        """How many have it in an outbox folder only."""
        number: int = self._db.conn.execute(
            "SELECT count(*) FROM deliveries WHERE campaign_id = ? AND in_folder = 1 "
            "AND state IN ('accepted', 'uncertain')",
            [self.campaign.id],
        ).fetchone()[0]
        return number

    def next_due(self) -> str | None:
        """When the next deferred delivery may be tried again (UTC), or None."""
        return self._earliest("state = 'deferred'")

    def next_due_here(self) -> str | None:
        """The same, where `only` is set, for that subscriber: of the others, none is claimed."""
        mine = "" if self.only is None else f" AND subscriber_id = {self.only:d}"
        return self._earliest(f"state = 'deferred'{mine}")

    def next_try(self) -> str | None:
        """The same, where deliveries count that were deferred and claimed, and given back untried."""
        return self._earliest("(state = 'deferred' OR (state = 'pending' AND deferred_since > ''))")

    def _earliest(self, which: str) -> str | None:
        row = self._db.conn.execute(
            f"SELECT min(due_at) FROM deliveries INDEXED BY deliveries_open "
            f"WHERE campaign_id = ? AND {_OPEN} AND {which} AND due_at < ?",
            [self.campaign.id, NEVER],
        ).fetchone()
        if row[0] is None:
            return None
        return str(row[0]) or utc_now()

    def never_tried(self) -> int:
        """How many are pending and due who were never tried, those held back left out."""
        number: int = self._db.conn.execute(
            "SELECT count(*) FROM deliveries INDEXED BY deliveries_open "
            f"WHERE campaign_id = ? AND {_OPEN} AND state = 'pending' AND deferred_since = '' AND due_at < ?",
            [self.campaign.id, NEVER],
        ).fetchone()[0]
        return number

    def unknown_in(self, journal: Path) -> int:
        """How many hand-overs the journal holds of claims that are unknown here: a journal is never ahead."""
        unknown = 0
        begun = begun_in(journal)
        while some := list(islice(begun, _AT_ONCE)):
            unknown += self._db.conn.execute(
                "SELECT count(*) FROM json_each(?) AS o WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d "
                f"{_BY_PERSON} WHERE d.campaign_id = ? AND d.subscriber_id = o.value ->> 0 "
                "AND d.attempt >= o.value ->> 1)",
                [json.dumps(some), self.campaign.id],
            ).fetchone()[0]
        return unknown

    def reasons(self) -> tuple[Reason, ...]:
        """Why deliveries did not arrive, the largest group first."""
        return reasons_of(self._db, self.campaign.id)

    def each(self) -> Iterator[tuple[int, str, int, str, str]]:
        """(subscriber id, state, attempts, provider id, reason) of every delivery, by subscriber."""
        yield from self._db.conn.execute(
            "SELECT subscriber_id, state, attempt, provider_id, reason FROM deliveries "
            "WHERE campaign_id = ? ORDER BY subscriber_id",
            [self.campaign.id],
        )

    def status(self) -> str:
        """The campaign's status as it is now; another process may have changed it."""
        row = self._db.conn.execute(
            "SELECT status FROM campaigns WHERE id = ?", [self.campaign.id]
        ).fetchone()
        return str(row[0])

    def set_status(self, status: str, note: str = "", *, only_from: Sequence[str] = ()) -> bool:
        """Changes the status, where it is one of `only_from` if any are given; whether it was changed."""
        now = utc_now()
        note = Erased(self._db).left_out_of(note)
        guard = f" AND status IN ({', '.join('?' * len(only_from))})" if only_from else ""
        with writing(self._db) as db:
            changed = db.conn.execute(
                "UPDATE campaigns SET status = ?, status_note = ?, "
                "started_at = CASE WHEN ? = 'sending' THEN coalesce(started_at, ?) ELSE started_at END, "
                "finished_at = CASE WHEN ? IN ('sent', 'cancelled') THEN ? ELSE NULL END "
                f"WHERE id = ?{guard}",
                [status, note, status, now, status, now, self.campaign.id, *only_from],
            ).rowcount
        return bool(changed)


def _only(address: str | None) -> tuple[str, list[str]]:
    """A further condition for the delivery to one address, and its parameter; nothing for None."""
    if address is None:
        return "", []
    return (
        " AND subscriber_id IN (SELECT id FROM subscribers WHERE address_key = ?)",
        [normalize_address(address).key],
    )


_INTERRUPTED = Outcome(Result.UNCERTAIN, reason="the program ended while this message was being handed over")

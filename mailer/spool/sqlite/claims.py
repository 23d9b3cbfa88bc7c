"""Claims, settles, releases and takes over deliveries on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice

from mailer.campaign.status import ENDED, Status
from mailer.clock import utc_now
from mailer.spool.sqlite.part import BY_PERSON, CLAIMED, OPEN, Part
from mailer.spool.values import Claim, Key, MayWrite, Refused, Settled
from mailer.store.database import writing
from mailer.transports.registry import is_folder_transport

__all__ = ["Claims"]

# Many rows are passed as one JSON text and changed by one statement. It takes half the time of one
# statement for each row, and leaves the interpreter (GIL) to the workers meanwhile.
_LISTED = "subscriber_id IN (SELECT value FROM json_each(:people))"
#: From this number of outcomes with the same reply, a statement of their own is cheaper.
_MANY = 16
#: This number of a journal's claims is looked up by one statement.
_AT_ONCE = 10_000

#: Claims deliveries. The owner and the attempt are the fencing token.
_TAKE = f"""
    UPDATE deliveries SET state = 'sending', owner = :owner, attempt = attempt + 1, claimed_at = :now,
        settled_at = NULL, reason = '', cause = '' WHERE campaign_id = :campaign AND {_LISTED}
"""

#: Skips people who left, became unreachable, or received the issue since the plan was made.
_SKIP = """
    UPDATE deliveries SET state = 'skipped', reason = ?, cause = '', settled_at = ?
    WHERE campaign_id = ? AND subscriber_id = ?
"""

#: Settles claims that share a reply, as those of one request do.
_SETTLE_ALIKE = """
    UPDATE deliveries SET state = :state, provider_id = :provider_id, reason = :reason, cause = :cause,
        due_at = nullif(:due, ''), held = 0, settled_at = :now, in_folder = :folder,
        deferred_since = CASE WHEN :state = 'deferred' AND deferred_since = '' THEN :now
            ELSE deferred_since END
    WHERE campaign_id = :campaign AND subscriber_id IN (SELECT value FROM json_each(:people))
        AND attempt = :attempt AND state = 'sending' AND owner = :owner
"""

#: Settles claims that differ: [person, attempt, state, provider id, reason, cause, due].
_SETTLE_EACH = f"""
    UPDATE deliveries {BY_PERSON} SET state = o.value ->> 2, provider_id = o.value ->> 3,
        reason = o.value ->> 4, cause = o.value ->> 5, due_at = nullif(o.value ->> 6, ''), held = 0,
        settled_at = :now, in_folder = :folder,
        deferred_since = CASE WHEN o.value ->> 2 = 'deferred' AND deferred_since = '' THEN :now
            ELSE deferred_since END
    FROM json_each(:rows) AS o WHERE campaign_id = :campaign AND {CLAIMED}
"""

#: Reads which of these claims are still open, and since when.
_STILL_OPEN = f"""
    SELECT subscriber_id, claimed_at FROM json_each(:rows) AS o
    CROSS JOIN deliveries {BY_PERSON} ON {CLAIMED} WHERE campaign_id = :campaign
"""

#: Clears the cause of a refusal that says nothing about the reader.
_CLEAR_CAUSES = f"""
    UPDATE deliveries {BY_PERSON} SET cause = '' FROM json_each(:rows) AS o
    WHERE campaign_id = :campaign AND subscriber_id = o.value ->> 0 AND attempt = o.value ->> 1
"""

#: Gives open claims to another run, so that a dead one can settle nothing any more.
_TAKE_OVER = f"""
    UPDATE deliveries SET owner = :owner WHERE campaign_id = :campaign AND {OPEN} AND state = 'sending'
    RETURNING subscriber_id, attempt
"""

#: Records outcomes of attempts that the database lacks: [person, attempt, state, provider id, reason].
_ADOPT = f"""
    UPDATE deliveries {BY_PERSON} SET attempt = o.value ->> 1, state = o.value ->> 2,
        provider_id = o.value ->> 3, reason = o.value ->> 4, due_at = NULL, held = 0, settled_at = :now
    FROM json_each(:rows) AS o WHERE campaign_id = :campaign AND subscriber_id = o.value ->> 0
        AND attempt < o.value ->> 1 AND deliveries.state <> 'accepted'
"""

_UNKNOWN = f"""
    SELECT count(*) FROM json_each(:rows) AS o WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d {BY_PERSON}
        WHERE d.campaign_id = :campaign AND d.subscriber_id = o.value ->> 0 AND d.attempt >= o.value ->> 1)
"""

#: Reads the other started campaigns of the issue, and whether anybody has them other than in a folder.
_OTHERS = """
    SELECT id, transport, EXISTS (SELECT 1 FROM deliveries AS e WHERE e.campaign_id = campaigns.id
        AND e.in_folder = 0 AND e.state IN ('accepted', 'uncertain'))
    FROM campaigns WHERE edition = ? AND issue_date = ? AND (issue = ? OR issue_hash = ?)
        AND id <> ? AND started_at IS NOT NULL
"""


class Claims(Part):
    """Claims, settles and releases the deliveries of a campaign."""

    def claim(self, limit: int, may_write: MayWrite, *, only: int | None = None) -> list[Claim] | None:
        """Claims deliveries that are due, in one transaction: see `base.Spool.claim`."""
        now = utc_now()
        with writing(self._db) as db:
            (status,) = db.conn.execute(
                "SELECT status FROM campaigns WHERE id = ?", [self.campaign.id]
            ).fetchone()
            if Status(status) in ENDED:
                return None  # another campaign may have claimed these people meanwhile
            rows = self._due(now, limit, only)
            if not rows:
                return None
            people = [row[0] for row in rows]
            left = dict(may_write(people))
            for person in self._reached(people):
                left.setdefault(person, "received")
            claims = [
                Claim(person, variant, attempt + 1, since)
                for person, variant, attempt, since in rows
                if person not in left
            ]
            if claims:
                db.conn.execute(
                    _TAKE,
                    {
                        "owner": self.owner,
                        "now": now,
                        "campaign": self.campaign.id,
                        "people": json.dumps([claim.person for claim in claims]),
                    },
                )
            db.conn.executemany(
                _SKIP, [(reason, now, self.campaign.id, person) for person, reason in left.items()]
            )
        return claims

    def _due(self, now: str, limit: int, only: int | None) -> list[tuple[int, int, int, str]]:
        """Returns (person, variant, attempt, deferred since) of each delivery that may be claimed."""
        mine = "" if only is None else " AND subscriber_id = :only"
        found: list[tuple[int, int, int, str]] = []
        for due in ("due_at IS NULL", "due_at <= :now"):
            found += self._db.conn.execute(
                # Reads pending and deferred deliveries that are due; those without a due time come first.
                "SELECT subscriber_id, variant, attempt, deferred_since "
                f"FROM deliveries INDEXED BY deliveries_open WHERE campaign_id = :campaign AND {OPEN} "
                f"AND state IN ('pending', 'deferred') AND held = 0 AND {due}{mine} LIMIT :limit",
                {"campaign": self.campaign.id, "now": now, "only": only, "limit": limit - len(found)},
            ).fetchall()
            if len(found) >= limit:
                break
        return found

    def _reached(self, people: Sequence[int]) -> list[int]:
        """Returns the people who have the issue from another campaign, or may have it.

        It runs in the transaction of the claim, so that two campaigns of one issue never hand it to the same
        person, whatever was planned. Copies in an outbox folder do not count, and a run into a folder skips
        this check.
        """
        others = [] if self.into_folder else self._others()
        if not others:
            return []
        rows = self._db.conn.execute(
            f"SELECT DISTINCT o.value FROM json_each(?) AS o CROSS JOIN deliveries AS e {BY_PERSON} "
            "ON e.subscriber_id = o.value WHERE e.campaign_id IN (SELECT value FROM json_each(?)) "
            "AND e.in_folder = 0 AND e.state IN ('accepted', 'uncertain', 'sending')",
            [json.dumps(list(people)), json.dumps(others)],
        )
        return [row[0] for row in rows]

    def _others(self) -> list[int]:
        """Returns the ids of other campaigns of the issue that were started, without those that only went
        into a folder."""
        mine = self.campaign
        rows = self._db.conn.execute(
            _OTHERS, [mine.edition, mine.issue_date, mine.issue, mine.issue_hash, mine.id]
        )
        return [number for number, transport, mailed in rows if mailed or not is_folder_transport(transport)]

    def settle(self, outcomes: Sequence[Settled]) -> list[Refused]:
        """Records outcomes: see `base.Spool.settle`."""
        if not outcomes:
            return []
        common = {
            "now": utc_now(),
            "folder": int(self.into_folder),
            "campaign": self.campaign.id,
            "owner": self.owner,
        }
        with writing(self._db):
            # Within the transaction: somebody may have been erased since the claim.
            outcomes = self._redaction.outcomes(outcomes)
            refused = self._refused(outcomes, common)
            alike: dict[tuple[int, str, str, str, str, str], list[int]] = {}
            for person, attempt, o, due in outcomes:
                key = (attempt, o.result._value_, o.provider_id, o.reason, o.cause or "", due)
                alike.setdefault(key, []).append(person)
            if len(alike) * _MANY <= len(outcomes):
                self._settle_alike(alike, common)
            else:
                rows = [(person, *key) for key, people in alike.items() for person in people]
                self._db.conn.execute(_SETTLE_EACH, {**common, "rows": json.dumps(rows)})
        return refused

    def _settle_alike(
        self, alike: dict[tuple[int, str, str, str, str, str], list[int]], common: dict[str, object]
    ) -> None:
        for (attempt, state, provider_id, reason, cause, due), people in alike.items():
            values = {
                "attempt": attempt,
                "state": state,
                "provider_id": provider_id,
                "reason": reason,
                "cause": cause,
                "due": due,
                "people": json.dumps(people),
            }
            self._db.conn.execute(_SETTLE_ALIKE, {**common, **values})

    def _refused(self, outcomes: Sequence[Settled], common: dict[str, object]) -> list[Refused]:
        """Returns the outcomes with a cause whose claims are open."""
        named = {person: (attempt, o) for person, attempt, o, _ in outcomes if o.cause is not None}
        if not named:
            return []
        claims = json.dumps([(person, attempt) for person, (attempt, _) in named.items()])
        rows = self._db.conn.execute(_STILL_OPEN, {**common, "rows": claims}).fetchall()
        now = str(common["now"])
        return [Refused(person, *named[person], claimed_at or "", now) for person, claimed_at in rows]

    def clear_causes(self, deliveries: Iterable[Key]) -> None:
        """Clears the cause of deliveries whose refusal says nothing about the reader's address."""
        with writing(self._db) as db:
            rows = json.dumps(list(deliveries))
            db.conn.execute(_CLEAR_CAUSES, {"rows": rows, "campaign": self.campaign.id})

    def release(self, claims: Iterable[Key], *, last: bool = False) -> None:
        """Makes claims that were not handed over pending again; with `last`, behind the other deliveries."""
        values = list(claims)
        if not values:
            return
        due = ", due_at = :now" if last else ""  # deliveries without a due time are claimed first
        with writing(self._db) as db:
            db.conn.execute(
                # They were not handed over, so they become pending again.
                f"UPDATE deliveries {BY_PERSON} SET state = 'pending', claimed_at = NULL{due} "
                f"FROM json_each(:rows) AS o WHERE campaign_id = :campaign AND {CLAIMED}",
                {
                    "now": utc_now(),
                    "rows": json.dumps(values),
                    "campaign": self.campaign.id,
                    "owner": self.owner,
                },
            )

    def take_over(self) -> list[Key]:
        """Transfers all open claims of the campaign to this owner, and returns them."""
        if not self.has_claims():
            return []  # without a write: the database may be read-only
        with writing(self._db) as db:
            return db.conn.execute(_TAKE_OVER, {"owner": self.owner, "campaign": self.campaign.id}).fetchall()

    def adopt(self, outcomes: Sequence[Settled]) -> None:
        """Records outcomes of claims that the database has lost, for instance because its `-wal` file was
        lost."""
        with writing(self._db) as db:
            kept = self._redaction.outcomes(outcomes)
            rows = [(person, n, o.result.value, o.provider_id, o.reason) for person, n, o, _ in kept]
            db.conn.execute(
                _ADOPT, {"now": utc_now(), "rows": json.dumps(rows), "campaign": self.campaign.id}
            )

    def count_unknown(self, claims: Iterable[Key]) -> int:
        """Returns how many of these claims the database has no record of."""
        number = 0
        left = iter(claims)
        while some := list(islice(left, _AT_ONCE)):
            number += self._db.conn.execute(
                _UNKNOWN, {"rows": json.dumps(some), "campaign": self.campaign.id}
            ).fetchone()[0]
        return number

    def has_claims(self) -> bool:
        """Returns whether any delivery is claimed: then a run is alive, or has died."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries INDEXED BY deliveries_open "
            f"WHERE campaign_id = ? AND {OPEN} AND state = 'sending' LIMIT 1",
            [self.campaign.id],
        ).fetchone()
        return row is not None

    def is_claimed(self, person: int) -> bool:
        """Returns whether the delivery to this person is claimed."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries WHERE campaign_id = ? AND subscriber_id = ? AND state = 'sending'",
            [self.campaign.id, person],
        ).fetchone()
        return row is not None

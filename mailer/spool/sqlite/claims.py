"""Claims, settles, releases and takes over deliveries on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice

from mailer.campaign.status import ENDED, Status
from mailer.clock import utc_now
from mailer.spool.sqlite.part import BY_PERSON, CLAIMED, OPEN, SpoolPart
from mailer.spool.values import ClaimedDelivery, ClaimKey, FindExcluded, RefusedClaim, SettledClaim
from mailer.store.database import writing
from mailer.transports.registry import is_folder_transport

__all__ = ["ClaimOperations"]

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


class ClaimOperations(SpoolPart):
    """Claims, settles, releases and takes over the deliveries of a campaign."""

    def claim(
        self, limit: int, find_excluded: FindExcluded, *, only_person: int | None = None
    ) -> list[ClaimedDelivery] | None:
        """Claims up to `limit` due deliveries, in one transaction, as `base.Spool.claim` describes."""
        now = utc_now()
        with writing(self._db) as db:
            (status,) = db.conn.execute(
                "SELECT status FROM campaigns WHERE id = ?", [self.campaign.id]
            ).fetchone()
            if Status(status) in ENDED:
                return None  # another campaign may have claimed these people meanwhile
            rows = self._due_deliveries(now, limit, only_person)
            if not rows:
                return None
            people = [row[0] for row in rows]
            left = dict(find_excluded(people))
            for person in self._people_reached_by_other_campaigns(people):
                left.setdefault(person, "received")
            claims = [
                ClaimedDelivery(person, variant, attempt + 1, since)
                for person, variant, attempt, since in rows
                if person not in left
            ]
            if claims:
                taken = json.dumps([claim.person for claim in claims])
                values = {"owner": self.owner, "now": now, "campaign": self.campaign.id, "people": taken}
                db.conn.execute(_TAKE, values)
            db.conn.executemany(
                _SKIP, [(reason, now, self.campaign.id, person) for person, reason in left.items()]
            )
        return claims

    def _due_deliveries(
        self, now: str, limit: int, only_person: int | None
    ) -> list[tuple[int, int, int, str]]:
        """Returns (person, variant, attempt, deferred since) of up to `limit` deliveries that may be claimed
        at `now` (UTC)."""
        mine = "" if only_person is None else " AND subscriber_id = :only_person"
        found: list[tuple[int, int, int, str]] = []
        for due in ("due_at IS NULL", "due_at <= :now"):
            found += self._db.conn.execute(
                # Reads pending and deferred deliveries that are due; those without a due time come first.
                "SELECT subscriber_id, variant, attempt, deferred_since "
                f"FROM deliveries INDEXED BY deliveries_open WHERE campaign_id = :campaign AND {OPEN} "
                f"AND state IN ('pending', 'deferred') AND held = 0 AND {due}{mine} LIMIT :limit",
                {
                    "campaign": self.campaign.id,
                    "now": now,
                    "only_person": only_person,
                    "limit": limit - len(found),
                },
            ).fetchall()
            if len(found) >= limit:
                break
        return found

    def _people_reached_by_other_campaigns(self, people: Sequence[int]) -> list[int]:
        """Returns those of these people who have the issue from another campaign, or may have it.

        The check runs in the transaction of the claim, so that two campaigns of one issue never hand the
        issue over to the same person, even if both planned it. Copies in an outbox folder do not count. The
        result is empty if this run only writes to an outbox folder.
        """
        others = [] if self.into_folder else self._other_started_campaigns()
        if not others:
            return []
        rows = self._db.conn.execute(
            f"SELECT DISTINCT o.value FROM json_each(?) AS o CROSS JOIN deliveries AS e {BY_PERSON} "
            "ON e.subscriber_id = o.value WHERE e.campaign_id IN (SELECT value FROM json_each(?)) "
            "AND e.in_folder = 0 AND e.state IN ('accepted', 'uncertain', 'sending')",
            [json.dumps(list(people)), json.dumps(others)],
        )
        return [row[0] for row in rows]

    def _other_started_campaigns(self) -> list[int]:
        """Returns the ids of the other campaigns of the issue that were started, without campaigns that only
        went into an outbox folder."""
        mine = self.campaign
        rows = self._db.conn.execute(
            _OTHERS, [mine.edition, mine.issue_date, mine.issue, mine.issue_hash, mine.id]
        )
        return [number for number, transport, mailed in rows if mailed or not is_folder_transport(transport)]

    def settle(self, outcomes: Sequence[SettledClaim]) -> list[RefusedClaim]:
        """Records the outcomes of open claims and returns the refusals, as `base.Spool.settle` describes."""
        if not outcomes:
            return []
        base_values: dict[str, object] = {"now": utc_now(), "campaign": self.campaign.id, "owner": self.owner}
        base_values["folder"] = int(self.into_folder)
        with writing(self._db):
            # Within the transaction: somebody may have been erased since the claim.
            outcomes = self._redaction.redact_outcomes(outcomes)
            refused = self._refusals_of_open_claims(outcomes, base_values)
            alike: dict[tuple[int, str, str, str, str, str], list[int]] = {}
            for person, attempt, o, due in outcomes:
                key = (attempt, o.result._value_, o.provider_id, o.reason, o.cause or "", due)
                alike.setdefault(key, []).append(person)
            if len(alike) * _MANY <= len(outcomes):
                self._settle_claim_groups(alike, base_values)
            else:
                rows = [(person, *key) for key, people in alike.items() for person in people]
                self._db.conn.execute(_SETTLE_EACH, {**base_values, "rows": json.dumps(rows)})
        return refused

    def _settle_claim_groups(
        self,
        claim_groups: dict[tuple[int, str, str, str, str, str], list[int]],
        base_values: dict[str, object],
    ) -> None:
        """Settles each group of claims by one SQL statement.

        `claim_groups` maps (attempt, state, provider id, reason, cause, due time) to the subscriber ids of
        the claims that have these values. `base_values` holds the SQL parameters that all groups share.
        """
        names = ("attempt", "state", "provider_id", "reason", "cause", "due")
        for shared, people in claim_groups.items():
            values = {**base_values, **dict(zip(names, shared, strict=True)), "people": json.dumps(people)}
            self._db.conn.execute(_SETTLE_ALIKE, values)

    def _refusals_of_open_claims(
        self, outcomes: Sequence[SettledClaim], base_values: dict[str, object]
    ) -> list[RefusedClaim]:
        """Returns the outcomes that have a cause and whose claims are still open.

        `base_values` holds the SQL parameters `now`, `campaign` and `owner`.
        """
        named = {person: (attempt, o) for person, attempt, o, _ in outcomes if o.cause is not None}
        if not named:
            return []
        claims = json.dumps([(person, attempt) for person, (attempt, _) in named.items()])
        rows = self._db.conn.execute(_STILL_OPEN, {**base_values, "rows": claims}).fetchall()
        now = str(base_values["now"])
        return [RefusedClaim(person, *named[person], claimed_at, now) for person, claimed_at in rows]

    def clear_refusal_causes(self, deliveries: Iterable[ClaimKey]) -> None:
        """Clears the stored cause of these refusals, which do not concern the reader's current address."""
        with writing(self._db) as db:
            rows = json.dumps(list(deliveries))
            db.conn.execute(_CLEAR_CAUSES, {"rows": rows, "campaign": self.campaign.id})

    def release(self, claims: Iterable[ClaimKey], *, lowest_priority: bool = False) -> None:
        """Makes claimed deliveries, which were not handed over, pending again.

        If `lowest_priority` is True, all other pending deliveries are claimed before them.
        """
        rows = list(claims)
        if not rows:
            return
        due = ", due_at = :now" if lowest_priority else ""  # deliveries without a due time are claimed first
        values = {"now": utc_now(), "campaign": self.campaign.id, "owner": self.owner}
        with writing(self._db) as db:
            db.conn.execute(
                # They were not handed over, so they become pending again.
                f"UPDATE deliveries {BY_PERSON} SET state = 'pending', claimed_at = NULL{due} "
                f"FROM json_each(:rows) AS o WHERE campaign_id = :campaign AND {CLAIMED}",
                {**values, "rows": json.dumps(rows)},
            )

    def take_over_claims(self) -> list[ClaimKey]:
        """Transfers all open claims of the campaign to this owner, and returns them."""
        if not self.has_open_claims():
            return []  # without a write: the database may be read-only
        with writing(self._db) as db:
            return db.conn.execute(_TAKE_OVER, {"owner": self.owner, "campaign": self.campaign.id}).fetchall()

    def adopt_lost_outcomes(self, outcomes: Sequence[SettledClaim]) -> None:
        """Records outcomes of claims that the database has lost, for instance with the `-wal` file."""
        with writing(self._db) as db:
            kept = self._redaction.redact_outcomes(outcomes)
            rows = [(person, n, o.result.value, o.provider_id, o.reason) for person, n, o, _ in kept]
            db.conn.execute(
                _ADOPT, {"now": utc_now(), "rows": json.dumps(rows), "campaign": self.campaign.id}
            )

    def count_unknown_claims(self, claims: Iterable[ClaimKey]) -> int:
        """Returns how many of these claims the database has no record of."""
        number = 0
        left = iter(claims)
        while some := list(islice(left, _AT_ONCE)):
            number += self._db.conn.execute(
                _UNKNOWN, {"rows": json.dumps(some), "campaign": self.campaign.id}
            ).fetchone()[0]
        return number

    def has_open_claims(self) -> bool:
        """Returns whether any delivery is claimed, which means that a run is alive or has died."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries INDEXED BY deliveries_open "
            f"WHERE campaign_id = ? AND {OPEN} AND state = 'sending' LIMIT 1",
            [self.campaign.id],
        ).fetchone()
        return row is not None

    def delivery_is_claimed(self, person: int) -> bool:
        """Returns whether the delivery to this subscriber id is claimed."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries WHERE campaign_id = ? AND subscriber_id = ? AND state = 'sending'",
            [self.campaign.id, person],
        ).fetchone()
        return row is not None

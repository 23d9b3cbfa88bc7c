"""The spool in memory: a second implementation of the protocol, which shares no database with the audience.

It exists so that the protocol says nothing that only SQLite can do. Each method is written for clarity.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from mailer.campaign.campaign import Campaign, NewCampaign, PersonDelivery
from mailer.campaign.canary import Canary, Phase
from mailer.campaign.delivery_state import STATES, State
from mailer.campaign.status import ENDED, FINAL, Event, Status, source_statuses, target_status
from mailer.clock import utc_now, utc_text
from mailer.errors import CampaignError
from mailer.spool.ledger import RateLimitLedger
from mailer.spool.values import (
    ClaimedDelivery,
    ClaimKey,
    FindExcluded,
    ListedDelivery,
    ParkedClaim,
    PlannedDelivery,
    ReasonGroup,
    Redaction,
    RefusedClaim,
    ReplyText,
    SettledClaim,
)
from mailer.transports.refusal.answers import without_addresses
from mailer.transports.registry import is_folder_transport

_HAS_IT = (State.ACCEPTED, State.UNCERTAIN)


@dataclass
class _Row:
    person: int
    variant: int
    state: State = State.PENDING
    attempt: int = 0
    due: str | None = None
    held: bool = False
    owner: str = ""
    claimed_at: str | None = None
    settled_at: str | None = None
    provider_id: str = ""
    reason: str = ""
    cause: str = ""
    deferred_since: str = ""
    in_folder: bool = False

    def free(self, state: State) -> None:
        """Due at once, in that state."""
        self.state, self.due, self.held = state, None, False


class MemorySpools:
    """All campaigns, in a dictionary."""

    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction
        self.known: dict[str, Campaign] = {}
        self.accepted_by: dict[str, str] = {}
        self.rows: dict[str, dict[int, _Row]] = {}
        self._ledger = RateLimitLedger()
        self._numbers = itertools.count(1)

    def transaction(self) -> AbstractContextManager[object]:
        return nullcontext()

    def campaigns(self) -> list[Campaign]:
        return sorted(self.known.values(), key=lambda campaign: -campaign.id)

    def slugs_by_id(self) -> dict[int, str]:
        return {campaign.id: campaign.slug for campaign in self.known.values()}

    def find(self, slug: str) -> Campaign:
        if slug not in self.known:
            raise CampaignError(f'there is no campaign "{slug}"')
        return self.known[slug]

    def open(self, campaign: Campaign, *, owner: str = "", into_folder: bool | None = None) -> MemorySpool:
        folder = is_folder_transport(campaign.transport) if into_folder is None else into_folder
        return MemorySpool(self, campaign, owner, folder)

    def freeze(self, campaign: NewCampaign, deliveries: Iterable[PlannedDelivery]) -> MemorySpool:
        now = utc_now()
        values = {field.name: getattr(campaign, field.name) for field in fields(NewCampaign)}
        made = Campaign(
            **values,
            id=next(self._numbers),
            status=Status.READY,
            status_note="",
            created_at=now,
            started_at=None,
            finished_at=None,
            stable_ids=1,
        )
        rows = {}
        for person, variant, due, held, reason in deliveries:
            row = _Row(person, variant, due=due, held=held, reason=reason)
            if reason:
                row.state, row.settled_at = State.SKIPPED, now
            rows[person] = row
        self.known[made.slug], self.rows[made.slug] = made, rows
        return self.open(made)

    def deliveries_of(self, person: int, campaigns: Sequence[Campaign]) -> list[PersonDelivery]:
        found = []
        for campaign in sorted(campaigns, key=lambda one: one.id):
            row = self.rows[campaign.slug].get(person)
            if row is not None:
                found.append(
                    PersonDelivery(campaign.slug, row.state, row.reason, row.settled_at, row.in_folder)
                )
        return found

    def people_reached(self, campaign_ids: Sequence[int], *, include_folder_copies: bool) -> Iterator[int]:
        people: set[int] = set()
        for campaign in self.known.values():
            if campaign.id not in campaign_ids:
                continue
            for row in self.rows[campaign.slug].values():
                if not include_folder_copies and (
                    row.in_folder or (is_folder_transport(campaign.transport) and row.state not in _HAS_IT)
                ):
                    continue
                if campaign.status is Status.CANCELLED:
                    counts = row.state in (*_HAS_IT, State.SENDING)
                else:
                    counts = row.state is not State.SKIPPED
                if counts:
                    people.add(row.person)
        yield from sorted(people)

    def count_mailbox_refusals(self, person: int, *, since: str, excluded_campaign: int) -> tuple[int, str]:
        rows = [
            (one.id, self.rows[one.slug][person])
            for one in self.known.values()
            if person in self.rows[one.slug]
        ]
        taken = [row.settled_at or "" for _, row in rows if row.state is State.ACCEPTED]
        after = max([since, *taken])
        refused = [
            row.settled_at or ""
            for number, row in rows
            if number != excluded_campaign
            and row.state is State.REJECTED
            and row.cause == "mailbox"
            and (row.settled_at or "") > after
        ]
        return len(refused), min(refused, default="")

    def rate_limit_ledger(self) -> RateLimitLedger:
        return self._ledger


class MemorySpool:
    """The deliveries of one campaign."""

    def __init__(self, spools: MemorySpools, campaign: Campaign, owner: str, into_folder: bool) -> None:
        self._spools = spools
        self.campaign = campaign
        self.owner = owner
        self.into_folder = into_folder

    @property
    def _rows(self) -> list[_Row]:
        return [row for _, row in sorted(self._spools.rows[self.campaign.slug].items())]

    def _row(self, person: int) -> _Row | None:
        return self._spools.rows[self.campaign.slug].get(person)

    def _change(self, **values: object) -> None:
        slug = self.campaign.slug
        self._spools.known[slug] = replace(self._spools.known[slug], **values)  # type: ignore[arg-type]

    def transaction(self) -> AbstractContextManager[object]:
        return nullcontext()

    # -- the campaign

    def status(self) -> Status:
        return self.current_campaign().status

    def current_campaign(self) -> Campaign:
        return self._spools.known[self.campaign.slug]

    def apply_event(self, event: Event, note: str = "") -> bool:
        now, before = utc_now(), self.current_campaign()
        if before.status not in source_statuses(event):
            return False
        target = target_status(event)
        self._change(
            status=target,
            status_note=self._spools.redaction.redact_text(note),
            started_at=(before.started_at or now) if event is Event.BEGIN else before.started_at,
            finished_at=now if target in FINAL else None,
        )
        return True

    def set_due_time(self, due_at: str, local_time: str | None = None) -> None:
        self._change(due_at=due_at, **({} if local_time is None else {"local_time": local_time}))

    def set_resume_time(self, until: str) -> None:
        self._change(held_until=until)

    def set_canary(self, canary: Canary, phase: Phase | None = None) -> None:
        import json

        self._change(canary=json.dumps(replace(canary, phase=phase or canary.phase).to_json()))

    def set_transport(self, url: str) -> None:
        self._change(transport=url)

    def record_accepted_message(self) -> None:
        if not self.into_folder:
            self._spools.accepted_by[self.campaign.slug] = self.current_campaign().transport

    def transport_has_accepted_message(self) -> bool:
        return self._spools.accepted_by.get(self.campaign.slug) == self.current_campaign().transport

    # -- claims

    def claim(
        self, limit: int, find_excluded: FindExcluded, *, only_person: int | None = None
    ) -> list[ClaimedDelivery] | None:
        now = utc_now()
        if self.status() in ENDED:
            return None
        due = [
            row
            for row in self._rows
            if row.state in (State.PENDING, State.DEFERRED)
            and not row.held
            and (row.due or "") <= now
            and only_person in (None, row.person)
        ]
        rows = sorted(due, key=lambda row: row.due or "")[:limit]
        if not rows:
            return None
        left = dict(find_excluded([row.person for row in rows]))
        for row in rows:
            if self._reached(row.person):
                left.setdefault(row.person, "received")
        claims = []
        for row in rows:
            row.cause = ""
            if row.person in left:
                row.state, row.reason, row.settled_at = State.SKIPPED, left[row.person], now
                continue
            row.state, row.owner, row.attempt = State.SENDING, self.owner, row.attempt + 1
            row.claimed_at, row.settled_at, row.reason = now, None, ""
            claims.append(ClaimedDelivery(row.person, row.variant, row.attempt, row.deferred_since))
        return claims

    def _reached(self, person: int) -> bool:
        mine = self.campaign
        if self.into_folder:
            return False
        for other in self._spools.known.values():
            alike = other.issue == mine.issue or other.issue_hash == mine.issue_hash
            slot = (other.edition, other.issue_date) == (mine.edition, mine.issue_date)
            if other.id == mine.id or not (alike and slot) or other.started_at is None:
                continue
            rows = self._spools.rows[other.slug]
            mailed = any(row.state in _HAS_IT and not row.in_folder for row in rows.values())
            if is_folder_transport(other.transport) and not mailed:
                continue
            row = rows.get(person)
            if row and not row.in_folder and row.state in (*_HAS_IT, State.SENDING):
                return True
        return False

    def _mine(self, person: int, attempt: int) -> _Row | None:
        row = self._row(person)
        ours = row and row.attempt == attempt and row.state is State.SENDING and row.owner == self.owner
        return row if ours else None

    def settle(self, outcomes: Sequence[SettledClaim]) -> list[RefusedClaim]:
        now, refused = utc_now(), []
        for person, attempt, outcome, due in self._spools.redaction.redact_outcomes(outcomes):
            row = self._mine(person, attempt)
            if row is None:
                continue
            row.state = State(outcome.result.value)
            row.provider_id, row.reason, row.cause = outcome.provider_id, outcome.reason, outcome.cause or ""
            row.due, row.held, row.settled_at, row.in_folder = due or None, False, now, self.into_folder
            if row.state is State.DEFERRED:
                row.deferred_since = row.deferred_since or now
            if outcome.cause is not None:
                refused.append(RefusedClaim(person, attempt, outcome, row.claimed_at or "", now))
        return refused

    def release(self, claims: Iterable[ClaimKey], *, lowest_priority: bool = False) -> None:
        for person, attempt in claims:
            if (row := self._mine(person, attempt)) is not None:
                row.state, row.claimed_at = State.PENDING, None
                row.due = utc_now() if lowest_priority else row.due

    def clear_refusal_causes(self, deliveries: Iterable[ClaimKey]) -> None:
        for person, attempt in deliveries:
            row = self._row(person)
            if row is not None and row.attempt == attempt:
                row.cause = ""

    def take_over_claims(self) -> list[ClaimKey]:
        claims = [row for row in self._rows if row.state is State.SENDING]
        for row in claims:
            row.owner = self.owner
        return [(row.person, row.attempt) for row in claims]

    def delivery_is_claimed(self, person: int) -> bool:
        row = self._row(person)
        return row is not None and row.state is State.SENDING

    def has_open_claims(self) -> bool:
        return any(row.state is State.SENDING for row in self._rows)

    def count_unknown_claims(self, claims: Iterable[ClaimKey]) -> int:
        return sum((row := self._row(person)) is None or row.attempt < attempt for person, attempt in claims)

    def adopt_lost_outcomes(self, outcomes: Sequence[SettledClaim]) -> None:
        for person, attempt, outcome, _ in self._spools.redaction.redact_outcomes(outcomes):
            row = self._row(person)
            if row is not None and row.attempt < attempt and row.state is not State.ACCEPTED:
                row.free(State(outcome.result.value))
                row.attempt, row.settled_at = attempt, utc_now()
                row.provider_id, row.reason = outcome.provider_id, outcome.reason

    # -- pace and schedule

    def park(self, claims: Iterable[ParkedClaim]) -> None:
        for person, attempt, until in claims:
            if (row := self._mine(person, attempt)) is not None:
                row.state, row.claimed_at = State.PENDING, None
                row.due = utc_text(datetime.fromtimestamp(until, UTC))

    def make_parked_deliveries_due(self) -> None:
        for row in self._pending():
            if not self.campaign.local_time and not row.held and (row.due or "") > utc_now():
                row.due = None

    def _pending(self) -> list[_Row]:
        return [row for row in self._rows if row.state is State.PENDING]

    def first_pending_due_time(self) -> float | None:
        due = [row.due or "" for row in self._pending() if not row.held]
        if not due:
            return None
        return datetime.fromisoformat(min(due)).timestamp() if min(due) else 0.0

    def next_deferred_due_time(self, *, only_person: int | None = None) -> str | None:
        rows = [
            row for row in self._rows if row.state is State.DEFERRED and only_person in (None, row.person)
        ]
        return self._earliest(rows)

    def next_retry_time(self) -> str | None:
        again = [row for row in self._pending() if row.deferred_since]
        return self._earliest([*again, *(row for row in self._rows if row.state is State.DEFERRED)])

    @staticmethod
    def _earliest(rows: list[_Row]) -> str | None:
        due = [row.due or "" for row in rows if not row.held]
        return min(due) or utc_now() if due else None

    def next_scheduled_time(self) -> str | None:
        if not self.campaign.local_time:
            return None
        return min((row.due for row in self._pending() if row.due and not row.held), default=None)

    def hold_missed_deliveries(self, due_before: str) -> int:
        rows = [
            r for r in self._pending() if not r.held and not r.deferred_since and (r.due or "") < due_before
        ]
        for row in rows:
            row.held, row.due = True, None
        return len(rows)

    def release_waiting_deliveries(self, *, include_scheduled: bool) -> None:
        for row in self._pending():
            if row.held or (include_scheduled and row.due):
                row.free(State.PENDING)

    def release_held_deliveries(self) -> None:
        for row in self._pending():
            if row.held:
                row.free(State.PENDING)

    def make_deferred_deliveries_due(self, *, due_after: str | None = None) -> None:
        for row in self._rows:
            if row.state is State.DEFERRED and (
                due_after is None or (not row.held and (row.due or "") > due_after)
            ):
                row.free(State.DEFERRED)

    def reject_expired_deliveries(self, deferred_before: str) -> int:
        rows = [
            r for r in self._rows if r.state is State.DEFERRED and "" < r.deferred_since < deferred_before
        ]
        for row in rows:
            row.free(State.REJECTED)
            row.cause, row.settled_at = "them", utc_now()
        return len(rows)

    def last_activity_time(self) -> str:
        return max((max(r.claimed_at or "", r.settled_at or "") for r in self._rows), default="")

    # -- decisions

    def resolve_uncertain_deliveries(self, *, resend: bool, only_person: int | None = None) -> int:
        rows = [r for r in self._rows if r.state is State.UNCERTAIN and only_person in (None, r.person)]
        for row in rows:
            row.free(State.PENDING if resend else State.ACCEPTED)
            row.reason = (
                "" if resend else "the outcome was uncertain; the operator marked the message as sent"
            )
        return len(rows)

    def retry_refused_deliveries(
        self,
        find_unreachable: Callable[[Sequence[tuple[int, str]]], set[int]],
        *,
        only_person: int | None = None,
    ) -> int:
        rows = [
            row
            for row in self._rows
            if row.state in (State.REJECTED, State.DEFERRED) and only_person in (None, row.person)
        ]
        left_out = find_unreachable([(row.person, row.cause) for row in rows if row.state is State.REJECTED])
        again = [row for row in rows if row.state is State.DEFERRED or row.person not in left_out]
        for row in again:
            row.free(State.PENDING)
            row.deferred_since = ""
        return len(again)

    def reopen_folder_copies(self) -> int:
        rows = [
            row
            for row in self._rows
            if (row.in_folder and row.state in _HAS_IT) or row.state is State.SKIPPED
        ]
        for row in rows:
            row.free(State.PENDING)
            row.reason = row.provider_id = ""
            row.in_folder, row.settled_at = False, None
        return len(rows)

    def make_unaccepted_deliveries_uncertain(self) -> int:
        known = (State.ACCEPTED, State.UNCERTAIN, State.SKIPPED)
        rows = [row for row in self._rows if row.state not in known]
        for row in rows:
            row.free(State.UNCERTAIN)
            row.settled_at = utc_now()
            row.reason = (
                "this database is older than the campaign's last run, which may have handed over this message"
            )
        return len(rows)

    # -- reading

    def delivery_counts_by_state(self) -> dict[str, int]:
        return {**dict.fromkeys(STATES, 0), **Counter(row.state.value for row in self._rows)}

    def count_folder_copies(self) -> int:
        return sum(row.in_folder and row.state in _HAS_IT for row in self._rows)

    def reached_nobody(self, *, including_folder_copies: bool = False) -> bool:
        states = (*_HAS_IT, State.SENDING)
        return not any(
            (including_folder_copies or not row.in_folder) and row.state in states for row in self._rows
        )

    def count_never_tried_deliveries(self) -> int:
        return sum(not row.held and not row.deferred_since for row in self._pending())

    def count_overdue_deliveries(self, now: str) -> int:
        return sum(row.held or (row.due or "") <= now for row in self._pending())

    def count_held_deliveries(self) -> int:
        return sum(row.held for row in self._pending())

    def non_delivery_reasons(self) -> tuple[ReasonGroup, ...]:
        told = (State.REJECTED, State.DEFERRED, State.UNCERTAIN, State.SKIPPED)
        groups: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for row in self._rows:
            if row.state in told:
                groups[row.state.value, row.cause][without_addresses(row.reason)].append(row.reason)
        found = []
        for (state, cause), answers in groups.items():
            words = [
                ReplyText(min(given), len(given), max(given) > min(given))
                for given in sorted(answers.values(), key=lambda given: (-len(given), min(given)))
            ]
            found.append(ReasonGroup(state, cause, sum(map(len, answers.values())), tuple(words[:5])))
        return tuple(sorted(found, key=lambda reason: (-reason.number, reason.state, reason.cause)))

    def commonest_refusal_text(self) -> str:
        words = Counter(
            without_addresses(row.reason) for row in self._rows if row.state is State.REJECTED and row.reason
        )
        return min(words, key=lambda text: (-words[text], text), default="")

    def list_deliveries(self, *, state: str = "", only_person: int | None = None) -> Iterator[ListedDelivery]:
        for row in self._rows:
            if state in ("", row.state.value) and only_person in (None, row.person):
                yield ListedDelivery(
                    row.person,
                    row.state,
                    row.cause,
                    row.reason,
                    row.attempt,
                    row.settled_at or row.claimed_at,
                    row.due,
                    row.held,
                    row.provider_id,
                    row.in_folder,
                )

    def subscriber_ids(self) -> Iterator[int]:
        yield from (row.person for row in self._rows)

    def acceptance_times(self, people: Sequence[int]) -> dict[int, str]:
        return {
            row.person: row.settled_at or ""
            for row in self._rows
            if row.state is State.ACCEPTED and row.person in people
        }

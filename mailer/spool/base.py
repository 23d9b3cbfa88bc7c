"""Defines the protocol of the spool, which stores one delivery for each person and campaign.

A spool identifies people by subscriber id alone. It stores neither their addresses nor whether they may be
written to: the caller provides both. Every method is one committed transaction, unless it is called inside
`transaction`. `tests/spool/conformance` tests every implementation, ordered by subject.

The fencing token of a claim is (owner, attempt): an outcome with another owner or an earlier attempt changes
nothing. Each run opens the spool as a new owner; `take_over_claims` transfers the claims of a dead run to the
new owner, after which the dead run can settle nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from mailer.campaign.campaign import Campaign, NewCampaign, PersonDelivery
from mailer.campaign.canary import Canary, Phase
from mailer.campaign.status import Event, Status
from mailer.spool.ledger import RateLimitLedger
from mailer.spool.values import (
    ClaimedDelivery,
    ClaimKey,
    FindExcluded,
    ListedDelivery,
    ParkedClaim,
    PlannedDelivery,
    ReasonGroup,
    RefusedClaim,
    SettledClaim,
)

__all__ = ["Spool", "Spools"]


class Spool(Protocol):
    """Stores the deliveries of one campaign. Only one thread may use an object of this class.

    If a method has the parameter `only_person`, it concerns only the delivery to this subscriber id; None
    means all deliveries. `owner` is the name of the run that claims. `into_folder` is True if messages are
    only written to an outbox folder.
    """

    campaign: Campaign
    #: Identifies the run that claims; empty for a spool that only reads or decides.
    owner: str
    #: True: messages only go to an outbox folder, which reaches nobody. Then a claim does not check whether
    #: another campaign of the issue has reached a person.
    into_folder: bool

    def transaction(self) -> AbstractContextManager[object]:
        """Opens one transaction for all writes inside the `with` block."""

    # -- the campaign -----------------------------------------------------------------------

    def status(self) -> Status:
        """Returns the campaign's stored status, which another process may have changed."""

    def current_campaign(self) -> Campaign:
        """Returns the campaign as it is stored now."""

    def apply_event(self, event: Event, note: str = "") -> bool:
        """Changes the status by an event and stores `note`, a sentence for the operator.

        Returns False, with nothing changed, if the transition table does not allow the event now.
        """

    def set_due_time(self, due_at: str, local_time: str | None = None) -> None:
        """Sets the time (UTC) at which the scheduler starts the campaign; empty means never.

        `local_time` is the time of day in each reader's own zone (`08:00`); None leaves it unchanged.
        """

    def set_resume_time(self, until: str) -> None:
        """Sets the time (UTC) from which the campaign may resume automatically; empty means never."""

    def set_canary(self, canary: Canary, phase: Phase | None = None) -> None:
        """Stores the canary with this phase; None means with `canary.phase`."""

    def set_transport(self, url: str) -> None:
        """Stores the URL of the transport that the campaign uses from now on."""

    def record_accepted_message(self) -> None:
        """Records that the transport accepted a message. Does nothing if messages go to an outbox folder."""

    def transport_has_accepted_message(self) -> bool:
        """Returns whether the campaign's current transport has accepted any message of the campaign."""

    # -- claims -----------------------------------------------------------------------------

    def claim(
        self, limit: int, find_excluded: FindExcluded, *, only_person: int | None = None
    ) -> list[ClaimedDelivery] | None:
        """Claims up to `limit` deliveries that are due, first those without a due time.

        Deliveries to people whom `find_excluded` returns, or who have the issue from another campaign, become
        skipped instead, so that the returned list may be empty. Returns None if nothing is left to claim, or
        if the campaign was paused or cancelled.
        """

    def settle(self, outcomes: Sequence[SettledClaim]) -> list[RefusedClaim]:
        """Records the outcomes of claims of this owner that are still open. A second call changes nothing.

        Returns the newly recorded refusals, so that the caller can record bounces.
        """

    def release(self, claims: Iterable[ClaimKey], *, lowest_priority: bool = False) -> None:
        """Makes claimed deliveries, which were not handed over, pending again.

        If `lowest_priority` is True, all other pending deliveries are claimed before them.
        """

    def clear_refusal_causes(self, deliveries: Iterable[ClaimKey]) -> None:
        """Clears the stored cause of these refusals, which do not concern the reader's current address."""

    def take_over_claims(self) -> list[ClaimKey]:
        """Transfers all open claims of the campaign to this owner, and returns them."""

    def delivery_is_claimed(self, person: int) -> bool:
        """Returns whether the delivery to this subscriber id is claimed."""

    def has_open_claims(self) -> bool:
        """Returns whether any delivery is claimed, which means that a run is alive or has died."""

    def count_unknown_claims(self, claims: Iterable[ClaimKey]) -> int:
        """Returns how many of these claims the spool has no record of."""

    def adopt_lost_outcomes(self, outcomes: Sequence[SettledClaim]) -> None:
        """Records outcomes of claims whose record the spool has lost, because a backup was restored."""

    # -- pace and schedule ------------------------------------------------------------------

    def park(self, claims: Iterable[ParkedClaim]) -> None:
        """Makes claimed deliveries pending again, each with a due time before which it cannot be claimed."""

    def make_parked_deliveries_due(self) -> None:
        """Makes parked deliveries due at once; they were waiting for a rate limit.

        Does nothing if the campaign is sent at each reader's own local time.
        """

    def first_pending_due_time(self) -> float | None:
        """Returns the earliest due time of the pending deliveries (seconds since 1970).

        A delivery that is due at once counts as 0.0. Returns None if no delivery is pending.
        """

    def next_deferred_due_time(self, *, only_person: int | None = None) -> str | None:
        """Returns the earliest due time (UTC) of the deferred deliveries; None if there are none."""

    def next_retry_time(self) -> str | None:
        """Returns the earliest due time (UTC) of deliveries that were ever deferred; None if there are none.

        These are the deferred deliveries, and those that a run has claimed again and released.
        """

    def next_scheduled_time(self) -> str | None:
        """Returns the earliest due time (UTC) of the pending deliveries of a campaign that is sent at each
        reader's own local time. Returns None for other campaigns, or if no delivery has a due time."""

    def hold_missed_deliveries(self, due_before: str) -> int:
        """Holds pending deliveries that were never deferred and were due before this time (UTC) or at once.
        Returns their number."""

    def release_waiting_deliveries(self, *, include_scheduled: bool) -> None:
        """Makes held deliveries due at once; if `include_scheduled` is True, all other pending ones too."""

    def make_deferred_deliveries_due(self, *, due_after: str | None = None) -> None:
        """Makes deferred deliveries due at once: all if `due_after` is None, and else those that are not held
        and whose due time is after `due_after` (UTC)."""

    def reject_expired_deliveries(self, deferred_before: str) -> int:
        """Rejects deliveries that have been deferred since before this time (UTC). Returns their number."""

    def last_activity_time(self) -> str:
        """Returns when a run last claimed or settled a delivery (UTC); empty if none ever did."""

    # -- decisions --------------------------------------------------------------------------

    def release_held_deliveries(self) -> None:
        """Releases all held deliveries: they become due at once."""

    def resolve_uncertain_deliveries(self, *, resend: bool, only_person: int | None = None) -> int:
        """Makes uncertain deliveries pending if `resend` is True, and else accepted. Returns their number."""

    def retry_refused_deliveries(
        self,
        find_unreachable: Callable[[Sequence[tuple[int, str]]], set[int]],
        *,
        only_person: int | None = None,
    ) -> int:
        """Makes rejected and deferred deliveries pending again. Returns their number.

        `find_unreachable` gets (subscriber id, cause) of each rejected delivery and returns the subscriber
        ids to leave out.
        """

    def reopen_folder_copies(self) -> int:
        """Makes deliveries pending again that only went into an outbox folder, and skipped deliveries.

        Returns the number of these deliveries.
        """

    def make_unaccepted_deliveries_uncertain(self) -> int:
        """Makes every delivery uncertain that is neither accepted nor skipped. Returns how many changed."""

    # -- reading ----------------------------------------------------------------------------

    def delivery_counts_by_state(self) -> dict[str, int]:
        """Returns the number of deliveries by state. States without deliveries are included, with 0."""

    def count_folder_copies(self) -> int:
        """Returns how many deliveries only went into an outbox folder."""

    def reached_nobody(self, *, including_folder_copies: bool = False) -> bool:
        """Returns whether no reader has the issue or may have it.

        If `including_folder_copies` is True, a copy in an outbox folder counts as reaching a reader.
        """

    def count_never_tried_deliveries(self) -> int:
        """Returns how many deliveries are pending, not held, and were never deferred."""

    def count_overdue_deliveries(self, now: str) -> int:
        """Returns how many pending deliveries are held, or due at `now` (UTC)."""

    def count_held_deliveries(self) -> int:
        """Returns how many pending deliveries are held until the operator or the canary releases them."""

    def non_delivery_reasons(self) -> tuple[ReasonGroup, ...]:
        """Returns why deliveries did not arrive, grouped by state and cause, the largest group first."""

    def commonest_refusal_text(self) -> str:
        """Returns the most frequent text of the refusals, without e-mail addresses; empty if none has a
        text."""

    def list_deliveries(self, *, state: str = "", only_person: int | None = None) -> Iterator[ListedDelivery]:
        """Returns the deliveries in the order of subscriber ids; only those in `state` if it is given."""

    def subscriber_ids(self) -> Iterator[int]:
        """Returns the subscriber ids of all deliveries, in ascending order."""

    def acceptance_times(self, people: Sequence[int]) -> dict[int, str]:
        """Returns, by subscriber id, the times (UTC) at which the deliveries to these people were accepted.

        A person whose delivery was not accepted is missing in the result.
        """


class Spools(Protocol):
    """Stores all campaigns of a workspace."""

    def transaction(self) -> AbstractContextManager[object]:
        """Opens one transaction for all writes inside the `with` block."""

    def campaigns(self) -> list[Campaign]:
        """Returns all campaigns, newest first."""

    def slugs_by_id(self) -> dict[int, str]:
        """Returns the slugs of all campaigns by campaign id."""

    def find(self, slug: str) -> Campaign:
        """Returns the campaign with this slug. Raises CampaignError, which suggests the most similar slug."""

    def freeze(self, campaign: NewCampaign, deliveries: Iterable[PlannedDelivery]) -> Spool:
        """Stores a new campaign with its deliveries."""

    def open(self, campaign: Campaign, *, owner: str = "", into_folder: bool | None = None) -> Spool:
        """Returns the spool of a campaign. `owner` names the run that claims; empty if no run claims.

        `into_folder` is True if messages are only written to an outbox folder; None means that the campaign's
        transport decides.
        """

    def deliveries_of(self, person: int, campaigns: Sequence[Campaign]) -> list[PersonDelivery]:
        """Returns the deliveries of these campaigns to this subscriber id, oldest campaign first."""

    def people_reached(self, campaign_ids: Sequence[int], *, include_folder_copies: bool) -> Iterator[int]:
        """Returns the subscriber ids, ascending, of people who got the issue or may get it.

        Only these campaigns are considered. In a cancelled campaign, only deliveries count that were handed
        over or may have been. If `include_folder_copies` is True, a copy in an outbox folder counts too.
        """

    def count_mailbox_refusals(self, person: int, *, since: str, excluded_campaign: int) -> tuple[int, str]:
        """Returns how many campaigns in a row a person's mailbox refused, and the first refusal's time (UTC).

        Only refusals after `since` (UTC) and after the last accepted delivery count. The campaign with the id
        `excluded_campaign` does not count.
        """

    def rate_limit_ledger(self) -> RateLimitLedger:
        """Returns the ledger of how much of each rate limit is used. All runs share it."""

"""Defines the protocol of the spool, which stores one delivery for each person and campaign.

A spool identifies people by subscriber id alone. It knows neither their addresses nor why somebody may not be
written to: the caller provides that. Every method is one committed transaction, unless it is called within
`transaction`. `tests/spool/conformance` holds what every implementation must do, by subject.

The fencing token of a claim is (owner, attempt): an outcome from another owner or from an earlier attempt
changes nothing. Each run opens the spool as a new owner; `take_over` transfers the claims of a dead run to
it, after which the dead run can settle nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from mailer.campaign.campaign import Campaign, Delivered, NewCampaign
from mailer.campaign.canary import Canary, Phase
from mailer.campaign.status import Event, Status
from mailer.spool.ledger import Ledger
from mailer.spool.values import Claim, Frozen, Key, ListedDelivery, MayWrite, Parked, Reason, Refused, Settled

__all__ = ["Spool", "Spools"]


class Spool(Protocol):
    """Stores the deliveries of one campaign. It is used from one thread."""

    campaign: Campaign
    #: Identifies the run that claims; empty for a spool that only reads or decides.
    owner: str
    #: Says that messages only go to an outbox folder, which reaches nobody. Such a run does not check whether
    #: another campaign of the issue has reached a person.
    into_folder: bool

    def transaction(self) -> AbstractContextManager[object]:
        """Opens a transaction for everything that is written inside it."""
        ...

    # -- the campaign -----------------------------------------------------------------------

    def status(self) -> Status:
        """Returns the status as it is now; another process may have changed it."""
        ...

    def refreshed(self) -> Campaign:
        """Returns the campaign as it is now."""
        ...

    def apply(self, event: Event, note: str = "") -> bool:
        """Applies an event to the status. Returns whether the transition table allows it."""
        ...

    def set_due(self, due_at: str, local_time: str | None = None) -> None:
        """Sets the time (UTC) at which the scheduler starts the campaign; empty means never."""
        ...

    def set_held_until(self, moment: str) -> None:
        """Sets the time (UTC) from which the campaign may resume automatically; empty means never."""
        ...

    def set_canary(self, canary: Canary, phase: Phase | None = None) -> None:
        """Stores the canary, with `phase` instead of its own where that is given."""
        ...

    def set_transport(self, transport: str) -> None:
        """Stores the URL of the transport that the campaign uses from now on."""
        ...

    def note_accepted(self) -> None:
        """Records that the transport accepted a message of the campaign; an outbox folder does not count."""
        ...

    def was_accepted(self) -> bool:
        """Returns whether the campaign's current transport has accepted any message of it."""
        ...

    # -- claims -----------------------------------------------------------------------------

    def claim(self, limit: int, may_write: MayWrite, *, only: int | None = None) -> list[Claim] | None:
        """Claims up to `limit` deliveries that are due; those without a due time come first.

        Skips deliveries where `may_write` gives a reason, or where the person has the issue from another
        campaign (`received`); the list may be empty then. With `only`, claims this person's delivery alone.
        Returns None where nothing is left to claim, or the campaign was paused or cancelled.
        """
        ...

    def settle(self, outcomes: Sequence[Settled]) -> list[Refused]:
        """Records outcomes of this owner's claims that are still open.

        Returns those with a cause, so that the caller can record bounces. It is idempotent: settling the same
        claims again changes nothing and returns nothing.
        """
        ...

    def release(self, claims: Iterable[Key], *, last: bool = False) -> None:
        """Makes claims that were not handed over pending again; with `last`, behind the other deliveries."""
        ...

    def clear_causes(self, deliveries: Iterable[Key]) -> None:
        """Clears the cause of deliveries whose refusal says nothing about the reader's address."""
        ...

    def take_over(self) -> list[Key]:
        """Transfers all open claims of the campaign to this owner, and returns them."""
        ...

    def is_claimed(self, person: int) -> bool:
        """Returns whether the delivery to this person is claimed."""
        ...

    def has_claims(self) -> bool:
        """Returns whether any delivery is claimed: then a run is alive, or has died."""
        ...

    def count_unknown(self, claims: Iterable[Key]) -> int:
        """Returns how many of these claims the spool has no record of."""
        ...

    def adopt(self, outcomes: Sequence[Settled]) -> None:
        """Records outcomes of claims that the spool has lost, for instance because a backup was restored."""
        ...

    # -- pace and schedule ------------------------------------------------------------------

    def park(self, claims: Iterable[Parked]) -> None:
        """Makes claims pending again with a due time, before which they cannot be claimed."""
        ...

    def unpark(self) -> None:
        """Makes parked deliveries due at once. Due times of the schedule stay."""
        ...

    def next_pending_due(self) -> float | None:
        """Returns when the first pending delivery may be claimed (seconds since 1970), or None."""
        ...

    def next_due(self, *, only: int | None = None) -> str | None:
        """Returns when the next deferred delivery is due (UTC), or None; with `only`, this person's."""
        ...

    def next_try(self) -> str | None:
        """Returns the same as `next_due`, also for deferred deliveries that were claimed and released."""
        ...

    def next_slot(self) -> str | None:
        """Returns the earliest scheduled due time (UTC) among deliveries that were never tried, or None."""
        ...

    def hold_missed(self, before: str) -> int:
        """Holds untried deliveries whose scheduled time was before `before` (UTC). Returns how many."""
        ...

    def send_now(self, *, everybody: bool) -> None:
        """Makes held deliveries due at once; with `everybody`, also those that are due later."""
        ...

    def make_due(self, *, after: str | None = None) -> None:
        """Makes deferred deliveries due now; with `after` (UTC), those that are due later and not held."""
        ...

    def expire(self, before: str) -> int:
        """Rejects deliveries that have been deferred since before that time (UTC). Returns how many."""
        ...

    def last_activity(self) -> str:
        """Returns when a run last claimed or settled a delivery (UTC); empty where none ever did."""
        ...

    # -- decisions --------------------------------------------------------------------------

    def release_held(self) -> None:
        """Makes all pending deliveries that are held due at once."""
        ...

    def resolve(self, *, resend: bool, only: int | None = None) -> int:
        """Makes uncertain deliveries pending again (`resend`), or else accepted. Returns how many."""
        ...

    def retry(
        self, unreachable: Callable[[Sequence[tuple[int, str]]], set[int]], *, only: int | None = None
    ) -> int:
        """Makes rejected and deferred deliveries pending again. Returns how many.

        `unreachable` gets (person, cause) of each rejected delivery and returns the people to leave out.
        """
        ...

    def reopen_copies(self) -> int:
        """Makes deliveries to an outbox folder, and those skipped there, pending. Returns how many."""
        ...

    def make_rest_uncertain(self) -> int:
        """Makes all deliveries uncertain, except those known to be accepted. Returns how many."""
        ...

    # -- reading ----------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Returns how many deliveries are in each state; every state is there."""
        ...

    def copies_in_folder(self) -> int:
        """Returns how many deliveries only went into an outbox folder."""
        ...

    def reached_nobody(self, *, copies: bool = False) -> bool:
        """Returns whether no reader has the issue or may have it; `copies`: a copy in a folder counts."""
        ...

    def never_tried(self) -> int:
        """Returns how many deliveries are pending, not held, and were never tried."""
        ...

    def overdue(self, now: str) -> int:
        """Returns how many pending deliveries, held ones included, are past their due time at `now` (UTC)."""
        ...

    def held(self) -> int:
        """Returns how many pending deliveries are held until a decision."""
        ...

    def reasons(self) -> tuple[Reason, ...]:
        """Returns why deliveries did not arrive, the largest group first."""
        ...

    def commonest_refusal(self) -> str:
        """Returns the most frequent text of a refusal, without addresses; empty if there is none."""
        ...

    def deliveries(self, *, state: str = "", only: int | None = None) -> Iterator[ListedDelivery]:
        """Returns the deliveries by subscriber id: all, those in a state, or those to one person."""
        ...

    def people(self) -> Iterator[int]:
        """Returns the subscriber ids of all deliveries, in ascending order."""
        ...

    def accepted_at(self, people: Sequence[int]) -> dict[int, str]:
        """Returns the times (UTC) at which the deliveries of these people were accepted, where they were."""
        ...


class Spools(Protocol):
    """Stores all campaigns of a workspace."""

    def transaction(self) -> AbstractContextManager[object]:
        """Opens a transaction for everything that is written inside it."""
        ...

    def campaigns(self) -> list[Campaign]:
        """Returns all campaigns, newest first."""
        ...

    def slugs(self) -> dict[int, str]:
        """Returns the slugs of all campaigns by their ids."""
        ...

    def find(self, slug: str) -> Campaign:
        """Returns the campaign with this slug. Raises CampaignError, which suggests the most similar slug."""
        ...

    def freeze(self, campaign: NewCampaign, deliveries: Iterable[Frozen]) -> Spool:
        """Writes a campaign with its deliveries."""
        ...

    def open(self, campaign: Campaign, *, owner: str = "", into_folder: bool | None = None) -> Spool:
        """Returns the spool of a campaign. `owner` names the run that claims, or is empty.

        `into_folder` says whether settled messages only went into an outbox folder; None means that the
        campaign's transport decides.
        """
        ...

    def deliveries_of(self, person: int, campaigns: Sequence[Campaign]) -> list[Delivered]:
        """Returns this person's deliveries of these campaigns, oldest first."""
        ...

    def received(self, campaigns: Sequence[int], *, folders: bool) -> Iterator[int]:
        """Returns the people, ascending, who have the issue from these campaigns (ids), or may get it.

        In a cancelled campaign, only accepted and uncertain deliveries count. A copy in an outbox folder
        counts only with `folders`.
        """
        ...

    def mailbox_refusals(self, person: int, *, since: str, but: int) -> tuple[int, str]:
        """Returns how many campaigns in a row this person's mailbox refused, and when it first did (UTC).

        It counts campaigns after `since` (UTC) and after the last accepted delivery, without the campaign
        with the id `but`.
        """
        ...

    def ledger(self) -> Ledger:
        """Returns the ledger that records how much of each rate limit was used; all runs share it."""
        ...

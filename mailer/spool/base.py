"""The protocol of the spool: one delivery for each person and campaign, the truth about who received what.

A spool knows people by number alone. It does not know their addresses, nor why somebody may not be written
to: the caller says that. Every method is one committed transaction, unless it is called within `together`.
`tests/spool/conformance` holds what every implementation must do, by subject.

A claim is fenced by (owner, attempt): what another owner, or an earlier attempt, has to say of a delivery
changes nothing. A run opens the spool as an owner of its own; `take_over` makes the claims of a dead run its
own, after which that run can settle nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from mailer.campaign.campaign import Campaign, Delivered, NewCampaign
from mailer.campaign.canary import Canary, Phase
from mailer.campaign.status import Event, Status
from mailer.spool.ledger import Ledger
from mailer.spool.values import Claim, Frozen, Key, Listed, MayWrite, Parked, Reason, Refused, Settled

__all__ = ["Spool", "Spools"]


class Spool(Protocol):
    """The deliveries of one campaign. Used from one thread."""

    campaign: Campaign
    #: Names the run that claims; empty for whoever only reads or decides.
    owner: str
    #: Whether what is settled went into a folder only, which reaches nobody. Such a run does not ask whether
    #: another campaign of the issue has reached somebody.
    into_folder: bool

    def together(self) -> AbstractContextManager[object]:
        """Makes what is written within one transaction."""
        ...

    # -- the campaign -----------------------------------------------------------------------

    def status(self) -> Status:
        """Returns the status as it is now; another process may have changed it."""
        ...

    def refreshed(self) -> Campaign:
        """Returns the campaign as it is now."""
        ...

    def apply(self, event: Event, note: str = "") -> bool:
        """Changes the status as the table of transitions says; whether the event may happen in it."""
        ...

    def set_due(self, due_at: str, local_time: str | None = None) -> None:
        """Sets the time (UTC) at which the campaign is looked at next; empty: at none."""
        ...

    def set_held_until(self, moment: str) -> None:
        """Sets the time (UTC) from which the campaign may go on by itself; empty: not by itself."""
        ...

    def set_canary(self, canary: Canary, phase: Phase | None = None) -> None:
        """Records the canary, with another phase where one is given."""
        ...

    def set_transport(self, transport: str) -> None:
        """Records the URL of the transport by which the campaign goes from now on."""
        ...

    def note_accepted(self) -> None:
        """Records that the transport accepted somebody of the campaign; a folder accepts nobody."""
        ...

    def was_accepted(self) -> bool:
        """Returns whether somebody was accepted by the transport that the campaign goes by now."""
        ...

    # -- claims -----------------------------------------------------------------------------

    def claim(self, limit: int, may_write: MayWrite, *, only: int | None = None) -> list[Claim] | None:
        """Claims up to `limit` deliveries that are due, those first that have no time of their own.

        A person is skipped for whom `may_write` gives a reason, or who has the issue by another campaign
        (`received`): a claim of such people alone is empty. With `only`, this person's delivery alone is
        claimed. Returns None where nothing is left to claim, or the campaign was paused or cancelled.
        """
        ...

    def settle(self, outcomes: Sequence[Settled]) -> list[Refused]:
        """Records outcomes of this owner's claims that are still open.

        Returns those with a cause, so that the caller can record bounces. To settle again changes nothing
        and returns nothing.
        """
        ...

    def release(self, claims: Iterable[Key], *, last: bool = False) -> None:
        """Gives back claims that were not handed over; `last`: behind the others."""
        ...

    def clear_causes(self, deliveries: Iterable[Key]) -> None:
        """Takes the cause off deliveries whose refusal says nothing of the reader."""
        ...

    def take_over(self) -> list[Key]:
        """Makes all open claims of the campaign this owner's, and returns them."""
        ...

    def is_claimed(self, person: int) -> bool:
        """Returns whether the delivery to this person is claimed."""
        ...

    def has_claims(self) -> bool:
        """Returns whether anything is claimed: a run is on, or has died."""
        ...

    def unknown(self, claims: Iterable[Key]) -> int:
        """Returns how many of these claims the spool does not know of."""
        ...

    def adopt(self, outcomes: Sequence[Settled]) -> None:
        """Records outcomes of claims that the spool has lost, as after a restored backup."""
        ...

    # -- pace and schedule ------------------------------------------------------------------

    def park(self, claims: Iterable[Parked]) -> None:
        """Gives back claims until their turn; no claim takes them before it."""
        ...

    def unpark(self) -> None:
        """Makes what was parked due at once. Readers' own times stay."""
        ...

    def next_turn(self) -> float | None:
        """Returns when the first pending delivery may be claimed (seconds since 1970), or None."""
        ...

    def next_due(self, *, only: int | None = None) -> str | None:
        """Returns when the next deferred delivery is due (UTC), or None; with `only`, this person's."""
        ...

    def next_try(self) -> str | None:
        """Returns the same, counting also what was deferred, claimed, and given back."""
        ...

    def next_slot(self) -> str | None:
        """Returns the next reader's own time that nobody has tried yet (UTC), or None."""
        ...

    def hold_missed(self, before: str) -> int:
        """Holds readers whose own time was before this one (UTC) and who were not tried. Returns how many."""
        ...

    def send_now(self, *, everybody: bool) -> None:
        """Makes what is held due at once; with `everybody`, later times too."""
        ...

    def make_due(self, *, after: str | None = None) -> None:
        """Makes deferred deliveries due now; with `after` (UTC), those that wait for a later time and are
        not held."""
        ...

    def expire(self, before: str) -> int:
        """Rejects what has been deferred since before that time (UTC). Returns how many."""
        ...

    def last_sign(self) -> str:
        """Returns when a run last claimed or settled anything (UTC); empty where none ever did."""
        ...

    # -- decisions --------------------------------------------------------------------------

    def release_held(self) -> None:
        """Makes due at once whoever is pending and held."""
        ...

    def resolve(self, *, resend: bool, only: int | None = None) -> int:
        """Makes what is uncertain pending again (`resend`) or accepted. Returns how many."""
        ...

    def retry(
        self, unreachable: Callable[[Sequence[tuple[int, str]]], set[int]], *, only: int | None = None
    ) -> int:
        """Makes what was rejected or deferred pending again. Returns how many.

        `unreachable` is given (person, cause) of those rejected and returns the people to leave out.
        """
        ...

    def reopen_copies(self) -> int:
        """Makes pending what only went into a folder, and who was skipped there. Returns how many."""
        ...

    def doubt_the_rest(self) -> int:
        """Makes uncertain whoever is not known to have it. Returns how many."""
        ...

    # -- reading ----------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Returns how many deliveries are in each state; every state is there."""
        ...

    def copies_in_folder(self) -> int:
        """Returns how many have it in an outbox folder only."""
        ...

    def is_free(self, *, copies: bool = False) -> bool:
        """Returns whether nobody has it or may have it; with `copies`, a copy in a folder counts."""
        ...

    def never_tried(self) -> int:
        """Returns how many are pending, not held, and were never tried."""
        ...

    def overdue(self, now: str) -> int:
        """Returns how many are pending though their time (UTC) has come, those held included."""
        ...

    def held(self) -> int:
        """Returns how many are pending and wait for a decision."""
        ...

    def reasons(self) -> tuple[Reason, ...]:
        """Returns why deliveries did not arrive, the largest group first."""
        ...

    def commonest_refusal(self) -> str:
        """Returns the words that servers used most for a refusal, without addresses; empty if none."""
        ...

    def deliveries(self, *, state: str = "", only: int | None = None) -> Iterator[Listed]:
        """Returns the deliveries by person, all or those in a state or to one person."""
        ...

    def people(self) -> Iterator[int]:
        """Returns everybody who has a delivery, in ascending order."""
        ...

    def accepted_at(self, people: Sequence[int]) -> dict[int, str]:
        """Returns when the deliveries of these people were accepted (UTC), of those that were."""
        ...


class Spools(Protocol):
    """All campaigns of a workspace."""

    def together(self) -> AbstractContextManager[object]:
        """Makes what is written within one transaction."""
        ...

    def campaigns(self) -> list[Campaign]:
        """Returns all campaigns, newest first."""
        ...

    def slugs(self) -> dict[int, str]:
        """Returns the slugs of all campaigns by their ids."""
        ...

    def find(self, slug: str) -> Campaign:
        """Returns the campaign of that name. Raises CampaignError with the nearest one there is."""
        ...

    def freeze(self, campaign: NewCampaign, deliveries: Iterable[Frozen]) -> Spool:
        """Writes a campaign with its deliveries."""
        ...

    def open(self, campaign: Campaign, *, owner: str = "", into_folder: bool | None = None) -> Spool:
        """Returns the deliveries of a campaign, for reading, deciding, or as the owner of claims.

        `into_folder` says whether what is settled went into a folder only; None: as the campaign's transport
        does.
        """
        ...

    def deliveries_of(self, person: int, campaigns: Sequence[Campaign]) -> list[Delivered]:
        """Returns this person's deliveries of these campaigns, oldest first."""
        ...

    def received(self, campaigns: Sequence[int], *, folders: bool) -> Iterator[int]:
        """Returns the people who have the issue by these campaigns (ids), or may get it, in ascending order.

        Of a cancelled campaign only those count who have it or may have it. A copy in a folder counts only
        with `folders`.
        """
        ...

    def mailbox_refusals(self, person: int, *, since: str, but: int) -> tuple[int, str]:
        """Returns how many campaigns in a row this person's mailbox refused, and when the first did (UTC).

        Counted are those after `since` (UTC) and after the last that was accepted, without the campaign of
        the id `but`.
        """
        ...

    def ledger(self) -> Ledger:
        """Returns the account of what was spent of each limit, which all runs share."""
        ...

"""Defines the result of sending a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailer.campaign.campaign import Campaign
from mailer.campaign.delivery_state import TO_SEND, State
from mailer.campaign.status import Status
from mailer.delivery.progress import Progress
from mailer.services.sending.recovery import NOTHING_RECOVERED, RecoveryResult
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.spool.values import ReasonGroup

__all__ = ["SendResult", "make_send_result"]


@dataclass(frozen=True, slots=True)
class SendResult:
    """Holds a campaign after a run, with the number of its deliveries in each state (`counts`). `progress` is
    None if there was nothing to do.

    `reasons` groups the failed deliveries by cause. `next_try` is when the first deferred delivery is due
    (UTC), or "". `recovered` counts what was recovered from an earlier run that died.
    """

    campaign: Campaign
    counts: Mapping[str, int]
    progress: Progress | None
    reasons: tuple[ReasonGroup, ...]
    next_try: str = ""
    recovered: RecoveryResult = NOTHING_RECOVERED

    @property
    def is_complete(self) -> bool:
        """Returns whether everybody in the plan has the message, or has left since the plan."""
        return not any(self.counts[s] for s in (*TO_SEND, State.UNCERTAIN, State.REJECTED))

    @property
    def is_waiting(self) -> bool:
        """Returns whether everybody who is due has the message, and the others wait for their scheduled
        time."""
        tried = self.progress.outcomes if self.progress else {}
        return self.campaign.status is Status.SCHEDULED and not any(
            tried.get(s) for s in (State.UNCERTAIN, State.REJECTED)
        )

    @property
    def is_unfinished(self) -> bool:
        """Returns whether a delivery failed or is left, so that the command ends with status 1."""
        went_on = self.progress is not None or self.campaign.status in (Status.HELD, Status.STOPPED)
        return not self.is_complete and bool(went_on or self.counts[State.UNCERTAIN])

    def to_json(self) -> dict[str, object]:
        """Returns the result as JSON data."""
        seconds = self.progress.seconds if self.progress else 0.0
        done = self.progress.handed_over_count if self.progress else 0
        return {
            "slug": self.campaign.slug,
            "status": self.campaign.status,
            "counts": dict(self.counts),
            "sent_now": dict(self.progress.outcomes) if self.progress else {},
            "next_try": self.next_try or None,
            "seconds": round(seconds, 3),
            "per_second": round(done / seconds, 1) if seconds else 0.0,
            "plan": self.campaign.plan,
        }


def make_send_result(
    workspace: Workspace,
    spool: Spool,
    progress: Progress | None,
    recovered: RecoveryResult = NOTHING_RECOVERED,
) -> SendResult:
    """Returns the result for the campaign of `spool`. `progress` is the progress of the run (None: there was
    no run)."""
    campaign = workspace.spools.find(spool.campaign.slug)
    return SendResult(
        campaign,
        spool.delivery_counts_by_state(),
        progress,
        spool.non_delivery_reasons(),
        spool.next_deferred_due_time() or "",
        recovered,
    )

"""Campaigns as an operator looks at them: the facts, and the same as JSON data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import canary_of
from mailer.campaign.delivery_state import TO_SEND
from mailer.campaign.status import Status
from mailer.campaign.times import NEVER
from mailer.services.campaigns.advice import advice_on
from mailer.services.campaigns.frozen_settings import frozen_sender, sender_note
from mailer.services.campaigns.people import list_deliveries
from mailer.services.sending.recovery import recover_if_idle
from mailer.services.workspace import Workspace
from mailer.spool.values import Listed, Reason

__all__ = ["Details", "Overview", "deliveries_of", "delivery_json", "details_of", "overview_of", "overviews"]


@dataclass(frozen=True, slots=True)
class Overview:
    """A campaign with the number of its deliveries in each state."""

    campaign: Campaign
    counts: dict[str, int]

    @property
    def goes_on_at(self) -> str:
        """The time (UTC) from which the campaign may go on by itself, or empty."""
        goes_on = self.campaign.status in (Status.HELD, Status.STOPPED, Status.SENDING)
        return self.campaign.held_until if goes_on else ""

    @property
    def left(self) -> int:
        """How many deliveries a run would still try."""
        return sum(self.counts[state] for state in TO_SEND)

    def to_json(self) -> dict[str, Any]:
        """Returns the campaign as JSON data."""
        campaign = self.campaign
        canary = canary_of(campaign)
        return {
            "slug": campaign.slug,
            "status": campaign.status,
            "note": campaign.status_note,
            "issue": campaign.issue,
            "edition": campaign.edition,
            "date": campaign.issue_date,
            "segment": campaign.segment,
            "subject": campaign.subject,
            "transport": campaign.transport,
            "due_at": campaign.due_at or None,
            "local_time": campaign.local_time or None,
            "canary": canary.to_json() if canary else None,
            "held_until": self.goes_on_at or None,
            "created_at": campaign.created_at,
            "started_at": campaign.started_at,
            "finished_at": campaign.finished_at,
            "counts": self.counts,
            "plan": campaign.plan,
        }


@dataclass(frozen=True, slots=True)
class Details:
    """Everything about one campaign.

    `in_folder` counts those who have it in a folder only, `missed` those who missed their own time; `note`
    says what to do where the sender was corrected since, or is empty.
    """

    overview: Overview
    in_folder: int
    missed: int
    sender: str
    reasons: tuple[Reason, ...]
    note: str

    def to_json(self) -> dict[str, Any]:
        """Returns the campaign with its reasons as JSON data."""
        campaign = self.overview.campaign
        return {
            **self.overview.to_json(),
            "in_folder": self.in_folder,
            "sender": self.sender,
            "reasons": [
                {"state": group.state, "cause": group.cause, "reason": words.text, "number": words.number}
                for group in self.reasons
                for words in group.words
            ],
            "causes": [
                {
                    "state": group.state,
                    "cause": group.cause,
                    "number": group.number,
                    "advice": advice_on(group, campaign),
                }
                for group in self.reasons
            ],
        }


def overviews(workspace: Workspace) -> list[Overview]:
    """Returns all campaigns, newest first. What a dead run left is recovered before."""
    known = [recover_if_idle(workspace, campaign) for campaign in workspace.spools.campaigns()]
    return [_overview(workspace, campaign) for campaign in known]


def overview_of(workspace: Workspace, slug: str) -> Overview:
    """Returns one campaign as it is now. Raises CampaignError."""
    return _overview(workspace, workspace.spools.find(slug))


def _overview(workspace: Workspace, campaign: Campaign) -> Overview:
    return Overview(campaign, workspace.spools.open(campaign).counts())


def details_of(workspace: Workspace, slug: str) -> Details:
    """Returns everything about one campaign, as it is after a recovery. Raises CampaignError."""
    settings = workspace.settings
    campaign = recover_if_idle(workspace, workspace.spools.find(slug))
    spool = workspace.spools.open(campaign)
    counts = spool.counts()
    return Details(
        Overview(campaign, counts),
        in_folder=spool.copies_in_folder(),
        missed=spool.held() if campaign.local_time else 0,
        sender=frozen_sender(settings, campaign),
        reasons=spool.reasons(),
        note=sender_note(settings, campaign, counts, free=spool.is_free()),
    )


def delivery_json(listed: Listed, address: str | None) -> dict[str, Any]:
    """Returns one delivery as JSON data. One that is held has the time `NEVER`, by which scripts know it."""
    document = asdict(listed)
    person, held = document.pop("person"), document.pop("held")
    due_at = NEVER if held else listed.due_at
    return {"subscriber_id": person, "address": address, **document, "due_at": due_at}


def deliveries_of(
    workspace: Workspace, slug: str, *, state: str = "", address: str | None = None
) -> Iterator[tuple[Listed, str | None]]:
    """Returns the deliveries of a campaign with their addresses, all or those in a state or to one address.

    What a dead run left is recovered before. Raises CampaignError, and AudienceError for what is no address.
    """
    campaign = recover_if_idle(workspace, workspace.spools.find(slug))
    return list_deliveries(workspace, workspace.spools.open(campaign), state=state, address=address)

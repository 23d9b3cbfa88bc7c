"""Describes campaigns to an operator, as typed values and as JSON data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import canary_of
from mailer.campaign.delivery_state import TO_SEND
from mailer.campaign.status import Status
from mailer.campaign.times import NEVER
from mailer.services.campaigns.advice import advice_on_failed_deliveries
from mailer.services.campaigns.frozen_settings import changed_sender_note, frozen_sender
from mailer.services.campaigns.people import list_deliveries
from mailer.services.sending.recovery import recover_campaign_if_idle
from mailer.services.workspace import Workspace
from mailer.spool.values import ListedDelivery, ReasonGroup

__all__ = [
    "CampaignDetails",
    "CampaignOverview",
    "list_campaign_deliveries",
    "delivery_json",
    "campaign_details",
    "campaign_overview",
    "list_campaign_overviews",
]


@dataclass(frozen=True, slots=True)
class CampaignOverview:
    """Holds a campaign, and the number of its deliveries in each state."""

    campaign: Campaign
    counts: dict[str, int]

    @property
    def resumes_at(self) -> str:
        """Returns the time (UTC) from which the campaign may resume automatically; "" if it does not resume
        automatically."""
        goes_on = self.campaign.status in (Status.HELD, Status.STOPPED, Status.SENDING)
        return self.campaign.held_until if goes_on else ""

    @property
    def deliveries_left(self) -> int:
        """Returns how many deliveries the next run would try."""
        return sum(self.counts[state] for state in TO_SEND)

    def to_json(self) -> dict[str, Any]:
        """Returns the campaign and its counts as JSON data."""
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
            "held_until": self.resumes_at or None,
            "created_at": campaign.created_at,
            "started_at": campaign.started_at,
            "finished_at": campaign.finished_at,
            "counts": self.counts,
            "plan": campaign.plan,
        }


@dataclass(frozen=True, slots=True)
class CampaignDetails:
    """Holds everything that an operator is shown about one campaign.

    `in_folder` counts the deliveries that were only written into an outbox folder, and `missed` the readers
    whose scheduled time has passed. `sender` is the From address. `reasons` groups the failed deliveries by
    cause. `note` is advice if the sender in mailer.toml was changed after the campaign was created, otherwise
    "".
    """

    overview: CampaignOverview
    in_folder: int
    missed: int
    sender: str
    reasons: tuple[ReasonGroup, ...]
    note: str

    def to_json(self) -> dict[str, Any]:
        """Returns the campaign as JSON data, with the reasons for failed deliveries."""
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
                    "advice": advice_on_failed_deliveries(group, campaign),
                }
                for group in self.reasons
            ],
        }


def list_campaign_overviews(workspace: Workspace) -> list[CampaignOverview]:
    """Returns an overview of each campaign, newest first, after settling the claims of dead runs."""
    known = [recover_campaign_if_idle(workspace, campaign) for campaign in workspace.spools.campaigns()]
    return [_make_campaign_overview(workspace, campaign) for campaign in known]


def campaign_overview(workspace: Workspace, slug: str) -> CampaignOverview:
    """Returns the current overview of one campaign. Raises CampaignError if there is no such campaign."""
    return _make_campaign_overview(workspace, workspace.spools.find(slug))


def _make_campaign_overview(workspace: Workspace, campaign: Campaign) -> CampaignOverview:
    return CampaignOverview(campaign, workspace.spools.open(campaign).delivery_counts_by_state())


def campaign_details(workspace: Workspace, slug: str) -> CampaignDetails:
    """Returns all details of one campaign, after settling the claims of a dead run. Raises CampaignError if
    there is no such campaign."""
    settings = workspace.settings
    campaign = recover_campaign_if_idle(workspace, workspace.spools.find(slug))
    spool = workspace.spools.open(campaign)
    counts = spool.delivery_counts_by_state()
    return CampaignDetails(
        CampaignOverview(campaign, counts),
        in_folder=spool.count_folder_copies(),
        missed=spool.count_held_deliveries() if campaign.local_time else 0,
        sender=frozen_sender(settings, campaign),
        reasons=spool.non_delivery_reasons(),
        note=changed_sender_note(settings, campaign, counts, reached_nobody=spool.reached_nobody()),
    )


def delivery_json(delivery: ListedDelivery, address: str | None) -> dict[str, Any]:
    """Returns one delivery as JSON data. `address` is the reader's address (None: the reader was erased). A
    held delivery has the due time `NEVER`, so that scripts recognise it."""
    document = asdict(delivery)
    person, held = document.pop("person"), document.pop("held")
    due_at = NEVER if held else delivery.due_at
    return {"subscriber_id": person, "address": address, **document, "due_at": due_at}


def list_campaign_deliveries(
    workspace: Workspace, slug: str, *, state: str = "", address: str | None = None
) -> Iterator[tuple[ListedDelivery, str | None]]:
    """Returns the deliveries of a campaign, each with the reader's address, which is None if the reader was
    erased.

    `state` selects the deliveries in that state ("": all), and `address` the delivery to that address (None:
    all). First settles the claims of a dead run. Raises CampaignError, and AudienceError for an invalid
    address.
    """
    campaign = recover_campaign_if_idle(workspace, workspace.spools.find(slug))
    return list_deliveries(workspace, workspace.spools.open(campaign), state=state, address=address)

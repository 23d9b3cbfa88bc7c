"""Sends an issue: freezes the plan, delivers, finishes what a run left.

    plan ─► lock ─► one transaction: campaign + deliveries + folder ─► deliver ─► manifest

Until the transaction commits nothing has happened; after it, everything that is sent is read back
from the campaign's folder, so that a run that goes on days later sends the same bytes.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from mailer.archive.campaign import read_manifest, read_renditions, update_manifest
from mailer.archive.recorded import recorded_settings
from mailer.config import Settings
from mailer.delivery.campaigns import Campaign, campaigns, find_campaign
from mailer.delivery.dkim import Signer, open_signer
from mailer.delivery.lock import only_sender
from mailer.delivery.message import Envelope, Template
from mailer.delivery.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.delivery.run import deliver
from mailer.delivery.spool import Spool
from mailer.delivery.stop import Stop
from mailer.delivery.transports import open_transport
from mailer.errors import ArchiveError, CampaignError, MailerError
from mailer.publish.freeze import freeze
from mailer.publish.prepare import Prepared
from mailer.render.rendition import Rendition

__all__ = [
    "Result",
    "cancel_campaign",
    "finish_campaign",
    "left_over",
    "resolve_campaign",
    "retry_campaign",
    "send_issue",
]

#: States in which a run has something to do.
_OPEN = ("pending", "sending", "deferred")


@dataclass(frozen=True, slots=True)
class Result:
    """How a sending stands after a run. `progress` is None where there was nothing to do."""

    campaign: Campaign
    counts: Mapping[str, int]
    progress: Progress | None
    reasons: tuple[tuple[str, str, int], ...]

    @property
    def complete(self) -> bool:
        """Whether everybody in the plan has it, or has left since."""
        return not any(self.counts[s] for s in (*_OPEN, "uncertain", "rejected"))


def left_over(counts: Mapping[str, int]) -> int:
    """How many deliveries a run would still try."""
    return sum(counts[state] for state in _OPEN)


def send_issue(
    db: Database,
    settings: Settings,
    prepared: Prepared,
    *,
    stop: Stop,
    observe: Callable[[Progress], None],
) -> Result:
    """Sends what was planned, or goes on with the campaign that did so before.

    Raises BusyError where another process sends it, CampaignError where the audience or the issue is no
    longer what was planned, TransportError where nothing can be handed over.
    """
    plan = prepared.plan
    signer = open_signer(plan.transport, settings)  # before anything is frozen: a key may be of no use
    with _lock(settings, plan.slug):
        # Between the plan and the lock, another process may have sent the same thing.
        existing = next((c for c in campaigns(db) if c.slug == plan.slug), None)
        if existing is None:
            freeze(db, settings, prepared)
        elif prepared.existing is None and existing.plan_hash != plan.hash:
            raise CampaignError(
                f"campaign {plan.slug} was made by somebody else just now; look at the plan again"
            )
        return _run(db, settings, plan.slug, plan.transport, signer, stop, observe)


def finish_campaign(
    db: Database,
    settings: Settings,
    slug: str,
    *,
    stop: Stop,
    observe: Callable[[Progress], None],
    transport: str | None = None,
) -> Result:
    """Goes on with a campaign from its folder, whatever has become of the issue's file since."""
    way = transport or find_campaign(db, slug).transport
    signer = open_signer(way, settings)
    with _lock(settings, slug):
        return _run(db, settings, slug, way, signer, stop, observe)


def retry_campaign(db: Database, settings: Settings, slug: str) -> int:
    """Makes what was rejected or deferred pending again; gives how many. Raises CampaignError, BusyError."""
    with _lock(settings, slug):
        _check_open(find_campaign(db, slug))
        return Spool(db, find_campaign(db, slug)).retry()


def resolve_campaign(db: Database, settings: Settings, slug: str, *, resend: bool) -> int:
    """Settles what is uncertain by the operator's word; gives how many. Raises CampaignError, BusyError."""
    with _lock(settings, slug):
        campaign = find_campaign(db, slug)
        if resend:
            _check_open(campaign)
        spool = Spool(db, campaign)
        number = spool.resolve(resend=resend)
        _tell_manifest(settings, spool)
        return number


def cancel_campaign(db: Database, settings: Settings, slug: str) -> None:
    """Ends a campaign for good. Raises CampaignError where it has ended already."""
    spool = Spool(db, find_campaign(db, slug))
    if not spool.set_status("cancelled", only_from=("ready", "sending", "stopped", "paused")):
        raise CampaignError(f"campaign {slug} is {spool.status()}, so it cannot be cancelled")
    _tell_manifest(settings, spool)


def _check_open(campaign: Campaign) -> None:
    slug = campaign.slug
    if campaign.status == "cancelled":
        raise CampaignError(f"campaign {slug} was cancelled; what it has not sent stays unsent")
    if campaign.status == "paused":
        raise CampaignError(f"campaign {slug} is paused; `mailer campaigns resume {slug}` goes on with it")


def _lock(settings: Settings, slug: str) -> Any:
    return only_sender(settings.root / ".mailer" / f"{slug}.lock", f"campaign {slug}")


def _run(
    db: Database,
    settings: Settings,
    slug: str,
    transport_url: str,
    signer: Signer | None,
    stop: Stop,
    observe: Callable[[Progress], None],
) -> Result:
    campaign = find_campaign(db, slug)
    _check_open(campaign)
    spool = Spool(db, campaign)
    journal = settings.root / ".mailer" / f"{slug}.journal"
    spool.recover(journal)
    if settings.delivery.uncertain == "resend":
        spool.resolve(resend=True)
    if not left_over(spool.counts()):
        _conclude(settings, spool, Progress())
        return _result(db, spool, None)
    spool.make_due()
    templates = _templates(settings, campaign, signer)
    transport = open_transport(transport_url, settings, pause=stop.wait)
    spool.set_status("sending", only_from=("ready", "sending", "stopped", "sent"))
    update_manifest(
        settings.campaigns / slug, {"status": "sending", "started_at": find_campaign(db, slug).started_at}
    )
    progress = Progress()
    try:
        progress = deliver(
            spool,
            templates,
            transport,
            journal=journal,
            pacer=Pacer(settings.pace),
            connections=settings.delivery.connections,
            stop=stop,
            observe=observe,
        )
    except BaseException as error:
        with contextlib.suppress(MailerError, sqlite3.Error, OSError):
            spool.set_status("stopped", str(error), only_from=("sending",))
            _tell_manifest(settings, spool)
        raise
    _conclude(settings, spool, progress)
    if not spool.counts()["sending"]:
        journal.unlink(missing_ok=True)
    return _result(db, spool, progress)


def _conclude(settings: Settings, spool: Spool, progress: Progress) -> None:
    """The status and the manifest, after a run."""
    counts = spool.counts()
    if left_over(counts):
        spool.set_status(
            "stopped", progress.stopped_by or "some deliveries were deferred", only_from=("sending",)
        )
    else:
        spool.set_status("sent", only_from=("ready", "sending", "stopped", "paused"))
    _tell_manifest(settings, spool)


def _tell_manifest(settings: Settings, spool: Spool) -> None:
    """The folder's manifest says what the spool says."""
    counts = spool.counts()
    campaign = find_campaign(spool.database, spool.campaign.slug)
    update_manifest(
        settings.campaigns / campaign.slug,
        {
            "status": campaign.status,
            "counts": counts,
            "started_at": campaign.started_at,
            "finished_at": campaign.finished_at,
        },
    )


def _templates(settings: Settings, campaign: Campaign, signer: Signer | None) -> dict[int, Template]:
    """What is sent, read back from the campaign's folder; who signs it is read from the settings of now."""
    renditions: Mapping[int, Rendition] = read_renditions(settings.campaigns / campaign.slug)
    folder = settings.campaigns / campaign.slug
    envelope = Envelope(
        # The sender and the addresses of then: a later run sends the same bytes under the same Message-ID.
        recorded_settings(read_manifest(folder), settings),
        campaign_id=campaign.id,
        slug=campaign.slug,
        edition=campaign.edition,
        sent_at=datetime.now(UTC),
    )
    made = {id(r): Template(r, envelope, signer) for r in renditions.values()}
    templates = {variant: made[id(rendition)] for variant, rendition in renditions.items()}
    if not templates:
        raise ArchiveError(f"campaigns/{campaign.slug} holds no rendition; restore the folder from a backup")
    return templates


def _result(db: Database, spool: Spool, progress: Progress | None) -> Result:
    return Result(find_campaign(db, spool.campaign.slug), spool.counts(), progress, tuple(spool.reasons()))

"""Sends an issue: freezes the plan, delivers, finishes what a run left.

    plan ─► lock ─► one transaction: campaign + deliveries + folder ─► deliver ─► manifest

Until the transaction commits nothing has happened; after it, everything that is sent is read back
from the campaign's folder, so that a run that goes on days later sends the same bytes.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from sqlite_utils import Database

from mailer.archive.campaign import read_manifest, read_renditions, update_manifest
from mailer.archive.recorded import recorded_settings
from mailer.config import Settings
from mailer.delivery.bounced import source_of
from mailer.delivery.campaigns import Campaign, campaigns, find_campaign, goes_by
from mailer.delivery.canary import Canary, hold_until
from mailer.delivery.connections import ConnectionPool
from mailer.delivery.dkim import Signer, open_signer
from mailer.delivery.ledger import StoredLedger
from mailer.delivery.lock import campaign_lock
from mailer.delivery.message import Envelope, Template
from mailer.delivery.pace import Pacer
from mailer.delivery.parking import unpark
from mailer.delivery.progress import Progress
from mailer.delivery.reasons import Reason
from mailer.delivery.run import deliver
from mailer.delivery.schedule import set_due
from mailer.delivery.spool import Spool
from mailer.delivery.stop import Stop
from mailer.delivery.transports import open_transport
from mailer.errors import ArchiveError, CampaignError, MailerError
from mailer.publish.canary import may_go_on, wait_while_held
from mailer.publish.copies import note_run
from mailer.publish.ending import broke_off, conclude, tell_manifest, told
from mailer.publish.freeze import freeze
from mailer.publish.guard import keeping_watch, refuse_if_behind, refuse_if_older
from mailer.publish.prepare import Prepared
from mailer.publish.schedule import check_unscheduled
from mailer.render.rendition import Rendition
from mailer.store import now, writing

__all__ = [
    "Result",
    "cancel_campaign",
    "finish_campaign",
    "left_over",
    "resolve_campaign",
    "result_of",
    "retry_campaign",
    "run_campaign",
    "send_issue",
]

#: States in which a run has something to do.
_OPEN = ("pending", "sending", "deferred")
#: Statuses from which a run may start, and those that can be cancelled.
_STARTING = ("ready", "scheduled", "sending", "missed", "stopped", "sent")
_ENDING = ("ready", "scheduled", "sending", "held", "missed", "stopped", "paused")


@dataclass(frozen=True, slots=True)
class Result:
    """How a sending stands after a run. `progress` is None where there was nothing to do."""

    campaign: Campaign
    counts: Mapping[str, int]
    progress: Progress | None
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        """Whether everybody in the plan has it, or has left since."""
        return not any(self.counts[s] for s in (*_OPEN, "uncertain", "rejected"))

    @property
    def waits(self) -> bool:
        """Whether all who are due have it, and the rest wait for their time."""
        tried = self.progress.outcomes if self.progress else {}
        return self.campaign.status == "scheduled" and not any(
            tried.get(s) for s in ("uncertain", "rejected")
        )


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
    canary: Canary | None = None,
) -> Result:
    """Sends what was planned, or goes on with the campaign that did so before.

    Of a new campaign the first few are sent to first, where there is a `canary`.

    Raises BusyError where another process sends it, CampaignError where the audience or the issue is no
    longer what was planned, TransportError where nothing can be handed over.
    """
    plan = prepared.plan
    signer = open_signer(plan.transport, settings)  # before anything is frozen: a key may be of no use
    with campaign_lock(settings, plan.slug):
        # Between the plan and the lock, another process may have sent the same thing.
        existing = next((c for c in campaigns(db) if c.slug == plan.slug), None)
        if existing is None:
            freeze(db, settings, prepared, canary=canary)
        elif prepared.existing is None and existing.plan_hash != plan.hash:
            raise CampaignError(
                f"campaign {plan.slug} was made by somebody else just now; look at the plan again"
            )
        else:
            check_unscheduled(existing, settings.publication.zone)
        return run_campaign(db, settings, plan.slug, plan.transport, signer, stop, observe)


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
    with campaign_lock(settings, slug):
        return run_campaign(db, settings, slug, way, signer, stop, observe)


def retry_campaign(db: Database, settings: Settings, slug: str) -> tuple[int, int]:
    """Makes what was rejected or deferred pending again, but for who cannot be reached.

    Gives how many are pending again, and how many stay rejected. Raises CampaignError, BusyError.
    """
    with campaign_lock(settings, slug):
        campaign = find_campaign(db, slug)
        _check_open(campaign)
        if campaign.started_at is None or campaign.status == "missed":
            check_unscheduled(campaign, settings.publication.zone)
        return Spool(db, campaign).retry()


def resolve_campaign(db: Database, settings: Settings, slug: str, *, resend: bool) -> int:
    """Settles what is uncertain by the operator's word; gives how many. Raises CampaignError, BusyError."""
    with campaign_lock(settings, slug):
        campaign = find_campaign(db, slug)
        if resend:
            _check_open(campaign)
        spool = Spool(db, campaign)
        number = spool.resolve(resend=resend)
        tell_manifest(settings, spool)
        return number


def cancel_campaign(db: Database, settings: Settings, slug: str) -> None:
    """Ends a campaign for good. Raises CampaignError where it has ended already."""
    spool = Spool(db, find_campaign(db, slug))
    if not spool.set_status("cancelled", only_from=_ENDING):
        raise CampaignError(f"campaign {slug} is {spool.status()}, so it cannot be cancelled")
    tell_manifest(settings, spool)


def _check_open(campaign: Campaign) -> None:
    slug = campaign.slug
    if campaign.status == "cancelled":
        raise CampaignError(f"campaign {slug} was cancelled; what it has not sent stays unsent")
    if campaign.status == "paused":
        raise CampaignError(f"campaign {slug} is paused; `mailer campaigns resume {slug}` goes on with it")


def run_campaign(
    db: Database,
    settings: Settings,
    slug: str,
    transport_url: str,
    signer: Signer | None,
    stop: Stop,
    observe: Callable[[Progress], None],
    *,
    asked: bool = True,
    pool: ConnectionPool | None = None,
) -> Result:
    """One run over what is due of a campaign, whose lock the caller holds.

    Without `asked` (its time has come, and no operator is here) what was deferred waits for its own time.
    Who asked waits here while the campaign is held after its first few, and sends the rest then.
    `pool` bounds the connections of all runs that are given the same one.
    """
    with keeping_watch(db, settings.database, observe) as watch:
        note_run(db, settings)
        once = partial(_run_unless_held, db, settings, slug, transport_url, signer, stop, watch, asked, pool)
        result = once()
        while asked and result.campaign.status == "held" and result.progress and not stop.is_set():
            more = once()
            result = replace(more, progress=result.progress.plus(more.progress))
            if more.progress is None:
                break
        return result


def _run_unless_held(
    db: Database,
    settings: Settings,
    slug: str,
    transport_url: str,
    signer: Signer | None,
    stop: Stop,
    observe: Callable[[Progress], None],
    asked: bool,
    pool: ConnectionPool | None,
) -> Result:
    spool = Spool(db, find_campaign(db, slug))
    if spool.campaign.status == "held":
        if asked:
            free = wait_while_held(settings, spool, stop=stop, observe=observe)
        else:
            free = may_go_on(settings, spool)
        if not free:
            tell_manifest(settings, spool)
            return result_of(db, spool, None)
    return _run(db, settings, slug, transport_url, signer, stop, observe, asked, pool)


def _run(
    db: Database,
    settings: Settings,
    slug: str,
    transport_url: str,
    signer: Signer | None,
    stop: Stop,
    observe: Callable[[Progress], None],
    asked: bool,
    pool: ConnectionPool | None,
) -> Result:
    campaign = find_campaign(db, slug)
    _check_open(campaign)
    spool = Spool(db, campaign)
    journal = settings.root / ".mailer" / f"{slug}.journal"
    refuse_if_behind(settings, spool, journal)
    spool.recover(journal)
    if settings.delivery.uncertain == "resend":
        spool.resolve(resend=True)
    counts = spool.counts()
    if not left_over(counts):
        conclude(settings, spool, Progress(), asked=asked)
        return result_of(db, spool, None)
    refuse_if_older(settings, campaign, counts)
    if asked:
        spool.make_due()
    unpark(spool)
    templates = _templates(settings, campaign, signer)
    own = Stop(stop)  # a run that is paused ends its waits, and not those of the campaigns after it
    transport = open_transport(transport_url, settings, pause=own.wait)
    spool.source = source_of(transport_url)
    with writing(db):
        if not spool.set_status("sending", only_from=_STARTING):
            _check_open(find_campaign(db, slug))  # somebody was quicker
        goes_by(db, campaign, transport_url)
        if campaign.held_until:
            hold_until(spool, "")
            if not asked:  # its time was then: whoever finds it interrupted goes on with it
                set_due(spool, campaign.held_until)
    progress = Progress()
    try:
        started = find_campaign(db, slug).started_at
        # With what the journal knew, which is begun anew.
        now_known = {"status": "sending", "started_at": started, "counts": counts}
        update_manifest(settings.campaigns / slug, now_known)
        progress = deliver(
            spool,
            templates,
            transport,
            journal=journal,
            pacer=_pacer(db, settings),
            rejects=settings.pace.rejects,
            connections=settings.delivery.connections,
            stop=own,
            observe=observe,
            pool=pool,
        )
    except BaseException as error:
        with contextlib.suppress(MailerError, sqlite3.Error, OSError):
            broke_off(settings, spool, error, asked=asked)
        if isinstance(error, (MailerError, sqlite3.Error, OSError)):
            raise told(error, settings, spool) from error
        raise
    conclude(settings, spool, progress, asked=asked)
    if not spool.counts()["sending"]:
        journal.unlink(missing_ok=True)
    return result_of(db, spool, progress)


def _pacer(db: Database, settings: Settings) -> Pacer:
    """The pace of this workspace, as far as it is spent by whatever campaign."""
    return Pacer(settings.pace, StoredLedger(db), settings.publication.zone, now=now().timestamp())


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


def result_of(db: Database, spool: Spool, progress: Progress | None) -> Result:
    """How a campaign stands, after a run or without one."""
    campaign = find_campaign(db, spool.campaign.slug)
    return Result(campaign, spool.counts(), progress, spool.reasons())

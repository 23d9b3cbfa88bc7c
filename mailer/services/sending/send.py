"""Sends an issue: freezes the plan, delivers, finishes what a run left.

    plan ─► lock ─► one transaction: campaign + deliveries + folder ─► deliver ─► manifest

Until the transaction commits nothing has happened; after it, everything that is sent is read back
from the campaign's folder, so that a run that goes on days later sends the same bytes.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sqlite_utils import Database

from mailer.archive.campaign import read_manifest, read_renditions, update_manifest
from mailer.archive.recorded_settings import recorded_settings
from mailer.audience.stable_ids import fill_in
from mailer.config import Pace, Settings
from mailer.config.rates import Rate
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.delivery.retry import Backoff
from mailer.delivery.run import deliver
from mailer.delivery.workers.connections import ConnectionPool
from mailer.errors import ArchiveError, CampaignError, MailerError
from mailer.message.dkim import Signer
from mailer.message.message import Envelope, Template
from mailer.render.rendition import Rendition
from mailer.services.campaigns.decisions import check_open
from mailer.services.planning.prepare import OPEN_STATES, Prepared
from mailer.services.planning.schedule import check_unscheduled
from mailer.services.sending.after_run import broke_off, conclude, lower_manifest, tell_manifest, told
from mailer.services.sending.canary import may_go_on, wait_while_held
from mailer.services.sending.database_guard import keeping_watch, refuse_if_older
from mailer.services.sending.freeze import SincePlan, freeze
from mailer.services.sending.moved_database import note_run
from mailer.services.sending.recovery import NOTHING_RECOVERED, Recovered, journal_of, recover
from mailer.spool.lock import campaign_lock
from mailer.spool.sqlite.campaigns import Campaign, campaigns, find_campaign, goes_by
from mailer.spool.sqlite.canary import Canary, hold_until
from mailer.spool.sqlite.deliveries import Spool
from mailer.spool.sqlite.listing import subscriber_at
from mailer.spool.sqlite.pace_budget import StoredLedger
from mailer.spool.sqlite.parking import unpark
from mailer.spool.sqlite.reasons import Reason
from mailer.spool.sqlite.schedule import set_due
from mailer.store.database import now, utc_text, writing
from mailer.transports.registry import is_folder, open_signer, open_transport, source_of
from mailer.transports.stop import Stop

__all__ = [
    "Result",
    "finish_campaign",
    "left_over",
    "result_of",
    "run_campaign",
    "send_issue",
]

#: After its time is over, a deferred delivery is tried a last time within this.
LAST_ATTEMPT_WITHIN = timedelta(hours=1)
#: Statuses from which a run may start.
_STARTING = ("ready", "scheduled", "sending", "missed", "stopped", "sent")


@dataclass(frozen=True, slots=True)
class Result:
    """How a sending stands after a run. `progress` is None where there was nothing to do.

    `next_try` is when the first deferred delivery is due (UTC), or empty. `recovered` tells what an earlier
    run that died has left.
    """

    campaign: Campaign
    counts: Mapping[str, int]
    progress: Progress | None
    reasons: tuple[Reason, ...]
    next_try: str = ""
    recovered: Recovered = NOTHING_RECOVERED

    @property
    def complete(self) -> bool:
        """Whether everybody in the plan has it, or has left since."""
        return not any(self.counts[s] for s in (*OPEN_STATES, "uncertain", "rejected"))

    @property
    def waits(self) -> bool:
        """Whether all who are due have it, and the rest wait for their time."""
        tried = self.progress.outcomes if self.progress else {}
        return self.campaign.status == "scheduled" and not any(
            tried.get(s) for s in ("uncertain", "rejected")
        )


def left_over(counts: Mapping[str, int]) -> int:
    """How many deliveries a run would still try."""
    return sum(counts[state] for state in OPEN_STATES)


def send_issue(
    db: Database,
    settings: Settings,
    prepared: Prepared,
    *,
    stop: Stop,
    observe: Callable[[Progress], None],
    canary: Canary | None = None,
    frozen: Callable[[SincePlan], None] = lambda _: None,
) -> Result:
    """Sends what was planned, or goes on with the campaign that did so before.

    Of a new campaign the first few are sent to first, where there is a `canary`. `frozen` is called once it
    is made, with who came and left since the plan.

    Raises BusyError where another process sends it, CampaignError where the audience or the issue is no
    longer what was planned, TransportError where nothing can be handed over.
    """
    plan = prepared.plan
    signer = open_signer(plan.transport, settings)  # before anything is frozen: a key may be of no use
    with campaign_lock(settings, plan.slug):
        # Between the plan and the lock, another process may have sent the same thing.
        existing = next((c for c in campaigns(db) if c.slug == plan.slug), None)
        if existing is None:
            frozen(freeze(db, settings, prepared, canary=canary))
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
    address: str | None = None,
) -> Result:
    """Goes on with a campaign from its folder, whatever has become of the issue's file since.

    With `address`, it is sent to that person alone.
    """
    campaign = find_campaign(db, slug)
    way = transport or campaign.transport
    signer = open_signer(way, settings)
    with campaign_lock(settings, slug):
        only = subscriber_at(Spool(db, find_campaign(db, slug)), address) if address is not None else None
        return run_campaign(db, settings, slug, way, signer, stop, observe, only=only)


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
    only: int | None = None,
) -> Result:
    """One run over what is due of a campaign, whose lock the caller holds.

    Without `asked` (its time has come, and no operator is here) what was deferred waits for its own time. An
    operator waits here while the campaign is held after its first few, and it sends the rest then. With
    `only`, this subscriber alone is sent to. `pool` bounds the connections of all runs that are given it.
    """
    with keeping_watch(db, settings.database, observe) as watch:
        once = partial(
            _run_unless_held, db, settings, slug, transport_url, signer, stop, watch, asked, pool, only
        )
        result = once()
        while asked and result.campaign.status == "held" and result.progress and not stop.is_set():
            more = once()
            progress = result.progress.plus(more.progress)
            result = replace(more, progress=progress, recovered=result.recovered)
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
    only: int | None,
) -> Result:
    spool = Spool(db, find_campaign(db, slug))
    if spool.campaign.status == "held":
        if asked:
            free = wait_while_held(settings, spool, stop=stop, observe=observe)
        else:
            free = may_go_on(settings, spool)
        if not free:
            recover(settings, spool)
            tell_manifest(settings, spool)
            return result_of(db, spool, None)
    return _run(db, settings, slug, transport_url, signer, stop, observe, asked, pool, only)


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
    only: int | None,
) -> Result:
    campaign = find_campaign(db, slug)
    check_open(campaign)
    spool = Spool(db, campaign)
    spool.only = only
    journal = journal_of(settings, slug)
    recovered = recover(settings, spool)
    refuse_if_older(settings, campaign, spool.counts())
    note_run(db, settings)
    if settings.delivery.uncertain == "resend" and spool.counts()["uncertain"]:
        lower_manifest(settings, spool, "uncertain")
        spool.resolve(resend=True)
    backoff = Backoff(give_up=settings.delivery.retry_for.total_seconds())
    given_up = _make_due(settings, spool, backoff, asked=asked)
    if not is_folder(transport_url) and spool.copies_in_folder():
        lower_manifest(settings, spool, "accepted", "uncertain")
        spool.reopen_copies_in_folder()
    counts = spool.counts()
    if not left_over(counts):
        conclude(settings, spool, Progress(), asked=asked)
        progress = Progress(outcomes={"rejected": given_up}) if given_up else None
        return result_of(db, spool, progress, recovered)
    unpark(spool)
    fill_in(db, settings.signing_keys()[-1])
    templates = _templates(settings, campaign, signer)
    own = Stop(stop)  # a run that is paused ends its waits, and not those of the campaigns after it
    transport = open_transport(transport_url, settings, pause=own.wait)
    spool.source = source_of(transport_url)
    with writing(db):
        if not spool.set_status("sending", only_from=_STARTING):
            check_open(find_campaign(db, slug))  # somebody was quicker
        goes_by(db, campaign, transport_url)
        if campaign.held_until:
            hold_until(spool, "")
            if not asked:  # its time was then: whoever finds it interrupted goes on with it
                set_due(spool, campaign.held_until)
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
            pacer=_pacer(db, settings, transport_url),
            backoff=backoff,
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
    if given_up:
        progress.outcomes["rejected"] = progress.outcomes.get("rejected", 0) + given_up
    conclude(settings, spool, progress, asked=asked)
    if not spool.counts()["sending"]:
        journal.unlink(missing_ok=True)
    return result_of(db, spool, progress, recovered)


def _make_due(settings: Settings, spool: Spool, backoff: Backoff, *, asked: bool) -> int:
    """Makes due everything that is deferred, where an operator asks for it, and not for one person alone.

    Else gives up what was deferred for too long, and makes due what only a wrong clock has put off so far.
    Gives how many were given up.
    """
    if asked:
        if spool.only is None:
            spool.make_due()
        return 0
    given_up = spool.expire(utc_text(now() - settings.delivery.retry_for - LAST_ATTEMPT_WITHIN))
    spool.make_due(after=utc_text(backoff.latest(now())))
    return given_up


def _pacer(db: Database, settings: Settings, transport_url: str) -> Pacer:
    """The pace of this workspace, as far as it is spent by whatever campaign.

    What goes into a folder reaches nobody, so it neither uses nor meets a limit an hour or a day; only the
    speed is kept, so that a try-out runs like the real thing.
    """
    if is_folder(transport_url):
        return Pacer(_speed_alone(settings.pace), now=now().timestamp())
    return Pacer(settings.pace, StoredLedger(db), settings.publication.zone, now=now().timestamp())


def _speed_alone(pace: Pace) -> Pace:
    """The limits a second and a minute of a pace."""
    speeds = {domain: _quick(limits) for domain, limits in pace.domains.items()}
    domains = {domain: limits for domain, limits in speeds.items() if limits}
    return pace.model_copy(
        update={"limit": _quick(pace.limit), "domains": domains, "warm_up": (), "warm_up_start": None}
    )


def _quick(limits: Sequence[Rate]) -> tuple[Rate, ...]:
    return tuple(rate for rate in limits if rate.unit in ("s", "m"))


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
        by_number=not campaign.stable_ids,
    )
    made = {id(r): Template(r, envelope, signer) for r in renditions.values()}
    templates = {variant: made[id(rendition)] for variant, rendition in renditions.items()}
    if not templates:
        raise ArchiveError(f"campaigns/{campaign.slug} holds no rendition; restore the folder from a backup")
    return templates


def result_of(
    db: Database, spool: Spool, progress: Progress | None, recovered: Recovered = NOTHING_RECOVERED
) -> Result:
    """How a campaign stands, after a run or without one."""
    campaign = find_campaign(db, spool.campaign.slug)
    return Result(campaign, spool.counts(), progress, spool.reasons(), spool.next_due() or "", recovered)

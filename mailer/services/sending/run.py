"""Runs a campaign: sends the deliveries that are due, with the content from the campaign's folder."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from mailer.archive.campaign import read_manifest, read_renditions, update_manifest
from mailer.archive.recorded_settings import recorded_settings
from mailer.audience.stable_ids import assign_missing_ids
from mailer.campaign.campaign import Campaign
from mailer.campaign.delivery_state import TO_SEND, State
from mailer.campaign.status import Event, Status, check_may_be_sent
from mailer.clock import now, utc_text
from mailer.config import Pace, Settings
from mailer.config.rates import Rate
from mailer.delivery.options import RunParameters
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.delivery.retry import Backoff
from mailer.delivery.run import deliver
from mailer.delivery.workers.connections import ConnectionPool
from mailer.errors import ArchiveError, MailerError
from mailer.message.dkim import Signer
from mailer.message.message import Envelope, MessageTemplate
from mailer.render.rendition import Rendition
from mailer.services.database.guard import refuse_if_database_lacks_deliveries, watch_database
from mailer.services.database.moved import record_run_location
from mailer.services.sending.after_run import (
    conclude_failed_run,
    conclude_run,
    error_with_next_steps,
    refresh_manifest,
    zero_manifest_counts,
)
from mailer.services.sending.canary import release_campaign_if_hold_ended, wait_while_campaign_is_held
from mailer.services.sending.recovery import journal_path, recover_dead_run
from mailer.services.sending.result import SendResult, make_send_result
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.transports.registry import event_source_of, is_folder_transport, open_transport
from mailer.transports.stop import StopFlag

__all__ = ["RunRequest", "run_campaign"]

#: After its total time is over, a deferred delivery is tried a last time within this time.
LAST_ATTEMPT_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Holds the parameters of a run of the campaign `slug` over the transport with the URL `transport`.

    The caller holds the campaign's lock. `signer` signs the messages with DKIM, `stop` ends the run early,
    and `observe` is called with its progress. With `by_operator`, deferred deliveries are tried at once, and
    the run waits while the campaign is held after its canary, then sends the rest. Otherwise the scheduler
    started the run, and deferred deliveries are tried when they are due. `pool` limits the connections of all
    runs that share it. With `only_subscriber_id`, the run sends to this subscriber only.
    """

    slug: str
    transport: str
    signer: Signer | None
    stop: StopFlag
    observe: Callable[[Progress], None]
    by_operator: bool = True
    pool: ConnectionPool | None = None
    only_subscriber_id: int | None = None


def run_campaign(workspace: Workspace, request: RunRequest) -> SendResult:
    """Sends the due deliveries of a campaign. Raises the same errors as `send_issue`."""
    with watch_database(workspace.db, workspace.settings.database, request.observe) as watch:
        watched = replace(request, observe=watch)
        result = _run_campaign_unless_held(workspace, watched)
        while _should_wait_for_canary(request, result):
            more = _run_campaign_unless_held(workspace, watched)
            progress = result.progress.combined_with(more.progress) if result.progress else more.progress
            result = replace(more, progress=progress, recovered=result.recovered)
            if more.progress is None:
                break
        return result


def _should_wait_for_canary(request: RunRequest, result: SendResult) -> bool:
    """Returns whether the operator's command should wait until the hold after the canary ends, and then send
    the rest."""
    held = result.campaign.status is Status.HELD and result.progress is not None
    return held and request.by_operator and not request.stop.is_set()


def _run_campaign_unless_held(workspace: Workspace, request: RunRequest) -> SendResult:
    spool = workspace.spools.open(workspace.spools.find(request.slug))
    if spool.campaign.status is Status.HELD:
        if request.by_operator:
            free = wait_while_campaign_is_held(workspace, spool, stop=request.stop, observe=request.observe)
        else:
            free = release_campaign_if_hold_ended(workspace, spool)
        if not free:
            recover_dead_run(workspace, spool)
            refresh_manifest(workspace.settings, spool)
            return make_send_result(workspace, spool, None)
    return _run_due_deliveries(workspace, request)


def _run_due_deliveries(workspace: Workspace, request: RunRequest) -> SendResult:
    campaign = workspace.spools.find(request.slug)
    check_may_be_sent(campaign.slug, campaign.status)
    # What an earlier run left went by the transport of that run.
    recovered = recover_dead_run(workspace, workspace.spools.open(campaign))
    into_folder = is_folder_transport(request.transport)
    spool = workspace.spools.open(campaign, owner=secrets.token_hex(8), into_folder=into_folder)
    refuse_if_database_lacks_deliveries(workspace.settings, campaign, spool.delivery_counts_by_state())
    record_run_location(workspace.db, workspace.settings)
    backoff = Backoff(give_up=workspace.settings.delivery.retry_for.total_seconds())
    given_up = _prepare_deliveries(workspace, spool, backoff, request)
    counts = spool.delivery_counts_by_state()
    if not any(counts[state] for state in TO_SEND):
        conclude_run(workspace, spool, Progress(), by_operator=request.by_operator)
        progress = Progress(outcomes={"rejected": given_up}) if given_up else None
        return make_send_result(workspace, spool, progress, recovered)
    progress = _begin_and_deliver_campaign(workspace, spool, request, backoff, counts)
    if given_up:
        progress.outcomes["rejected"] = progress.outcomes.get("rejected", 0) + given_up
    conclude_run(workspace, spool, progress, by_operator=request.by_operator)
    if not spool.has_open_claims():
        journal_path(workspace.settings, request.slug).unlink(missing_ok=True)
    return make_send_result(workspace, spool, progress, recovered)


def _prepare_deliveries(workspace: Workspace, spool: Spool, backoff: Backoff, request: RunRequest) -> int:
    """Makes the deliveries due that this run must try. Returns how many deferred deliveries were rejected
    because they were retried for longer than `delivery.retry_for`."""
    if (
        workspace.settings.delivery.uncertain == "resend"
        and spool.delivery_counts_by_state()[State.UNCERTAIN]
    ):
        zero_manifest_counts(workspace.settings, spool, State.UNCERTAIN)
        spool.resolve_uncertain_deliveries(resend=True)
    given_up = _make_deferred_deliveries_due(workspace.settings, spool, backoff, request)
    if not spool.into_folder and spool.count_folder_copies():
        zero_manifest_counts(workspace.settings, spool, State.ACCEPTED, State.UNCERTAIN)
        spool.reopen_folder_copies()
    return given_up


def _make_deferred_deliveries_due(
    settings: Settings, spool: Spool, backoff: Backoff, request: RunRequest
) -> int:
    """Makes deferred deliveries due, and rejects deliveries that were retried for longer than
    `delivery.retry_for`. Returns the number of rejected deliveries.

    If an operator started the run for all people, all deferred deliveries become due. If an operator started
    the run for one person, nothing is changed. If the scheduler started the run, deliveries that were retried
    for too long are rejected, and only deliveries become due whose next try is so far ahead that the clock
    must have been wrong.
    """
    if request.by_operator:
        if request.only_subscriber_id is None:
            spool.make_deferred_deliveries_due()
        return 0
    given_up = spool.reject_expired_deliveries(
        utc_text(now() - settings.delivery.retry_for - LAST_ATTEMPT_WITHIN)
    )
    spool.make_deferred_deliveries_due(due_after=utc_text(backoff.latest_attempt_time(now())))
    return given_up


def _begin_and_deliver_campaign(
    workspace: Workspace,
    spool: Spool,
    request: RunRequest,
    backoff: Backoff,
    delivery_counts: Mapping[str, int],
) -> Progress:
    """Marks the campaign as being sent, and sends its due deliveries. Returns the progress at the end.

    If the run ends with an error, sets the status and writes the manifest before raising the error.
    """
    settings, campaign = workspace.settings, spool.campaign
    spool.make_parked_deliveries_due()
    assign_missing_ids(workspace.db, settings.signing_keys()[-1])
    templates = _read_message_templates(settings, campaign, request.signer)
    own = StopFlag(request.stop)  # a pause of this run must not stop the campaigns after it
    transport = open_transport(request.transport, settings, sleep=own.wait)
    _mark_campaign_as_sending(workspace, spool, request)
    try:
        started = workspace.spools.find(campaign.slug).started_at
        # The counts include what was recovered from the old journal, which this run replaces.
        now_known = {"status": Status.SENDING, "started_at": started, "counts": delivery_counts}
        update_manifest(settings.campaigns / campaign.slug, now_known)
        return deliver(
            RunParameters(
                db=workspace.db,
                spools=workspace.spools,
                spool=spool,
                templates=templates,
                transport=transport,
                journal=journal_path(settings, campaign.slug),
                pacer=_make_pacer(workspace, request.transport),
                stop=own,
                source=event_source_of(request.transport),
                connections=settings.delivery.connections,
                only_person=request.only_subscriber_id,
                observe=request.observe,
                backoff=backoff,
                rejects=settings.pace.rejects,
                pool=request.pool,
            )
        )
    except BaseException as error:
        with contextlib.suppress(MailerError, sqlite3.Error, OSError):
            conclude_failed_run(workspace, spool, error, by_operator=request.by_operator)
        if isinstance(error, (MailerError, sqlite3.Error, OSError)):
            raise error_with_next_steps(error, settings, spool) from error
        raise


def _mark_campaign_as_sending(workspace: Workspace, spool: Spool, request: RunRequest) -> None:
    """Marks the campaign as being sent. Raises CampaignError if its status has changed so that it must not be
    sent."""
    with workspace.spools.transaction():
        if not spool.apply_event(Event.BEGIN):
            check_may_be_sent(spool.campaign.slug, spool.status())
        spool.set_transport(request.transport)
        if spool.campaign.held_until:
            spool.set_resume_time("")
            if not request.by_operator:
                # The due time lets the scheduler continue this run, if it is interrupted.
                spool.set_due_time(spool.campaign.held_until)


def _make_pacer(workspace: Workspace, transport_url: str) -> Pacer:
    """Returns the pacer of this workspace, whose limits all campaigns share.

    Messages to an outbox folder reach nobody, so the limits per hour and day do not apply to them. The limits
    per second and minute do, so that a trial runs at the real speed.
    """
    settings = workspace.settings
    if is_folder_transport(transport_url):
        return Pacer(_pace_without_long_limits(settings.pace), now=now().timestamp())
    zone = settings.publication.zone
    return Pacer(settings.pace, workspace.spools.rate_limit_ledger(), zone, now=now().timestamp())


def _pace_without_long_limits(pace: Pace) -> Pace:
    """Returns the pace with only its limits per second and minute, and without warm-up."""
    speeds = {domain: _limits_per_second_or_minute(limits) for domain, limits in pace.domains.items()}
    domains = {domain: limits for domain, limits in speeds.items() if limits}
    return pace.model_copy(
        update={
            "limit": _limits_per_second_or_minute(pace.limit),
            "domains": domains,
            "warm_up": (),
            "warm_up_start": None,
        }
    )


def _limits_per_second_or_minute(limits: Sequence[Rate]) -> tuple[Rate, ...]:
    return tuple(rate for rate in limits if rate.unit in ("s", "m"))


def _read_message_templates(
    settings: Settings, campaign: Campaign, signer: Signer | None
) -> dict[int, MessageTemplate]:
    """Reads the messages of each variant from the campaign's folder. The signer comes from the current
    settings."""
    folder = settings.campaigns / campaign.slug
    renditions: Mapping[int, Rendition] = read_renditions(folder)
    manifest = read_manifest(folder)
    envelope = Envelope(
        # The frozen sender and addresses, because a later run sends the same bytes under the same Message-ID.
        recorded_settings(manifest, settings).in_language(str(manifest.get("language", ""))),
        campaign_id=campaign.id,
        slug=campaign.slug,
        edition=campaign.edition,
        has_legacy_ids=not campaign.stable_ids,
    )
    made = {id(r): MessageTemplate(r, envelope, signer) for r in renditions.values()}
    templates = {variant: made[id(rendition)] for variant, rendition in renditions.items()}
    if not templates:
        raise ArchiveError(f"campaigns/{campaign.slug} holds no rendition; restore the folder from a backup")
    return templates

"""`mailer plan` and `mailer send`."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from sqlite_utils import Database

from mailer.commands.confirmation import YesOption, confirm
from mailer.commands.context import JsonOption, emit_json, settings_of
from mailer.commands.output import (
    say_result,
    say_since,
    warn_of_copies,
    watching,
)
from mailer.commands.sending.canary import (
    CanaryOption,
    HoldOption,
    canary_rows,
    canary_warnings,
    check_canary,
    first_few,
)
from mailer.commands.sending.plan_text import frozen_plan, say_plan
from mailer.commands.sending.schedule import say_scheduled, schedule_rows, schedule_warnings, usual_rows, when
from mailer.commands.sending.test_copies import check_test, send_copies
from mailer.commands.signals import stop_on_signals
from mailer.config import Settings
from mailer.errors import CampaignError
from mailer.services.planning.approved import approved, keep_plan
from mailer.services.planning.prepare import Prepared, left_in, prepare
from mailer.services.planning.schedule import Schedule, check_unscheduled, make_schedule
from mailer.services.planning.usual_time import usual_time, usual_warnings
from mailer.services.sending.freeze import SincePlan
from mailer.services.sending.recovery import recover_if_idle
from mailer.services.sending.send import Result, send_issue
from mailer.services.sending.send_due import check_new, schedule_issue
from mailer.spool.sqlite.canary import Canary
from mailer.spool.sqlite.deliveries import Spool
from mailer.store.database import open_store, open_to_read, utc_text
from mailer.transports.registry import open_transport

__all__ = ["plan", "result_json", "send"]

_NOBODY = "nobody would get this issue, so nothing was sent; see the plan for the reasons"

IssuePath = Annotated[Path, typer.Argument(metavar="ISSUE", help="The issue's YAML file.")]
SegmentOption = Annotated[
    str,
    typer.Option("--segment", metavar="EXPR", help='Only these: language == "en" and "vip" in tags'),
]
TransportOption = Annotated[
    str | None,
    typer.Option("--transport", metavar="URL", help="outbox:PATH, smtp://user@host:port, sendgrid:"),
]

AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="Later: 2026-11-22T08:00; 08:00 of the issue's date; or usual."
    ),
]
AtLocalOption = Annotated[
    str | None,
    typer.Option(
        "--at-local", metavar="HH:MM", help="At this hour of the issue's date where each reader is."
    ),
]


def plan(
    context: typer.Context,
    issue: IssuePath,
    segment: SegmentOption = "",
    transport: TransportOption = None,
    at: AtOption = None,
    at_local: AtLocalOption = None,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Shows who will get an issue, who will not and why, and what it weighs. Sends nothing."""
    settings = settings_of(context)
    db = open_to_read(settings.database)
    apart = at is not None or at_local is not None
    prepared = prepare(db, settings, issue, segment=segment, transport=transport, apart=apart)
    schedule = make_schedule(db, settings, prepared, at=at, at_local=at_local)
    if schedule is not None:
        check_new(settings, prepared)
    prepared = with_recovered(db, settings, prepared)
    left = left_in(db, settings, prepared)
    trouble = keep_plan(db, settings, prepared)
    if trouble:
        warnings = (*prepared.plan.warnings, trouble)
        prepared = replace(prepared, plan=replace(prepared.plan, warnings=warnings))
    if as_json:
        usual = usual_time(settings, prepared)
        document = {**plan_json(prepared, left), "usual_at": utc_text(usual) if usual else None}
        document["time_warnings"] = _time_warnings(settings, prepared, schedule)
        emit_json({**document, **(schedule.to_json() if schedule else {})})
        return
    _say_plan(settings, prepared, left, schedule, None)


def send(
    context: typer.Context,
    issue: IssuePath,
    yes: Annotated[bool, YesOption] = False,
    plan_hash: Annotated[
        str | None,
        typer.Option(
            "--plan", metavar="HASH", help="Send exactly what this plan says, to nobody beyond those planned."
        ),
    ] = None,
    segment: SegmentOption = "",
    transport: TransportOption = None,
    test: Annotated[
        list[str] | None,
        typer.Option(
            "--test", metavar="ADDRESS", help="One marked copy, no campaign; may be given several times."
        ),
    ] = None,
    at: AtOption = None,
    at_local: AtLocalOption = None,
    canary: CanaryOption = None,
    hold: HoldOption = None,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Sends an issue to its readers, or finishes what an earlier send left. Nobody gets it twice."""
    if test:
        check_test(at=at is not None or at_local is not None, plan=plan_hash is not None)
    asked = check_canary(canary, hold, test=bool(test), at_local=at_local is not None)
    settings = settings_of(context)
    settings.signing_keys()
    db = open_store(settings.database)
    prepared = prepare(
        db,
        settings,
        issue,
        segment=segment,
        transport=transport,
        anew=bool(test),
        apart=any(option is not None for option in (at, at_local, canary)),
        approved=plan_hash,
    )
    if test:
        send_copies(db, settings, prepared, test, as_json=as_json)
        return
    prepared = with_recovered(db, settings, prepared)
    left = left_in(db, settings, prepared)
    if left != 0:
        open_transport(prepared.plan.transport, settings)  # one of no use makes no campaign
    number = prepared.plan.recipients if left is None else left
    if left is None and not number:
        raise CampaignError(_NOBODY)
    if plan_hash is not None:
        prepared = approved(db, settings, prepared, plan_hash)
    schedule = make_schedule(db, settings, prepared, at=at, at_local=at_local)
    first = first_few(settings, prepared, asked)
    if schedule is not None:
        _send_later(db, settings, prepared, schedule, first, ask=not (yes or plan_hash), as_json=as_json)
        return
    if prepared.existing is not None:
        check_unscheduled(prepared.existing, settings.publication.zone)
    warn_of_copies(db, settings)
    if number:
        if not as_json:
            _say_plan(settings, prepared, left, None, first)
        if not (yes or plan_hash):
            _ask(db, settings, prepared, number, quiet=as_json)
    changes = SincePlan()

    def frozen(since: SincePlan) -> None:
        nonlocal changes
        changes = since
        if not as_json:
            say_since(since)

    with stop_on_signals() as stop, watching(number, quiet=as_json) as observe:
        result = send_issue(db, settings, prepared, stop=stop, observe=observe, canary=first, frozen=frozen)
    if as_json:
        emit_json({**result_json(result), **changes.to_json()})
    else:
        say_result(settings, result)
    unfinished = result.progress is not None or result.campaign.status in ("held", "stopped")
    if not result.complete and (unfinished or result.counts["uncertain"]):
        raise typer.Exit(1)


def with_recovered(db: Database, settings: Settings, prepared: Prepared) -> Prepared:
    """The same, where a run of the campaign that exists has died: with what it left recovered."""
    if prepared.existing is None:
        return prepared
    return replace(prepared, existing=recover_if_idle(db, settings, prepared.existing))


def plan_json(prepared: Prepared, left: int | None) -> dict[str, object]:
    """The plan as JSON data: as it was frozen, where there is a campaign already."""
    document: dict[str, object] = dict(frozen_plan(prepared).to_json())
    existing, tried_out = prepared.existing, prepared.tried_out
    if existing is not None:
        document |= {"hash": existing.plan_hash, "status": existing.status, "left": left}
    else:
        document["status"] = "new"
    return document | ({"tried_out": asdict(tried_out)} if tried_out else {})


def _say_plan(
    settings: Settings, prepared: Prepared, left: int | None, schedule: Schedule | None, first: Canary | None
) -> None:
    """The plan, with when it goes out and who is first."""
    rows: list[str] = []
    warnings = _time_warnings(settings, prepared, schedule)
    if schedule is not None:
        rows += schedule_rows(settings, prepared, schedule)
    elif prepared.existing is None:
        rows += usual_rows(settings, prepared)
    if first is not None:
        rows += canary_rows(settings, prepared, first)
        warnings += canary_warnings(prepared, first)
    say_plan(prepared, left, rows=rows, warnings=warnings)


def _time_warnings(settings: Settings, prepared: Prepared, schedule: Schedule | None) -> list[str]:
    """What there is to think about when a plan goes out at its time, or now."""
    if schedule is not None:
        return schedule_warnings(schedule)
    return [] if prepared.existing is not None else [*usual_warnings(settings, prepared)]


def _send_later(
    db: Database,
    settings: Settings,
    prepared: Prepared,
    schedule: Schedule,
    first: Canary | None,
    *,
    ask: bool,
    as_json: bool,
) -> None:
    """Freezes what was planned until its time."""
    check_new(settings, prepared)
    if not as_json:
        _say_plan(settings, prepared, None, schedule, first)
    if ask:
        _ask(
            db,
            settings,
            prepared,
            prepared.plan.recipients,
            quiet=as_json,
            when=when(settings, schedule),
        )
    campaign, since = schedule_issue(db, settings, prepared, schedule, first)
    if as_json:
        document = {"slug": campaign.slug, "status": campaign.status, **schedule.to_json(), **since.to_json()}
        emit_json({**document, "counts": Spool(db, campaign).counts(), "plan": campaign.plan})
    else:
        say_since(since)
        say_scheduled(settings, campaign, schedule)


def result_json(result: Result) -> dict[str, object]:
    """The result of a run as JSON data."""
    seconds = result.progress.seconds if result.progress else 0.0
    done = result.progress.handed_over if result.progress else 0
    return {
        "slug": result.campaign.slug,
        "status": result.campaign.status,
        "counts": dict(result.counts),
        "sent_now": dict(result.progress.outcomes) if result.progress else {},
        "next_try": result.next_try or None,
        "seconds": round(seconds, 3),
        "per_second": round(done / seconds, 1) if seconds else 0.0,
        "plan": result.campaign.plan,
    }


def _ask(
    db: Database, settings: Settings, prepared: Prepared, number: int, *, quiet: bool, when: str = "now"
) -> None:
    """Lets the operator confirm the plan, which is kept so that `--plan` can send it later."""
    known = not keep_plan(db, settings, prepared)
    exactly = f", or --plan {prepared.plan.hash} to send exactly this plan" if known else ""
    people = "person" if number == 1 else "people"
    confirm(
        f"Send it to {number:,} {people} {when}?",
        unattended=f"nobody is here to confirm; add --yes{exactly}",
        declined="Nothing was sent.",
        quiet=quiet,
    )

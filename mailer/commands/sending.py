"""`mailer plan` and `mailer send`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlite_utils import Database

from mailer.commands.context import JsonOption, emit_json, say, settings_of
from mailer.commands.first import (
    CanaryOption,
    HoldOption,
    canary_rows,
    canary_warnings,
    check_canary,
    first_few,
)
from mailer.commands.scheduling import say_scheduled, schedule_rows, schedule_warnings, when
from mailer.commands.signals import stop_on_signals
from mailer.commands.telling import say_plan, say_result, warn_of_copies, watching
from mailer.config import Settings
from mailer.delivery.canary import Canary
from mailer.delivery.spool import Spool
from mailer.delivery.transports.base import Result as Fate
from mailer.errors import CampaignError, InputError, TransportError
from mailer.publish.due import check_new, schedule_issue
from mailer.publish.prepare import Prepared, prepare
from mailer.publish.sample import send_sample
from mailer.publish.schedule import Schedule, check_unscheduled, make_schedule
from mailer.publish.send import Result, left_over, send_issue
from mailer.publish.way import check_way
from mailer.store import open_store

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
    typer.Option("--at", metavar="TIME", help="Later: 2026-11-22T08:00, or 08:00 for the next time it is."),
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
    db = open_store(settings.database)
    prepared = prepare(db, settings, issue, segment=segment, transport=transport)
    schedule = make_schedule(db, settings, prepared, at=at, at_local=at_local)
    if schedule is not None:
        check_new(settings, prepared)
    existing = prepared.existing
    left = left_over(Spool(db, existing).counts()) if existing else None
    if as_json:
        status = {"status": existing.status, "left": left} if existing else {"status": "new"}
        emit_json({**prepared.plan.to_json(), **status, **(schedule.to_json() if schedule else {})})
        return
    _say_plan(settings, prepared, left, schedule, None)


def send(
    context: typer.Context,
    issue: IssuePath,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    plan_hash: Annotated[
        str | None, typer.Option("--plan", metavar="HASH", help="Send only exactly what this plan says.")
    ] = None,
    segment: SegmentOption = "",
    transport: TransportOption = None,
    test: Annotated[
        str | None,
        typer.Option("--test", metavar="ADDRESS", help="One marked copy, no campaign."),
    ] = None,
    at: AtOption = None,
    at_local: AtLocalOption = None,
    canary: CanaryOption = None,
    hold: HoldOption = None,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Sends an issue to its readers, or finishes what an earlier send left. Nobody gets it twice."""
    if test is not None and (at is not None or at_local is not None):
        raise InputError("--test sends one copy now; leave --at and --at-local out")
    if test is not None and plan_hash is not None:
        raise InputError("--test sends one copy, and no plan; leave --plan out")
    asked = check_canary(canary, hold, test=test is not None, at_local=at_local is not None)
    settings = settings_of(context)
    settings.signing_keys()
    db = open_store(settings.database)
    prepared = prepare(db, settings, issue, segment=segment, transport=transport)
    if test is not None:
        outcome = send_sample(db, settings, prepared, test)
        if as_json:
            emit_json({"test": test, "result": outcome.result.value, "reason": outcome.reason})
        elif outcome.result is Fate.ACCEPTED:
            say(f"One test copy went to {test} by {prepared.plan.transport}. No campaign was made.")
        if outcome.result is not Fate.ACCEPTED:
            raise TransportError(f"the test copy to {test} was {outcome.result.value}: {outcome.reason}")
        return
    left = left_over(Spool(db, prepared.existing).counts()) if prepared.existing else None
    if left != 0:
        check_way(settings, prepared.plan.transport, prepared.existing, asked=transport is not None)
    _check_hash(prepared, plan_hash)
    schedule = make_schedule(db, settings, prepared, at=at, at_local=at_local)
    first = first_few(settings, prepared, asked)
    if schedule is not None:
        _send_later(db, settings, prepared, schedule, first, ask=not (yes or plan_hash), as_json=as_json)
        return
    if prepared.existing is not None:
        check_unscheduled(prepared.existing, settings.publication.zone)
    number = prepared.plan.recipients if left is None else left
    if left is None and not number:
        raise CampaignError(_NOBODY)
    warn_of_copies(db, settings)
    if number:
        if not as_json:
            _say_plan(settings, prepared, left, None, first)
        if not (yes or plan_hash):
            _ask(prepared, number, quiet=as_json)
    with stop_on_signals() as stop, watching(number, quiet=as_json) as observe:
        result = send_issue(db, settings, prepared, stop=stop, observe=observe, canary=first)
    if as_json:
        emit_json(result_json(result))
    else:
        say_result(settings, result)
    left_now = result.progress is not None or result.counts["uncertain"] or result.campaign.status == "held"
    if not result.complete and left_now:
        raise typer.Exit(1)


def _say_plan(
    settings: Settings, prepared: Prepared, left: int | None, schedule: Schedule | None, first: Canary | None
) -> None:
    """The plan, with when it goes out and who is first."""
    rows: list[str] = []
    warnings: list[str] = []
    if schedule is not None:
        rows += schedule_rows(settings, prepared, schedule)
        warnings += schedule_warnings(schedule)
    if first is not None:
        rows += canary_rows(settings, prepared, first)
        warnings += canary_warnings(prepared, first)
    say_plan(prepared, left, rows=rows, warnings=warnings)


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
    if not prepared.plan.recipients:
        raise CampaignError(_NOBODY)
    if not as_json:
        _say_plan(settings, prepared, None, schedule, first)
    if ask:
        _ask(prepared, prepared.plan.recipients, quiet=as_json, when=when(settings, schedule))
    campaign = schedule_issue(db, settings, prepared, schedule, first)
    if as_json:
        document = {"slug": campaign.slug, "status": campaign.status, **schedule.to_json()}
        emit_json({**document, "counts": Spool(db, campaign).counts(), "plan": campaign.plan})
    else:
        say_scheduled(settings, campaign, schedule)


def result_json(result: Result) -> dict[str, object]:
    """The result of a run as JSON data."""
    seconds = result.progress.seconds if result.progress else 0.0
    done = result.progress.done if result.progress else 0
    return {
        "slug": result.campaign.slug,
        "status": result.campaign.status,
        "counts": dict(result.counts),
        "sent_now": dict(result.progress.outcomes) if result.progress else {},
        "seconds": round(seconds, 3),
        "per_second": round(done / seconds, 1) if seconds else 0.0,
        "plan": result.campaign.plan,
    }


def _check_hash(prepared: Prepared, wanted: str | None) -> None:
    if wanted is None:
        return
    actual = prepared.existing.plan_hash if prepared.existing else prepared.plan.hash
    if wanted != actual:
        raise CampaignError(
            f"the plan is {actual} now, not {wanted}: the issue, the theme or the readers changed. "
            f"Nothing was sent; look at `mailer plan {prepared.loaded.path}`"
        )


def _ask(prepared: Prepared, number: int, *, quiet: bool, when: str = "now") -> None:
    if not sys.stdin.isatty():
        raise CampaignError(
            f"nobody is here to confirm; add --yes, or --plan {prepared.plan.hash} to send exactly this plan"
        )
    people = "person" if number == 1 else "people"
    if not typer.confirm(f"Send it to {number:,} {people} {when}?", err=quiet):
        typer.echo("Nothing was sent.", err=quiet)
        raise typer.Exit(0)

"""`mailer campaigns …`: what was sent, and what to do about the rest."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mailer.archive.verify import examine
from mailer.campaign.times import in_words
from mailer.commands.campaigns.deliveries import deliveries
from mailer.commands.confirmation import YesOption, confirm
from mailer.commands.context import JsonOption, emit_json, say, settings_of
from mailer.commands.output import (
    advice_on,
    say_counts,
    say_reasons,
    say_result,
    warn_of_copies,
    watching,
)
from mailer.commands.sending.send import result_json
from mailer.commands.signals import stop_on_signals
from mailer.config import Settings
from mailer.errors import BusyError, CampaignError, InputError
from mailer.services.campaigns.decisions import (
    cancel_campaign,
    pause_campaign,
    resolve_campaign,
    retry_campaign,
)
from mailer.services.campaigns.frozen_settings import frozen_sender, sender_note
from mailer.services.planning.prepare import OPEN_STATES
from mailer.services.sending.recovery import recover_if_idle
from mailer.services.sending.send import Result, finish_campaign
from mailer.services.sending.send_due import LATE, resume_campaign
from mailer.spool.sqlite.campaigns import Campaign, campaigns, find_campaign
from mailer.spool.sqlite.canary import canary_of, release
from mailer.spool.sqlite.deliveries import STATES, Spool
from mailer.spool.sqlite.schedule import held_number
from mailer.store.database import now, open_store, utc_text
from mailer.transports.registry import is_folder

__all__ = ["app"]

app = typer.Typer(help="What was sent, and what to do about the rest.", no_args_is_help=True)
app.command()(deliveries)

Slug = Annotated[str, typer.Argument(metavar="SLUG")]
AsJson = Annotated[bool, JsonOption]
AddressOption = Annotated[
    str | None, typer.Option("--address", metavar="ADDRESS", help="Only the delivery to this address.")
]


def _document(campaign: Campaign, counts: dict[str, int]) -> dict[str, Any]:
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
        "canary": canary.to_json() if (canary := canary_of(campaign)) else None,
        "held_until": campaign.held_until if campaign.held_until and _goes_on(campaign) else None,
        "created_at": campaign.created_at,
        "started_at": campaign.started_at,
        "finished_at": campaign.finished_at,
        "counts": counts,
        "plan": campaign.plan,
    }


def _goes_on(campaign: Campaign) -> bool:
    """Whether a campaign in this status goes on by itself when its time has come."""
    return campaign.status in ("held", "stopped", "sending")


def _when(settings: Settings, document: dict[str, Any]) -> str:
    """When a campaign that waits goes on, or what it waits for."""
    overdue = document["status"] == "held" and (document["held_until"] or "") < utc_text(now() - LATE)
    if document["status"] == "paused" or overdue:
        return "  [waits for `mailer campaigns resume`]"
    if document["status"] == "sending":
        return "  [is being sent]"
    if document["status"] == "sent" and is_folder(document["transport"]):
        return f"  [in {document['transport']} only, which reached nobody]"
    if document["status"] == "missed":
        return "  [missed its time; `mailer campaigns resume` sends it]"
    if document["held_until"] and document["status"] in ("held", "stopped"):
        return f"  [goes on {in_words(document['held_until'], settings.publication.zone)}]"
    if document["status"] == "stopped":
        return f"  [waits for `mailer send {document['issue']}`]" if _left(document) else ""
    if document["status"] == "ready":
        return f"  [`mailer send {document['issue']}` begins it]"
    if document["status"] != "scheduled" or not document["due_at"]:
        return ""
    hour = f", each reader's {document['local_time']}" if document["local_time"] else ""
    return f"  [due {in_words(document['due_at'], settings.publication.zone)}{hour}]"


def _number_left(spool: Spool) -> int:
    counts = spool.counts()
    return sum(counts[state] for state in OPEN_STATES)


def _left(document: dict[str, Any]) -> bool:
    return any(document["counts"][state] for state in OPEN_STATES)


@app.command("list")
def list_campaigns(context: typer.Context, as_json: AsJson = False) -> None:
    """All campaigns, newest first."""
    settings = settings_of(context)
    db = open_store(settings.database)
    known = [recover_if_idle(db, settings, campaign) for campaign in campaigns(db)]
    documents = [_document(campaign, Spool(db, campaign).counts()) for campaign in known]
    if as_json:
        emit_json(documents)
        return
    for document in documents:
        accepted, total = document["counts"]["accepted"], sum(document["counts"].values())
        say(
            f"{document['slug']:<28} {document['status']:<10} {accepted:>9,} of {total:,}  "
            f"{document['subject']}{_when(settings, document)}"
        )
    if not documents:
        say("There is no campaign yet. `mailer send ISSUE` makes one.")


@app.command()
def show(context: typer.Context, slug: Slug, as_json: AsJson = False) -> None:
    """One campaign: its plan, its counts, and why anything did not arrive."""
    settings = settings_of(context)
    db = open_store(settings.database)
    campaign = recover_if_idle(db, settings, find_campaign(db, slug))
    spool = Spool(db, campaign)
    document = _document(campaign, spool.counts())
    document["in_folder"] = spool.copies_in_folder()
    document["sender"] = frozen_sender(settings, campaign)
    reasons = spool.reasons()
    if as_json:
        document["reasons"] = [
            {"state": group.state, "cause": group.cause, "reason": words.text, "number": words.number}
            for group in reasons
            for words in group.words
        ]
        document["causes"] = [
            {
                "state": group.state,
                "cause": group.cause,
                "number": group.number,
                "advice": advice_on(group, campaign),
            }
            for group in reasons
        ]
        emit_json(document)
        return
    say(
        f"{campaign.slug}: {campaign.status}" + (f" ({campaign.status_note})" if campaign.status_note else "")
    )
    say(f"  issue      {campaign.issue}")
    say(f"  subject    {campaign.subject}")
    say(f"  from       {document['sender']}")
    say(f"  plan       {campaign.plan_hash}")
    say(f"  by         {campaign.transport}")
    if campaign.due_at:
        hour = f", at each reader's {campaign.local_time}" if campaign.local_time else ""
        say(f"  due        {in_words(campaign.due_at, settings.publication.zone)}{hour}")
    held = held_number(spool) if campaign.local_time else 0
    if held:
        say(f"  missed     {held:,} missed their time; `mailer campaigns resume {slug}` sends it to them now")
    canary = canary_of(campaign)
    if canary is not None:
        total = sum(document["counts"].values())
        say(f"  first      {canary.number:,} of {total:,} ({canary.share * 100:g}%)")
    if document["held_until"]:
        say(f"  goes on    {in_words(campaign.held_until, settings.publication.zone)}")
    for label, moment in (("started", campaign.started_at), ("finished", campaign.finished_at)):
        say(f"  {label:<10} {in_words(moment, settings.publication.zone) if moment else 'not yet'}")
    say_counts(document["counts"])
    if document["in_folder"]:
        say(f"  {document['in_folder']:,} had it in {campaign.transport} only, which reached nobody")
    say_reasons(reasons, campaign)
    if note := sender_note(settings, campaign, document["counts"], free=spool.is_free()):
        say(f"  {note}")


@app.command()
def pause(context: typer.Context, slug: Slug, as_json: AsJson = False) -> None:
    """Stops a running campaign within a second; `resume` goes on with it."""
    settings = settings_of(context)
    ended = pause_campaign(open_store(settings.database), settings, slug)
    _say_decided(context, slug, "paused", ended, as_json)


@app.command()
def cancel(
    context: typer.Context, slug: Slug, yes: Annotated[bool, YesOption] = False, as_json: AsJson = False
) -> None:
    """Ends a campaign for good; what it has not sent stays unsent. Asks at a terminal."""
    settings = settings_of(context)
    db = open_store(settings.database)
    if not yes:
        find_campaign(db, slug)
        confirm(
            f"Cancel campaign {slug} for good? What it has not sent stays unsent.",
            unattended=None,  # scripts cancel without being asked
            declined="Nothing was changed.",
            quiet=as_json,
        )
    ended = cancel_campaign(db, settings, slug)
    _say_decided(context, slug, "cancelled", ended, as_json)


def _say_decided(context: typer.Context, slug: str, status: str, ended: bool, as_json: bool) -> None:
    """Says how a campaign stands that was just paused or cancelled."""
    if as_json:
        show(context, slug, as_json=True)
        return
    settings = settings_of(context)
    db = open_store(settings.database)
    counts = Spool(db, find_campaign(db, slug)).counts()
    say(f"Campaign {slug} is {status}.")
    if not ended:
        say("Its run still waits for a server's answer, and ends by itself when that comes.")
    elif any(counts[state] for state in STATES if state != "pending"):
        say_counts(counts)
    if counts["uncertain"]:
        say(f"`mailer campaigns resolve {slug}` settles what is uncertain.")


@app.command()
def resume(context: typer.Context, slug: Slug, as_json: AsJson = False) -> None:
    """Goes on with what was paused, held or stopped; sends what waits for its time, or missed it."""
    settings = settings_of(context)
    db = open_store(settings.database)
    total = sum(Spool(db, find_campaign(db, slug)).counts().values())
    warn_of_copies(db, settings)
    released = release(Spool(db, find_campaign(db, slug)), only_from=("held",))
    try:
        with stop_on_signals() as stop, watching(total, quiet=as_json) as observe:
            result = resume_campaign(db, settings, slug, stop=stop, observe=observe)
    except BusyError:
        if not released:
            raise
        if as_json:
            show(context, slug, as_json=True)
        else:
            say(f"Campaign {slug} goes on: the process that waited with it sends the rest.")
        return
    _tell(settings, result, as_json)


@app.command()
def retry(context: typer.Context, slug: Slug, address: AddressOption = None, as_json: AsJson = False) -> None:
    """Tries again what was rejected or deferred; never what may have arrived, nor who cannot be reached."""
    settings = settings_of(context)
    db = open_store(settings.database)
    again, left_out = retry_campaign(db, settings, slug, address=address)
    if left_out and not as_json:
        say(
            f"{left_out:,} {'is' if left_out == 1 else 'are'} left out, who cannot be reached. "
            "`mailer subscribers restore` brings back who was wrongly marked as bounced."
        )
    elif not again and not as_json:
        say("Nothing was rejected or deferred.")
    _finish(context, slug, as_json, address, retried=again, left_out=left_out)


@app.command()
def resolve(
    context: typer.Context,
    slug: Slug,
    resend: Annotated[bool, typer.Option("--resend", help="Send the uncertain ones again.")] = False,
    assume_sent: Annotated[
        bool, typer.Option("--assume-sent", help="Count the uncertain ones as accepted.")
    ] = False,
    address: AddressOption = None,
    as_json: AsJson = False,
) -> None:
    """Settles what was on the wire when a run died: it may or may not have arrived."""
    if resend == assume_sent:
        raise InputError(
            "choose one of --resend (some may get it twice) and --assume-sent (some may not get it)"
        )
    settings = settings_of(context)
    db = open_store(settings.database)
    number = resolve_campaign(db, settings, slug, resend=resend, address=address)
    if resend and number:
        _finish(context, slug, as_json, address)
    elif as_json:
        show(context, slug, as_json=True)
    elif not number:
        say(f"Nothing in {slug} is uncertain.")
    else:
        counted = "counts" if number == 1 else "count"
        say(f"{number:,} uncertain {'delivery' if number == 1 else 'deliveries'} {counted} as accepted.")


def _finish(
    context: typer.Context, slug: str, as_json: bool, address: str | None = None, **also: int
) -> None:
    """Sends what is left, or to one address alone, and tells how it went."""
    settings = settings_of(context)
    db = open_store(settings.database)
    total = 1 if address is not None else _number_left(Spool(db, find_campaign(db, slug)))
    warn_of_copies(db, settings)
    with stop_on_signals() as stop, watching(total, quiet=as_json) as observe:
        result = finish_campaign(db, settings, slug, stop=stop, observe=observe, address=address)
    _tell(settings, result, as_json, also)


def _tell(settings: Settings, result: Result, as_json: bool, also: dict[str, int] | None = None) -> None:
    if as_json:
        emit_json({**result_json(result), **(also or {})})
    else:
        say_result(settings, result)
    if not (result.complete or result.waits):
        raise typer.Exit(1)


@app.command()
def verify(context: typer.Context, slug: Slug, as_json: AsJson = False) -> None:
    """Checks that the campaign's folder still holds what was sent, and renders it again to compare."""
    settings = settings_of(context)
    folder = settings.campaigns / slug
    if not folder.is_dir():
        find_campaign(open_store(settings.database), slug)
        raise CampaignError(f"campaigns/{slug} is missing; restore it from a backup")
    verdict = examine(folder, settings)
    if as_json:
        findings, notes = list(verdict.problems), list(verdict.notes)
        emit_json({"slug": slug, "ok": not findings, "findings": findings, "notes": notes})
    else:
        for finding in (*verdict.problems, *verdict.notes):
            say(finding)
        if not verdict.problems:
            same = "" if verdict.notes else ", and renders to the same bytes"
            say(f"campaigns/{slug} holds what was sent{same}.")
    if verdict.problems:
        raise typer.Exit(1)

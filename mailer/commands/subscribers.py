"""`mailer subscribers …`: who is written to, and what they asked for."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated, Any

import typer
from sqlite_utils import Database

from mailer.audience import bounces, people, subscribers, suppression
from mailer.audience.address import normalize_address
from mailer.audience.consent import Consent, consents_of
from mailer.audience.people import Subscriber
from mailer.audience.values import (
    attribute_value,
    clean_line,
    editions_of,
    language_tag,
    tags_of,
    timezone_name,
)
from mailer.commands.context import JsonOption, as_json_text, emit_json, say, settings_of
from mailer.commands.erasing import erase
from mailer.commands.lists import export_list, filter_of, import_list
from mailer.delivery.campaigns import find_campaign
from mailer.errors import AudienceError, InputError
from mailer.store import open_store, utc_now

__all__ = ["app"]

app = typer.Typer(help="Who is written to, and what they asked for.", no_args_is_help=True)
app.command("import")(import_list)
app.command("export")(export_list)

Who = Annotated[str, typer.Argument(metavar="ADDRESS")]
AsJson = Annotated[bool, JsonOption]


@app.command()
def add(
    context: typer.Context,
    address: Who,
    edition: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What they read; else all editions.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="How they are addressed.")] = None,
    language: Annotated[str | None, typer.Option(help="A tag such as zh or en.")] = None,
    timezone: Annotated[str | None, typer.Option(help="A name such as Asia/Shanghai.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="May be given several times.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="May be given several times.")
    ] = None,
    consent: Annotated[
        str | None, typer.Option(help="How they asked for it; this brings back who had left.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Adds one person, or changes what is known of them."""
    settings = settings_of(context)
    person_address = normalize_address(address)
    details = subscribers.Details(
        name=None if name is None else clean_line(name),
        language=None if language is None else language_tag(language),
        timezone=None if timezone is None else timezone_name(timezone),
        tags=tags_of(tag) if tag else None,
        attributes=dict(_pair(text) for text in attribute or ()),
    )
    how = clean_line(consent or "", "consent", 500)
    if consent is not None and not how:
        raise AudienceError('--consent is empty; say how they asked, as in --consent "by phone"')
    chosen = editions_of(edition or (), settings.editions)
    db = open_store(settings.database)
    known = people.find(db, address)
    person, new = subscribers.add(
        db,
        person_address,
        consent=Consent(utc_now(), how or "operator", "command line"),
        editions=chosen if chosen or known else tuple(settings.editions),
        details=details,
        own_act=bool(how),
    )
    if as_json:
        emit_json({"added": new, "subscriber": _document(person)})
    else:
        say(f"{person.address} is {'added' if new else 'updated'}; reads {_editions(person)}.")


@app.command("list")
def list_people(
    context: typer.Context,
    status: Annotated[str | None, typer.Option(help="Only people of this status.")] = None,
    edition: Annotated[str | None, typer.Option(metavar="NAME", help="Only who reads this edition.")] = None,
    segment: Annotated[str | None, typer.Option(metavar="EXPR", help="Only this segment.")] = None,
    as_json: AsJson = False,
) -> None:
    """Everybody who fits, one a line."""
    settings = settings_of(context)
    wanted = filter_of(settings, status, edition, segment)
    found = people.list_subscribers(open_store(settings.database), **wanted)
    if as_json:
        # One at a time: a list may be longer than the memory.
        sys.stdout.write("[")
        for number, person in enumerate(found):
            sys.stdout.write(",\n " if number else "\n ")
            sys.stdout.write(as_json_text(_document(person)))
        sys.stdout.write("\n]\n")
        sys.stdout.flush()
        return
    for person in found:
        address = person.address or f"(erased, number {person.id})"
        say(f"{address:<40} {person.status:<13} {_editions(person):<24} {person.name}".rstrip())


@app.command()
def show(context: typer.Context, address: Who, as_json: AsJson = False) -> None:
    """Everything that is known of one person."""
    db = open_store(settings_of(context).database)
    person = _wanted(db, address)
    consents = consents_of(db, person.id)
    came_back = bounces.bounces_of(db, person.id)
    stopped = suppression.suppression_of(db, normalize_address(address).key)
    if as_json:
        document = _document(person)
        document["consents"] = [dataclasses.asdict(consent) for consent in consents]
        document["bounces"] = [dataclasses.asdict(bounce) for bounce in came_back]
        document["suppressed"] = dataclasses.asdict(stopped) if stopped else None
        emit_json(document)
        return
    lines = [
        ("Address", person.address or ""),
        ("Status", person.status),
        ("Editions", _editions(person)),
        ("Name", person.name),
        ("Language", person.language),
        ("Time zone", person.timezone),
        ("Tags", ", ".join(person.tags)),
        *(
            (key, value if isinstance(value, str) else json.dumps(value))
            for key, value in _attributes(person)
        ),
        ("Joined", person.joined_at),
        *(("Consent", f"{given.given_at}: {given.method} {given.origin}".rstrip()) for given in consents),
    ]
    for bounce in came_back:
        place = f" (campaign {bounce.campaign})" if bounce.campaign else ""
        lines.append(("Bounced", f"{bounce.at}: {bounce.words or 'no reason was given'}{place}"))
    if stopped:
        lines.append(("Suppressed", f"{stopped.added_at}: {stopped.reason}"))
    for label, text in lines:
        if text:
            # What has several lines is set in, so that none of them passes for a line of ours.
            say(f"{label:<12} {text}".replace("\n", "\n" + " " * 13))


@app.command()
def unsubscribe(
    context: typer.Context,
    address: Who,
    edition: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only from this edition; else from everything.")
    ] = None,
    reason: Annotated[str, typer.Option(help="In their own words.")] = "",
    as_json: AsJson = False,
) -> None:
    """Takes somebody off, as they asked."""
    settings = settings_of(context)
    if edition is not None:
        editions_of((edition,), settings.editions)
    db = open_store(settings.database)
    person = _wanted(db, address)
    changed = subscribers.unsubscribe(db, person.id, edition=edition, reason=reason, source="cli")
    if as_json:
        emit_json({"changed": changed, "subscriber": _document(_wanted(db, address))})
    else:
        place = edition or "everything"
        say(f"{person.address} {'is now off' if changed else 'was already off'} {place}.")


@app.command()
def restore(
    context: typer.Context,
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]")] = None,
    campaign: Annotated[
        str | None, typer.Option(metavar="SLUG", help="Everybody whom this campaign marked as bounced.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why the address works after all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Writes again to somebody who bounced; what they agreed to still holds."""
    settings = settings_of(context)
    if (address is None) == (campaign is None):
        raise InputError("name an address, or a campaign with --campaign SLUG; one of them")
    why = clean_line(reason, "reason", 500)
    if not why:
        raise InputError('say why the address works after all, as in --reason "they wrote from it today"')
    db = open_store(settings.database)
    if campaign is not None:
        number = bounces.restore_all(db, find_campaign(db, campaign).id, reason=why)
        people_are = "person is" if number == 1 else "people are"
        if as_json:
            emit_json({"campaign": campaign, "restored": number})
        else:
            say(f"{number:,} {people_are} written to again, whom {campaign} had marked as bounced.")
        return
    person = _wanted(db, address or "")
    bounces.restore(db, person, reason=why)
    if as_json:
        emit_json({"restored": 1, "subscriber": _document(_wanted(db, address or ""))})
    else:
        say(f"{person.address} is active again; reads {_editions(person)}.")


app.command()(erase)


@app.command()
def suppress(
    context: typer.Context,
    address: Who,
    reason: Annotated[str, typer.Option(help="Why.")] = "operator",
    as_json: AsJson = False,
) -> None:
    """Never writes to this address again, whoever asks, also if it is not on the list."""
    db = open_store(settings_of(context).database)
    wanted = normalize_address(address)
    changed = suppression.suppress(db, wanted.key, clean_line(reason, "reason") or "operator")
    if as_json:
        emit_json({"address": wanted.address, "changed": changed})
    else:
        say(f"{wanted.address} {'is now' if changed else 'was already'} on the suppression list.")


def _wanted(db: Database, address: str) -> Subscriber:
    person = people.find(db, address)
    if person is None:
        who = normalize_address(address).address
        raise AudienceError(f"{who} is not a subscriber; `mailer subscribers list` shows who is")
    return person


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    key = clean_line(key, "attribute", 100)
    if not equals or not key:
        raise AudienceError(f'--attribute "{text[:80]}" is not KEY=VALUE; write it as company=Acme')
    return key, attribute_value(value, key)


def _document(person: Subscriber) -> dict[str, Any]:
    return dataclasses.asdict(person)


def _attributes(person: Subscriber) -> list[tuple[str, Any]]:
    return sorted(person.attributes.items())


def _editions(person: Subscriber) -> str:
    return ", ".join(person.editions) or "no edition"

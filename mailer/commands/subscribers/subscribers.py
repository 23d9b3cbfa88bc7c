"""`mailer subscribers …`: who is written to, and what they asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.audience import change_address as moving
from mailer.audience import people
from mailer.audience.consent import bounces
from mailer.audience.people import Subscriber, state_of
from mailer.audience.values.address import normalize_address
from mailer.audience.values.cells import clean_line
from mailer.commands.context import emit_json, emit_json_list, say, settings_of
from mailer.commands.subscribers.add import add
from mailer.commands.subscribers.erase import erase
from mailer.commands.subscribers.history import show
from mailer.commands.subscribers.lists import export_list, filter_of, import_list
from mailer.commands.subscribers.person import AsJson, document_of, editions_text, wanted
from mailer.commands.subscribers.unsubscribe import suppress, unsubscribe
from mailer.errors import InputError
from mailer.spool.sqlite.campaigns import campaigns, deliveries_of, find_campaign
from mailer.store.database import open_store, open_to_read

__all__ = ["app"]

app = typer.Typer(help="Who is written to, and what they asked for.", no_args_is_help=True)
app.command("import")(import_list)
app.command("export")(export_list)
app.command()(add)
app.command()(show)
app.command()(unsubscribe)
app.command()(suppress)


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
    chosen = filter_of(settings, status, edition, segment)
    found = people.list_subscribers(open_to_read(settings.database), **chosen)
    if as_json:
        emit_json_list(map(document_of, found))
        return
    for person in found:
        address = person.address or f"(erased, number {person.id})"
        say(f"{address:<40} {state_of(person):<13} {editions_text(person):<24} {person.name}".rstrip())


@app.command()
def restore(
    context: typer.Context,
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS")] = None,
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
    person = wanted(db, address or "")
    bounces.restore(db, person, reason=why)
    if as_json:
        emit_json({"restored": 1, "subscriber": document_of(wanted(db, address or ""))})
    else:
        say(f"{person.address} is active again; reads {editions_text(person)}.")


app.command()(erase)


@app.command("change-address")
def change_address(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD")],
    new: Annotated[str, typer.Argument(metavar="NEW")],
    reason: Annotated[str, typer.Option(help="How it is known.")] = "",
    as_json: AsJson = False,
) -> None:
    """Gives somebody another address. They stay the same person, with their history, also if they left."""
    who, why = normalize_address(new), clean_line(reason, "reason", 500)
    db = open_store(settings_of(context).database)
    before = wanted(db, old)
    changed = moving.change_address(db, before, who, reason=why)
    person = people.get(db, before.id) or before
    on_the_way = [one.slug for one in deliveries_of(db, person.id, campaigns(db)) if one.state == "sending"]
    if as_json:
        emit_json({"changed": changed, "subscriber": document_of(person), "on_the_way": on_the_way})
        return
    if not changed:
        say(f"{person.address} is their address already.")
        return
    say(f"{before.address} is {person.address} now; {_stands(person)}.")
    for slug in on_the_way:
        say(f"{slug} is being handed over to {before.address}; if that is refused, `campaigns retry {slug}`.")


def _stands(person: Subscriber) -> str:
    if person.status == "bounced":
        return (
            "still bounced; if mail reaches the new address, "
            f'`mailer subscribers restore {person.address} --reason "…"`'
        )
    return f"reads {editions_text(person)}" if person.status == "active" else f"still {person.status}"

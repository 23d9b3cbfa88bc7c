"""Implements the commands `list`, `restore` and `change-address` of `mailer subscribers`."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.audience.people import Subscriber, status_or_suppressed
from mailer.commands.context import JsonFlag, emit_json, emit_json_list, say, settings_of
from mailer.commands.subscribers.filters import EditionFilter, SegmentFilter, StatusFilter
from mailer.commands.subscribers.person import editions_text
from mailer.errors import InputError
from mailer.services.subscribers import address_change as moving
from mailer.services.subscribers import listing
from mailer.services.subscribers.listing import SubscriberFilter
from mailer.services.subscribers.person import person_json
from mailer.services.subscribers.restoring import restore_bounced_person, restore_people_bounced_in_campaign

__all__ = ["change_address", "list_people", "restore"]


def list_people(
    context: typer.Context,
    status: StatusFilter = None,
    edition: EditionFilter = None,
    segment: SegmentFilter = None,
    as_json: JsonFlag = False,
) -> None:
    """Lists subscribers, one a line."""
    found = listing.list_people(settings_of(context), SubscriberFilter(status, edition, segment))
    if as_json:
        emit_json_list(map(person_json, found))
        return
    for person in found:
        address = person.address or f"(erased, number {person.id})"
        status = status_or_suppressed(person)
        say(f"{address:<40} {status:<13} {editions_text(person):<24} {person.name}".rstrip())


def restore(
    context: typer.Context,
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(
            metavar="SLUG",
            help="Restore everybody whom this campaign, such as 2026-11-21-morning, marked as bounced.",
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(help='Why the address works after all, such as "their server was down".')
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Makes bounced people active again; their consent still holds."""
    settings = settings_of(context)
    if (address is None) == (campaign is None):
        raise InputError("name either an address, or a campaign with --campaign SLUG")
    if campaign is not None:
        restored = restore_people_bounced_in_campaign(settings, campaign, reason=reason)
        people_are = "person is" if restored.number == 1 else "people are"
        if as_json:
            emit_json(restored.to_json())
        else:
            say(
                f"{restored.number:,} {people_are} active again, after {campaign} had marked them as bounced."
            )
        return
    done = restore_bounced_person(settings, address or "", reason=reason)
    if as_json:
        emit_json(done.to_json())
    else:
        say(f"{done.person.address} is active again; reads {editions_text(done.person)}.")


def change_address(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The present address.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new address, such as li@example.org.")],
    reason: Annotated[
        str, typer.Option(help='How the new address is known, such as "wrote to the desk".')
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Changes a person's address. The person keeps their history and status."""
    done = moving.change_address(settings_of(context), old, new, reason=reason)
    person, before = done.person, done.before
    if as_json:
        emit_json(done.to_json())
        return
    if not done.changed:
        say(f"{person.address} is already the address of this person.")
        return
    say(f"{before.address} was changed to {person.address}; {_status_text(person)}.")
    for slug in done.on_the_way:
        say(
            f"A delivery of {slug} to {before.address} is in flight; if it is refused, run `mailer "
            f"campaigns retry {slug}`."
        )


def _status_text(person: Subscriber) -> str:
    if person.status == "bounced":
        return (
            "still bounced; if mail reaches the new address, "
            f'`mailer subscribers restore {person.address} --reason "…"`'
        )
    return f"reads {editions_text(person)}" if person.status == "active" else f"still {person.status}"

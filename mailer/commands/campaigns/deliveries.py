"""`mailer campaigns deliveries`: the people of a campaign, each with the state of their delivery."""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from typing import Annotated

import typer

from mailer.campaign.times import NEVER, in_words
from mailer.commands.context import JsonOption, emit_json, say, settings_of
from mailer.config import Settings
from mailer.errors import InputError
from mailer.services.sending.recovery import recover_if_idle
from mailer.spool.sqlite.campaigns import find_campaign
from mailer.spool.sqlite.deliveries import STATES, Spool
from mailer.spool.sqlite.listing import Listed, list_deliveries
from mailer.store.database import open_to_read

__all__ = ["deliveries"]


def deliveries(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG")],
    state: Annotated[
        str, typer.Option("--state", metavar="STATE", help=f"Only these: {', '.join(STATES)}.")
    ] = "",
    address: Annotated[
        str | None, typer.Option("--address", metavar="ADDRESS", help="Only this person.")
    ] = None,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Lists people with the state of their delivery, the words of the other side, and the time."""
    if state and state not in STATES:
        raise InputError(f'"{state}" is no state of a delivery; choose one of {", ".join(STATES)}')
    settings = settings_of(context)
    db = open_to_read(settings.database)
    spool = Spool(db, recover_if_idle(db, settings, find_campaign(db, slug)))
    found = list_deliveries(spool, state=state, address=address)
    if as_json:
        emit_json([asdict(delivery) for delivery in found])
        return
    first = next(found, None)
    if first is None:
        say("There is none.")
        return
    for delivery in chain((first,), found):
        say(_delivery_line(settings, delivery))


def _delivery_line(settings: Settings, delivery: Listed) -> str:
    zone = settings.publication.zone
    who = delivery.address or f"(erased, number {delivery.subscriber_id})"
    parts = [f"{who:<40} {delivery.state:<10}"]
    if delivery.at:
        parts.append(in_words(delivery.at, zone, named=False))
    if delivery.in_folder:
        parts.append("in a folder only")
    if delivery.due_at == NEVER:
        parts.append("held back")
    elif delivery.due_at and delivery.state in ("pending", "deferred"):
        parts.append(f"next try {in_words(delivery.due_at, zone, named=False)}")
    if delivery.reason:
        parts.append(delivery.reason)
    return "  ".join(parts)

"""Implements `mailer campaigns deliveries`, which lists the deliveries of a campaign."""

from __future__ import annotations

from itertools import chain
from typing import Annotated

import typer

from mailer.campaign.delivery_state import STATES
from mailer.campaign.times import format_time
from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.config import Settings
from mailer.errors import InputError
from mailer.services.campaigns.documents import delivery_json, list_campaign_deliveries
from mailer.services.workspace import open_workspace
from mailer.spool.values import ListedDelivery

__all__ = ["deliveries"]


def deliveries(
    context: typer.Context,
    slug: Annotated[
        str, typer.Argument(metavar="SLUG", help="The campaign's name, such as 2026-11-21-morning.")
    ],
    state: Annotated[
        str,
        typer.Option("--state", metavar="STATE", help=f"Only deliveries in this state: {', '.join(STATES)}."),
    ] = "",
    address: Annotated[
        str | None,
        typer.Option(
            "--address", metavar="ADDRESS", help="Only the delivery to this address, such as li@example.org."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Lists a campaign's recipients with delivery state, time and the server's answer."""
    if state and state not in STATES:
        raise InputError(f'"{state}" is not a delivery state; choose one of {", ".join(STATES)}')
    workspace = open_workspace(settings_of(context), for_reading=True)
    found = list_campaign_deliveries(workspace, slug, state=state, address=address)
    if as_json:
        emit_json([delivery_json(listed, whose) for listed, whose in found])
        return
    first = next(found, None)
    if first is None:
        say("No delivery matches.")
        return
    for listed, whose in chain((first,), found):
        say(_delivery_line(workspace.settings, listed, whose))


def _delivery_line(settings: Settings, delivery: ListedDelivery, address: str | None) -> str:
    zone = settings.publication.zone
    who = address or f"(erased, number {delivery.person})"
    parts = [f"{who:<40} {delivery.state:<10}"]
    if delivery.at:
        parts.append(format_time(delivery.at, zone, with_zone=False))
    if delivery.in_folder:
        parts.append("in a folder only")
    if delivery.held:
        parts.append("held back")
    elif delivery.due_at and delivery.state in ("pending", "deferred"):
        parts.append(f"next try {format_time(delivery.due_at, zone, with_zone=False)}")
    if delivery.reason:
        parts.append(delivery.reason)
    return "  ".join(parts)

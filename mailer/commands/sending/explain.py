"""Implements `mailer explain`, which says why a person gets an issue or does not get it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailer.campaign.times import format_time
from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.services.planning.explain import PersonExplanation, explain_whether_person_gets_issue
from mailer.services.workspace import open_workspace

__all__ = ["explain"]


def explain(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
    ],
    issue: Annotated[
        Path,
        typer.Argument(
            metavar="ISSUE", help="The issue's YAML file, such as issues/2026-11-21-morning.yaml."
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Explains why a person gets an issue or does not."""
    settings = settings_of(context)
    zone = settings.publication.zone
    found = explain_whether_person_gets_issue(open_workspace(settings, for_reading=True), address, issue)
    if as_json:
        emit_json({**asdict(found), "gets_it": _gets_issue(found)})
        return
    if not found.known:
        listed = ", and is on the suppression list" if found.exclusion else ""
        say(f"{found.address} does not get {found.issue}: the address is not a subscriber's{listed}.")
    elif found.exclusion:
        say(f"{found.address} does not get {found.issue}: {found.exclusion.sentence}.")
        if found.bounce:
            place = f" (campaign {found.bounce.campaign})" if found.bounce.campaign else ""
            say(f"  a message bounced at {format_time(found.bounce.at, zone)}{place}: {found.bounce.words}")
            say(f'  if the address works after all: mailer subscribers restore {found.address} --reason "…"')
    elif found.unwritable:
        say(f"{found.address} does not get {found.issue}: the address {found.unwritable}.")
    else:
        say(f"{found.address} gets {found.issue}: the person is active and subscribes to its edition.")
        for text in found.only:
            say(f"  also gets the parts that are only for {text}")
    for delivery in found.deliveries:
        when = f" at {format_time(delivery.settled_at, zone)}" if delivery.settled_at else ""
        why = f": {delivery.reason}" if delivery.reason else ""
        why += " (in a folder only)" if delivery.in_folder else ""
        say(f"  campaign {delivery.slug}: {delivery.state}{when}{why}")


def _gets_issue(explanation: PersonExplanation) -> bool:
    return explanation.known and explanation.exclusion is None and not explanation.unwritable

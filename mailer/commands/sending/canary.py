"""Defines the options `--canary` and `--hold`, and writes the lines of a plan about the canary."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.campaign.canary import Canary
from mailer.config import Settings
from mailer.services.planning.prepare import PreparedIssue

__all__ = ["CanaryOption", "HoldOption", "canary_rows", "canary_warnings"]

#: With fewer recipients in all, the result of a canary says little about the others.
_MIN_RECIPIENTS = 100

CanaryOption = Annotated[
    str | None,
    typer.Option(
        "--canary",
        metavar="SHARE",
        help="Send to a random share of the readers first, such as 1%, and to the rest if that goes well.",
    ),
]
HoldOption = Annotated[
    str | None,
    typer.Option(
        "--hold",
        metavar="TIME",
        help="How long to watch the canary before the rest is sent: 30m, 2h, or ask to wait for a decision. "
        "Complaints and late bounces count only if a list of them is imported meanwhile; webhooks are not "
        "read yet.",
    ),
]


def canary_rows(settings: Settings, prepared: PreparedIssue, canary: Canary) -> list[str]:
    """Returns the lines of a plan about the size of the canary and about what happens after it."""
    total = prepared.plan.recipients
    then = (
        "then the campaign waits for you"
        if canary.hold is None
        else f"then held for {_duration_in_words(canary.hold)}"
    )
    rows = [f"First      {canary.number:,} of {total:,} ({canary.share * 100:g}%), {then}"]
    if canary.hold is not None:
        rows.append(f"           the rest follow unless more than {settings.pace.rejects * 100:g}% go wrong")
    return rows


def canary_warnings(prepared: PreparedIssue, canary: Canary) -> list[str]:
    """Returns a warning if the campaign has too few recipients for a canary, and otherwise an empty list."""
    total = prepared.plan.recipients
    if total >= _MIN_RECIPIENTS:
        return []
    return [
        f"a canary of {canary.number:,} out of {total:,} readers is too small to say much about the others"
    ]


def _duration_in_words(seconds: float) -> str:
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= unit and seconds % unit == 0:
            number = int(seconds // unit)
            return f"{number:,} {name}{'' if number == 1 else 's'}"
    return "no time"

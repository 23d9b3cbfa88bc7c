"""`mailer send --canary`: the first few of an issue's readers, as the command line asks for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from mailer.config import Settings
from mailer.config.rates import hold_of, share_of
from mailer.errors import CampaignError, InputError
from mailer.services.planning.prepare import Prepared
from mailer.spool.sqlite.canary import Canary, canary_of, make_canary

__all__ = ["CanaryOption", "HoldOption", "canary_rows", "canary_warnings", "check_canary", "first_few"]

#: With fewer readers a share says little about the others.
_FEW = 100

CanaryOption = Annotated[
    str | None,
    typer.Option(
        "--canary", metavar="SHARE", help="A random share first, such as 1%; the rest when it went well."
    ),
]
HoldOption = Annotated[
    str | None,
    typer.Option(
        "--hold",
        metavar="TIME",
        help="How long to watch the first ones: 30m, 2h, or ask. Complaints and later bounces count where an "
        "imported list tells of them meanwhile; no webhook is read yet.",
    ),
]


def check_canary(
    canary: str | None, hold: str | None, *, test: bool = False, at_local: bool = False
) -> tuple[float, timedelta | None, bool] | None:
    """(share, time to hold, whether it was named); None without a canary. Raises InputError."""
    if canary is None:
        if hold is not None:
            raise InputError("--hold is for the first readers of --canary; add --canary 1%, or leave it out")
        return None
    if test:
        raise InputError("--test sends one copy; leave --canary out")
    if at_local:
        raise InputError(
            "--canary and --at-local do not go together: nobody can be watched first where every reader has "
            "a time of their own; use --at"
        )
    try:
        share = share_of(canary)
    except ValueError as error:
        raise InputError(f"--canary: {error}") from None
    if share >= 1:
        raise InputError("--canary: 100% is everybody; choose a smaller share, or leave it out")
    try:
        held = hold_of(hold)
    except ValueError as error:
        raise InputError(f"--hold: {error}") from None
    return share, held, hold is not None


def first_few(
    settings: Settings, prepared: Prepared, asked: tuple[float, timedelta | None, bool] | None
) -> Canary | None:
    """The canary of this sending. Raises CampaignError where its campaign has another one, or none."""
    if asked is None:
        return None
    share, hold, named = asked
    if not named:
        hold = settings.delivery.hold
    canary = make_canary(share, hold.total_seconds() if hold is not None else None, prepared.plan.recipients)
    existing = prepared.existing
    if existing is not None:
        made = canary_of(existing)
        if made is None or made.share != share or (named and made.hold != canary.hold):
            raise CampaignError(
                f"campaign {existing.slug} was made {'with another' if made else 'without a'} canary, which "
                "cannot be changed any more; leave --canary and --hold out to go on with it"
            )
        return made
    return canary


def canary_rows(settings: Settings, prepared: Prepared, canary: Canary) -> list[str]:
    """How many are first, and what comes then: lines of the plan."""
    total = prepared.plan.recipients
    then = (
        "then the campaign waits for you"
        if canary.hold is None
        else f"then held for {_in_words(canary.hold)}"
    )
    rows = [f"First      {canary.number:,} of {total:,} ({canary.share * 100:g}%), {then}"]
    if canary.hold is not None:
        rows.append(f"           the rest follow unless more than {settings.pace.rejects * 100:g}% go wrong")
    return rows


def canary_warnings(prepared: Prepared, canary: Canary) -> list[str]:
    """What to think about before such a share goes first."""
    total = prepared.plan.recipients
    if total >= _FEW:
        return []
    return [f"of {total:,} readers, the first {canary.number:,} say little about the others"]


def _in_words(seconds: float) -> str:
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= unit and seconds % unit == 0:
            number = int(seconds // unit)
            return f"{number:,} {name}{'' if number == 1 else 's'}"
    return "no time"

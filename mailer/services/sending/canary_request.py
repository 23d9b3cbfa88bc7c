"""Reads the canary options of an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mailer.campaign.canary import Canary, canary_of, make_canary
from mailer.config import Settings
from mailer.config.rates import parse_hold_time, parse_share
from mailer.errors import CampaignError, InputError
from mailer.services.planning.prepare import Prepared

__all__ = ["CanaryRequest", "canary_for", "read_canary_request"]


@dataclass(frozen=True, slots=True)
class CanaryRequest:
    """Holds the requested `share` (0 to 1) of readers who are sent to first, and how long they are watched.

    `hold` is in seconds, None where the operator decides; `is_named` says whether the time was given.
    """

    share: float
    hold: timedelta | None
    is_named: bool


def read_canary_request(
    canary: str | None, hold: str | None, *, test: bool = False, at_local: bool = False
) -> CanaryRequest | None:
    """Reads `--canary` and `--hold`; returns None without a canary. Raises InputError.

    `test` and `at_local` say whether these options are given, too, which a canary does not allow.
    """
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
        share = parse_share(canary)
    except ValueError as error:
        raise InputError(f"--canary: {error}") from None
    if share >= 1:
        raise InputError("--canary: 100% is everybody; choose a smaller share, or leave it out")
    try:
        held = parse_hold_time(hold)
    except ValueError as error:
        raise InputError(f"--hold: {error}") from None
    return CanaryRequest(share, held, hold is not None)


def canary_for(settings: Settings, prepared: Prepared, request: CanaryRequest | None) -> Canary | None:
    """Returns the canary for a prepared issue. Raises CampaignError where its campaign has another, or
    none."""
    if request is None:
        return None
    hold = request.hold if request.is_named else settings.delivery.hold
    seconds = hold.total_seconds() if hold is not None else None
    canary = make_canary(request.share, seconds, prepared.plan.recipients)
    existing = prepared.existing
    if existing is not None:
        made = canary_of(existing)
        if made is None or made.share != request.share or (request.is_named and made.hold != canary.hold):
            raise CampaignError(
                f"campaign {existing.slug} was made {'with another' if made else 'without a'} canary, which "
                "cannot be changed any more; leave --canary and --hold out to go on with it"
            )
        return made
    return canary

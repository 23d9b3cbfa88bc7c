"""Reads the options `--canary` and `--hold`, and makes the canary of a campaign from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mailer.campaign.canary import Canary, canary_of, make_canary
from mailer.config import Settings
from mailer.config.rates import parse_hold_time, parse_share
from mailer.errors import CampaignError, InputError
from mailer.services.planning.prepare import PreparedIssue

__all__ = ["CanaryRequest", "make_requested_canary", "read_canary_request"]


@dataclass(frozen=True, slots=True)
class CanaryRequest:
    """Holds the requested canary: the `share` (0 to 1) of readers who get the issue first, and the `hold`
    before the rest is sent.

    `hold` is None if the operator decides when the rest is sent. `has_hold_option` is true if the operator
    gave `--hold`.
    """

    share: float
    hold: timedelta | None
    has_hold_option: bool


def read_canary_request(
    canary: str | None, hold: str | None, *, with_test: bool = False, with_at_local: bool = False
) -> CanaryRequest | None:
    """Reads the options `--canary` and `--hold` as typed. Returns None without a canary. Raises InputError.

    `with_test` and `with_at_local` say whether the options `--test` and `--at-local` are also given, which a
    canary does not allow.
    """
    if canary is None:
        if hold is not None:
            raise InputError("--hold needs --canary; add --canary 1%, or leave --hold out")
        return None
    if with_test:
        raise InputError("--test and --canary cannot be used together; leave --canary out")
    if with_at_local:
        raise InputError(
            "--canary and --at-local cannot be used together, because every reader has a time of their own; "
            "use --at"
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


def make_requested_canary(
    settings: Settings, prepared: PreparedIssue, request: CanaryRequest | None
) -> Canary | None:
    """Returns the canary for a prepared issue; None without a request.

    Raises CampaignError if the issue already has a campaign with another canary or without one.
    """
    if request is None:
        return None
    hold = request.hold if request.has_hold_option else settings.delivery.hold
    seconds = hold.total_seconds() if hold is not None else None
    canary = make_canary(request.share, seconds, prepared.plan.recipients)
    existing = prepared.existing
    if existing is not None:
        made = canary_of(existing)
        if (
            made is None
            or made.share != request.share
            or (request.has_hold_option and made.hold != canary.hold)
        ):
            raise CampaignError(
                f"campaign {existing.slug} was made {'with another' if made else 'without a'} canary, which "
                "cannot be changed any more; leave --canary and --hold out to resume it"
            )
        return made
    return canary

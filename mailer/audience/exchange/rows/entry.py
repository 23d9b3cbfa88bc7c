"""Holds what one checked row of a list says of a person."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.audience.values.address import Address

__all__ = ["NOW", "Entry"]

#: The value of `suppressed` where the row does not say since when.
NOW = "now"


@dataclass(frozen=True, slots=True)
class Entry:
    """Holds a checked row. "" and None mean that it does not say; `editions` is () for "none of them".

    `notes` are the cells that were left out, each as (column, reason). `suppressed` is since when the address
    is suppressed (UTC), or "now" where the row does not say when. `cleaned` is what stood around the address.
    """

    row: int
    address: Address
    name: str
    language: str
    timezone: str
    tags: tuple[str, ...] | None
    attributes: dict[str, str]
    editions: tuple[str, ...] | None
    status: str
    joined: str
    consent_at: str
    consent_method: str
    consent_origin: str
    notes: tuple[tuple[str, str], ...] = ()
    suppressed: str = ""
    suppressed_reason: str = ""
    cleaned: str = ""

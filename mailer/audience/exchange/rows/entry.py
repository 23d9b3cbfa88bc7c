"""Defines an entry: what one checked row of a list says about a person."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.audience.values.address import Address

__all__ = ["NOW", "ListEntry"]

#: The value of `suppressed` where the row does not say since when.
NOW = "now"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """Holds a checked row of a list. A value of "" or None means that the row does not tell this value.

    `editions` of () means that the person reads no edition. `notes` has the cells that were left out, as
    (column, reason). `suppressed` is the UTC time from which the address is suppressed, or "now" if the row
    does not say the time. `cleaned` describes the text that was around the address.
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

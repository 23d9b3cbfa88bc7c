"""Reads addresses through `mailer.addresses`, so that all spellings of one address have the same key."""

from __future__ import annotations

from mailer.addresses import Address, cleaned_address_and_note, quote, read_address, read_domain
from mailer.errors import AudienceError

__all__ = ["Address", "ascii_domain", "cleaned", "normalize_address", "quote"]


def normalize_address(text: str) -> Address:
    """Returns the address in `text`. Raises AudienceError with one sentence where there is none."""
    try:
        return read_address(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None


def cleaned(text: str) -> tuple[Address, str]:
    """Returns the address that a cell means, and what was removed around it in a few words ("": nothing).

    Raises AudienceError with one sentence where there is no address, or more than one.
    """
    try:
        address, note = cleaned_address_and_note(text)
        return read_address(address), note
    except ValueError as error:
        raise AudienceError(str(error)) from None


def ascii_domain(text: str) -> str:
    """Returns a domain in the ASCII form by which addresses are compared. Raises AudienceError."""
    try:
        return read_domain(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None

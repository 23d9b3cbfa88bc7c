"""One person for every spelling of an address: what `mailer.addresses` reads, as errors of the audience."""

from __future__ import annotations

from mailer.addresses import Address, cleaned_address, read_address, read_domain, shown
from mailer.errors import AudienceError

__all__ = ["Address", "ascii_domain", "cleaned", "normalize_address", "shown"]


def normalize_address(text: str) -> Address:
    """The address in `text`. Raises AudienceError with one sentence where there is none."""
    try:
        return read_address(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None


def cleaned(text: str) -> tuple[Address, str]:
    """The address that a cell means, and in a few words what was around it ("" where nothing was cleaned).

    Raises AudienceError with one sentence where there is no address, or more than one.
    """
    try:
        address, note = cleaned_address(text)
        return read_address(address), note
    except ValueError as error:
        raise AudienceError(str(error)) from None


def ascii_domain(text: str) -> str:
    """A domain as addresses are compared by it. Raises AudienceError where it is none."""
    try:
        return read_domain(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None

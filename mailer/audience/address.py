"""One person for every spelling of an address: what `mailer.addresses` reads, as errors of the audience."""

from __future__ import annotations

from mailer.addresses import Address, read_address, read_domain, shown
from mailer.errors import AudienceError

__all__ = ["Address", "ascii_domain", "normalize_address", "shown"]


def normalize_address(text: str) -> Address:
    """The address in `text`. Raises AudienceError with one sentence where there is none."""
    try:
        return read_address(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None


def ascii_domain(text: str) -> str:
    """A domain as addresses are compared by it. Raises AudienceError where it is none."""
    try:
        return read_domain(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None

"""Reads e-mail addresses and domains, and raises AudienceError for wrong ones."""

from __future__ import annotations

from mailer.addresses import Address, cleaned_address_and_note, quote, read_address, read_domain
from mailer.errors import AudienceError

__all__ = ["Address", "ascii_domain", "address_of_cell", "normalize_address", "quote"]


def normalize_address(text: str) -> Address:
    """Returns the address in `text`. All spellings of an address get the same key.

    Raises AudienceError for other text.
    """
    try:
        return read_address(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None


def address_of_cell(text: str) -> tuple[Address, str]:
    """Returns the address in a cell, and a few words about the text that was removed around the address.

    The words are "" if nothing was removed. Raises AudienceError if the cell has no or several addresses.
    """
    try:
        address, note = cleaned_address_and_note(text)
        return read_address(address), note
    except ValueError as error:
        raise AudienceError(str(error)) from None


def ascii_domain(text: str) -> str:
    """Returns a domain in ASCII form, in which addresses are compared.

    Raises AudienceError for a wrong domain.
    """
    try:
        return read_domain(text)
    except ValueError as error:
        raise AudienceError(str(error)) from None

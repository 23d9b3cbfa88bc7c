"""Parses senders such as `Name <address>`, and checks the length of the return path."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from mailer.addresses import (
    LONGEST_ADDRESS,
    LONGEST_LOCAL,
    address_with_ascii_domain,
    read_address,
    strip_invisible_characters,
)
from mailer.display_text import HIDDEN

__all__ = ["BOUNCE_TOKEN_LENGTH", "check_return_path", "read_mailbox"]

#: Characters of the token that names a delivery in the return path (VERP): see `mailer.links.tokens`.
BOUNCE_TOKEN_LENGTH = 40

_WHOLE = re.compile(r"(?P<name>.*?)<(?P<address>[^<>]*)>", re.S)
#: One quoted string (RFC 5322 section 3.2.4).
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_ADDRESS_IN_BRACKETS = re.compile(r"<[^<>]*@[^<>]*>")


def read_mailbox(text: str) -> tuple[str, str]:
    """Returns the name ('' for none) and the address of a sender, from a text such as `Name <address>`.

    The domain is returned in Unicode. Quotes around the whole name are removed; other quotes belong to the
    name. Raises ValueError if the text is not a sender.
    """
    given = strip_invisible_characters(text)
    whole = _WHOLE.fullmatch(given)
    if whole is None and ("<" in given or ">" in given):
        raise ValueError(f'"{text}" is not a sender; write "Name <name@example.org>"')
    name, address = (_parse_name(whole["name"]), whole["address"]) if whole else ("", given)
    read = read_address(address)
    local, _, domain = read.address.rpartition("@")
    if not local.isascii():
        raise ValueError(
            f'"{strip_invisible_characters(address)}" has letters beyond ASCII before the @, and most '
            "mail servers do not accept this; use an address that has only ASCII letters before the @"
        )
    return name, f"{local}@{_domain_in_unicode(domain)}"


def check_return_path(address: str) -> None:
    """Raises ValueError if the return path is too long for the token (VERP) that each message adds to it."""
    local, _, domain = address_with_ascii_domain(address).rpartition("@")
    most = min(LONGEST_LOCAL, LONGEST_ADDRESS - 1 - len(domain))
    limit = (
        f"{LONGEST_LOCAL} octets before the @ (RFC 5321 section 4.5.3.1.1)"
        if most == LONGEST_LOCAL
        else f"{LONGEST_ADDRESS} octets in all (RFC 5321 section 4.5.3.1.3)"
    )
    excess = len(local) + 1 + BOUNCE_TOKEN_LENGTH - most
    if excess <= 0:
        return
    room = most - 1 - BOUNCE_TOKEN_LENGTH
    advice = f"use at most {room} before the @" if room > 0 else "use a shorter domain"
    raise ValueError(
        f'"{address}" is {excess} octet{"" if excess == 1 else "s"} too long: each message adds "+" and '
        f"{BOUNCE_TOKEN_LENGTH} characters to it, and the limit is {limit}; {advice}"
    )


def _parse_name(before_bracket: str) -> str:
    """Returns the name of a sender from the text before the angle bracket."""
    text = strip_invisible_characters(before_bracket)
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    elif _ADDRESS_IN_BRACKETS.search(text):
        raise ValueError(
            f'"{before_bracket.strip()} …" contains two addresses; a sender must have one address'
        )
    elif text.startswith('""') and text.endswith('""') and len(text) > 4:
        text = text[1:-1]
    else:
        text = text.replace('\\"', '"')
    if "=?" in text:
        text = _decode_encoded_words(text)
    if HIDDEN.search(text) or any(character in text for character in "\t\n"):
        raise ValueError("must be one line without control characters")
    return strip_invisible_characters(text)


def _decode_encoded_words(text: str) -> str:
    """Returns a name with the encoded words of mail headers (RFC 2047) decoded."""
    if not _ENCODED_WORD.search(text):
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        raise ValueError(
            f'"{text}" holds an encoded word that cannot be read; write the name itself'
        ) from None


def _domain_in_unicode(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    import idna

    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain

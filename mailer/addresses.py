"""Parses e-mail addresses, in the same way for lists, commands, settings and messages. Pure: no DNS.

The domain is compared as lower-case ASCII (IDNA 2008 with UTS #46), the local part without regard to case
(Unicode canonical caseless matching). An address that mail is sent to keeps the local part as it was given,
because only the receiving server may say what it means (RFC 5321 section 2.4).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from email_validator import EmailNotValidError

__all__ = [
    "LONGEST_ADDRESS",
    "LONGEST_LOCAL",
    "Address",
    "cleaned_address",
    "header_address",
    "read_address",
    "read_domain",
    "shown",
    "trimmed",
]

#: Octets before the @ (RFC 5321 section 4.5.3.1.1).
LONGEST_LOCAL = 64
#: Octets of an address: a path has 256 with its angle brackets (RFC 5321 section 4.5.3.1.3). A domain may
#: have 255 (section 4.5.3.1.2), and the DNS has room for names of 253 (RFC 1035 section 2.3.4).
LONGEST_ADDRESS = 254

#: Longer than any address; a longer text is refused before it is parsed.
_LONGEST = 1000
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# The form of most domains; all others are left to email-validator.
_PLAIN_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
#: Top-level domains that email-validator refuses (RFC 6761, RFC 6762, RFC 7686), without importing it.
_SPECIAL = frozenset({"arpa", "invalid", "local", "localhost", "onion"})
# White space, and what is copied along with an address and not seen: soft hyphens, zero-width characters,
# marks that turn the direction of the text.
_AROUND = r"[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+"
_BEFORE, _AFTER = re.compile(_AROUND), re.compile(rf"{_AROUND}\Z")
# Some programs decode it even there, where RFC 2047 section 5 forbids it, and read another address.
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[bBqQ]\?[^?]*\?=")
# The form of most addresses, in which there is nothing to clean.
_COMMON = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]+")
# Full-width forms of ASCII, as Chinese and Japanese keyboards give them, and their full stops.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3001: ord(","),
    0x3002: ord("."),
    0xFE6B: ord("@"),
    0xFF61: ord("."),
    0xFF64: ord(","),
}
_SCHEME = re.compile(r"(?:mailto|smtp):(?://)?\s*", re.IGNORECASE)
_PAIRS = ("<>", "()", "[]", '""', "''", "``", "“”", "‘’", "«»", "„“", "「」", "【】", "《》", "〈〉")
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>\s*")
_NAMED_BEFORE = re.compile(r"([^()@]*)\(([^()\s]*@[^()\s]*)\)\s*")
_COMMENT = re.compile(r"\s*\([^()@]*\)\s*")
_LOOSE_BEFORE, _LOOSE_AFTER = re.compile(r"[\s,;:]+"), re.compile(r"[\s.,;:!]+\Z")
_UNPRINTABLE = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Address:
    """Holds a parsed address.

    Mail goes to `address`; `key` is the same for every spelling; `domain` is in ASCII.
    """

    address: str
    key: str
    domain: str


def shown(text: str, longest: int = 80) -> str:
    """Returns `text` in quotes for a message: shortened, on one line, without control characters."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return '"' + _UNPRINTABLE.sub("\ufffd", cut) + '"'


def trimmed(text: str) -> str:
    """Returns `text` without white space and invisible characters at both ends."""
    if text.isascii():
        return text.strip()
    start = _BEFORE.match(text)
    rest = text[start.end() :] if start else text
    end = _AFTER.search(rest)
    return rest[: end.start()] if end else rest


def read_address(text: str) -> Address:
    """Returns the address in `text`. Raises ValueError with one sentence where there is none."""
    given = trimmed(text)
    if not given:
        raise ValueError("the address is empty")
    if len(given) > _LONGEST:
        raise _not_an_address(given, "it is too long")
    local, at, domain = given.rpartition("@")
    if not at:
        raise _not_an_address(given, "it has no @")
    ascii_domain, problem = _checked_domain(domain)
    if problem:
        raise _not_an_address(given, problem)
    if not _PLAIN_LOCAL.fullmatch(local):
        local = _checked_local(given, local)
    elif "=?" in local and _ENCODED_WORD.search(local):
        raise _not_an_address(given, "it holds an encoded word of a mail header; write the address itself")
    octets = len(local.encode())
    if octets > LONGEST_LOCAL:
        raise _not_an_address(given, "the part before the @ is too long")
    if octets + 1 + len(ascii_domain) > LONGEST_ADDRESS:
        raise _not_an_address(given, "it is too long")
    return Address(f"{local}@{ascii_domain}", f"{_folded(local)}@{ascii_domain}", ascii_domain)


def cleaned_address(text: str) -> tuple[str, str]:
    """Returns the address that a cell means, and a short note on what was removed ("" where nothing was).

    It accepts `mailto:a@b`, `<a@b>`, `Name <a@b>`, `a@b (work)`, quotes and brackets around it, commas and
    full stops at its end, full-width forms of ASCII (`ａ＠ｂ`), and invisible characters around it. Within an
    address nothing but the width is changed. A text without an address is returned as it is, and
    `read_address` says what is wrong with it. Raises ValueError where there are two addresses.
    """
    if _COMMON.fullmatch(text) or len(text) > _LONGEST:
        return text, ""
    plain = text if text.isascii() else text.translate(_WIDE)
    whole = trimmed(plain)
    notes = {
        "full-width characters": plain != text,
        "invisible characters around it": whole != plain.strip(" \t\r\n"),
    }
    address = whole
    if not _is_address(address):
        address = _without_rest(whole, notes)
        if not _is_address(address):
            _refuse_two(text, address)
            return trimmed(text), ""
    return address, ", ".join(note for note, true in notes.items() if true)


def _without_rest(text: str, notes: dict[str, bool]) -> str:
    """Returns `text` without the usual decoration of an address, and adds what it removed to `notes`."""
    before = ""
    while before != text:
        before = text
        for strip in (_without_scheme, _without_pair, _without_name, _without_comment, _without_loose):
            text, note = strip(text)
            if note:
                notes[note] = True
            text = trimmed(text)
            if _is_address(text):
                return text
    return text


def _without_scheme(text: str) -> tuple[str, str]:
    match = _SCHEME.match(text)
    if not match:
        return text, ""
    rest = text[match.end() :]
    if match[0][:1] in "mM":  # a URI (RFC 6068): percent-encoded, with headers after a question mark
        first, _, headers = rest.partition("?")
        rest = unquote(rest if "@" in unquote(headers) else first)
    return rest, match[0].partition(":")[0].lower() + ":"


def _without_pair(text: str) -> tuple[str, str]:
    for pair in _PAIRS:
        first, last = pair[0], pair[1]
        if len(text) > 2 and text[0] == first and text[-1] == last and not {first, last} & set(text[1:-1]):
            return text[1:-1], "brackets" if first in "<([「【《〈" else "quotes"
    return text, ""


def _without_name(text: str) -> tuple[str, str]:
    """Returns the address of `Name <a@b>` or `Name (a@b)`. A name that is an address must be the same one."""
    match = _NAMED.fullmatch(text) or _NAMED_BEFORE.fullmatch(text)
    if not match or "@" not in match[2]:
        return text, ""
    name, address = match[1].strip(), match[2]
    if "@" in name:
        other = name.strip("\"'() ")
        if not (
            _is_address(other)
            and _is_address(address)
            and read_address(other).key == read_address(address).key
        ):
            return text, ""
    return address, "a name" if name else "brackets"


def _without_comment(text: str) -> tuple[str, str]:
    rest = _COMMENT.sub("", text, count=1) if _COMMENT.match(text) or text.rstrip().endswith(")") else text
    return rest, "" if rest == text else "a comment"


def _without_loose(text: str) -> tuple[str, str]:
    start = _LOOSE_BEFORE.match(text)
    rest = _LOOSE_AFTER.sub("", text[start.end() :] if start else text)
    return rest, "" if rest == text else "punctuation around it"


def _is_address(text: str) -> bool:
    try:
        read_address(text)
    except ValueError:
        return False
    return True


def _refuse_two(text: str, rest: str) -> None:
    """Raises ValueError where `rest` has several parts that are addresses."""
    parts = [part.strip("\"'.") for part in re.split(r"[\s,;/|<>()\[\]?&=:]+", rest)]
    if sum("@" in part and _is_address(part) for part in parts) > 1:
        raise ValueError(f"{shown(text)} holds more than one address; give each a row of its own")


def read_domain(text: str) -> str:
    """Returns a domain in the form in which addresses compare it. Raises ValueError where it is no domain."""
    domain, problem = _checked_domain(trimmed(text))
    if problem:
        raise ValueError(f"{shown(text)} is not the domain of an address: {problem}")
    return domain


def header_address(address: str) -> str:
    """Returns a parsed address as headers and SMTP need it: with its domain in ASCII (RFC 5890)."""
    local, at, domain = address.rpartition("@")
    if at and address.isascii():
        return address
    if not domain.isascii():
        import idna

        domain = _checked_domain(domain)[0] or idna.encode(domain, uts46=True).decode("ascii")
    return f"{local}@{domain}"


def _folded(local: str) -> str:
    """Returns a local part folded for comparison: Unicode 3.13 D145 (canonical caseless matching), in NFC."""
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local).casefold())


@lru_cache(maxsize=1 << 16)
def _checked_domain(domain: str) -> tuple[str, str]:
    """Returns the domain in ASCII, and what is wrong with it ("" where nothing is)."""
    lower = domain.lower()
    if (
        len(lower) <= 250
        and "--" not in lower
        and _PLAIN_DOMAIN.fullmatch(lower)
        and lower.rpartition(".")[2] not in _SPECIAL
    ):
        return lower, ""
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return "", _sentence(error)
    if "." not in checked.ascii_domain:  # `test`, which email-validator takes in a test environment
        return "", "the part after the @-sign is not valid. It should have a period"
    return checked.ascii_domain.lower(), ""


def _checked_local(given: str, local: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(f"{local}@example.org", check_deliverability=False)
    except EmailNotValidError as error:
        raise _not_an_address(given, _sentence(error)) from None
    return checked.local_part


def _sentence(error: EmailNotValidError) -> str:
    text = str(error).rstrip(".")
    return text[:1].lower() + text[1:]


def _not_an_address(given: str, why: str) -> ValueError:
    return ValueError(f"{shown(given)} is not an e-mail address: {why}")

"""Parses e-mail addresses in the same way for lists, commands, settings and messages, without DNS queries.

Domains are compared as lower-case ASCII (IDNA 2008 with UTS #46), local parts without regard to case (Unicode
canonical caseless matching). The address that mail is sent to keeps its local part as written, because only
the receiving server may interpret it (RFC 5321 section 2.4).
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
    "cleaned_address_and_note",
    "address_with_ascii_domain",
    "read_address",
    "read_domain",
    "quote",
    "strip_invisible_characters",
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
#: A text, and a short note on what was removed from it ("" if nothing was).
TextAndNote = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """Holds a parsed e-mail address. All spellings of an address share one `key`; `domain` is in ASCII."""

    address: str
    key: str
    domain: str


def quote(text: str, max_length: int = 80) -> str:
    """Returns `text` in quotes on one line of at most `max_length` characters, for use in a message."""
    cut = text if len(text) <= max_length else text[: max_length - 1] + "…"
    return '"' + _UNPRINTABLE.sub("\ufffd", cut) + '"'


def strip_invisible_characters(text: str) -> str:
    """Returns `text` without white space and invisible characters at its start and end."""
    if text.isascii():
        return text.strip()
    start = _BEFORE.match(text)
    rest = text[start.end() :] if start else text
    end = _AFTER.search(rest)
    return rest[: end.start()] if end else rest


def read_address(text: str) -> Address:
    """Parses `text` as one e-mail address. Raises ValueError with a sentence for the user if it is none."""
    given = strip_invisible_characters(text)
    if not given:
        raise ValueError("the address is empty")
    if len(given) > _LONGEST:
        raise _address_error(given, "it is too long")
    local, at, domain = given.rpartition("@")
    if not at:
        raise _address_error(given, "it has no @")
    ascii_domain, problem = _ascii_domain_and_problem(domain)
    if problem:
        raise _address_error(given, problem)
    if not _PLAIN_LOCAL.fullmatch(local):
        local = _validated_local_part(given, local)
    elif "=?" in local and _ENCODED_WORD.search(local):
        raise _address_error(given, "it holds an encoded word of a mail header; write the address itself")
    octets = len(local.encode())
    if octets > LONGEST_LOCAL:
        raise _address_error(given, "the part before the @ is too long")
    if octets + 1 + len(ascii_domain) > LONGEST_ADDRESS:
        raise _address_error(given, "it is too long")
    return Address(f"{local}@{ascii_domain}", f"{_case_folded(local)}@{ascii_domain}", ascii_domain)


def cleaned_address_and_note(text: str) -> tuple[str, str]:
    """Returns the address that a cell of a list means, and a short note on what was removed around it.

    The note is "" if nothing was removed. The function accepts `mailto:a@b`, `<a@b>`, `Name <a@b>`, `a@b`
    with a comment in brackets, quotes and brackets around the address, commas and full stops at its end,
    invisible characters around it, and full-width forms of ASCII (`ａ＠ｂ`). Within the address only the
    width of characters is changed. A text without an address is returned trimmed; `read_address` then says
    what is wrong with it. Raises ValueError if there are two addresses.
    """
    if _COMMON.fullmatch(text) or len(text) > _LONGEST:
        return text, ""
    narrow = text if text.isascii() else text.translate(_WIDE)
    whole = strip_invisible_characters(narrow)
    notes = {
        "full-width characters": narrow != text,
        "invisible characters around it": whole != narrow.strip(" \t\r\n"),
    }
    address = whole
    if not _is_address(address):
        address = _without_decoration(whole, notes)
        if not _is_address(address):
            _refuse_several_addresses(text, address)
            return strip_invisible_characters(text), ""
    return address, ", ".join(note for note, true in notes.items() if true)


def _without_decoration(text: str, notes: dict[str, bool]) -> str:
    """Returns `text` without brackets, names and so on around an address, and marks them in `notes`."""
    before = ""
    while before != text:
        before = text
        for strip in (
            _without_uri_scheme,
            _without_enclosing_marks,
            _without_display_name,
            _without_comment,
            _without_outer_punctuation,
        ):
            text, note = strip(text)
            if note:
                notes[note] = True
            text = strip_invisible_characters(text)
            if _is_address(text):
                return text
    return text


def _without_uri_scheme(text: str) -> TextAndNote:
    match = _SCHEME.match(text)
    if not match:
        return text, ""
    rest = text[match.end() :]
    if match[0][:1] in "mM":  # a URI (RFC 6068): percent-encoded, with headers after a question mark
        first, _, headers = rest.partition("?")
        rest = unquote(rest if "@" in unquote(headers) else first)
    return rest, match[0].partition(":")[0].lower() + ":"


def _without_enclosing_marks(text: str) -> TextAndNote:
    for brackets in _PAIRS:
        first, last = brackets[0], brackets[1]
        if len(text) > 2 and text[0] == first and text[-1] == last and not {first, last} & set(text[1:-1]):
            return text[1:-1], "brackets" if first in "<([「【《〈" else "quotes"
    return text, ""


def _without_display_name(text: str) -> TextAndNote:
    """Returns the address of `Name <a@b>` or `Name (a@b)`, and a note on what was removed.

    If the name is another address, `text` is returned unchanged with the note "".
    """
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


def _without_comment(text: str) -> TextAndNote:
    rest = _COMMENT.sub("", text, count=1) if _COMMENT.match(text) or text.rstrip().endswith(")") else text
    return rest, "" if rest == text else "a comment"


def _without_outer_punctuation(text: str) -> TextAndNote:
    start = _LOOSE_BEFORE.match(text)
    rest = _LOOSE_AFTER.sub("", text[start.end() :] if start else text)
    return rest, "" if rest == text else "punctuation around it"


def _is_address(text: str) -> bool:
    try:
        read_address(text)
    except ValueError:
        return False
    return True


def _refuse_several_addresses(text: str, undecorated: str) -> None:
    """Raises ValueError if `undecorated`, the core of `text`, contains more than one address."""
    parts = [part.strip("\"'.") for part in re.split(r"[\s,;/|<>()\[\]?&=:]+", undecorated)]
    if sum("@" in part and _is_address(part) for part in parts) > 1:
        raise ValueError(f"{quote(text)} holds more than one address; give each a row of its own")


def read_domain(text: str) -> str:
    """Returns the domain in `text` in lower-case ASCII. Raises ValueError if `text` is not a domain."""
    domain, problem = _ascii_domain_and_problem(strip_invisible_characters(text))
    if problem:
        raise ValueError(f"{quote(text)} is not the domain of an address: {problem}")
    return domain


def address_with_ascii_domain(address: str) -> str:
    """Returns a parsed address with its domain in ASCII (RFC 5890), as headers and SMTP need it."""
    local, at, domain = address.rpartition("@")
    if at and address.isascii():
        return address
    if not domain.isascii():
        import idna

        domain = _ascii_domain_and_problem(domain)[0] or idna.encode(domain, uts46=True).decode("ascii")
    return f"{local}@{domain}"


def _case_folded(local_part: str) -> str:
    """Returns the form of a local part that is compared, without regard to case (Unicode 3.13, D145)."""
    if local_part.isascii():
        return local_part.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local_part).casefold())


@lru_cache(maxsize=1 << 16)
def _ascii_domain_and_problem(domain: str) -> tuple[str, str]:
    """Returns the domain in ASCII and "", or "" and a sentence about what is wrong with it."""
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
        return "", _error_sentence(error)
    if "." not in checked.ascii_domain:  # `test`, which email-validator takes in a test environment
        return "", "the part after the @-sign is not valid. It should have a period"
    return checked.ascii_domain.lower(), ""


def _validated_local_part(address: str, local_part: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(f"{local_part}@example.org", check_deliverability=False)
    except EmailNotValidError as error:
        raise _address_error(address, _error_sentence(error)) from None
    return checked.local_part


def _error_sentence(error: EmailNotValidError) -> str:
    text = str(error).rstrip(".")
    return text[:1].lower() + text[1:]


def _address_error(text: str, reason: str) -> ValueError:
    return ValueError(f"{quote(text)} is not an e-mail address: {reason}")

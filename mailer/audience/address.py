"""One person for every spelling of an address. Pure: no DNS, no database.

The domain is compared as lower-case ASCII (IDNA 2008 with UTS #46), the local part without regard to
case (Unicode canonical caseless matching). What is written to keeps the local part as it was given,
because only the receiving server may say what it means (RFC 5321 section 2.4).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from mailer.errors import AudienceError

__all__ = ["Address", "ascii_domain", "normalize_address", "shown"]

#: Longer than any address; what is longer is refused before it is looked at.
_LONGEST = 1000
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# What most domains look like; whatever else may be one is left to email-validator.
_PLAIN_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_SPECIAL = frozenset(SPECIAL_USE_DOMAIN_NAMES) - {"test"}
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_UNPRINTABLE = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Address:
    """`address` is what is written to, `key` is the same for every spelling, `domain` is ASCII."""

    address: str
    key: str
    domain: str


def shown(text: str, longest: int = 80) -> str:
    """`text` in quotes as a message may show it: cut, on one line, without control characters."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return '"' + _UNPRINTABLE.sub("\ufffd", cut) + '"'


def normalize_address(text: str) -> Address:
    """The address in `text`. Raises AudienceError with one sentence where there is none."""
    given = text.strip().strip(_INVISIBLE).strip()
    if not given:
        raise AudienceError("the address is empty")
    if len(given) > _LONGEST:
        raise _wrong(given, "it is too long")
    local, at, domain = given.rpartition("@")
    if not at:
        raise _wrong(given, "it has no @")
    ascii_domain, problem = _checked_domain(domain)
    if problem:
        raise _wrong(given, problem)
    if not _PLAIN_LOCAL.fullmatch(local):
        local = _checked_local(given, local)
    octets = len(local.encode())
    if octets > 64:
        raise _wrong(given, "the part before the @ is too long")
    if octets + 1 + len(ascii_domain) > 254:
        raise _wrong(given, "it is too long")
    return Address(f"{local}@{ascii_domain}", f"{_folded(local)}@{ascii_domain}", ascii_domain)


def ascii_domain(text: str) -> str:
    """A domain as addresses are compared by it. Raises AudienceError where it is none."""
    domain, problem = _checked_domain(text.strip())
    if problem:
        raise AudienceError(f"{shown(text)} is not the domain of an address: {problem}")
    return domain


def _folded(local: str) -> str:
    """Unicode 3.13 D145 (canonical caseless matching), in NFC."""
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local).casefold())


@lru_cache(maxsize=1 << 16)
def _checked_domain(domain: str) -> tuple[str, str]:
    """The domain in ASCII, and what is wrong with it ("" where nothing is)."""
    lower = domain.lower()
    if (
        len(lower) <= 250
        and "--" not in lower
        and _PLAIN_DOMAIN.fullmatch(lower)
        and lower.rpartition(".")[2] not in _SPECIAL
    ):
        return lower, ""
    try:
        checked = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return "", _sentence(error)
    return checked.ascii_domain.lower(), ""


def _checked_local(given: str, local: str) -> str:
    try:
        checked = validate_email(f"{local}@example.org", check_deliverability=False)
    except EmailNotValidError as error:
        raise _wrong(given, _sentence(error)) from None
    return checked.local_part


def _sentence(error: EmailNotValidError) -> str:
    text = str(error).rstrip(".")
    return text[:1].lower() + text[1:]


def _wrong(given: str, why: str) -> AudienceError:
    return AudienceError(f"{shown(given)} is not an e-mail address: {why}")

"""Parses an SPF record, and says what is wrong with its terms (RFC 7208 sections 4.5 to 7). Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["MalformedTerm", "Term", "parse", "spf_records"]

_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_MECHANISM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)([:/].*)?", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_MACRO = re.compile(r"%\{[slodiphcrvtSLODIPHCRVT][0-9]*r?[-.+,/_=]*\}|%%|%_|%-")
_DOMAIN = re.compile(r"[A-Za-z0-9_.-]+")
_CIDR = re.compile(r"(?:/(\d{1,3}))?(?://(\d{1,3}))?")
_NAMES: Final = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")


class MalformedTerm(ValueError):
    """Says which term does not follow RFC 7208, and why."""


@dataclass(frozen=True, slots=True)
class Term:
    """Holds one mechanism or modifier.

    `domain` is '' where it means the record's own domain, or none at all.
    """

    text: str
    name: str
    qualifier: str = "+"
    domain: str = ""

    @property
    def has_macro(self) -> bool:
        """Returns whether the domain is known only when there is a message."""
        return "%" in self.domain


def spf_records(texts: Iterable[str]) -> list[str]:
    """Returns those of a name's TXT records that are SPF records."""
    return [text for text in texts if _VERSION.match(text)]


def parse(record: str) -> tuple[Term, ...]:
    """Returns the terms of a record, in order. Raises MalformedTerm at the first invalid one."""
    terms = tuple(_term(text) for text in record.split()[1:])
    for name in ("redirect", "exp"):
        if sum(term.name == name for term in terms) > 1:
            raise MalformedTerm(f"{name}= stands in it more than once")
    return terms


def _term(text: str) -> Term:
    mechanism = _MECHANISM.fullmatch(text)
    if mechanism:
        return _mechanism(text, mechanism[1] or "+", mechanism[2].lower(), mechanism[3] or "")
    modifier = _MODIFIER.fullmatch(text)
    if modifier:
        name, value = modifier[1].lower(), modifier[2]
        if name in _NAMES:
            raise MalformedTerm(f'"{text}" has = where : belongs')
        if name in ("redirect", "exp"):
            return Term(text, name, domain=_domain(text, value))
        return Term(text, name)
    raise MalformedTerm(f'"{text}" is not a term of SPF')


def _mechanism(text: str, qualifier: str, name: str, rest: str) -> Term:
    if name == "all":
        if rest:
            raise MalformedTerm(f'"{text}" has text after the word all')
        return Term(text, name, qualifier)
    if name in ("ip4", "ip6"):
        try:
            network = ipaddress.ip_network(rest.removeprefix(":"), strict=False)
        except ValueError:
            raise MalformedTerm(f'"{text}" holds no address or network') from None
        if not rest.startswith(":") or f"ip{network.version}" != name:
            raise MalformedTerm(f'"{text}" holds no {name} address or network')
        return Term(text, name, qualifier)
    if name in ("include", "exists", "ptr"):
        if name != "ptr" or rest:
            return Term(
                text, name, qualifier, _domain(text, rest.removeprefix(":") if rest[:1] == ":" else "")
            )
        return Term(text, name, qualifier)
    domain, slash, prefix = rest.partition("/")  # a and mx
    lengths = _CIDR.fullmatch(slash + prefix)
    if not lengths or int(lengths[1] or 0) > 32 or int(lengths[2] or 0) > 128:
        raise MalformedTerm(f'"{text}" has a wrong prefix length after /')
    return Term(text, name, qualifier, _domain(text, domain[1:]) if domain else "")


def _domain(text: str, value: str) -> str:
    plain = _MACRO.sub("x", value)
    if not plain or not _DOMAIN.fullmatch(plain):
        raise MalformedTerm(f'"{text}" names no domain')
    return value.rstrip(".").lower() if plain == value else value

"""Parses an SPF record, and reports terms that do not follow RFC 7208 (sections 4.5 to 7). Makes no DNS
queries."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["MalformedTerm", "SpfTerm", "parse_spf_record", "select_spf_records"]

_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_MECHANISM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)([:/].*)?", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_MACRO = re.compile(r"%\{[slodiphcrvtSLODIPHCRVT][0-9]*r?[-.+,/_=]*\}|%%|%_|%-")
_DOMAIN = re.compile(r"[A-Za-z0-9_.-]+")
_CIDR = re.compile(r"(?:/(\d{1,3}))?(?://(\d{1,3}))?")
_NAMES: Final = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")


class MalformedTerm(ValueError):
    """Reports the first term of an SPF record that does not follow RFC 7208, and why."""


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """Holds one term of an SPF record: a mechanism such as `include`, or a modifier such as `redirect`.

    `text` is the term as written. `domain` is "" if the term names no domain; `a` and `mx` then mean the
    record's own domain.
    """

    text: str
    name: str
    qualifier: str = "+"
    domain: str = ""

    @property
    def has_macro(self) -> bool:
        """Returns whether the domain contains a macro such as %{i}, which receivers expand for each
        message."""
        return "%" in self.domain


def select_spf_records(txt_records: Iterable[str]) -> list[str]:
    """Returns the SPF records among the TXT records of a name."""
    return [text for text in txt_records if _VERSION.match(text)]


def parse_spf_record(record: str) -> tuple[SpfTerm, ...]:
    """Returns the terms of a record, in order. Raises MalformedTerm at the first invalid term."""
    terms = tuple(_parse_spf_term(text) for text in record.split()[1:])
    for name in ("redirect", "exp"):
        if sum(term.name == name for term in terms) > 1:
            raise MalformedTerm(f"{name}= occurs more than once")
    return terms


def _parse_spf_term(text: str) -> SpfTerm:
    mechanism = _MECHANISM.fullmatch(text)
    if mechanism:
        return _parse_mechanism(text, mechanism[1] or "+", mechanism[2].lower(), mechanism[3] or "")
    modifier = _MODIFIER.fullmatch(text)
    if modifier:
        name, value = modifier[1].lower(), modifier[2]
        if name in _NAMES:
            raise MalformedTerm(f'"{text}" must have : instead of =')
        if name in ("redirect", "exp"):
            return SpfTerm(text, name, domain=_parse_domain_of_term(text, value))
        return SpfTerm(text, name)
    raise MalformedTerm(f'"{text}" is not an SPF term')


def _parse_mechanism(text: str, qualifier: str, name: str, argument: str) -> SpfTerm:
    if name == "all":
        if argument:
            raise MalformedTerm(f'"{text}" has text after the word all')
        return SpfTerm(text, name, qualifier)
    if name in ("ip4", "ip6"):
        try:
            network = ipaddress.ip_network(argument.removeprefix(":"), strict=False)
        except ValueError:
            raise MalformedTerm(f'"{text}" contains no IP address or network') from None
        if not argument.startswith(":") or f"ip{network.version}" != name:
            raise MalformedTerm(f'"{text}" contains no {name} address or network')
        return SpfTerm(text, name, qualifier)
    if name in ("include", "exists", "ptr"):
        if name != "ptr" or argument:
            return SpfTerm(
                text,
                name,
                qualifier,
                _parse_domain_of_term(text, argument.removeprefix(":") if argument[:1] == ":" else ""),
            )
        return SpfTerm(text, name, qualifier)
    domain, slash, prefix = argument.partition("/")  # a and mx
    lengths = _CIDR.fullmatch(slash + prefix)
    if not lengths or int(lengths[1] or 0) > 32 or int(lengths[2] or 0) > 128:
        raise MalformedTerm(f'"{text}" has an invalid prefix length after /')
    return SpfTerm(text, name, qualifier, _parse_domain_of_term(text, domain[1:]) if domain else "")


def _parse_domain_of_term(term_text: str, value: str) -> str:
    expanded = _MACRO.sub("x", value)
    if not expanded or not _DOMAIN.fullmatch(expanded):
        raise MalformedTerm(f'"{term_text}" must name a valid domain')
    return value.rstrip(".").lower() if expanded == value else value

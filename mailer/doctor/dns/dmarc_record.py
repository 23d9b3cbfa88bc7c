"""Finds the DMARC record that applies to a domain, by the DNS tree walk of RFC 9989 section 4.10.

The walk needs no list of public suffixes: the records of a domain and its parents say where the
organisational domain begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mailer.doctor.dns.resolver import Resolver

__all__ = ["DnsTreeWalk", "organisational_domain", "parse_dmarc_tags", "walk_dns_tree"]

_VERSION = re.compile(r"\s*v\s*=\s*DMARC1\s*(?:;|$)")
_MOST_LABELS: Final = 8


@dataclass(frozen=True, slots=True)
class DnsTreeWalk:
    """Holds the result of a DNS tree walk that began at the domain `start`.

    `records` holds each domain that has exactly one valid DMARC record, with the tags of that record, from
    `start` upwards. `ambiguous` lists the domains with more than one record, which are treated as having
    none.
    """

    start: str
    records: tuple[tuple[str, dict[str, str]], ...]
    ambiguous: tuple[str, ...] = ()

    @property
    def organisational_domain(self) -> str:
        """Returns the organisational domain of `start` (RFC 9989 section 4.10.2)."""
        for domain, tags in self.records:
            if tags.get("psd") == "n":
                return domain
            if tags.get("psd") == "y" and domain != self.start:
                below = self.start.removesuffix(f".{domain}").rpartition(".")[2]
                return f"{below}.{domain}"
        return self.records[-1][0] if self.records else self.start

    @property
    def applicable_record(self) -> tuple[str, dict[str, str]] | None:
        """Returns the domain and the tags of the DMARC record that applies to mail from `start`; None if no
        record applies."""
        for domain in (self.start, self.organisational_domain, *[name for name, _ in self.records]):
            for name, tags in self.records:
                if name == domain:
                    return name, tags
        return None


def walk_dns_tree(domain: str, resolver: Resolver) -> DnsTreeWalk:
    """Looks up the DMARC records of a domain and of its parents. Raises UnansweredQuery if the DNS does not
    answer."""
    records: list[tuple[str, dict[str, str]]] = []
    ambiguous: list[str] = []
    labels = domain.split(".")
    while labels:
        name = ".".join(labels)
        found = [text for text in resolver.txt_records(f"_dmarc.{name}") if _VERSION.match(text)]
        if len(found) > 1:
            ambiguous.append(name)
        elif found:
            tags = parse_dmarc_tags(found[0])
            records.append((name, tags))
            if tags.get("psd") == "n" or (tags.get("psd") == "y" and name != domain):
                break
        labels = labels[1 - _MOST_LABELS :] if len(labels) >= _MOST_LABELS else labels[1:]
    return DnsTreeWalk(domain, tuple(records), tuple(ambiguous))


def organisational_domain(domain: str, resolver: Resolver) -> str:
    """Returns the organisational domain of `domain`; `domain` itself if no DMARC record names another."""
    return walk_dns_tree(domain, resolver).organisational_domain


def parse_dmarc_tags(text: str) -> dict[str, str]:
    """Returns the tags of a record such as `v=DMARC1; p=none; rua=…` as a dict. Values are lower-cased,
    except the values of rua and ruf."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if equals and name:
            tags.setdefault(name, value.strip() if name in ("rua", "ruf") else value.strip().lower())
    return tags

"""Extracts the domains of mailboxes, and classifies domains and IP addresses: public, local, or reserved for
examples."""

from __future__ import annotations

import ipaddress

import idna

from mailer.addresses import address_with_ascii_domain
from mailer.config import Mailbox, Settings

__all__ = [
    "ascii_domain",
    "is_example_domain",
    "is_ip_literal",
    "is_local_host",
    "is_public_address",
    "is_same_or_subdomain",
    "domain_and_parents",
    "return_path_domain",
    "sender_domain",
]

#: Names that nobody can own (RFC 2606, RFC 6761): they stand in manuals and on test machines.
_EXAMPLES = ("example.com", "example.net", "example.org", "example", "test", "invalid")
#: Names that mean this machine or this network (RFC 6761, RFC 6762, RFC 8375).
_LOCAL = ("localhost", "local", "internal", "home.arpa")


def ascii_domain(name: str) -> str:
    """Returns a domain as the DNS stores it: ASCII (A-labels), lower case, and no final dot. A domain that
    cannot be encoded is only changed to lower case."""
    name = name.rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return name


def _mailbox_domain(mailbox: Mailbox) -> str:
    return address_with_ascii_domain(mailbox.address).rpartition("@")[2]


def sender_domain(settings: Settings) -> str:
    """Returns the domain of the From address."""
    return _mailbox_domain(settings.publication.sender)


def return_path_domain(settings: Settings) -> str:
    """Returns the domain of MAIL FROM: the domain of delivery.return_path if it is set, otherwise the domain
    of From."""
    return _mailbox_domain(settings.delivery.return_path or settings.publication.sender)


def domain_and_parents(domain: str) -> list[str]:
    """Returns the domain and its parent domains, down to two labels: b.example.org, example.org."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def is_same_or_subdomain(name: str, domain: str) -> bool:
    """Returns whether `name` is `domain` or a subdomain of `domain`."""
    return name == domain or name.endswith(f".{domain}")


def is_example_domain(name: str) -> bool:
    """Returns whether a name is in a domain reserved for examples or tests, so that nobody can own it."""
    return any(is_same_or_subdomain(name, example) for example in _EXAMPLES)


def is_local_host(host: str) -> bool:
    """Returns whether a host name or IP address means this machine or a private network."""
    try:
        return not is_public_address(str(ipaddress.ip_address(host)))
    except ValueError:
        return "." not in host or any(is_same_or_subdomain(host, local) for local in _LOCAL)


def is_public_address(address: str) -> bool:
    """Returns whether an IP address can be reached from the whole internet."""
    return ipaddress.ip_address(address).is_global


def is_ip_literal(host: str) -> bool:
    """Returns whether a host is written as an IP address and not as a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""Checks forward-confirmed reverse DNS: does the sending address have a name that resolves to it?"""

from __future__ import annotations

from collections.abc import Iterator

from mailer.config import Settings
from mailer.config.urls import is_loopback
from mailer.doctor.dns.dmarc_record import organisation
from mailer.doctor.dns.host_names import ascii_domain, is_literal, is_public, is_within, sender_domain
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.zone_file import record
from mailer.errors import ConfigError
from mailer.transports.finding import Finding, Status
from mailer.transports.registry import open_transport

__all__ = ["reverse_names"]


def reverse_names(settings: Settings, resolver: Resolver, host: str) -> Iterator[Finding]:
    """Checks the reverse DNS of the transport's mail server `host`, where it is the publication's own.

    Receivers check the address that mail is sent from. A provider names its own addresses; behind a server on
    this machine or in a private network the address cannot be seen from here.
    """
    try:
        open_transport(settings.delivery.transport, settings)
    except ConfigError:
        return  # the check of the transport says why
    host = ascii_domain(host)
    name = f"ptr {host}"
    elsewhere = Finding(
        name,
        Status.UNKNOWN,
        f"{host} is in your own network; by which address mail leaves it cannot be seen from here",
        "on that machine find its public address, and with `dig -x ADDRESS` its name",
    )
    if is_loopback(host):
        yield elsewhere
        return
    if not is_literal(host):
        own = sender_domain(settings)
        if not (is_within(host, own) or is_within(host, organisation(own, resolver))):
            yield Finding(
                name, Status.OK, f"{host} is a provider's, and so are the addresses that mail leaves by"
            )
            return
    addresses = (host,) if is_literal(host) else resolver.addresses(host)
    public = [address for address in addresses if is_public(address)]
    if not public:
        yield elsewhere
    for address in public:
        yield _confirmed(name, resolver, address)


def _confirmed(name: str, resolver: Resolver, address: str) -> Finding:
    """Returns the finding about one address: its name, and whether that name resolves to the address."""
    names = resolver.names(address)
    advice = f"ask who gave you {address} to set its PTR to a name whose address record is {address}"
    if not names:
        return Finding(
            name, Status.ERROR, f"{address} has no name, and large receivers refuse its mail", advice
        )
    for candidate in names:
        if address in resolver.addresses(candidate):
            return Finding(name, Status.OK, f"{address} is {candidate}, and {candidate} is {address}")
    kind = "AAAA" if ":" in address else "A"
    return Finding(
        name,
        Status.ERROR,
        f"{address} is called {' and '.join(names)}, which does not lead back to it",
        f"publish {record(names[0], kind, address)}, or {advice}",
    )

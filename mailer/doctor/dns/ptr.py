"""Checks forward-confirmed reverse DNS: the IP address that sends must have a host name, and that name must
resolve to the address."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.config import Settings
from mailer.config.urls import is_loopback
from mailer.doctor.dns.dmarc_record import organisational_domain
from mailer.doctor.dns.host_names import (
    ascii_domain,
    is_ip_literal,
    is_public_address,
    is_same_or_subdomain,
    sender_domain,
)
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.zone_file import zone_file_line
from mailer.errors import ConfigError
from mailer.transports.finding import Finding, Status
from mailer.transports.registry import open_transport

__all__ = ["check_reverse_dns"]


def check_reverse_dns(settings: Settings, resolver: Resolver, host: str) -> Iterator[Finding]:
    """Checks the reverse DNS of the mail server `host`, if the server belongs to the publication's own
    domain.

    Receivers check the IP address that mail comes from. A provider takes care of the host names of its own
    addresses. If the server is this machine or in a private network, its public address is not known here,
    and the finding is `unknown`.
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
        f"{host} is in your own network, so the public address of its mail cannot be checked from here",
        "find the public address of that machine, and look up its name with `dig -x ADDRESS`",
    )
    if is_loopback(host):
        yield elsewhere
        return
    if not is_ip_literal(host):
        own = sender_domain(settings)
        if not (
            is_same_or_subdomain(host, own)
            or is_same_or_subdomain(host, organisational_domain(own, resolver))
        ):
            yield Finding(
                name, Status.OK, f"{host} belongs to a provider, who also names the sending addresses"
            )
            return
    addresses = (host,) if is_ip_literal(host) else resolver.host_addresses(host)
    public = [address for address in addresses if is_public_address(address)]
    if not public:
        yield elsewhere
    for address in public:
        yield _reverse_name_finding(name, resolver, address)


def _reverse_name_finding(finding_name: str, resolver: Resolver, address: str) -> Finding:
    """Returns the finding about one IP address: whether it has a name, and whether that name resolves to the
    address."""
    names = resolver.ptr_names(address)
    advice = f"ask the provider of {address} to set its PTR record to a name that resolves to {address}"
    if not names:
        return Finding(
            finding_name,
            Status.ERROR,
            f"{address} has no PTR record, and large receivers refuse mail from it",
            advice,
        )
    for candidate in names:
        if address in resolver.host_addresses(candidate):
            return Finding(
                finding_name, Status.OK, f"{address} has the name {candidate}, which resolves to {address}"
            )
    kind = "AAAA" if ":" in address else "A"
    return Finding(
        finding_name,
        Status.ERROR,
        f"{address} has the name {' and '.join(names)}, which does not resolve to {address}",
        f"publish {zone_file_line(names[0], kind, address)}, or {advice}",
    )

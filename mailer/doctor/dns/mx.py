"""Checks the MX records of the domains that receive replies and bounces (RFC 5321 section 5)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.zone_file import zone_file_line
from mailer.transports.finding import Finding, Status

__all__ = ["check_mx_records"]


def check_mx_records(resolver: Resolver, domain: str, mailbox_names: str) -> Iterator[Finding]:
    """Checks whether `domain` accepts mail. `mailbox_names` tells which of our mailboxes are in this domain,
    for the findings: "From", or "From and Reply-To"."""
    name = f"mx {domain}"
    wanted = zone_file_line(domain, "MX", f"10 mail.{domain}.")
    hosts = [host for _, host in resolver.mx_records(domain)]
    if not hosts:
        if addresses := resolver.host_addresses(domain):
            yield Finding(
                name,
                Status.WARNING,
                f"{domain} has no MX record, so mail to {mailbox_names} goes to {domain} itself "
                f"({addresses[0]})",
                f"publish {wanted}",
            )
        else:
            yield Finding(
                name,
                Status.ERROR,
                f"{domain} has neither MX nor address, so mail to {mailbox_names} cannot be delivered",
                f"publish {wanted}",
            )
        return
    if "" in hosts:
        yield Finding(
            name,
            Status.ERROR,
            f"the null MX (RFC 7505) of {domain} says that it accepts no mail, but it is used for "
            f"{mailbox_names}",
            f"publish {wanted} with your mail server, or use another domain",
        )
        return
    dead = [host for host in hosts if not _has_ip_address(resolver, host)]
    if len(dead) == len(hosts):
        yield Finding(
            name,
            Status.ERROR,
            f"{' and '.join(dead)} {'has' if len(dead) == 1 else 'have'} no address",
            "publish MX records with the names of existing hosts, not with IP addresses",
        )
    elif dead:
        yield Finding(
            name,
            Status.WARNING,
            f"{len(dead)} of the {len(hosts)} MX hosts have no address: {', '.join(dead)}",
            "remove the MX records of these hosts",
        )
    else:
        verb = "takes" if len(hosts) == 1 else "take"
        yield Finding(name, Status.OK, f"{', '.join(hosts)} {verb} mail for {mailbox_names}")


def _has_ip_address(resolver: Resolver, host: str) -> bool:
    """Returns whether the host of an MX record has an IP address in the DNS.

    The host must be a name: receivers do not accept an IP address in an MX record.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(resolver.host_addresses(host))
    return False

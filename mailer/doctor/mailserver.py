"""The SMTP server: whether it lets us in, and whether its address has a name. Nothing is ever sent."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mailer.config import Settings
from mailer.doctor.dns.dmarc_record import organisation
from mailer.doctor.dns.host_names import ascii_domain, is_literal, is_public, is_within, sender_domain
from mailer.doctor.dns.resolver import Resolver, look_up_here
from mailer.doctor.finding import Finding, Status, record
from mailer.errors import ConfigError, TransportError
from mailer.transports.base import is_loopback
from mailer.transports.smtp.server import Server, connect
from mailer.transports.smtp.transport import Smtp

__all__ = ["mailserver", "reverse_names"]

_SECONDS: Final = 25.0  # some servers hold their greeting back for 20


def mailserver(settings: Settings, *, seconds: float = _SECONDS) -> Iterator[Finding]:
    """Connects, says EHLO, STARTTLS and AUTH as a sending would, and leaves. Raises Unanswered."""
    server = _server(settings)
    if server is None:
        return  # the check of the transport says why
    name = f"smtp {server}"
    look_up_here(server.host)
    try:
        session = connect(replace(server, connect_seconds=seconds, answer_seconds=seconds))
    except TransportError as error:
        sentence, _, advice = str(error).rpartition("; ")
        yield Finding(name, Status.ERROR, sentence, advice)
        return
    try:
        tls = session.sock.version() if isinstance(session.sock, ssl.SSLSocket) else None
        login = f"takes the login of {server.user}" if server.user else "asks for no login"
        if server.user and server.tokens is not None:
            login += " with an access token"
        if tls is None and not is_loopback(server.host):
            yield Finding(
                name,
                Status.WARNING,
                f"answers without STARTTLS and {login}: messages would travel in the clear",
                "use smtps://, or another port (587 is usual)",
            )
        else:
            yield Finding(name, Status.OK, f"answers with {tls or 'no TLS, on this machine,'} and {login}")
    finally:
        session.leave()


def reverse_names(settings: Settings, resolver: Resolver) -> Iterator[Finding]:
    """Forward-confirmed reverse DNS of the transport's host, where it is the publication's own.

    Receivers look at the address that mail leaves by. Of a provider's that is the provider's to name;
    behind a server on this machine or in a private network it cannot be seen from here.
    """
    server = _server(settings)
    if server is None:
        return
    host = ascii_domain(server.host)
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
    """One address: its name, and whether that name leads back to it."""
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


def _server(settings: Settings) -> Server | None:
    try:
        return Smtp.from_url(settings.delivery.transport, settings).server
    except ConfigError:
        return None

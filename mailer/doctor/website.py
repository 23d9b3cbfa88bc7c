"""Checks the web server that readers and mailbox providers reach at base_url: its host name, its TLS, its
health page.

Host names are looked up in the DNS, as readers do it, and not in the hosts file of this machine.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final
from urllib.parse import urlsplit

from mailer.config import Settings
from mailer.doctor.dns.host_names import ascii_domain, is_ip_literal, is_public_address
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.zone_file import zone_file_line
from mailer.transports.base import one_line
from mailer.transports.finding import Finding, Status

__all__ = ["check_website_host", "check_website"]

_SECONDS: Final = 8.0
_DAY: Final = 86_400.0
_DAYS_LEFT: Final = 14
_MAX_BODY_BYTES: Final = 1_000


def check_website_host(settings: Settings, resolver: Resolver) -> Iterator[Finding]:
    """Checks whether the host of base_url, which all unsubscribe links use, has an IP address that readers
    can reach."""
    name = _website_host(settings)
    addresses = _host_addresses(resolver, name)
    private = [address for address in addresses if not is_public_address(address)]
    if not addresses:
        yield Finding(
            f"host {name}",
            Status.ERROR,
            f"{name} is not in the DNS, so no unsubscribe link can be opened",
            f"publish {zone_file_line(name, 'A', 'THE-ADDRESS-OF-YOUR-SERVER')}",
        )
    elif private:
        yield Finding(
            f"host {name}",
            Status.ERROR,
            f"{', '.join(private)} cannot be reached from the internet",
            f"publish {zone_file_line(name, 'A', 'THE-PUBLIC-ADDRESS')}",
        )
    else:
        yield Finding(f"host {name}", Status.OK, ", ".join(addresses))


def check_website(settings: Settings, resolver: Resolver, *, seconds: float = _SECONDS) -> Iterator[Finding]:
    """Checks the TLS of base_url, and whether `mailer serve` answers GET /healthz there. Follows no redirect.

    `seconds` limits the wait for each step of the connection.
    """
    parts = urlsplit(settings.publication.base_url)
    secure = parts.scheme == "https"
    name = _website_host(settings)
    port = parts.port or (443 if secure else 80)
    addresses = _host_addresses(resolver, name)
    if not addresses:
        yield Finding("web", Status.UNKNOWN, f"{name} has no IP address to connect to")
        return
    try:
        plain = _connect_to_any_address(addresses, port, seconds)
    except ConnectionRefusedError:
        yield Finding(
            "web",
            Status.ERROR,
            f"no server listens at {name} port {port}",
            "start `mailer serve` and its proxy",
        )
        return
    except OSError as error:
        yield Finding(
            "web",
            Status.UNKNOWN,
            f"{name} port {port} cannot be reached from here: {_connection_error_text(error)}",
            "open base_url in a browser on another machine: a firewall of this machine may be the cause",
        )
        return
    with closing(plain):
        connection: socket.socket = plain
        if secure:
            try:
                connection = ssl.create_default_context().wrap_socket(plain, server_hostname=name)
            except OSError as error:
                yield _tls_failure_finding(name, error)
                return
        with closing(connection):
            if isinstance(connection, ssl.SSLSocket):
                yield _certificate_finding(name, connection)
            yield _health_finding(parts.path.rstrip("/") + "/healthz", parts.netloc, connection)


def _website_host(settings: Settings) -> str:
    return ascii_domain(urlsplit(settings.publication.base_url).hostname or "")


def _host_addresses(resolver: Resolver, host_name: str) -> tuple[str, ...]:
    return (host_name,) if is_ip_literal(host_name) else resolver.host_addresses(host_name)


def _connect_to_any_address(addresses: tuple[str, ...], port: int, seconds: float) -> socket.socket:
    """Returns a connection to the first address that accepts one. `seconds` limits the wait for each address.

    Raises the OSError of the last address if none accepts.
    """
    last: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as error:
            last = error
    raise last


def _tls_failure_finding(host_name: str, error: OSError) -> Finding:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Finding(
            "tls",
            Status.ERROR,
            f"the certificate of {host_name} cannot be trusted: {error.verify_message.rstrip('.')}",
            f"get a certificate for {host_name} from a public authority, and serve the whole chain",
        )
    if isinstance(error, TimeoutError):
        return Finding(
            "tls", Status.UNKNOWN, f"{host_name} did not finish the TLS handshake in time", "run this again"
        )
    return Finding(
        "tls",
        Status.ERROR,
        f"{host_name} does not speak TLS 1.2 or newer: {_connection_error_text(error)}",
        "let the proxy before `mailer serve` offer TLS 1.2 and 1.3",
    )


def _certificate_finding(host_name: str, connection: ssl.SSLSocket) -> Finding:
    certificate: dict[str, Any] = connection.getpeercert() or {}
    begins = ssl.cert_time_to_seconds(certificate["notBefore"])
    ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    left = ends - time.time()
    message = (
        f"{connection.version()}, the certificate of {host_name} is valid for {left / _DAY:,.0f} more days"
    )
    # Some certificates live for a week only, and are renewed in time: then a third of their life is early.
    if left < min(_DAYS_LEFT * _DAY, (ends - begins) / 3):
        return Finding(
            "tls",
            Status.WARNING,
            message,
            "renew the certificate, and find out why it was not renewed automatically",
        )
    return Finding("tls", Status.OK, message)


def _health_finding(path: str, authority: str, connection: socket.socket) -> Finding:
    """Sends GET `path` over an open connection, and returns the finding about the answer. The request changes
    nothing.

    `authority` is the host and port for the Host header.
    """
    client = http.client.HTTPConnection("unused")
    client.sock = connection
    try:
        client.request("GET", path, headers={"Host": authority, "Connection": "close"})
        answer = client.getresponse()
        status, location = answer.status, answer.getheader("Location", "")
        body = answer.read(_MAX_BODY_BYTES)
    except TimeoutError:
        return Finding("web", Status.UNKNOWN, f"GET {path} was not answered in time", "run this again")
    except (OSError, http.client.HTTPException) as error:
        return Finding(
            "web",
            Status.ERROR,
            f"GET {path} failed: {_connection_error_text(error)}",
            "look at the proxy's log",
        )
    if status == 200 and body.strip() == b"ok":
        return Finding("web", Status.OK, f"GET {path} answers ok")
    if 300 <= status <= 399:
        return Finding(
            "web",
            Status.ERROR,
            f"GET {path} redirects to {one_line(location, 200)}, but a one-click POST follows no redirect",
            "set publication.base_url to the target of the redirect, or let the proxy answer without one",
        )
    if status == 503:
        return Finding(
            "web",
            Status.ERROR,
            f"GET {path} answers 503: the web server runs, but cannot use its database",
            "look at the log of `mailer serve`",
        )
    return Finding(
        "web",
        Status.ERROR,
        f"GET {path} answers {status}" + (", but not as `mailer serve` does" if status == 200 else ""),
        "let the proxy pass all requests below base_url to `mailer serve`",
    )


def _connection_error_text(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return one_line(str(reason), 200) or type(error).__name__

"""Queries the DNS, and distinguishes "there is no record" from "the DNS did not answer".

The result of a query is empty if the record does not exist. `UnansweredQuery` is raised if there is no
answer, because of a time-out, a SERVFAIL or a missing network: then it is unknown whether the record exists.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
import dns.reversename

from mailer.errors import ConfigError
from mailer.transports.finding import UnansweredQuery

__all__ = ["DnsResolver", "Resolver", "parse_nameserver"]

#: How long to wait for one server, and for the answer to a question altogether (seconds).
_SERVER_SECONDS: Final = 2.0
_QUESTION_SECONDS: Final = 5.0

_Value = TypeVar("_Value")


class Resolver(Protocol):
    """Defines the queries that the checks make to the DNS.

    Every method returns an empty value if the record does not exist, and raises UnansweredQuery if the DNS
    does not answer.
    """

    def txt_records(self, name: str) -> tuple[str, ...]:
        """Returns the TXT records of a name. The strings of one record are joined (RFC 7208 section 3.3)."""
        ...

    def mx_records(self, name: str) -> tuple[tuple[int, str], ...]:
        """Returns (preference, host) of each MX record, the most preferred first. The host of a null MX is
        ""."""
        ...

    def host_addresses(self, name: str) -> tuple[str, ...]:
        """Returns the IPv4 and then the IPv6 addresses of a host."""
        ...

    def cname_target(self, name: str) -> str:
        """Returns the target of the CNAME record of a name; "" if there is no such record."""
        ...

    def ptr_names(self, address: str) -> tuple[str, ...]:
        """Returns the host names in the PTR records of an IP address."""
        ...


class DnsResolver:
    """Resolves names with dnspython. A resolver may be shared between threads, and caches answers as long as
    it exists."""

    def __init__(
        self,
        server: tuple[str, int] | None = None,
        *,
        server_seconds: float = _SERVER_SECONDS,
        seconds: float = _QUESTION_SECONDS,
    ) -> None:
        """Takes the address and port of a DNS `server`; None means the nameservers of this machine.

        `server_seconds` limits the wait for one server, and `seconds` the wait for the answer to one query.
        """
        self._no_server_reason = ""
        try:
            self._resolver = dns.resolver.Resolver(configure=server is None)
        except (dns.exception.DNSException, OSError):
            self._resolver = dns.resolver.Resolver(configure=False)
            self._no_server_reason = "this machine has no nameserver"
        if server is not None:
            self._resolver.nameservers = [server[0]]
            self._resolver.port = server[1]
        self._resolver.timeout = server_seconds
        self._resolver.lifetime = seconds
        self._resolver.cache = dns.resolver.LRUCache()
        self._resolver.use_search_by_default = False

    def txt_records(self, name: str) -> tuple[str, ...]:
        return self._query_records(
            name, "TXT", lambda data: b"".join(data.strings).decode("utf-8", "replace")
        )

    def mx_records(self, name: str) -> tuple[tuple[int, str], ...]:
        found = self._query_records(
            name, "MX", lambda data: (int(data.preference), _host_name_text(data.exchange))
        )
        return tuple(sorted(found))

    def host_addresses(self, name: str) -> tuple[str, ...]:
        def read_ip_address(data: Any) -> str:
            return str(data.address)

        return self._query_records(name, "A", read_ip_address) + self._query_records(
            name, "AAAA", read_ip_address
        )

    def cname_target(self, name: str) -> str:
        found = self._query_records(name, "CNAME", lambda data: _host_name_text(data.target))
        return found[0] if found else ""

    def ptr_names(self, address: str) -> tuple[str, ...]:
        reverse = dns.reversename.from_address(address).to_text(omit_final_dot=True)
        return self._query_records(reverse, "PTR", lambda data: _host_name_text(data.target))

    def _query_records(
        self, name: str, record_type: str, read_value: Callable[[Any], _Value]
    ) -> tuple[_Value, ...]:
        if self._no_server_reason:
            raise UnansweredQuery(f"{record_type} of {name} cannot be looked up: {self._no_server_reason}")
        try:
            answer = self._resolver.resolve(
                dns.name.from_text(name), dns.rdatatype.from_text(record_type), raise_on_no_answer=False
            )
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong):
            return ()
        except dns.exception.Timeout:
            raise UnansweredQuery(
                f"the DNS did not answer in time when asked for {record_type} of {name}"
            ) from None
        except dns.resolver.NoNameservers as error:
            raise UnansweredQuery(
                f"the DNS could not answer for {record_type} of {name}: {_last_server_error(error)}"
            ) from None
        except (dns.exception.DNSException, OSError) as error:
            why = str(error) or type(error).__name__
            raise UnansweredQuery(f"the DNS could not answer for {record_type} of {name}: {why}") from None
        return tuple(read_value(data) for data in answer.rrset or ())


def parse_nameserver(text: str) -> tuple[str, int]:
    """Returns the address and port written as `127.0.0.1:5353`, as `[::1]:53`, or as an address alone (port
    53). Raises ConfigError."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text.strip(), "53"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError
    except ValueError:
        raise ConfigError(
            f'"{text}" is not a nameserver; write an IP address and a port, such as 127.0.0.1:53'
        ) from None
    return str(address), int(port)


def _host_name_text(dns_name: Any) -> str:
    return str(dns_name.to_text(omit_final_dot=True)).lower().removesuffix(".")


def _last_server_error(error: dns.resolver.NoNameservers) -> str:
    """Returns the error of the last nameserver that was tried, such as SERVFAIL or REFUSED."""
    tries = error.kwargs.get("errors") or ()
    return str(tries[-1][3]) if tries else "no nameserver was left to ask"

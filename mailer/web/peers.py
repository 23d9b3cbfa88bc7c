"""Limits the connections that one client address may keep open without having sent a whole request.

A connection is waiting until a whole request has arrived on it, and again after the answer to that request.
If an address has too many waiting connections, the oldest are closed. A connection whose request is complete,
or whose bytes have arrived but are not yet read, is never closed for this reason.
"""

from __future__ import annotations

import ipaddress
from itertools import islice
from typing import Protocol

__all__ = ["OpenConnection", "PeerLimits", "peer_of"]

#: One customer line usually has as many addresses of IPv6 as this prefix holds.
_IPV6_PREFIX = 64


class OpenConnection(Protocol):
    """Defines the method of a connection that PeerLimits calls."""

    def has_unread_bytes(self) -> bool:
        """Returns whether bytes of the client have arrived that the server has not read yet."""
        ...


class PeerLimits:
    """Counts, for each peer, the connections that have not sent a whole request yet.

    `max_per_peer` is the number of such connections that one peer may have at the same time.
    """

    def __init__(self, max_per_peer: int) -> None:
        self.max_per_peer = max_per_peer
        self._owing: dict[str, dict[OpenConnection, None]] = {}  # in the order in which they began to owe

    def add(self, peer: str, connection: OpenConnection) -> list[OpenConnection]:
        """Counts a connection. If `peer` now has too many, returns its older connections to be closed."""
        counted = self._owing.setdefault(peer, {})
        counted.setdefault(connection)
        excess_count = len(counted) - self.max_per_peer
        if excess_count <= 0:
            return []
        silent = (other for other in counted if other is not connection and not other.has_unread_bytes())
        excess = list(islice(silent, excess_count))
        for other in excess:
            del counted[other]
        return excess

    def remove(self, peer: str, connection: OpenConnection) -> None:
        """Stops counting a connection. Does nothing if the connection is not counted."""
        counted = self._owing.get(peer)
        if counted is not None:
            counted.pop(connection, None)
            if not counted:
                del self._owing[peer]


def peer_of(host: str | None) -> str | None:
    """Returns the peer of a client address, whose connections are counted together.

    The peer is an IPv4 address, or the /64 network of an IPv6 address. Returns None, which means no limit,
    for this machine itself and for a `host` that is no IP address: a proxy on this machine opens the
    connections of all readers, and only for complete requests.
    """
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            network = ipaddress.ip_network((address, _IPV6_PREFIX), strict=False)
            return None if address.is_loopback else str(network)
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)

"""Limits the connections that one client address may keep open without sending a whole request.

A connection owes a request from its beginning until a whole request has arrived, and again once that is
answered. It is closed for a newer one of the same address, the oldest first: so a request that is complete,
or whose bytes have arrived and are only not yet read, is never refused for its address.
"""

from __future__ import annotations

import ipaddress
from itertools import islice
from typing import Protocol

__all__ = ["OpenConnection", "Peers", "peer_of"]

#: One customer line usually has as many addresses of IPv6 as this prefix holds.
_IPV6_PREFIX = 64


class OpenConnection(Protocol):
    """Defines the part of a connection that counting its peer needs."""

    def has_unread(self) -> bool:
        """Returns whether bytes of it wait to be read."""
        ...


class Peers:
    """Counts the connections of each peer that still owe a request. `most` is the limit for one peer."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._owing: dict[str, dict[OpenConnection, None]] = {}  # in the order in which they began to owe

    def add(self, peer: str, connection: OpenConnection) -> list[OpenConnection]:
        """Counts a connection and returns those of the peer that must be closed now."""
        there = self._owing.setdefault(peer, {})
        there.setdefault(connection)
        over = len(there) - self.most
        if over <= 0:
            return []
        silent = (one for one in there if one is not connection and not one.has_unread())
        gone = list(islice(silent, over))
        for one in gone:
            del there[one]
        return gone

    def remove(self, peer: str, connection: OpenConnection) -> None:
        """Stops counting a connection; does nothing where it was not counted."""
        there = self._owing.get(peer)
        if there is not None:
            there.pop(connection, None)
            if not there:
                del self._owing[peer]


def peer_of(host: str | None) -> str | None:
    """Returns the peer of an address: the address, or its /64 in IPv6; None for this machine's own.

    A proxy on this machine has the connections of everybody, and passes on what is complete.
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

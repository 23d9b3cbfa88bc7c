"""Keeps the usage of rate limits in memory; the spool has a stored ledger with the same interface."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["LedgerEntry", "RateLimitLedger"]

#: A time (seconds since 1970, UTC), and a number whose meaning depends on the kind of limit.
LedgerEntry = tuple[float, int]


class RateLimitLedger:
    """Keeps the usage of each rate limit in memory, for a run that shares its limits with no other run."""

    def __init__(self) -> None:
        self._entries: dict[str, LedgerEntry] = {}

    def update_entry(self, limit_name: str, update: Callable[[LedgerEntry], LedgerEntry]) -> None:
        """Replaces the ledger's entry of this limit by the result of `update`.

        `update` gets the present entry, or (0.0, 0) if the limit has none.
        """
        self._entries[limit_name] = update(self._entries.get(limit_name, (0.0, 0)))

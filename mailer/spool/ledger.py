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

    def update_entry(self, name: str, update: Callable[[LedgerEntry], LedgerEntry]) -> None:
        """Replaces the entry of the limit `name` by the result of `update`. A missing entry counts as (0.0,
        0)."""
        self._entries[name] = update(self._entries.get(name, (0.0, 0)))

"""Keeps the usage of rate limits in memory; the stored ledgers of the spool have the same interface."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Entry", "Ledger"]

#: The instant of an entry (seconds since 1970, UTC), and a number that belongs to it.
Entry = tuple[float, int]


class Ledger:
    """Keeps entries by name in memory, for a run that does not share its limits with other runs."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def change(self, name: str, change: Callable[[Entry], Entry]) -> None:
        """Replaces an entry by the result of `change`. A missing entry counts as (0.0, 0)."""
        self._entries[name] = change(self._entries.get(name, (0.0, 0)))

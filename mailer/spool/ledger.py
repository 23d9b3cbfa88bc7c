"""What was spent of a pace: an account in memory, and the form of those that outlive a run."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Entry", "Ledger"]

#: The instant of an entry (seconds since 1970, UTC), and a number that belongs to it.
Entry = tuple[float, int]


class Ledger:
    """Entries by name, in memory: enough for a run that shares its pace with nobody."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def change(self, name: str, change: Callable[[Entry], Entry]) -> None:
        """Replaces the entry by what `change` makes of it; one that is not there is (0.0, 0)."""
        self._entries[name] = change(self._entries.get(name, (0.0, 0)))

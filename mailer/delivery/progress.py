"""What a run has done so far, for whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """What this run has done so far: outcomes by state, its seconds, and what stopped it, if anything did."""

    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    stopped_by: str = ""

    @property
    def done(self) -> int:
        """How many deliveries have an outcome."""
        return sum(self.outcomes.values())

"""What a run has done so far, for whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """What this run has done so far: outcomes by state, its seconds, and what stopped it, if anything did.

    `stopped_by` is `signal`, `paused`, `cancelled` or `pace`; `note` says it in a sentence, where it stopped
    itself; `goes_on_at` is when there is a point in going on (UTC), or empty.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    stopped_by: str = ""
    note: str = ""
    goes_on_at: str = ""

    def plus(self, later: Progress | None) -> Progress:
        """Both runs as one."""
        if later is None:
            return self
        states = self.outcomes.keys() | later.outcomes.keys()
        outcomes = {s: self.outcomes.get(s, 0) + later.outcomes.get(s, 0) for s in sorted(states)}
        return replace(later, outcomes=outcomes, seconds=self.seconds + later.seconds)

    @property
    def done(self) -> int:
        """How many deliveries have an outcome."""
        return sum(self.outcomes.values())

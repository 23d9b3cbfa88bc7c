"""What a run has done so far, for whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """What this run has done so far: people by the state they are in, its seconds, and what stopped it.

    `stopped_by` is `signal`, `interrupted`, `paused`, `cancelled` or `pace`; `note` says it in a sentence,
    where it stopped itself; `goes_on_at` is when there is a point in going on (UTC), or empty.
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
        if later.done:  # it has tried again what the earlier one had deferred
            outcomes["deferred"] = later.outcomes.get("deferred", 0)
        return replace(later, outcomes=outcomes, seconds=self.seconds + later.seconds)

    @property
    def done(self) -> int:
        """How many people have an outcome, be it that they wait for another try."""
        return sum(self.outcomes.values())

    @property
    def handed_over(self) -> int:
        """How many people have it, or may have it."""
        return self.outcomes.get("accepted", 0) + self.outcomes.get("uncertain", 0)

"""Defines the progress of a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """Holds the progress of a run: deliveries by state, its duration in seconds, and what stopped it.

    `stopped_by` is `signal`, `interrupted`, `paused`, `cancelled` or `pace`; `note` is a sentence about it,
    where the run stopped itself; `goes_on_at` is when it makes sense to resume (UTC), or empty.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    stopped_by: str = ""
    note: str = ""
    goes_on_at: str = ""

    def plus(self, later: Progress | None) -> Progress:
        """Returns the progress of both runs together."""
        if later is None:
            return self
        states = self.outcomes.keys() | later.outcomes.keys()
        outcomes = {s: self.outcomes.get(s, 0) + later.outcomes.get(s, 0) for s in sorted(states)}
        if later.done:  # it has tried again what the earlier one had deferred
            outcomes["deferred"] = later.outcomes.get("deferred", 0)
        return replace(later, outcomes=outcomes, seconds=self.seconds + later.seconds)

    @property
    def done(self) -> int:
        """Returns how many deliveries have an outcome, including those that are deferred."""
        return sum(self.outcomes.values())

    @property
    def handed_over(self) -> int:
        """Returns how many people have the message or may have it."""
        return self.outcomes.get("accepted", 0) + self.outcomes.get("uncertain", 0)

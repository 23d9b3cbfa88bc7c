"""Defines the progress of a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """Holds the progress of a run.

    `outcomes` has the number of deliveries by state, and `seconds` the duration of the run. `stopped_by` is
    `signal`, `interrupted`, `paused`, `cancelled` or `pace` (a rate limit); empty if the run was not stopped.
    If the run stopped itself, `note` is a sentence that says why. `resumes_at` is the time (UTC) at which a
    used-up rate limit allows messages again, or empty.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    stopped_by: str = ""
    note: str = ""
    resumes_at: str = ""

    def combined_with(self, later_run: Progress | None) -> Progress:
        """Returns the progress of this run and a later run of the campaign, added up."""
        if later_run is None:
            return self
        states = self.outcomes.keys() | later_run.outcomes.keys()
        outcomes = {s: self.outcomes.get(s, 0) + later_run.outcomes.get(s, 0) for s in sorted(states)}
        if later_run.settled_count:  # it has retried what the earlier run had deferred
            outcomes["deferred"] = later_run.outcomes.get("deferred", 0)
        return replace(later_run, outcomes=outcomes, seconds=self.seconds + later_run.seconds)

    @property
    def settled_count(self) -> int:
        """Returns how many deliveries have an outcome, deferred ones included."""
        return sum(self.outcomes.values())

    @property
    def handed_over_count(self) -> int:
        """Returns how many people have the message or may have it."""
        return self.outcomes.get("accepted", 0) + self.outcomes.get("uncertain", 0)

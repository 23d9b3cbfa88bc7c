"""What the tests count, and the line that says it at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Tally", "total"]


@dataclass
class Tally:
    """What one test adds to the line of totals.

    `kills` counts processes that a signal ended at work, `commands` all that were started. `uncertain` counts
    how often a delivery became so, `bound` how often it may have. `delay` is the largest time from the answer
    to an unsubscribe to the hand-over of a message to that reader (seconds), 0 where there was none.
    """

    kills: int = 0
    commands: int = 0
    cancels: int = 0
    resends: int = 0
    duplicates: int = 0
    lost: int = 0
    left_sending: int = 0
    uncertain: int = 0
    bound: int = 0
    leavers: int = 0
    late: int = 0
    delay: float = 0.0


def total(tallies: Iterable[Mapping[str, float]]) -> list[str]:
    """Gives two lines, of the kills and of the readers who left; nothing where no command was run."""
    sums: dict[str, float] = {}
    for tally in tallies:
        for name, value in tally.items():
            before = sums.get(name, 0)
            sums[name] = max(before, value) if name == "delay" else before + value
    if not sums.get("commands"):
        return []
    names = [name for name in sums if name not in ("leavers", "late", "delay")]
    lines = [", ".join(f"{name.replace('_', ' ')}: {sums[name]:,.0f}" for name in names)]
    if sums["leavers"]:
        lines.append(
            f"readers who left during a run: {sums['leavers']:,.0f}, handed a message more than a second "
            f"later: {sums['late']:,.0f}, largest delay after leaving: {sums['delay']:.2f} s of 1.00 s"
        )
    return lines

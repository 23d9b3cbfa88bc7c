"""The same edition to 1,000 readers, 10,000, 100,000 and 1,000,000: what one costs must stay the same.

    python -m bench.growth [--up-to N] [--smtp-up-to N] [--rounds N] [--markdown]

To the stand-in for SendGrid all of them, to Postfix's `smtp-sink` the first three, unless `--smtp-up-to`
says more. Each list comes from a real import. Planning is a command of its own here (`mailer plan`), and is
part of `mailer send` once more. A row is the median of its rounds; ratios are to the row of 10,000.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import sendgrid, smtp
from bench.measuring import machine, median, run, script, table
from bench.workspace import ISSUE, Workspace, environment

#: What the project wants at the largest size, beside 10,000: time a recipient, and megabytes more.
TIME, MEMORY = 1.15, 30.0
SIZES = (1_000, 10_000, 100_000, 1_000_000)
BASE = 10_000

_Send = Callable[[Workspace, Path], "smtp.Sending | sendgrid.Sending"]
_WAYS: dict[str, _Send] = {"SendGrid": sendgrid.send, "SMTP": smtp.send}


@dataclass(frozen=True, slots=True)
class Row:
    """Medians at one size: seconds and megabytes of `mailer plan` and of `mailer send`."""

    readers: int
    plan: float
    plan_peak: float
    whole: float
    delivering: float
    peak: float

    @property
    def each(self) -> float:
        """Microseconds a recipient while delivering."""
        return self.delivering / self.readers * 1e6

    @property
    def each_whole(self) -> float:
        """Microseconds a recipient of the whole command."""
        return self.whole / self.readers * 1e6


def measure(workspace: Workspace, send: _Send, rounds: int, scratch: Path) -> Row:
    """Plans and sends so many times, each time in a fresh copy. Raises Failed where a count differs."""
    plan = (*workspace.mailer, "plan", ISSUE, "--json")
    plans = [run(plan, env=environment()) for _ in range(rounds)]
    sendings = [send(workspace, scratch / f"round{number}") for number in range(rounds)]
    return Row(
        workspace.readers,
        median(p.seconds for p in plans),
        median(p.peak for p in plans),
        median(s.run.seconds for s in sendings),
        median(s.delivering for s in sendings),
        median(s.run.peak for s in sendings),
    )


def report(rows: list[Row], *, markdown: bool) -> str:
    """The table of one transport, and how its last row stands beside that of 10,000."""
    base = next((row for row in rows if row.readers == BASE), rows[0])
    head = ["readers", "plan s", "plan MB", "send s", "delivering s", "delivering µs each", "ratio"]
    head += ["send µs each", "ratio", "send MB"]
    lines = [
        [
            f"{row.readers:,}",
            f"{row.plan:.2f}",
            f"{row.plan_peak:.0f}",
            f"{row.whole:.1f}",
            f"{row.delivering:.1f}",
            f"{row.each:.1f}",
            f"{row.each / base.each:.2f}",
            f"{row.each_whole:.1f}",
            f"{row.each_whole / base.each_whole:.2f}",
            f"{row.peak:.0f}",
        ]
        for row in rows
    ]
    last = rows[-1]
    said = (
        f"{last.readers:,} beside {base.readers:,}: {last.each / base.each:.2f} times the time a recipient "
        f"while delivering (wanted: at most {TIME}), {last.each_whole / base.each_whole:.2f} times in the "
        "whole command, "
        f"{last.peak - base.peak:+.0f} MB for send and {last.plan_peak - base.plan_peak:+.0f} MB for plan "
        f"(wanted: at most {MEMORY:+.0f})"
    )
    return f"{table(head, lines, markdown=markdown)}\n\n{said}"


def main() -> None:
    """Measures every size, small ones first, and prints a table for each transport."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--up-to", type=int, default=SIZES[-1])
    parser.add_argument("--smtp-up-to", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="tables for docs/benchmarks.md")
    arguments = parser.parse_args()
    limits = {"SendGrid": arguments.up_to, "SMTP": min(arguments.up_to, arguments.smtp_up_to)}
    print(machine(), flush=True)
    rows: dict[str, list[Row]] = {way: [] for way in _WAYS}
    for size in SIZES:
        ways = [way for way in _WAYS if size <= limits[way]]
        if not ways:
            continue
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            workspace = Workspace.make(Path(scratch, "workspace"), size)
            for way in ways:
                row = measure(workspace, _WAYS[way], arguments.rounds, Path(scratch))
                rows[way].append(row)
                print(f"  {way}, {size:,}: {row.whole:.1f} s", file=sys.stderr, flush=True)
    for way, measured in rows.items():
        if measured:
            print(f"\n{way}, median of {arguments.rounds} rounds\n")
            print(report(measured, markdown=arguments.markdown), flush=True)


if __name__ == "__main__":
    script(main)

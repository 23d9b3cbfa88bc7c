"""`python -m tools.mutants [TARGET…] [--jobs N]`: exit status 0 where every survivor is explained."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

from tools.mutants.explanations import Target, explained, problems, targets
from tools.mutants.run import Verdict, measure, verdicts

ROOT = Path(__file__).parents[2]


def run(target: Target, jobs: int, only: str) -> list[Verdict]:
    """Prints what becomes of the mutants of one target, survivors as they are found."""
    began = time.monotonic()
    baseline = measure(ROOT, target.sources, target.tests)
    mutants = [mutant for mutant in target.mutants(ROOT) if only in f"{mutant.path}: {mutant.key}"]

    left = Counter(mutant.path for mutant in mutants)

    def told(verdict: Verdict) -> None:
        path = verdict.mutant.path
        if not verdict.killed:
            print(f"  survived  {path}: {verdict.mutant.key}", flush=True)
        left[path] -= 1
        if not left[path]:
            print(f"  {path} is done", flush=True)

    found = verdicts(ROOT, baseline, mutants, jobs, told)
    ways = Counter(verdict.by or "survived" for verdict in found)
    told_ways = ", ".join(f"{number} {way}" for way, number in sorted(ways.items()))
    minutes = (time.monotonic() - began) / 60
    print(f"{target.name}: {len(found)} mutants ({told_ways}), {minutes:.1f} minutes", flush=True)
    return found


def main() -> int:
    """Runs the targets that are named, or all."""
    known = {target.name: target for target in targets(ROOT)}
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(known)}; else all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests of so many at a time")
    parser.add_argument("--only", default="", help="only mutants whose `path: place: change` has this text")
    options = parser.parse_args()
    if unknown := set(options.targets) - known.keys():
        parser.error(f"no target {', '.join(sorted(unknown))}")
    found: list[Verdict] = []
    for name in options.targets or known:
        found += run(known[name], options.jobs, options.only)
    tried = [(verdict.mutant.path, verdict.mutant.key) for verdict in found]
    survived = [(verdict.mutant.path, verdict.mutant.key) for verdict in found if not verdict.killed]
    if options.only:
        return 1 if survived else 0
    wrong = problems(explained(), tried, survived)
    print(f"{len(found)} mutants, {len(found) - len(survived)} killed, {len(survived)} survived")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


sys.exit(main())

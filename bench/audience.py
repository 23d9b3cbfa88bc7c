"""Imports a list of a million people and plans over it, in flat memory.

    python bench/audience.py [--rows N] [--keep DIR]

Prints rows a second and the peak of resident memory of each part, each in a process of its own, so that
one does not hide behind the other. Fails where a part needs more than LIMIT megabytes.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.segments import parse_segment
from mailer.audience.selection import exclusion_reason_sql, variant_sql
from mailer.config import load_settings
from mailer.services.planning.prepare import PlanRequest, prepare_issue
from mailer.services.workspace import open_workspace
from mailer.store.database import open_store

LIMIT = 300
CONFIG = """\
[publication]
name = "Bench"
from = "Bench <bench@news.example.org>"
postal_address = "1 Bench Street"
base_url = "https://news.example.org"
[editions.morning]
name = "Morning"
[editions.evening]
name = "Evening"
[editions.feature]
name = "Feature"
"""
ISSUE = """\
edition: morning
date: 2026-11-21
items:
  - title: For everybody
  - title: For some
    only: '"vip" in tags'
"""
SEGMENT = 'language == "zh" and "vip" in tags or joined > 2026-01-01'
VARIANTS = ('language == "en"', '"vip" in tags', 'attributes.company == "Company 7"')


def write_list(path: Path, rows: int) -> None:
    """A list with what real ones have: 20,000 domains, Chinese names, tags, attributes, few duplicates."""
    chance = random.Random(7)
    names = ("李伟", "王芳", "张敏", "Ana Silva", "Jo O'Neill", "Müller, Jörg", "陈静")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Email", "Name", "Language", "Tags", "Joined", "Editions", "Company"])
        for number in range(rows):
            writer.writerow(
                [
                    f"reader.{number * 7919 % rows}@d{chance.randrange(20_000)}.example.org",
                    chance.choice(names),
                    chance.choice(("zh", "en", "zh-CN")),
                    chance.choice(("", "vip", "vip;press", "press")),
                    f"202{chance.randrange(7)}-0{chance.randrange(1, 10)}-1{chance.randrange(10)}",
                    chance.choice(("morning", "morning;evening", "")),
                    f"Company {number % 1000}",
                ]
            )


def imports(root: Path) -> int:
    """The import of the list; gives the number of rows."""
    settings = load_settings(root, {})
    return import_csv(open_store(settings.database), settings, ListFile.at(root / "list.csv", settings)).total


def selects(root: Path) -> int:
    """What a plan does to the audience: the reason and the variant of everybody, in one pass."""
    db = open_store(root / "subscribers.db")
    reason, first = exclusion_reason_sql("morning", parse_segment(SEGMENT))
    mask, second = variant_sql([parse_segment(text) for text in VARIANTS])
    rows = 0
    for _ in db.conn.execute(f"SELECT s.id, {reason}, {mask} FROM subscribers s", (*first, *second)):
        rows += 1
    return rows


def plans(root: Path) -> int:
    """What `mailer plan` does: the issue, its renditions, and the whole list looked at."""
    issue = root / "issues" / "issue.yaml"
    issue.parent.mkdir(exist_ok=True)
    issue.write_text(ISSUE, encoding="utf-8")
    os.environ["MAILER_SECRET_KEY"] = "bench"
    workspace = open_workspace(load_settings(root))
    prepared = prepare_issue(workspace, issue, PlanRequest(segment=SEGMENT))
    return prepared.plan.recipients + sum(prepared.plan.excluded.values())


PARTS: dict[str, Callable[[Path], int]] = {
    "import": imports,
    "import again": imports,
    "select": selects,
    "plan": plans,
}


def measure(part: str, root: Path) -> None:
    """Runs one part here and prints what it took as JSON."""
    begun = time.perf_counter()
    rows = PARTS[part](root)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "peak": peak}))


def main() -> None:
    """Makes the list and measures every part of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder that stays, with the list and the database")
    parser.add_argument("--part", nargs=2, metavar=("PART", "DIR"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        measure(arguments.part[0], Path(arguments.part[1]))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder goes and the part ends
    with tempfile.TemporaryDirectory() as scratch:
        root: Path = arguments.keep or Path(scratch)
        root.mkdir(parents=True, exist_ok=True)
        (root / "mailer.toml").write_text(CONFIG, encoding="utf-8")
        write_list(root / "list.csv", arguments.rows)
        failed = False
        for part in PARTS:
            command = [sys.executable, __file__, "--part", part, str(root)]
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rate = result["rows"] / result["seconds"]
            took = f"{result['rows']:>11,} rows{result['seconds']:>8.1f} s{rate:>11,.0f} rows/s"
            print(f"{part:14}{took}{result['peak']:>8.0f} MB at most", flush=True)
            failed |= result["peak"] > LIMIT
    if failed:
        sys.exit(f"more than {LIMIT} MB were needed")


if __name__ == "__main__":
    main()

"""Readers who leave while a benchmark sends to them: so many a second, from a process of their own.

    python -m bench.leaving DATABASE FIRST LAST RATE

Unsubscribes the readers with the ids FIRST to LAST, RATE of them a second, until it is ended.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.measuring import script
from mailer.audience.subscribers import unsubscribe
from mailer.store.database import open_store

__all__ = ["command"]


def command(database: Path, first: int, last: int, rate: int) -> list[str]:
    """The command line of such a process."""
    return [sys.executable, "-m", "bench.leaving", str(database), str(first), str(last), str(rate)]


def main() -> None:
    """Unsubscribes one after the other."""
    database, first, last, rate = Path(sys.argv[1]), *map(int, sys.argv[2:])
    db = open_store(database)
    begun = time.monotonic()
    for number in range(first, last + 1):
        unsubscribe(db, number, source="bench")
        ahead = (number - first + 1) / rate - (time.monotonic() - begun)
        time.sleep(max(0.0, ahead))


if __name__ == "__main__":
    script(main)

"""All benchmarks, one after the other: `make bench`. What is written, is written into temporary folders.

    python -m bench [--markdown]

One that cannot be run says why, the others go on, and the command fails at the end.
"""

from __future__ import annotations

import sys
import time

from bench.measuring import script, started

#: Those that print tables; `--markdown` is for them.
TABLES = ("startup", "dkim", "smtp", "servers", "sendgrid", "growth")


def main() -> None:
    """Runs them all, each in a process of its own."""
    failed = []
    begun = time.monotonic()
    for name in ("compose", "audience", *TABLES):
        print(f"\n== bench.{name}", flush=True)
        words = sys.argv[1:] if name in TABLES else []
        with started([sys.executable, "-m", f"bench.{name}", *words]) as process:
            if process.wait():
                failed.append(name)
    print(f"\n{(time.monotonic() - begun) / 60:.0f} minutes in all")
    if failed:
        sys.exit(f"not all could be measured: {', '.join(failed)}")


if __name__ == "__main__":
    script(main)

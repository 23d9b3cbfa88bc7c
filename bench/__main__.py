"""All benchmarks, one after the other: `make bench`. What is written, is written into temporary folders.

    python -m bench [--markdown]

One that cannot be run says why, the others go on, and the command fails at the end.
"""

from __future__ import annotations

import subprocess
import sys
import time

#: Those that print tables; `--markdown` is for them.
TABLES = ("dkim", "smtp", "sendgrid", "growth")

failed = []
begun = time.monotonic()
for name in ("compose", "audience", *TABLES):
    print(f"\n== bench.{name}", flush=True)
    words = sys.argv[1:] if name in TABLES else []
    if subprocess.run([sys.executable, "-m", f"bench.{name}", *words], check=False).returncode:
        failed.append(name)
print(f"\n{(time.monotonic() - begun) / 60:.0f} minutes in all")
if failed:
    sys.exit(f"not all could be measured: {', '.join(failed)}")

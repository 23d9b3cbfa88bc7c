"""All benchmarks, one after the other: `make bench`."""

from __future__ import annotations

import subprocess
import sys

for name in ("compose", "audience"):
    print(f"== bench.{name}", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)

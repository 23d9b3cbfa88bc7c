"""Pages and archive are bytes: nothing of `mailer.site` loads a web framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mailer.site

PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(f"mailer.site.{name}")
print(sorted({"starlette", "uvicorn"} & sys.modules.keys()))
"""


def test_the_modules_of_site_load_no_web_framework() -> None:
    folder = Path(str(mailer.site.__file__)).parent
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    assert "pages" in names
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder.parents[1],
    )
    assert done.stdout == "[]\n"

"""Runs the program in a process of its own, with bytes as the system hands them over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "Ended", "run_here", "run_python", "run_shell"]

ROOT = Path(__file__).parents[2]
_TRACES = (b"Traceback", b"Exception ignored", b"a defect in mailer")

Ended = subprocess.CompletedProcess[bytes]


def run_here(workspace: Path, *words: str | bytes, variables: dict[str, str | bytes] | None = None) -> Ended:
    """`python cli.py WORDS…` in the workspace; it must end with a status of ours and without a traceback."""
    return _run([sys.executable, str(ROOT / "cli.py"), *words], workspace, variables)


def run_shell(workspace: Path, line: str, variables: dict[str, str | bytes] | None = None) -> Ended:
    """A line for bash, in which MAILER stands for the program."""
    program = f"{sys.executable} {ROOT / 'cli.py'}"
    return _run(["bash", "-c", "set -o pipefail; " + line.replace("MAILER", program)], workspace, variables)


def run_python(workspace: Path, code: str, variables: dict[str, str | bytes] | None = None) -> Ended:
    """Python code that may import the program."""
    return _run([sys.executable, "-c", code], workspace, {"PYTHONPATH": str(ROOT), **(variables or {})})


def _run(command: list[str | bytes], workspace: Path, variables: dict[str, str | bytes] | None) -> Ended:
    environment = dict(os.environb) | {
        os.fsencode(name): os.fsencode(value) for name, value in (variables or {}).items()
    }
    ended = subprocess.run(
        command,
        cwd=workspace,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in (0, 1, 2), ended
    for trace in _TRACES:
        assert trace not in ended.stderr, ended.stderr.decode("utf-8", "replace")
    return ended

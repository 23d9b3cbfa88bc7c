"""How long short commands take from their start, as multiples of `import typer` in the same run.

    python -m bench.startup [--rounds N] [--markdown]

Each command runs in a process of its own in a copy of the sample workspace; `send` writes the sample morning
edition to its 200 readers into a folder. All run in turn, round after round, after one round that is not
counted and writes the bytecode, as an installation does.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Run, machine, median, run, script, table
from bench.workspace import MAILER, ROOT, environment

__all__ = ["Command"]

_ISSUE = "issues/2026-11-21-morning.yaml"
#: What the sample workspace consists of.
_SAMPLES = ("mailer.toml", "issues", "samples", "templates")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is measured: its words, how many times `import typer` it may take, and where it runs."""

    name: str
    words: Sequence[str]
    wanted: float | None = None
    #: It changes the workspace, so that each round gets a fresh copy.
    changes: bool = False


_TYPER = Command("import typer", (sys.executable, "-c", "import typer"))
COMMANDS = (
    _TYPER,
    Command("mailer --help", (*MAILER, "--help"), 4.0),
    Command("mailer --version", (*MAILER, "--version"), 4.0),
    Command("mailer campaigns list", (*MAILER, "campaigns", "list"), 6.0),
    Command("mailer check", (*MAILER, "check", _ISSUE), 11.0),
    Command("mailer send, 200 readers", (*MAILER, "send", _ISSUE, "--yes"), 13.0, changes=True),
)


def _sample(folder: Path) -> Path:
    """A copy of the sample workspace with its readers. Raises Failed where their import does."""
    folder.mkdir()
    for name in _SAMPLES:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    run((*MAILER, "subscribers", "import", "samples/readers.csv"), env=environment(), cwd=folder)
    return folder


def _once(command: Command, workspace: Path, scratch: Path) -> Run:
    env = environment(PYTHONPYCACHEPREFIX=str(scratch / "bytecode"))
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    if not command.changes:
        return run(command.words, env=env, cwd=workspace)
    fresh = scratch / "fresh"
    shutil.copytree(workspace, fresh)
    try:
        return run(command.words, env=env, cwd=fresh)
    finally:
        shutil.rmtree(fresh)


def rows(taken: dict[str, list[Run]]) -> list[list[str]]:
    """One line a command: medians of milliseconds and of CPU, each also as a multiple of `import typer`."""
    seconds = {name: median(each.seconds for each in runs) for name, runs in taken.items()}
    cpu = {name: median(each.cpu for each in runs) for name, runs in taken.items()}
    first = _TYPER.name
    return [
        [
            command.name,
            f"{seconds[command.name] * 1000:,.0f}",
            f"{seconds[command.name] / seconds[first]:.1f}",
            f"{cpu[command.name] * 1000:,.0f}",
            f"{cpu[command.name] / cpu[first]:.1f}",
            "" if command.wanted is None else f"≤ {command.wanted:g}",
        ]
        for command in COMMANDS
    ]


def main() -> None:
    """Measures all commands in turn, several times, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    taken: dict[str, list[Run]] = {command.name: [] for command in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        scratch = Path(folder)
        workspace = _sample(scratch / "workspace")
        for number in range(arguments.rounds + 1):
            for command in COMMANDS:
                took = _once(command, workspace, scratch)
                if number:
                    taken[command.name].append(took)
    print(f"median of {arguments.rounds} rounds\n")
    head = ["", "ms", "× import typer", "CPU ms", "× import typer", "wanted"]
    print(table(head, rows(taken), markdown=arguments.markdown))


if __name__ == "__main__":
    script(main)

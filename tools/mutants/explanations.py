"""Reads targets.toml and survivors.toml, and compares what survived with what is explained."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.mutation import Mutant, mutants_of

__all__ = ["Target", "explained", "problems", "targets"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Target:
    """Modules that are mutated together, and the files or folders of the tests that must notice."""

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]

    def mutants(self, root: Path) -> list[Mutant]:
        """All mutants of the modules, in the order of their names and lines."""
        return [mutant for source in self.sources for mutant in mutants_of(root / source, root)]


def targets(root: Path, file: Path = _HERE / "targets.toml") -> list[Target]:
    """The targets in the order of the file. Raises SystemExit where a pattern finds no module."""
    found = []
    for name, entry in tomllib.loads(file.read_text("utf-8")).items():
        sources = [
            p.relative_to(root).as_posix() for glob in entry["sources"] for p in sorted(root.glob(glob))
        ]
        if not sources or not all((root / test).exists() for test in entry["tests"]):
            raise SystemExit(f"{file.name}: [{name}] names a module or test that is not there")
        found.append(Target(name, tuple(dict.fromkeys(sources)), tuple(entry["tests"])))
    return found


def explained(file: Path = _HERE / "survivors.toml") -> dict[tuple[str, str], str]:
    """Why a mutant may survive, by (path, key)."""
    return {
        (path, key): why
        for path, entries in tomllib.loads(file.read_text("utf-8")).items()
        for key, why in entries.items()
    }


def problems(
    known: dict[tuple[str, str], str], tried: Iterable[tuple[str, str]], survived: Iterable[tuple[str, str]]
) -> list[str]:
    """One line for each survivor without an explanation, and for each explanation without a survivor.

    Only explanations of modules that were tried are looked at.
    """
    tried, survived = set(tried), set(survived)
    paths = {path for path, _ in tried}
    lines = [f"{path}: {key}: survived, and is not explained" for path, key in survived - known.keys()]
    for path, key in known.keys() - survived:
        if path in paths:
            what = "is killed now" if (path, key) in tried else "is no mutant"
            lines.append(f"{path}: {key}: {what}, but explained")
    return sorted(lines)

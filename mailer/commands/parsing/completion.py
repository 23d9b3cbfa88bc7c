"""Completes values in the shell: editions, slugs, issue files, states and statuses.

A shell asks at each press of the Tab key. So nothing is written or printed, no database is opened, and where
there is no workspace, or anything else fails, there is nothing to complete.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

__all__ = ["complete_values", "is_completing"]

#: What a shell takes as one plain word: some scripts of shells evaluate what they are given.
_PLAIN: Final = re.compile(r"[\w.:/@+-]+")
#: So many files and slugs at most, the newest.
_MOST: Final = 200


def is_completing(prog_name: str = "mailer") -> bool:
    """Returns whether a shell asks for completions, or for its completion script."""
    return bool(os.environ.get(f"_{prog_name.upper()}_COMPLETE"))


def complete_values(program: Any) -> Any:
    """Returns `program` with completion of values added to its parameters, by metavar or option name."""
    for command in getattr(program, "commands", {}).values():
        complete_values(command)
    for parameter in program.params:
        names = [parameter.metavar or "", *parameter.opts]
        source = next((_SOURCES[name] for name in names if name in _SOURCES), None)
        if source is not None:
            parameter.shell_complete = _completer(source)
    return program


def _completer(source: Callable[[Path], Iterable[str]]) -> Callable[[Any, str], list[Any]]:
    def complete(context: Any, incomplete: str) -> list[Any]:
        from typer.core import CompletionItem  # type: ignore[attr-defined]

        try:
            values = source(_workspace(context))
            return [
                CompletionItem(value)
                for value in values
                if value.startswith(incomplete) and _PLAIN.fullmatch(value)
            ]
        except Exception:  # a shell that completes shows no errors
            return []

    return complete


def _workspace(context: Any) -> Path:
    """Returns the workspace's folder. Raises ConfigError where there is none."""
    from mailer.config import find_workspace

    return find_workspace(context.find_root().params.get("workspace") or Path.cwd())


def _editions(root: Path) -> Iterable[str]:
    """Returns the editions of mailer.toml."""
    with (root / "mailer.toml").open("rb") as file:
        return sorted(tomllib.load(file)["editions"])


def _slugs(root: Path) -> Iterable[str]:
    """Returns the campaigns that have a folder, newest first."""
    return sorted((path.name for path in (root / "campaigns").iterdir() if path.is_dir()), reverse=True)[
        :_MOST
    ]


def _issues(root: Path) -> Iterable[str]:
    """Returns the files in issues/, newest first, relative to the current folder."""
    found = sorted(
        (path for path in (root / "issues").iterdir() if path.suffix in (".yaml", ".yml")), reverse=True
    )
    return [os.path.relpath(path, Path.cwd().resolve()) for path in found[:_MOST]]


def _states(_root: Path) -> Iterable[str]:
    """Returns the states of a delivery."""
    from mailer.campaign.delivery_state import STATES

    return STATES


def _statuses(_root: Path) -> Iterable[str]:
    """Returns the statuses of people."""
    from mailer.audience.segments import SUPPRESSED
    from mailer.audience.values.cells import STATUSES

    return (*STATUSES, SUPPRESSED)


def _of(*words: str) -> Callable[[Path], Iterable[str]]:
    return lambda _root: words


def _transports(_: Path) -> Iterable[str]:
    """Returns the example of each URL that names a transport."""
    from mailer.transports import registry

    return [form.example for driver in registry.all_drivers() for form in driver.urls]


#: By the metavar of an argument, or the name of an option.
_SOURCES: Final[dict[str, Callable[[Path], Iterable[str]]]] = {
    "EDITION": _editions,
    "ISSUE": _issues,
    "SLUG": _slugs,
    "--edition": _editions,
    "--state": _states,
    "--status": _statuses,
    "--dates": _of("dmy", "mdy"),
    "--transport": _transports,
}

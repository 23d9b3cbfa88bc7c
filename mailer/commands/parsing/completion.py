"""Completes values in the shell: editions, slugs, issue files, states and statuses.

A shell runs the program at each press of the Tab key. So this module writes nothing, prints only the values,
and opens no database. If there is no workspace, or anything else fails, it offers no values.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

__all__ = ["add_value_completion", "is_completing"]

#: A value without special characters: the completion scripts of some shells evaluate the values.
_PLAIN: Final = re.compile(r"[\w.:/@+-]+")
#: At most this many files and slugs are offered, the newest.
_MAX_VALUES: Final = 200


def is_completing(prog_name: str = "mailer") -> bool:
    """Returns whether a shell has started `prog_name` for completions or for the completion script."""
    return bool(os.environ.get(f"_{prog_name.upper()}_COMPLETE"))


def add_value_completion(program: Any) -> Any:
    """Adds completion of values to the parameters of `program` and its commands, and returns `program`."""
    for command in getattr(program, "commands", {}).values():
        add_value_completion(command)
    for parameter in program.params:
        names = [parameter.metavar or "", *parameter.opts]
        list_values = next((_SOURCES[name] for name in names if name in _SOURCES), None)
        if list_values is not None:
            parameter.shell_complete = _completion_function(list_values)
    return program


def _completion_function(list_values: Callable[[Path], Iterable[str]]) -> Callable[[Any, str], list[Any]]:
    def complete(context: Any, incomplete: str) -> list[Any]:
        from typer.core import CompletionItem  # type: ignore[attr-defined]

        try:
            values = list_values(_workspace_folder(context))
            return [
                CompletionItem(value)
                for value in values
                if value.startswith(incomplete) and _PLAIN.fullmatch(value)
            ]
        except Exception:  # a shell that completes shows no errors
            return []

    return complete


def _workspace_folder(context: Any) -> Path:
    """Returns the folder of the workspace. Raises ConfigError if there is no workspace."""
    from mailer.config import find_workspace

    return find_workspace(context.find_root().params.get("workspace") or Path.cwd())


def _edition_names(root: Path) -> Iterable[str]:
    """Returns the names of the editions in mailer.toml."""
    with (root / "mailer.toml").open("rb") as file:
        return sorted(tomllib.load(file)["editions"])


def _campaign_slugs(root: Path) -> Iterable[str]:
    """Returns the slugs of the campaigns that have a folder, newest first."""
    return sorted((path.name for path in (root / "campaigns").iterdir() if path.is_dir()), reverse=True)[
        :_MAX_VALUES
    ]


def _issue_files(root: Path) -> Iterable[str]:
    """Returns the files in issues/, newest first, relative to the current folder."""
    found = sorted(
        (path for path in (root / "issues").iterdir() if path.suffix in (".yaml", ".yml")), reverse=True
    )
    return [os.path.relpath(path, Path.cwd().resolve()) for path in found[:_MAX_VALUES]]


def _delivery_states(_root: Path) -> Iterable[str]:
    """Returns the states of a delivery."""
    from mailer.campaign.delivery_state import STATES

    return STATES


def _reader_statuses(_root: Path) -> Iterable[str]:
    """Returns the statuses of people."""
    from mailer.audience.segments import SUPPRESSED
    from mailer.audience.values.cells import STATUSES

    return (*STATUSES, SUPPRESSED)


def _function_that_lists(*words: str) -> Callable[[Path], Iterable[str]]:
    return lambda _root: words


def _transport_examples(_: Path) -> Iterable[str]:
    """Returns an example URL for each kind of transport."""
    from mailer.transports import registry

    return [form.example for driver in registry.all_drivers() for form in driver.urls]


#: By the metavar of an argument, or the name of an option.
_SOURCES: Final[dict[str, Callable[[Path], Iterable[str]]]] = {
    "EDITION": _edition_names,
    "ISSUE": _issue_files,
    "SLUG": _campaign_slugs,
    "--edition": _edition_names,
    "--state": _delivery_states,
    "--status": _reader_statuses,
    "--dates": _function_that_lists("dmy", "mdy"),
    "--transport": _transport_examples,
}

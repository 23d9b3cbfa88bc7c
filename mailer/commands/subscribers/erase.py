"""Implements `mailer subscribers erase`, and lists the files that the operator has to clean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated

import typer

from mailer.commands.confirmation import YesOption, confirm
from mailer.commands.context import JsonFlag, emit_json, say, settings_of, warn
from mailer.errors import FailureError
from mailer.services.readers.erase import erase_person
from mailer.services.readers.traces import AddressTraces

__all__ = ["erase"]

#: Of one folder, so many files are named one by one; with more of them, only their number is told.
_MOST_NAMED = 20
#: So many files and folders that were not looked into are named.
_MOST_SKIPPED = 10
#: So many lines of files and folders are told.
_MOST_LINES = 200


def erase(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
    ],
    yes: Annotated[bool, YesOption] = False,
    as_json: JsonFlag = False,
) -> None:
    """Erases a person for good, and lists files that hold the address. It cannot be undone."""

    def ask(who: str) -> None:
        confirm(
            f"Erase {who} for good?",
            unattended=f"nobody is here to confirm; add --yes to erase {who} for good",
            declined="Nothing was changed.",
            quiet=as_json,
        )

    done = erase_person(settings_of(context), address, confirm=None if yes else ask, search=not as_json)
    if as_json:
        emit_json(done.to_json())
    elif done.number is None:
        say(f"{done.address} was erased before; what had come back of it is removed.")
    else:
        say(f"{done.address} is erased (number {done.number}), and no import brings the address back.")
    if done.traces is not None:
        _print_result(done.traces, "the address, or one before it" if done.had_another else "the address")
    if done.left:
        raise FailureError(*done.left)


def _print_result(traces: AddressTraces, what: str) -> None:
    """Prints the files that hold the address on standard error."""
    if traces.number:
        warn(f"these files of yours hold {what}; remove it from them, or delete them:")
        lines = list(_places(traces))
        for line in lines[:_MOST_LINES]:
            say(f"  {line}", err=True)
        if len(lines) > _MOST_LINES or traces.number > len(traces.files):
            say(f"  and more: {traces.number:,} files in all", err=True)
    files = "1 file" if traces.looked_at == 1 else f"{traces.looked_at:,} files"
    found = "" if traces.number else f", and none holds {what}"
    say(f"Searched {files} below the workspace ({traces.size / 1e6:,.1f} MB){found}.", err=True)
    if not traces.whole:
        say(
            "The search ended early, because there is too much to read; search the rest yourself.",
            err=True,
        )
    if traces.left_out:
        rest = len(traces.left_out) - _MOST_SKIPPED
        more = f" and {rest:,} more" if rest > 0 else ""
        say(f"Not searched: {', '.join(traces.left_out[:_MOST_SKIPPED])}{more}.", err=True)


def _places(traces: AddressTraces) -> Iterator[str]:
    """Yields the files one by one, and only their number where one folder has many."""
    folders = Counter(str(PurePosixPath(name).parent) for name in traces.files)
    told: set[str] = set()
    for name in traces.files:
        folder = str(PurePosixPath(name).parent)
        if folders[folder] <= _MOST_NAMED:
            yield name
        elif folder not in told:
            told.add(folder)
            place = "the workspace" if folder == "." else f"{folder}/"
            yield f"{folders[folder]:,} files in {place}"

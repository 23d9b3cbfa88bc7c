"""Implements `mailer subscribers erase`, which also lists the files that still contain the address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated

import typer

from mailer.commands.confirmation import YesOption, ask_for_confirmation
from mailer.commands.context import JsonFlag, emit_json, say, settings_of, warn
from mailer.errors import FailureError
from mailer.services.readers.erase import erase_person
from mailer.services.readers.traces import AddressTraces

__all__ = ["erase"]

#: At most this many files of a folder are named; of a folder with more, only the number of files is printed.
_MAX_NAMED = 20
#: At most this many files and folders that were not searched are named.
_MAX_SKIPPED = 10
#: At most this many lines with files and folders are printed.
_MAX_LINES = 200


def erase(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
    ],
    yes: Annotated[bool, YesOption] = False,
    as_json: JsonFlag = False,
) -> None:
    """Erases a person for good, and lists files that contain the address. Erasing cannot be undone."""

    def ask_to_erase(person_phrase: str) -> None:
        ask_for_confirmation(
            f"Erase {person_phrase} for good?",
            unattended_error="standard input is not a terminal, so nobody can confirm; "
            f"add --yes to erase {person_phrase} for good",
            declined_message="Nothing was changed.",
            to_stderr=as_json,
        )

    done = erase_person(
        settings_of(context), address, confirm=None if yes else ask_to_erase, search=not as_json
    )
    if as_json:
        emit_json(done.to_json())
    elif done.number is None:
        say(f"{done.address} was erased before; data that had come back since then is removed.")
    else:
        say(f"{done.address} is erased (number {done.number}), and no import can add the address again.")
    if done.traces is not None:
        _print_traces(
            done.traces,
            "the address, or an earlier one of this person" if done.had_another else "the address",
        )
    if done.left:
        raise FailureError(*done.left)


def _print_traces(traces: AddressTraces, address_phrase: str) -> None:
    """Prints on standard error which files contain the address.

    `address_phrase` is what the lines call the address, such as `the address`.
    """
    if traces.number:
        warn(f"these files of yours contain {address_phrase}; remove it from them, or delete them:")
        lines = list(_trace_lines(traces))
        for line in lines[:_MAX_LINES]:
            say(f"  {line}", err=True)
        if len(lines) > _MAX_LINES or traces.number > len(traces.files):
            say(f"  and more: {traces.number:,} files in all", err=True)
    files = "1 file" if traces.looked_at == 1 else f"{traces.looked_at:,} files"
    found = "" if traces.number else f", and none contains {address_phrase}"
    say(f"Searched {files} in the workspace ({traces.size / 1e6:,.1f} MB){found}.", err=True)
    if not traces.whole:
        say(
            "The search ended early, because there is too much to read; search the rest yourself.",
            err=True,
        )
    if traces.left_out:
        rest = len(traces.left_out) - _MAX_SKIPPED
        more = f" and {rest:,} more" if rest > 0 else ""
        say(f"Not searched: {', '.join(traces.left_out[:_MAX_SKIPPED])}{more}.", err=True)


def _trace_lines(traces: AddressTraces) -> Iterator[str]:
    """Yields a line for each file that was found, or one line for a folder with many such files."""
    folders = Counter(str(PurePosixPath(name).parent) for name in traces.files)
    told: set[str] = set()
    for name in traces.files:
        folder = str(PurePosixPath(name).parent)
        if folders[folder] <= _MAX_NAMED:
            yield name
        elif folder not in told:
            told.add(folder)
            place = "the workspace" if folder == "." else f"{folder}/"
            yield f"{folders[folder]:,} files in {place}"

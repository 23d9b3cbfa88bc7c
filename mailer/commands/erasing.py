"""`mailer subscribers erase`: forgets somebody for good, and tells what is left to the operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Annotated

import typer

from mailer.audience.address import normalize_address
from mailer.commands.asking import YesOption, confirm
from mailer.commands.context import JsonOption, emit_json, say, settings_of
from mailer.errors import AudienceError, FailureError
from mailer.publish.erasure import Erasure, erase_person, is_known
from mailer.publish.traces import Traces
from mailer.store import open_store

__all__ = ["erase"]

#: Of one folder, so many files are named one by one.
_NAMED = 5
#: So many lines of files and folders are told; `--json` has more.
_TOLD = 30


def erase(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS")],
    yes: Annotated[bool, YesOption] = False,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Forgets somebody for good, and names your files that hold the address. It cannot be undone."""
    settings = settings_of(context)
    db = open_store(settings.database)
    who = normalize_address(address).address
    if not is_known(db, address):
        raise AudienceError(f"{who} is not a subscriber; `mailer subscribers list` shows who is")
    if not yes:
        confirm(
            f"Forget {who} for good?",
            unattended=f"nobody is here to confirm; add --yes to forget {who} for good",
            declined="Nothing was changed.",
            quiet=as_json,
        )
    done = erase_person(db, settings, address)
    if as_json:
        emit_json({"erased": done.number, "left": list(done.left), "yours": asdict(done.traces)})
    else:
        _say(done)
    if done.left:
        raise FailureError(*done.left)


def _say(done: Erasure) -> None:
    if done.number is None:
        say(f"{done.address} was forgotten before; what had come back of it is removed.")
    else:
        say(f"{done.address} is forgotten (number {done.number}), and no import brings the address back.")
    traces = done.traces
    if traces.number:
        say("These files are yours and hold the address; remove it there, or the files:")
        lines = list(_places(traces))
        for line in lines[:_TOLD]:
            say(f"  {line}")
        if len(lines) > _TOLD:
            say(f"  and more: {traces.number:,} files in all; --json names them")
    files = "1 file" if traces.looked_at == 1 else f"{traces.looked_at:,} files"
    found = "" if traces.number else ", and none holds the address"
    say(f"Looked into {files} below the workspace ({traces.size / 1e6:,.1f} MB){found}.")
    if not traces.whole:
        say("The search ended early, because there is too much to read; look into the rest yourself.")
    if traces.left_out:
        more = f" and {len(traces.left_out) - _NAMED:,} more" if len(traces.left_out) > _NAMED else ""
        say(f"Not looked into: {', '.join(traces.left_out[:_NAMED])}{more}.")


def _places(traces: Traces) -> Iterator[str]:
    """The files, one by one, and only their number where one folder has many."""
    folders = Counter(str(PurePosixPath(name).parent) for name in traces.files)
    told: set[str] = set()
    for name in traces.files:
        folder = str(PurePosixPath(name).parent)
        if folders[folder] <= _NAMED:
            yield name
        elif folder not in told:
            told.add(folder)
            place = "the workspace" if folder == "." else f"{folder}/"
            yield f"{folders[folder]:,} files in {place}"

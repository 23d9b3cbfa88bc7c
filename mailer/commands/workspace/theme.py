"""Implements `mailer theme list`, `mailer theme export` and `mailer theme new`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.services.theme import FileState, create_theme, export_files, list_theme

__all__ = ["export_theme_files", "list_theme_files", "new_theme"]

_HEADINGS = {
    "email": "email: mails, as MJML",
    "text": "text: the plain-text part of mails",
    "web": "web: pages of issues, and pages for readers",
    "locale": "locale: translations",
}
_STATES = {
    FileState.BUILT_IN: "built-in",
    FileState.EQUAL: "own, equal",
    FileState.DIFFERS: "own, differs",
    FileState.OWN: "own",
}


def list_theme_files(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Lists the files of the theme, and tells which are your own.

    Each file can be replaced by one of the same path in the folder templates/ of the workspace. "own, equal"
    is a copy that equals the built-in file, "own, differs" one that was changed, and "own" a file that the
    built-in theme does not have.
    """
    files = list_theme(settings_of(context))
    if as_json:
        emit_json([file.to_json() for file in files])
        return
    width = max(len(file.path) for file in files)
    for folder, group in groupby(files, key=lambda file: file.folder):
        say(_HEADINGS[folder])
        for file in group:
            say(f"  {file.path:<{width}}  {_STATES[file.state]:<12}  {file.description}".rstrip())
    say("`mailer theme export FILE` copies a built-in file into templates/, where you can change it.")
    equal = sum(file.state is FileState.EQUAL for file in files)
    if equal:
        subject = "1 own file equals" if equal == 1 else f"{equal} own files equal"
        say(f"{subject} the built-in file and can be deleted: an own file does not follow later versions.")


def export_theme_files(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="A file of the built-in theme as `mailer theme list` shows it, such as email/morning.mjml.",
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Copies built-in files into templates/, where you can change them.

    The copy is used instead of the built-in file from then on, and does not follow later versions. A file
    that exists is never overwritten.
    """
    exported = export_files(settings_of(context), files)
    if as_json:
        emit_json({"exported": list(exported)})
        return
    for path in exported:
        say(f"{path} is your own file now, in place of the built-in one.")
    say(
        "An own file does not follow later versions of mailer; delete it, and the built-in one is used again."
    )


def new_theme(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="The folder for the copy, such as templates; a relative path begins in the workspace.",
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Copies the whole built-in theme into a folder, to be changed.

    In the folder templates of the workspace it is used at once. It does not follow later versions; to change
    a few files only, use `mailer theme export`. The folder must be new or empty.
    """
    made = create_theme(settings_of(context), folder)
    if as_json:
        emit_json(made.to_json())
        return
    say(f"{made.folder} has the whole theme now: {len(made.files)} files, which you can change.")
    if made.is_used:
        say("Mails and pages of this workspace are made from it from now on.")
    else:
        say("It is used once it is the folder templates/ of a workspace.")
    say(
        "An own file does not follow later versions of mailer: delete those that you leave as they are, and "
        "the built-in ones are used."
    )

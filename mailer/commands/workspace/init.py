"""Implements `mailer init`, which creates a whole workspace or changes nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from mailer.commands.context import say
from mailer.config import CONFIG_NAME
from mailer.errors import InputError
from mailer.services.new_workspace import create_workspace

__all__ = ["init"]


def init(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]",
            help="The folder of the workspace, such as news; it is created where it is missing.",
        ),
    ] = Path(),
) -> None:
    """Creates a workspace with settings, a key and a first issue."""
    given = context.find_root().get_parameter_source("workspace")
    if given is not None and given.name == "COMMANDLINE":
        raise InputError(
            "--workspace must name an existing workspace; to create one, write `mailer init DIR`"
        )
    issue = create_workspace(folder, dt.datetime.now().astimezone().date())
    shown = "this folder" if folder == Path() else str(folder)
    say(f"A workspace is ready in {shown}. What to do next:")
    steps = [] if folder == Path() else [(f"cd {folder}", "")]
    steps += [
        (f"edit {CONFIG_NAME}", "the name, the sender, the postal address, the base URL"),
        (f"mailer check {issue}", "checks the first issue, which has no problems"),
        (f"mailer render {issue} -o look", "how it looks: open look/email.html"),
        ("mailer subscribers import FILE.csv", "adds your readers"),
        (f"mailer send {issue}", "shows the plan and asks; messages go to the folder outbox"),
    ]
    width = max(len(command) for command, _ in steps)
    for command, why in steps:
        say(f"  {command:<{width}}  {why}".rstrip())
    say("Keep .env secret: the key in it signs every unsubscribe link.")

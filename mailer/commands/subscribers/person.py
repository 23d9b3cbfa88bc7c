"""Shared by the commands about one person: the argument, and how a person is printed."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.audience.people import Subscriber
from mailer.commands.context import JsonOption

__all__ = ["AsJson", "Who", "editions_text"]

Who = Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")]
AsJson = Annotated[bool, JsonOption]


def editions_text(person: Subscriber) -> str:
    """The editions that a person reads, in words."""
    return ", ".join(person.editions) or "no edition"

"""Holds what the commands about one person share: their arguments, and a person's editions as text."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.audience.people import Subscriber

__all__ = ["AddressArgument", "editions_text"]

AddressArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
]


def editions_text(person: Subscriber) -> str:
    """Returns the editions that a person reads, as text."""
    return ", ".join(person.editions) or "no edition"

"""Defines the ADDRESS argument of commands on one person, and returns a person's editions as text."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.audience.people import Subscriber

__all__ = ["AddressArgument", "editions_text"]

AddressArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
]


def editions_text(person: Subscriber) -> str:
    """Returns the editions that a person reads, separated by commas, or `no edition`."""
    return ", ".join(person.editions) or "no edition"

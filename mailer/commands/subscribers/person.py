"""Shared by the commands about one person: the argument, the looking up, and how a person is printed."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer
from sqlite_utils import Database

from mailer.audience import people
from mailer.audience.change_address import former_holder
from mailer.audience.consent.suppression import ERASED, suppression_of
from mailer.audience.people import Subscriber
from mailer.audience.values.address import normalize_address
from mailer.commands.context import JsonOption
from mailer.errors import AudienceError

__all__ = ["AsJson", "Who", "document_of", "editions_text", "wanted"]

Who = Annotated[str, typer.Argument(metavar="ADDRESS")]
AsJson = Annotated[bool, JsonOption]


def wanted(db: Database, address: str) -> Subscriber:
    """The person with this address. Raises AudienceError, with what became of them, where there is none."""
    person = people.find(db, address)
    if person is not None:
        return person
    who = normalize_address(address)
    holder = former_holder(db, who.key)
    if holder is not None and holder.address is not None:
        raise AudienceError(
            f"{who.address} is not a subscriber any more: the address became {holder.address}"
        )
    stopped = suppression_of(db, who.key)
    if stopped is not None and stopped.reason == ERASED:
        raise AudienceError(
            f"{who.address} is not a subscriber: the person was erased on {stopped.added_at[:10]}, and "
            "nothing is kept that says who they were"
        )
    raise AudienceError(f"{who.address} is not a subscriber; `mailer subscribers list` shows who is")


def document_of(person: Subscriber) -> dict[str, Any]:
    """A person as JSON data."""
    return dataclasses.asdict(person)


def editions_text(person: Subscriber) -> str:
    """The editions that a person reads, in words."""
    return ", ".join(person.editions) or "no edition"

"""Implements `mailer subscribers add`, which adds or changes one person, or changes all in a segment."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.audience.people import Subscriber, status_or_suppressed
from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.commands.subscribers.person import editions_text
from mailer.errors import InputError
from mailer.services.subscribers.adding import (
    FOR_ONE_PERSON,
    AdditionRequest,
    AdditionResult,
    PersonChanges,
    add_person,
    edit_people,
)

__all__ = ["add"]

_Word = str | None
_Words = list[str] | None

_Address = Annotated[
    _Word, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
]
_Segment = Annotated[
    _Word,
    typer.Option(
        metavar="EXPR",
        help='In place of ADDRESS: change tags and attributes of everybody who matches, as in: "vip" in tags',
    ),
]
_Editions = Annotated[
    _Words,
    typer.Option(
        metavar="NAME",
        help="An edition they read, such as morning, otherwise all for a new person; may be given several "
        "times.",
    ),
]
_Name = Annotated[_Word, typer.Option(help="The name of the person, such as Li Wei.")]
_Language = Annotated[_Word, typer.Option(help="The language of the person, such as zh or en.")]
_Timezone = Annotated[_Word, typer.Option(help="The time zone of the person, such as Asia/Shanghai.")]
_Tags = Annotated[
    _Words, typer.Option(help="A tag, such as vip, in place of all present ones; may be given several times.")
]
_AddTags = Annotated[
    _Words, typer.Option("--add-tag", metavar="TAG", help="Add this tag, such as vip; the others stay.")
]
_DropTags = Annotated[
    _Words, typer.Option("--no-tag", metavar="TAG", help="Remove this tag, such as vip; the others stay.")
]
_NoTags = Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")]
_Attributes = Annotated[
    _Words,
    typer.Option(
        metavar="KEY=VALUE",
        help="Set an attribute, such as city=Port; the others stay. May be given several times.",
    ),
]
_DropAttributes = Annotated[
    _Words, typer.Option("--no-attribute", metavar="KEY", help="Remove this attribute, such as city.")
]
_NoAttributes = Annotated[bool, typer.Option("--no-attributes", help="Remove all attributes.")]
_Consent = Annotated[
    _Word,
    typer.Option(
        help='How they asked for mail, such as "form of 21 Nov"; this also brings back people who had left.'
    ),
]
_Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Accept a person who complained or is suppressed; needs --consent and --reason."
    ),
]
_Reason = Annotated[_Word, typer.Option(help='Why --force is right, such as "pressed spam by mistake".')]


def add(
    context: typer.Context,
    address: _Address = None,
    segment: _Segment = None,
    edition: _Editions = None,
    name: _Name = None,
    language: _Language = None,
    timezone: _Timezone = None,
    tag: _Tags = None,
    add_tag: _AddTags = None,
    no_tag: _DropTags = None,
    no_tags: _NoTags = False,
    attribute: _Attributes = None,
    no_attribute: _DropAttributes = None,
    no_attributes: _NoAttributes = False,
    consent: _Consent = None,
    force: _Force = False,
    reason: _Reason = None,
    as_json: JsonFlag = False,
) -> None:
    """Adds one person, or updates their data. Only --consent brings back people who have left."""
    settings = settings_of(context)
    described = PersonChanges(
        name=name,
        language=language,
        timezone=timezone,
        tags=tag or (),
        add_tags=add_tag or (),
        drop_tags=no_tag or (),
        no_tags=no_tags,
        attributes=attribute or (),
        drop_attributes=no_attribute or (),
        no_attributes=no_attributes,
    )
    if address is not None and segment is None:
        _print_result(
            add_person(settings, AdditionRequest(address, described, edition or (), consent, force, reason)),
            as_json,
        )
        return
    if address is not None or segment is None:
        raise InputError("name either an address, or a segment with --segment EXPR")
    if edition or consent is not None or reason is not None or force:
        raise InputError(FOR_ONE_PERSON)
    edited = edit_people(settings, segment, described)
    if as_json:
        emit_json(edited.to_json())
    else:
        say(f"{edited.matched:,} people are in the segment; {edited.changed:,} of them are changed.")


def _print_result(result: AdditionResult, as_json: bool) -> None:
    if as_json:
        emit_json(result.to_json())
        return
    person, cleared = result.person, result.removed_tags_and_attributes
    did = "added" if result.before is None else "unchanged" if result.before == person else "updated"
    say(f"{person.address} is {did}; {_status_text(person)}.")
    if cleared["tags"]:
        say(f"Tags: {', '.join(person.tags) or 'none'} (no longer: {', '.join(cleared['tags'])}).")
    if cleared["attributes"]:
        say(f"Cleared: {', '.join(cleared['attributes'])}.")


def _status_text(person: Subscriber) -> str:
    state = status_or_suppressed(person)
    if state in ("active", "pending"):
        return f"reads {editions_text(person)}" + ("" if person.editions else "; add --edition NAME")
    return f"{state}, so nothing is sent to them"

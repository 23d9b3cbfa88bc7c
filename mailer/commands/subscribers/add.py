"""`mailer subscribers add`: one person who is new, comes back or is described anew; or a whole segment."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.audience import people, segments, subscribers
from mailer.audience.consent.record import Consent
from mailer.audience.editing import Edit, edit, edit_segment
from mailer.audience.people import Subscriber, state_of
from mailer.audience.values.address import normalize_address
from mailer.audience.values.cells import (
    attribute_value,
    clean_line,
    editions_of,
    language_tag,
    tags_of,
    timezone_name,
)
from mailer.commands.context import emit_json, say, settings_of
from mailer.commands.subscribers.person import AsJson, document_of, editions_text
from mailer.config import Settings
from mailer.errors import AudienceError, InputError
from mailer.store.database import open_store, utc_now, writing

__all__ = ["add"]

_Words = list[str] | None


def add(
    context: typer.Context,
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS")] = None,
    segment: Annotated[
        str | None,
        typer.Option(
            metavar="EXPR", help="Instead of ADDRESS: changes tags and attributes of everybody in it."
        ),
    ] = None,
    edition: Annotated[
        _Words, typer.Option(metavar="NAME", help="What they read; else all editions.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="How they are addressed.")] = None,
    language: Annotated[str | None, typer.Option(help="A tag such as zh or en.")] = None,
    timezone: Annotated[str | None, typer.Option(help="A name such as Asia/Shanghai.")] = None,
    tag: Annotated[
        _Words,
        typer.Option(help="Their tags, instead of those they have; may be given several times."),
    ] = None,
    add_tag: Annotated[
        _Words, typer.Option("--add-tag", metavar="TAG", help="One more tag; the others stay.")
    ] = None,
    no_tag: Annotated[
        _Words, typer.Option("--no-tag", metavar="TAG", help="Clears this tag; the others stay.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Clears all tags.")] = False,
    attribute: Annotated[
        _Words,
        typer.Option(metavar="KEY=VALUE", help="May be given several times; the others stay."),
    ] = None,
    no_attribute: Annotated[
        _Words, typer.Option("--no-attribute", metavar="KEY", help="Clears this attribute.")
    ] = None,
    no_attributes: Annotated[bool, typer.Option("--no-attributes", help="Clears all attributes.")] = False,
    consent: Annotated[
        str | None, typer.Option(help="How they asked for it; this brings back who had left.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also who complained or is suppressed; with --consent and --reason."),
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why --force is right.")] = None,
    as_json: AsJson = False,
) -> None:
    """Adds one person, or changes what is known of them. A change alone is no consent."""
    settings = settings_of(context)
    change = Edit(
        name=None if name is None else clean_line(name),
        language=None if language is None else language_tag(language),
        timezone=None if timezone is None else timezone_name(timezone),
        tags=tags_of(tag) if tag else None,
        add_tags=tags_of(add_tag or ()),
        drop_tags=tags_of(no_tag or ()),
        no_tags=no_tags,
        attributes=dict(_pair(text) for text in attribute or ()),
        drop_attributes=tuple(key.strip() for key in no_attribute or ()),
        no_attributes=no_attributes,
    )
    if (address is None) == (segment is None):
        raise InputError("name an address, or a segment with --segment EXPR; one of them")
    if segment is not None:
        _only_described(change, edition, consent, reason, force=force)
        _edit_segment(settings, segment, change, as_json)
        return
    how, why = _asked(consent, reason, force=force)
    chosen = editions_of(edition or (), settings.editions)
    _add(settings, address or "", change, chosen, how, why, as_json)


def _add(
    settings: Settings,
    address: str,
    change: Edit,
    chosen: tuple[str, ...],
    how: str,
    why: str,
    as_json: bool,
) -> None:
    who = normalize_address(address)
    db = open_store(settings.database)
    with writing(db):
        known = people.find(db, address)
        if known is not None and change and not chosen and not how:
            before, person = edit(db, known.id, change)
        else:
            before, _ = subscribers.add(
                db,
                who,
                consent=Consent(utc_now(), how or "operator", "command line"),
                editions=chosen if chosen or known else tuple(settings.editions),
                own_act=bool(how),
                forced=why,
            )
            before, person = edit(db, before.id, change) if change else (before, before)
    cleared = _cleared(before, person)
    if as_json:
        emit_json({"added": known is None, "subscriber": document_of(person), "cleared": cleared})
        return
    did = "added" if known is None else "unchanged" if known == person else "updated"
    say(f"{person.address} is {did}; {_stands(person)}.")
    if cleared["tags"]:
        say(f"Tags: {', '.join(person.tags) or 'none'} (no longer: {', '.join(cleared['tags'])}).")
    if cleared["attributes"]:
        say(f"Cleared: {', '.join(cleared['attributes'])}.")


def _edit_segment(settings: Settings, segment: str, change: Edit, as_json: bool) -> None:
    parsed = segments.parse(segment, settings.publication.zone)
    matched, changed = edit_segment(open_store(settings.database), parsed, change)
    if as_json:
        emit_json({"segment": segment, "matched": matched, "changed": changed})
    else:
        say(f"{matched:,} people are in the segment; {changed:,} of them are changed.")


def _only_described(
    change: Edit, edition: _Words, consent: str | None, reason: str | None, *, force: bool
) -> None:
    """Raises InputError where a segment is given what is one person's: names, editions, a consent."""
    alone = Edit(
        add_tags=change.add_tags,
        drop_tags=change.drop_tags,
        no_tags=change.no_tags,
        attributes=change.attributes,
        drop_attributes=change.drop_attributes,
        no_attributes=change.no_attributes,
    )
    if change.tags is not None:
        raise InputError(
            "--tag replaces all tags of a person; with --segment, write --add-tag TAG, also beside --no-tags"
        )
    if alone != change or edition or consent is not None or reason is not None or force:
        raise InputError(
            "--segment takes --add-tag, --no-tag, --no-tags, --attribute, --no-attribute and --no-attributes "
            "alone; anything else is for one ADDRESS"
        )
    if not change:
        raise InputError("say what to change of the people in the segment, as in --no-tag TAG")


def _asked(consent: str | None, reason: str | None, *, force: bool) -> tuple[str, str]:
    """How they asked, and why it is forced, each cleaned, or empty. Raises AudienceError or InputError."""
    how = clean_line(consent or "", "consent", 500)
    if consent is not None and not how:
        raise AudienceError('--consent is empty; say how they asked, as in --consent "by phone"')
    why = clean_line(reason or "", "reason", 500)
    if force and not (how and why):
        raise InputError(
            'with --force, say how they asked and why it is right, with --consent "…" and --reason "…"'
        )
    if reason is not None and not force:
        raise InputError("--reason is why --force is right; add --force, or leave it out")
    return how, why


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    key = clean_line(key, "attribute", 100)
    if not equals or not key:
        raise AudienceError(f'--attribute "{text[:80]}" is not KEY=VALUE; write it as company=Acme')
    return key, attribute_value(value, key)


def _cleared(before: Subscriber, after: Subscriber) -> dict[str, list[str]]:
    """The tags and the names of the attributes that somebody does not have any more."""
    return {
        "tags": [tag for tag in before.tags if tag not in after.tags],
        "attributes": sorted(set(before.attributes) - set(after.attributes)),
    }


def _stands(person: Subscriber) -> str:
    state = state_of(person)
    if state in ("active", "pending"):
        return f"reads {editions_text(person)}" + ("" if person.editions else "; add --edition NAME")
    return f"{state}, so nothing is sent to them"

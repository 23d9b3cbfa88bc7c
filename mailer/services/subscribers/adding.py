"""Adds or reactivates one person, or changes the data of one person or of all people in a segment."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from mailer.audience import people, segments, subscribers
from mailer.audience.consent.record import Consent
from mailer.audience.editing import SubscriberEdit, edit_subscriber, edit_subscribers_in_segment
from mailer.audience.people import Subscriber
from mailer.audience.values.address import normalize_address
from mailer.audience.values.cells import (
    attribute_value,
    checked_editions,
    clean_line,
    clean_tags,
    language_tag,
    timezone_name,
)
from mailer.clock import utc_now
from mailer.config import Settings
from mailer.errors import AudienceError, InputError
from mailer.services.subscribers.person import person_json
from mailer.store.database import open_store, writing

__all__ = [
    "FOR_ONE_PERSON",
    "AdditionResult",
    "AdditionRequest",
    "PersonChanges",
    "SegmentEditResult",
    "add_person",
    "edit_people",
]

FOR_ONE_PERSON = (
    "--segment can only be used with --add-tag, --no-tag, --no-tags, --attribute, --no-attribute and "
    "--no-attributes; all other options need one ADDRESS"
)


@dataclass(frozen=True, slots=True)
class PersonChanges:
    """Holds the changes to a person, as the operator typed them. None and () change nothing.

    `tags` replaces all tags, `add_tags` and `drop_tags` add and remove single tags, and `no_tags` removes
    all. The items of `attributes` are written KEY=VALUE. `drop_attributes` removes single attributes, and
    `no_attributes` all.
    """

    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    tags: Sequence[str] = ()
    add_tags: Sequence[str] = ()
    drop_tags: Sequence[str] = ()
    no_tags: bool = False
    attributes: Sequence[str] = ()
    drop_attributes: Sequence[str] = ()
    no_attributes: bool = False

    def to_edit(self) -> SubscriberEdit:
        """Returns the parsed changes. Raises AudienceError for an invalid value."""
        return SubscriberEdit(
            name=None if self.name is None else clean_line(self.name),
            language=None if self.language is None else language_tag(self.language),
            timezone=None if self.timezone is None else timezone_name(self.timezone),
            tags=clean_tags(self.tags) if self.tags else None,
            add_tags=clean_tags(self.add_tags),
            drop_tags=clean_tags(self.drop_tags),
            no_tags=self.no_tags,
            attributes=dict(_parse_attribute(text) for text in self.attributes),
            drop_attributes=tuple(key.strip() for key in self.drop_attributes),
            no_attributes=self.no_attributes,
        )


@dataclass(frozen=True, slots=True)
class AdditionRequest:
    """Describes a person to add, or to change if the address is known.

    Without `editions`, a new person gets all editions. `consent` says how the person asked for the
    newsletter; with it, somebody who had left is reactivated. `force` also reactivates somebody who
    complained or is suppressed; then `reason` must say why.
    """

    address: str
    changes: PersonChanges = field(default_factory=PersonChanges)
    editions: Sequence[str] = ()
    consent: str | None = None
    force: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AdditionResult:
    """Holds a person before the addition (None: a new person) and after it."""

    before: Subscriber | None
    person: Subscriber

    @property
    def removed_tags_and_attributes(self) -> dict[str, list[str]]:
        """Returns the tags, and the names of the attributes, that were removed from the person."""
        tags = self.before.tags if self.before else ()
        attributes = self.before.attributes if self.before else {}
        return {
            "tags": [tag for tag in tags if tag not in self.person.tags],
            "attributes": sorted(set(attributes) - set(self.person.attributes)),
        }

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON data."""
        return {
            "added": self.before is None,
            "subscriber": person_json(self.person),
            "cleared": self.removed_tags_and_attributes,
        }


@dataclass(frozen=True, slots=True)
class SegmentEditResult:
    """Counts the people in a segment (an expression), and how many of these people were changed."""

    segment: str
    matched: int
    changed: int

    def to_json(self) -> dict[str, Any]:
        """Returns the numbers as JSON data."""
        return {"segment": self.segment, "matched": self.matched, "changed": self.changed}


def add_person(settings: Settings, addition: AdditionRequest) -> AdditionResult:
    """Adds a person, or changes the data of a known person. Without consent, nobody is reactivated.

    Raises AudienceError or InputError, with nothing changed, if consent or `force` is needed and missing.
    """
    change = addition.changes.to_edit()
    how, why = _consent_and_reason(addition)
    chosen = checked_editions(addition.editions, settings.editions)
    who = normalize_address(addition.address)
    with closing(open_store(settings.database)) as db, writing(db):
        known = people.find(db, who.address)
        if known is not None and change and not chosen and not how:
            return AdditionResult(*edit_subscriber(db, known.id, change))
        person, _ = subscribers.add(
            db,
            who,
            consent=Consent(utc_now(), how or "operator", "command line"),
            editions=chosen if chosen or known else tuple(settings.editions),
            at_own_request=bool(how),
            force_reason=why,
            zone=settings.publication.zone,
        )
        if change:
            _, person = edit_subscriber(db, person.id, change)
        return AdditionResult(known, person)


def edit_people(settings: Settings, segment: str, changes: PersonChanges) -> SegmentEditResult:
    """Changes tags and attributes of everybody in a segment (an expression), whatever their status.

    Raises InputError for a change that is only possible for one person, AudienceError for an invalid value,
    and SegmentError for an invalid segment. Then nothing is changed.
    """
    change = changes.to_edit()
    _check_segment_edit(change)
    parsed = segments.parse_segment(segment, settings.publication.zone)
    with closing(open_store(settings.database)) as db:
        return SegmentEditResult(segment, *edit_subscribers_in_segment(db, parsed, change))


def _check_segment_edit(edit: SubscriberEdit) -> None:
    """Raises InputError if the change of a segment is empty, or is only possible for one person."""
    alone = SubscriberEdit(
        add_tags=edit.add_tags,
        drop_tags=edit.drop_tags,
        no_tags=edit.no_tags,
        attributes=edit.attributes,
        drop_attributes=edit.drop_attributes,
        no_attributes=edit.no_attributes,
    )
    if edit.tags is not None:
        raise InputError(
            "--tag cannot be used with --segment; use --add-tag TAG, with --no-tags to replace all tags"
        )
    if alone != edit:
        raise InputError(FOR_ONE_PERSON)
    if not edit:
        raise InputError("add an option that says what to change, as in --no-tag TAG")


def _consent_and_reason(addition: AdditionRequest) -> tuple[str, str]:
    """Returns the consent, and the reason for `force`, both cleaned; "" if not given. Raises AudienceError or
    InputError."""
    how = clean_line(addition.consent or "", "consent", 500)
    if addition.consent is not None and not how:
        raise AudienceError(
            '--consent must not be empty; say how the person asked, as in --consent "by phone"'
        )
    why = clean_line(addition.reason or "", "reason", 500)
    if addition.force and not (how and why):
        raise InputError(
            '--force needs --consent "…" (how the person asked) and --reason "…" (why it is right)'
        )
    if addition.reason is not None and not addition.force:
        raise InputError("--reason can only be used with --force; add --force, or leave --reason out")
    return how, why


def _parse_attribute(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    key = clean_line(key, "attribute", 100)
    if not equals or not key:
        raise AudienceError(f'--attribute "{text[:80]}" must be KEY=VALUE, such as company=Acme')
    return key, attribute_value(value, key)

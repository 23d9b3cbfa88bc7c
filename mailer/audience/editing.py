"""Edits people's names, languages, time zones, tags and attributes.

An edit never changes a consent or a status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mailer.audience.people import Subscriber, get, list_subscribers
from mailer.audience.segments import Segment
from mailer.audience.values.cells import MAX_TAGS, attribute_key
from mailer.clock import utc_now
from mailer.errors import AudienceError
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["SubscriberEdit", "edit_subscriber", "edit_subscribers_in_segment"]

#: The number of people in one transaction: few, so that a run does not wait long for the write lock.
_BATCH = 500

_WRITE = """
    UPDATE subscribers SET name = ?, language = ?, timezone = ?, tags = ?, attributes = ?, updated_at = ?
    WHERE id = ? AND status <> 'erased'
"""


@dataclass(frozen=True, slots=True)
class SubscriberEdit:
    """Describes changes of one person's data. None leaves a field as it is.

    `tags` replaces all tags, `add_tags` and `drop_tags` add and remove single tags, and `no_tags` removes
    all. `attributes` sets attributes by name, and an empty value removes one; `drop_attributes` and
    `no_attributes` remove single attributes or all. Removals are made before additions.
    """

    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    tags: tuple[str, ...] | None = None
    add_tags: tuple[str, ...] = ()
    drop_tags: tuple[str, ...] = ()
    no_tags: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    drop_attributes: tuple[str, ...] = ()
    no_attributes: bool = False

    def __bool__(self) -> bool:
        """Returns whether the edit would change any field."""
        return self != SubscriberEdit()

    def edited_subscriber(self, person: Subscriber) -> Subscriber:
        """Returns a copy of the person with the edit applied.

        Raises AudienceError if the person would have too many tags.
        """
        return replace(
            person,
            name=person.name if self.name is None else self.name,
            language=person.language if self.language is None else self.language,
            timezone=person.timezone if self.timezone is None else self.timezone,
            tags=self.edited_tags(person.tags),
            attributes=self.edited_attributes(person.attributes),
        )

    def edited_tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the tags after the edit.

        Upper and lower case are not distinguished when tags are added or dropped.

        Raises AudienceError if there would be too many tags.
        """
        kept = self.tags if self.tags is not None else () if self.no_tags else tags
        dropped = {tag.casefold() for tag in self.drop_tags}
        after = [tag for tag in kept if tag.casefold() not in dropped]
        there = {tag.casefold() for tag in after}
        after += [tag for tag in self.add_tags if tag.casefold() not in there]
        if len(after) > MAX_TAGS and len(after) > len(tags):
            raise AudienceError(f"a person can have at most {MAX_TAGS} tags; remove some")
        return tuple(after)

    def edited_attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the attributes after the edit.

        `drop_attributes` may have names of attributes, or names of the columns that attributes were imported
        from.
        """
        dropped = {name for key in self.drop_attributes for name in (key, _imported_attribute_name(key))}
        dropped |= {key for key, value in self.attributes.items() if value == ""}
        kept = {} if self.no_attributes else {key: v for key, v in attributes.items() if key not in dropped}
        return {**kept, **{key: value for key, value in self.attributes.items() if value != ""}}


def edit_subscriber(
    db: Database, subscriber_id: int, change: SubscriberEdit
) -> tuple[Subscriber, Subscriber]:
    """Edits one person, whatever the person's status. Returns the person (before, after) the edit.

    Raises AudienceError if there is no such subscriber, or if the subscriber was erased.
    """
    with writing(db):
        before = get(db, subscriber_id)
        if before is None or before.address is None:
            raise AudienceError(f"there is no subscriber {subscriber_id}")
        after = change.edited_subscriber(before)
        if after != before:
            texts = (
                after.name,
                after.language,
                after.timezone,
                _to_json(after.tags),
                _to_json(after.attributes),
            )
            db.conn.execute(_WRITE, (*texts, utc_now(), subscriber_id))
        return before, get(db, subscriber_id) or before


def edit_subscribers_in_segment(db: Database, segment: Segment, change: SubscriberEdit) -> tuple[int, int]:
    """Edits everybody in a segment, whatever their status.

    Returns (people in the segment, people who changed).

    Every 500 people are one transaction. Raises AudienceError, with nothing changed, if a person would have
    too many tags.
    """
    matched, numbers = 0, []
    for person in list_subscribers(db, segment=segment):
        matched += 1
        if change.edited_subscriber(person) != person:
            numbers.append(person.id)
    for start in range(0, len(numbers), _BATCH):
        with writing(db):
            for number in numbers[start : start + _BATCH]:
                with suppress(AudienceError):  # erased meanwhile
                    edit_subscriber(db, number, change)
    return matched, len(numbers)


def _imported_attribute_name(column_name: str) -> str:
    """Returns the attribute name that an import gives to a column; if there is none, the column name."""
    try:
        return attribute_key(column_name)
    except AudienceError:
        return column_name


def _to_json(value: Mapping[str, Any] | tuple[str, ...]) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False)

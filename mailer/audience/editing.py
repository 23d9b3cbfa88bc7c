"""Edits people's names, tags and attributes. An edit is no consent, and makes nobody active again."""

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

__all__ = ["Edit", "edit", "edit_segment"]

#: The number of people in one transaction: few, so that a run does not wait long for the write lock.
_BATCH = 500

_WRITE = """
    UPDATE subscribers SET name = ?, language = ?, timezone = ?, tags = ?, attributes = ?, updated_at = ?
    WHERE id = ? AND status <> 'erased'
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """Says what to change of a person. None leaves a field as it is.

    `tags` replace all tags; `add_tags` and `drop_tags` change single ones, and `no_tags` clears all.
    `attributes` are merged by name, where an empty value clears one; `drop_attributes` and `no_attributes`
    clear, too. Clearing comes before setting.
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
        """Returns whether there is anything to change."""
        return self != Edit()

    def of(self, before: Subscriber) -> Subscriber:
        """Returns the edited person. Raises AudienceError where they would have too many tags."""
        return replace(
            before,
            name=before.name if self.name is None else self.name,
            language=before.language if self.language is None else self.language,
            timezone=before.timezone if self.timezone is None else self.timezone,
            tags=self.tags_after(before.tags),
            attributes=self.attributes_after(before.attributes),
        )

    def tags_after(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """Returns a person's tags after the edit. Case does not matter in tags that are added or dropped.

        Raises AudienceError where they become too many.
        """
        kept = self.tags if self.tags is not None else () if self.no_tags else before
        dropped = {tag.casefold() for tag in self.drop_tags}
        after = [tag for tag in kept if tag.casefold() not in dropped]
        there = {tag.casefold() for tag in after}
        after += [tag for tag in self.add_tags if tag.casefold() not in there]
        if len(after) > MAX_TAGS and len(after) > len(before):
            raise AudienceError(f"there are more than {MAX_TAGS} tags; keep what is used")
        return tuple(after)

    def attributes_after(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a person's attributes after the edit.

        `drop_attributes` may name an attribute by its own name, or by the name of the column that it was
        imported from.
        """
        dropped = {name for key in self.drop_attributes for name in (key, _imported_name(key))}
        dropped |= {key for key, value in self.attributes.items() if value == ""}
        kept = {} if self.no_attributes else {key: v for key, v in before.items() if key not in dropped}
        return {**kept, **{key: value for key, value in self.attributes.items() if value != ""}}


def edit(db: Database, subscriber_id: int, change: Edit) -> tuple[Subscriber, Subscriber]:
    """Edits one person, whatever their status; returns them as they were and as they are.

    Raises AudienceError where there is no such subscriber, or they were erased.
    """
    with writing(db):
        before = get(db, subscriber_id)
        if before is None or before.address is None:
            raise AudienceError(f"there is no subscriber {subscriber_id}")
        after = change.of(before)
        if after != before:
            texts = (after.name, after.language, after.timezone, _json(after.tags), _json(after.attributes))
            db.conn.execute(_WRITE, (*texts, utc_now(), subscriber_id))
        return before, get(db, subscriber_id) or before


def edit_segment(db: Database, segment: Segment, change: Edit) -> tuple[int, int]:
    """Edits everybody in a segment, whatever their status; returns how many are in it and how many changed.

    Each batch is one transaction. Raises AudienceError, with nothing changed, where somebody would have too
    many tags.
    """
    matched, numbers = 0, []
    for person in list_subscribers(db, segment=segment):
        matched += 1
        if change.of(person) != person:
            numbers.append(person.id)
    for start in range(0, len(numbers), _BATCH):
        with writing(db):
            for number in numbers[start : start + _BATCH]:
                with suppress(AudienceError):  # erased meanwhile
                    edit(db, number, change)
    return matched, len(numbers)


def _imported_name(key: str) -> str:
    """Returns the attribute name that an import makes of the column `key`; `key` itself if it makes none."""
    try:
        return attribute_key(key)
    except AudienceError:
        return key


def _json(value: Mapping[str, Any] | tuple[str, ...]) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False)

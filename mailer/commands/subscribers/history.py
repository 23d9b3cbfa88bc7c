"""Implements `mailer subscribers show`, which prints all data and the history of a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import typer

from mailer.audience.events import HistoryEntry
from mailer.audience.people import Subscriber, status_or_suppressed
from mailer.campaign.campaign import Delivered
from mailer.campaign.times import format_time
from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.commands.subscribers.person import AddressArgument, editions_text
from mailer.services.subscribers.history import PersonHistory, person_history

__all__ = ["show"]

#: So many deliveries are told to a person, the newest; --json has all of them.
_MOST_SHOWN = 30

_LABELS = {
    "unsubscribe": "Left",
    "complaint": "Complained",
    "pending": "Asked",
    "subscribe": "Came back",
    "confirm": "Confirmed",
    "restore": "Restored",
    "suppress": "Stopped",
    "address": "Moved",
}
_SOURCES = {"cli": "command line", "preferences": "preferences page", "page": "unsubscribe page"}
#: These lines say it already.
_SHOWN_ELSEWHERE = ("bounce", "erase")

Lines = Iterator[tuple[str, str]]


def show(context: typer.Context, address: AddressArgument, as_json: JsonFlag = False) -> None:
    """Shows all data and the history of one person."""
    settings = settings_of(context)
    story = person_history(settings, address)
    if as_json:
        emit_json(story.to_json())
        return
    for label, text in _lines(story, settings.publication.zone):
        if text:
            # What has several lines is set in, so that none of them passes for a line of ours.
            say(f"{label:<12} {text}".replace("\n", "\n" + " " * 13))


def _lines(story: PersonHistory, zone: ZoneInfo) -> Lines:
    yield "Address", story.address
    if story.person is None:
        yield "Status", "not a subscriber"
    else:
        yield from _person_lines(story, story.person, zone)
    if story.suppressed:
        yield "Suppressed", f"{format_time(story.suppressed.added_at, zone)}: {story.suppressed.reason}"
    yield from _delivery_lines(story.deliveries, zone)


def _person_lines(story: PersonHistory, person: Subscriber, zone: ZoneInfo) -> Lines:
    yield "Status", status_or_suppressed(person)
    yield "Editions", editions_text(person)
    yield "Name", person.name
    yield "Language", person.language
    yield "Time zone", person.timezone
    yield "Tags", ", ".join(person.tags)
    for key, value in sorted(person.attributes.items()):
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    yield "Joined", format_time(person.joined_at, zone) if person.joined_at else ""
    for given in story.consents:
        yield "Consent", f"{format_time(given.given_at, zone)}: {given.method} {given.origin}".rstrip()
    for bounce in story.bounces:
        place = f" (campaign {bounce.campaign})" if bounce.campaign else ""
        yield "Bounced", f"{format_time(bounce.at, zone)}: {bounce.words or 'no reason was given'}{place}"
    for happening in story.history:
        if happening.what not in _SHOWN_ELSEWHERE:
            yield _LABELS[happening.what], _event_text(happening, zone)


def _event_text(happening: HistoryEntry, zone: ZoneInfo) -> str:
    """Returns an event as text: `Sat 21 Nov 2026 …: everything, by campaign 2026-11-21-morning: spam`."""
    what = {"unsubscribe": happening.edition or "everything", "subscribe": happening.edition}
    source = _SOURCES.get(happening.source, happening.source)
    campaign = f"by campaign {happening.campaign}" if happening.campaign else ""
    parts = [part for part in (what.get(happening.what, ""), campaign, source) if part]
    return ": ".join(filter(None, (format_time(happening.at, zone), ", ".join(parts), happening.reason)))


def _delivery_lines(deliveries: Sequence[Delivered], zone: ZoneInfo) -> Lines:
    earlier = len(deliveries) - _MOST_SHOWN
    if earlier > 0:
        yield "Deliveries", f"{earlier:,} earlier ones are left out here; --json has them"
    for one in deliveries[-_MOST_SHOWN:]:
        when = f" at {format_time(one.settled_at, zone)}" if one.settled_at else ""
        folder = " (in a folder only)" if one.in_folder else ""
        why = f": {one.reason}" if one.reason else ""
        yield "Delivery", f"{one.slug}: {one.state}{when}{folder}{why}"

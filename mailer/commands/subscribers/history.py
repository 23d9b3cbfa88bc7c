"""Implements `mailer subscribers show`, which prints all data and the history of a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import typer

from mailer.audience.events import HistoryEntry
from mailer.audience.people import Subscriber, status_or_suppressed
from mailer.campaign.campaign import PersonDelivery
from mailer.campaign.times import format_time
from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.commands.subscribers.person import AddressArgument, editions_text
from mailer.services.subscribers.history import PersonHistory, person_history

__all__ = ["show"]

#: The newest deliveries are printed, at most this many; --json has all of them.
_MAX_SHOWN = 30

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
#: The events that other lines show.
_SHOWN_ELSEWHERE = ("bounce", "erase")

LabelledLines = Iterator[tuple[str, str]]


def show(context: typer.Context, address: AddressArgument, as_json: JsonFlag = False) -> None:
    """Shows all data and the history of one person."""
    settings = settings_of(context)
    history = person_history(settings, address)
    if as_json:
        emit_json(history.to_json())
        return
    for label, text in _history_lines(history, settings.publication.zone):
        if text:
            # Further lines of a text are indented, so that none looks like a line of this command.
            say(f"{label:<12} {text}".replace("\n", "\n" + " " * 13))


def _history_lines(history: PersonHistory, zone: ZoneInfo) -> LabelledLines:
    yield "Address", history.address
    if history.person is None:
        yield "Status", "not a subscriber"
    else:
        yield from _person_lines(history, history.person, zone)
    if history.suppressed:
        yield "Suppressed", f"{format_time(history.suppressed.added_at, zone)}: {history.suppressed.reason}"
    yield from _delivery_lines(history.deliveries, zone)


def _person_lines(history: PersonHistory, person: Subscriber, zone: ZoneInfo) -> LabelledLines:
    yield "Status", status_or_suppressed(person)
    yield "Editions", editions_text(person)
    yield "Name", person.name
    yield "Language", person.language
    yield "Time zone", person.timezone
    yield "Tags", ", ".join(person.tags)
    for key, value in sorted(person.attributes.items()):
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    yield "Joined", format_time(person.joined_at, zone) if person.joined_at else ""
    for given in history.consents:
        yield "Consent", f"{format_time(given.given_at, zone)}: {given.method} {given.origin}".rstrip()
    for bounce in history.bounces:
        place = f" (campaign {bounce.campaign})" if bounce.campaign else ""
        yield "Bounced", f"{format_time(bounce.at, zone)}: {bounce.words or 'no reason was given'}{place}"
    for event in history.history:
        if event.what not in _SHOWN_ELSEWHERE:
            yield _LABELS[event.what], _event_text(event, zone)


def _event_text(event: HistoryEntry, zone: ZoneInfo) -> str:
    """Returns an event as text: `Sat 21 Nov 2026 …: everything, by campaign 2026-11-21-morning: spam`."""
    what = {"unsubscribe": event.edition or "everything", "subscribe": event.edition}
    source = _SOURCES.get(event.source, event.source)
    campaign = f"by campaign {event.campaign}" if event.campaign else ""
    parts = [part for part in (what.get(event.what, ""), campaign, source) if part]
    return ": ".join(filter(None, (format_time(event.at, zone), ", ".join(parts), event.reason)))


def _delivery_lines(deliveries: Sequence[PersonDelivery], zone: ZoneInfo) -> LabelledLines:
    earlier = len(deliveries) - _MAX_SHOWN
    if earlier > 0:
        yield "Deliveries", f"{earlier:,} earlier deliveries are left out here; --json lists them"
    for delivery in deliveries[-_MAX_SHOWN:]:
        when = f" at {format_time(delivery.settled_at, zone)}" if delivery.settled_at else ""
        folder = " (in a folder only)" if delivery.in_folder else ""
        why = f": {delivery.reason}" if delivery.reason else ""
        yield "Delivery", f"{delivery.slug}: {delivery.state}{when}{folder}{why}"

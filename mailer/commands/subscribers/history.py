"""`mailer subscribers show`: the whole story of one person."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import typer
from sqlite_utils import Database

from mailer.audience import events, people
from mailer.audience.consent import bounces, suppression
from mailer.audience.consent.bounces import Bounce
from mailer.audience.consent.record import Consent, consents_of
from mailer.audience.consent.suppression import ERASED, Suppression
from mailer.audience.events import Happening
from mailer.audience.people import Subscriber, state_of
from mailer.audience.values.address import normalize_address
from mailer.campaign.times import in_words
from mailer.commands.context import emit_json, say, settings_of
from mailer.commands.subscribers.person import AsJson, Who, document_of, editions_text, wanted
from mailer.spool.sqlite.campaigns import Delivered, campaigns, deliveries_of
from mailer.store.database import open_to_read

__all__ = ["show"]

#: So many deliveries are told to a person, the newest; --json has all of them.
_TOLD = 30

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
_TOLD_ELSEWHERE = ("bounce", "erase")

Lines = Iterator[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Story:
    """Everything about one person, oldest first."""

    person: Subscriber
    consents: tuple[Consent, ...]
    bounces: tuple[Bounce, ...]
    history: tuple[Happening, ...]
    deliveries: list[Delivered]
    suppressed: Suppression | None


def show(context: typer.Context, address: Who, as_json: AsJson = False) -> None:
    """Everything that is known of one person, and what happened to them."""
    settings = settings_of(context)
    db, zone = open_to_read(settings.database), settings.publication.zone
    who = normalize_address(address)
    stopped = suppression.suppression_of(db, who.key)
    if people.find(db, address) is None and stopped is not None and stopped.reason != ERASED:
        _show_nobody(who.address, stopped, zone, as_json)
        return
    story = _story(db, wanted(db, address), stopped)
    if as_json:
        emit_json(_document(story))
        return
    for label, text in _lines(story, zone):
        if text:
            # What has several lines is set in, so that none of them passes for a line of ours.
            say(f"{label:<12} {text}".replace("\n", "\n" + " " * 13))


def _show_nobody(address: str, stopped: Suppression, zone: ZoneInfo, as_json: bool) -> None:
    """Somebody who is no subscriber, whose address is on the suppression list."""
    if as_json:
        nobody = Subscriber(0, address, suppressed_at=stopped.added_at)
        emit_json({**_document(_Story(nobody, (), (), (), [], stopped)), "id": None, "status": None})
        return
    say(f"{'Address':<12} {address}")
    say(f"{'Status':<12} not a subscriber")
    say(f"{'Suppressed':<12} {in_words(stopped.added_at, zone)}: {stopped.reason}")


def _story(db: Database, person: Subscriber, stopped: Suppression | None) -> _Story:
    return _Story(
        person,
        consents_of(db, person.id),
        bounces.bounces_of(db, person.id),
        events.history_of(db, person.id),
        deliveries_of(db, person.id, campaigns(db)),
        stopped,
    )


def _document(story: _Story) -> dict[str, Any]:
    return {
        **document_of(story.person),
        "consents": [dataclasses.asdict(consent) for consent in story.consents],
        "bounces": [dataclasses.asdict(bounce) for bounce in story.bounces],
        "suppressed": dataclasses.asdict(story.suppressed) if story.suppressed else None,
        "history": [happening._asdict() for happening in story.history],
        "deliveries": [_delivery(delivered) for delivered in story.deliveries],
    }


def _delivery(delivered: Delivered) -> dict[str, Any]:
    document = dataclasses.asdict(delivered)
    return {"campaign": document.pop("slug"), **document}


def _lines(story: _Story, zone: ZoneInfo) -> Lines:
    person = story.person
    yield "Address", person.address or ""
    yield "Status", state_of(person)
    yield "Editions", editions_text(person)
    yield "Name", person.name
    yield "Language", person.language
    yield "Time zone", person.timezone
    yield "Tags", ", ".join(person.tags)
    for key, value in sorted(person.attributes.items()):
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    yield "Joined", in_words(person.joined_at, zone) if person.joined_at else ""
    for given in story.consents:
        yield "Consent", f"{in_words(given.given_at, zone)}: {given.method} {given.origin}".rstrip()
    for bounce in story.bounces:
        place = f" (campaign {bounce.campaign})" if bounce.campaign else ""
        yield "Bounced", f"{in_words(bounce.at, zone)}: {bounce.words or 'no reason was given'}{place}"
    for happening in story.history:
        if happening.what not in _TOLD_ELSEWHERE:
            yield _LABELS[happening.what], _happening_in_words(happening, zone)
    if story.suppressed:
        at = in_words(story.suppressed.added_at, zone)
        yield "Suppressed", f"{at}: {story.suppressed.reason}"
    yield from _delivery_lines(story.deliveries, zone)


def _happening_in_words(happening: Happening, zone: ZoneInfo) -> str:
    """An event as one line: `Sat 21 Nov 2026 …: everything, by campaign 2026-11-21-morning: too much`."""
    what = {"unsubscribe": happening.edition or "everything", "subscribe": happening.edition}
    source = _SOURCES.get(happening.source, happening.source)
    campaign = f"by campaign {happening.campaign}" if happening.campaign else ""
    parts = [part for part in (what.get(happening.what, ""), campaign, source) if part]
    return ": ".join(filter(None, (in_words(happening.at, zone), ", ".join(parts), happening.reason)))


def _delivery_lines(deliveries: list[Delivered], zone: ZoneInfo) -> Lines:
    earlier = len(deliveries) - _TOLD
    if earlier > 0:
        yield "Deliveries", f"{earlier:,} earlier ones are left out here; --json has them"
    for one in deliveries[-_TOLD:]:
        when = f" at {in_words(one.settled_at, zone)}" if one.settled_at else ""
        folder = " (in a folder only)" if one.in_folder else ""
        why = f": {one.reason}" if one.reason else ""
        yield "Delivery", f"{one.slug}: {one.state}{when}{folder}{why}"

"""Tells search engines and mail programs about events, in the vocabulary of https://schema.org/Event.

The result is JSON-LD for a `<script type="application/ld+json">`, which browsers do not execute. It is made
for the public page, so slots have their defaults in it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from mailer.clock import with_zone
from mailer.render.slots.markers import MARKERS, Markers
from mailer.render.slots.slots import SlotContext
from mailer.render.views.item_values import EventView, ItemView

__all__ = ["event_data"]

#: What would end the element, or begin a comment or an entity in it, as JSON writes it otherwise.
_ESCAPES = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"})


@pass_context
def event_data(context: Context, item: Any) -> str:
    """Returns the data of an item that has an event, as JSON that may stand in a `<script>`.

    Raises TypeError for anything else than an item with an event.
    """
    if not isinstance(item, ItemView) or item.event is None:
        raise TypeError("the filter event_data can only be used with an item that has an event")
    markers: Markers = context[MARKERS]
    publication = context["publication"]
    data = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": item.title,
        **_times(item.event, publication.zone),
        "location": _place(item.event),
        "url": item.event.url or item.url,
        "image": [picture.src for picture in item.images],
    }
    written = json.dumps(_without_slots(data, markers), ensure_ascii=False, separators=(",", ":"))
    return Markup(written.translate(_ESCAPES))  # noqa: S704


def _times(event: EventView, zone: ZoneInfo) -> dict[str, str]:
    times = {"startDate": _time(event.starts, zone)}
    if event.ends is not None:
        times["endDate"] = _time(event.ends, zone)
    return times


def _time(moment: dt.date, zone: ZoneInfo) -> str:
    """Returns a date, or a time with its offset from UTC. A time without one is in the time zone `zone`."""
    return (with_zone(moment, zone) if isinstance(moment, dt.datetime) else moment).isoformat()


def _place(event: EventView) -> dict[str, str] | None:
    """Returns the place, or None if the issue names none. That an event is online is not known even then."""
    if not event.venue and not event.address:
        return None
    return {"@type": "Place", "name": event.venue, "address": event.address}


def _without_slots(value: Any, markers: Markers) -> Any:
    """Returns the value with the defaults of slots, and without keys that have no value."""
    if isinstance(value, Mapping):
        return {key: _without_slots(each, markers) for key, each in value.items() if each}
    if isinstance(value, list):
        return [_without_slots(each, markers) for each in value]
    return markers.cut_at_markers(str(value), SlotContext.TEXT).fill({})

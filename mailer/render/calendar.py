"""Makes the calendar file (iCalendar, RFC 5545) of an event, for the readers' own calendars."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mailer.clock import with_zone
from mailer.issue.parts import Event
from mailer.render.rendition import Picture

__all__ = ["CalendarEntry", "calendar_file"]


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """Holds what a calendar file tells of an event besides its times.

    `zone` is the time zone of times without an offset. `issued` is the date of the issue, and `host` the host
    name of the publication, which makes the identifier of the event unique. `url` and `place` are "" for
    none.
    """

    title: str
    edition: str
    issued: dt.date
    host: str
    zone: ZoneInfo
    url: str = ""
    place: str = ""


def calendar_file(event: Event, entry: CalendarEntry) -> Picture:
    """Returns the calendar file of an event as a published file without a size.

    The same event gives the same bytes. Times are in UTC, so that no calendar needs to know the time zone.
    """
    import icalendar  # only issues with events need it

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//mailer//newsletters as code//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    made = icalendar.Event()
    written = "\0".join((entry.edition, entry.issued.isoformat(), entry.title, str(event.starts)))
    made.add("uid", f"{hashlib.sha256(written.encode()).hexdigest()[:24]}@{entry.host}")
    made.add("dtstamp", dt.datetime.combine(entry.issued, dt.time(), dt.UTC))
    made.add("summary", entry.title)
    start, end = _calendar_time(event.starts, entry.zone), _calendar_end(event, entry.zone)
    made.add("dtstart", start)
    if end is not None and end > start:
        made.add("dtend", end)
    if entry.place:
        made.add("location", entry.place)
    if entry.url:
        made.add("url", entry.url)
    calendar.add_component(made)
    data: bytes = calendar.to_ical()
    return Picture(f"{hashlib.sha256(data).hexdigest()[:20]}.ics", data, 0, 0)


def _calendar_time(moment: dt.date, zone: ZoneInfo) -> dt.date:
    """Returns a date as it is, and a datetime in UTC."""
    if not isinstance(moment, dt.datetime):
        return moment
    return with_zone(moment, zone).astimezone(dt.UTC)


def _calendar_end(event: Event, zone: ZoneInfo) -> dt.date | None:
    """Returns the end of an event as RFC 5545 wants it: of the kind of its start, and the day after the last
    day of an event of whole days."""
    starts, ends = event.starts, event.ends
    if not isinstance(starts, dt.datetime):
        return (ends or starts) + dt.timedelta(days=1)
    if ends is None:
        return None
    if not isinstance(ends, dt.datetime):
        ends = dt.datetime.combine(ends, dt.time(23, 59), starts.tzinfo)
    return _calendar_time(ends, zone)

"""Lists the subscribers that match a filter, or exports them as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import IO, Any

from mailer.audience import segments
from mailer.audience.exchange.exporter import export_csv
from mailer.audience.people import Subscriber, list_subscribers
from mailer.audience.values.cells import STATUSES, checked_editions
from mailer.config import Settings
from mailer.display_text import nearest_word
from mailer.errors import AudienceError
from mailer.store.database import open_for_reading

__all__ = ["SubscriberFilter", "ExportResult", "export_people", "list_people"]


@dataclass(frozen=True, slots=True)
class SubscriberFilter:
    """Selects subscribers by status, edition and segment (an expression). None means any."""

    status: str | None = None
    edition: str | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Holds the result of an export: the name of the file ("": standard output), and the number of exported
    people."""

    file: str
    number: int

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON data."""
        return {"file": self.file, "exported": self.number}


def list_people(settings: Settings, subscriber_filter: SubscriberFilter) -> Iterator[Subscriber]:
    """Returns the subscribers that match the filter, in the order in which they were added.

    Raises AudienceError or SegmentError for an invalid filter, before the first subscriber is read.
    """
    wanted = _filter_arguments(settings, subscriber_filter)
    db = open_for_reading(settings.database)

    def matching_subscribers() -> Iterator[Subscriber]:
        with closing(db):
            yield from list_subscribers(db, **wanted)

    return matching_subscribers()


def export_people(
    settings: Settings,
    subscriber_filter: SubscriberFilter,
    output: AbstractContextManager[IO[str]],
    *,
    file_name: str = "",
) -> ExportResult:
    """Writes the subscribers that match the filter, except erased ones, as CSV into the text file `output`.

    `file_name` is the file's name for the result ("": standard output). Raises AudienceError or SegmentError
    for an invalid filter, before the file is opened.
    """
    wanted = _filter_arguments(settings, subscriber_filter)
    with closing(open_for_reading(settings.database)) as db, output as file:
        return ExportResult(file_name, export_csv(db, file, **wanted))


def _filter_arguments(settings: Settings, subscriber_filter: SubscriberFilter) -> dict[str, Any]:
    """Checks the filter, and returns it as arguments for `list_subscribers` and `export_csv`. Raises
    AudienceError or SegmentError."""
    known = (*STATUSES, segments.SUPPRESSED)
    if subscriber_filter.status is not None and subscriber_filter.status not in known:
        near = nearest_word(subscriber_filter.status, known)
        hint = f"did you mean {near}?" if near else f"choose one of {', '.join(known)}"
        raise AudienceError(f'there is no status "{subscriber_filter.status}"; {hint}')
    if subscriber_filter.edition is not None:
        checked_editions((subscriber_filter.edition,), settings.editions)
    text = subscriber_filter.segment
    parsed = segments.parse_segment(text, settings.publication.zone) if text is not None else None
    return {"status": subscriber_filter.status, "edition": subscriber_filter.edition, "segment": parsed}

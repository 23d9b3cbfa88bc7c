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

__all__ = ["SubscriberFilter", "Exported", "export_list", "list_people"]


@dataclass(frozen=True, slots=True)
class SubscriberFilter:
    """Selects subscribers by status, edition and segment (an expression). None means any."""

    status: str | None = None
    edition: str | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """Holds the result of an export: the name of the file ("": standard output), and the number of people."""

    file: str
    number: int

    def to_json(self) -> dict[str, Any]:
        """Returns the export as JSON data."""
        return {"file": self.file, "exported": self.number}


def list_people(settings: Settings, choice: SubscriberFilter) -> Iterator[Subscriber]:
    """Yields the subscribers that match `choice`, in the order in which they were added.

    Raises AudienceError or SegmentError for an invalid filter, before the first one.
    """
    wanted = _checked(settings, choice)
    db = open_for_reading(settings.database)

    def stream() -> Iterator[Subscriber]:
        with closing(db):
            yield from list_subscribers(db, **wanted)

    return stream()


def export_list(
    settings: Settings, choice: SubscriberFilter, opened: AbstractContextManager[IO[str]], *, name: str = ""
) -> Exported:
    """Writes the subscribers that match `choice`, without erased ones, as CSV into `opened`, a text file
    named `name`.

    Raises as `list_people` does, before the file is opened.
    """
    wanted = _checked(settings, choice)
    with closing(open_for_reading(settings.database)) as db, opened as file:
        return Exported(name, export_csv(db, file, **wanted))


def _checked(settings: Settings, choice: SubscriberFilter) -> dict[str, Any]:
    """Returns the checked arguments of `list_subscribers` and `export_csv`."""
    known = (*STATUSES, segments.SUPPRESSED)
    if choice.status is not None and choice.status not in known:
        near = nearest_word(choice.status, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        raise AudienceError(f'there is no status "{choice.status}"; {hint}')
    if choice.edition is not None:
        checked_editions((choice.edition,), settings.editions)
    text = choice.segment
    parsed = segments.parse_segment(text, settings.publication.zone) if text is not None else None
    return {"status": choice.status, "edition": choice.edition, "segment": parsed}

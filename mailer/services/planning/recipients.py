"""Selects the recipients of a plan: the readers of an edition who may be written to and do not have the issue
yet.

People are read as streams in ascending order of their ids, and the streams are merged, so that memory does
not grow with the number of people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mailer.audience.segments import Segment
from mailer.audience.selection import select_subscribers, subscriber_time_zones
from mailer.services.workspace import Workspace
from mailer.transports.base import UnwritableAddresses

__all__ = [
    "RECEIVED",
    "UNWRITABLE",
    "RecheckedRecipient",
    "Row",
    "RecipientSelection",
    "count_ids_in_both",
    "recheck_recipients",
    "time_zones_of",
]

#: The reasons for people who have the issue from another campaign, and for addresses to which the transport
#: cannot write. All other reasons are an Exclusion.
RECEIVED = "received"
UNWRITABLE = "unwritable"

#: (subscriber id, domain, reason, variant); without a reason, the person gets the issue.
Row = tuple[int, str, str | None, int]


@dataclass(frozen=True, slots=True)
class RecipientSelection:
    """Selects the readers of an edition within a segment, except readers who already have the issue.

    `only` are the conditions of the issue, which determine each reader's variant. `earlier` are the ids of
    other campaigns of the issue. Messages that those campaigns wrote into an outbox folder count only if this
    campaign is written into a folder, too (`into_folder`). `unwritable` matches addresses that the transport
    cannot write to.
    """

    edition: str
    segment: Segment | None
    only: tuple[Segment, ...]
    earlier: tuple[int, ...] = ()
    into_folder: bool = True
    unwritable: UnwritableAddresses | None = None

    def read_subscriber_batches(self, workspace: Workspace) -> Iterator[list[Row]]:
        """Yields all subscribers in ascending order of their ids, as lists of some thousands of rows.

        Each row is (subscriber id, domain of the address, reason, variant). The reason says why the
        subscriber does not get the issue, or is None.
        """
        unwritable = self.unwritable.matches if self.unwritable is not None else None
        received = workspace.spools.people_reached(self.earlier, include_folder_copies=self.into_folder)
        awaited = next(received, None)
        for rows in select_subscribers(
            workspace.db, self.edition, self.segment, self.only, cannot_write_to=unwritable
        ):
            if awaited is None or awaited > rows[-1][0]:
                yield (
                    [(p, d, r or (UNWRITABLE if u else None), v) for p, d, r, u, v in rows]
                    if unwritable
                    else [(p, d, r, v) for p, d, r, _, v in rows]
                )
                continue
            batch: list[Row] = []
            for person, domain, reason, is_unwritable, variant in rows:
                while awaited is not None and awaited < person:
                    awaited = next(received, None)
                if reason is None and awaited == person:
                    reason = RECEIVED
                elif reason is None and is_unwritable:
                    reason = UNWRITABLE
                batch.append((person, domain, reason, variant))
            yield batch


class RecheckedRecipient(NamedTuple):
    """Holds a recipient of a plan who was checked again after the plan was made.

    `variant` is the planned variant, and `variant_now` the variant that the person would get now. `reason`
    says why the person must not be written to any more, or is None.
    """

    person: int
    variant: int
    reason: str | None
    variant_now: int


def recheck_recipients(
    workspace: Workspace, selection: RecipientSelection, planned_people: Iterable[tuple[int, int]]
) -> Iterator[RecheckedRecipient]:
    """Checks the recipients of a plan again, and yields a result for each recipient.

    `planned_people` holds (subscriber id, variant) in ascending order of the ids.
    """
    awaited = iter(planned_people)
    person, variant = next(awaited, (None, 0))
    for rows in selection.read_subscriber_batches(workspace):
        for number, _, reason, variant_now in rows:
            if person is None:
                return
            if number == person:
                yield RecheckedRecipient(number, variant, reason, variant_now)
                person, variant = next(awaited, (None, 0))


def count_ids_in_both(ids: Iterable[int], other_ids: Iterable[int]) -> int:
    """Returns how many ids are in both streams, which are in ascending order."""
    number = 0
    left = iter(other_ids)
    other = next(left, None)
    for one in ids:
        while other is not None and other < one:
            other = next(left, None)
        number += other == one
    return number


def time_zones_of(workspace: Workspace, people: Iterable[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Yields (subscriber id, time zone name) of these people, who are given as (subscriber id, variant) in
    ascending order of the ids."""
    zones = subscriber_time_zones(workspace.db)
    for person, _ in people:
        for number, name in zones:
            if number == person:
                yield person, name
                break

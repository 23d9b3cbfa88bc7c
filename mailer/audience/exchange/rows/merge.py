"""Merges a batch of entries into the database, all or nothing, with a fixed number of queries.

An import adds and describes people. It never makes somebody active again who has left, bounced, complained,
been erased or suppressed, and never puts anybody back on an edition that they have left. A list that says
that somebody has left takes them out, also against a later consent here, which the outcome then names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mailer.audience.change_address import moved_keys
from mailer.audience.consent.record import consents_against
from mailer.audience.consent.suppression import ERASED, suppress, suppressed_keys
from mailer.audience.exchange.rows.batch import GONE, SOURCE, TOLD, BatchPerson, known_people, write_people
from mailer.audience.exchange.rows.entry import NOW, Entry
from mailer.clock import utc_now
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["MergeResult", "Outcome", "merge"]

#: The outcome of a row ("added", "updated", "unchanged" or "kept"), with the reason if kept or excluded.
Outcome = tuple[str, str]


class MergeResult(NamedTuple):
    """Holds the outcome of each entry, and how many active people of them read no edition."""

    outcomes: list[Outcome]
    no_edition: int


def merge(
    db: Database, entries: Sequence[Entry], *, origin: str, all_editions: tuple[str, ...]
) -> MergeResult:
    """Applies the entries in order, in one transaction.

    `origin` is where the consent comes from if the row does not say, `all_editions` what somebody new reads
    if neither the row nor the operator says.
    """
    with writing(db):
        now = utc_now()
        keys = list(dict.fromkeys(entry.address.key for entry in entries))
        suppressed = suppressed_keys(db, keys)
        people = known_people(db, keys)
        moved = moved_keys(db, [key for key in keys if key not in people])
        people = {**known_people(db, [key for key in moved.values() if key and key not in people]), **people}
        outcomes = []
        for entry in entries:
            key = entry.address.key
            if entry.status == "suppressed":
                outcomes.append(_suppress_entry(db, key, key in suppressed, people, origin))
                suppressed.setdefault(key, origin)
            elif key in suppressed and not (key in moved and entry.status in GONE):
                outcomes.append(_suppressed(entry, suppressed[key]))
            elif key in moved:
                outcomes.append(_merge_former_holder(people.get(moved[key] or ""), entry, origin, now))
            elif key in people:
                outcomes.append(_merge_known(people[key], entry, origin, now))
            else:
                people[key] = _new(entry, origin, all_editions, now)
                outcomes.append(("added", ""))
        gone = [
            person.id for person in people.values() if person.old_status == "active" and person.status in GONE
        ]
        stated = consents_against(db, gone) if gone else {}
        write_people(db, people.values(), now)
        _suppress_entries(db, entries, outcomes, moved)
        if stated:
            holders = (people.get(moved.get(entry.address.key) or entry.address.key) for entry in entries)
            outcomes = [
                _exclusion_outcome(entry, person, outcome, stated)
                for entry, person, outcome in zip(entries, holders, outcomes, strict=True)
            ]
        silent = sum(person.status == "active" and not person.reads for person in people.values())
        return MergeResult(outcomes, silent)


def _suppress_entries(
    db: Database, entries: Sequence[Entry], outcomes: list[Outcome], moved: Mapping[str, str | None]
) -> None:
    """Suppresses the addresses that entries give as suppressed, and changes their outcomes to say so."""
    for place, entry in enumerate(entries):
        if not entry.suppressed or not _suppress(db, entry):
            continue
        if outcomes[place][0] == "unchanged":
            outcomes[place] = ("updated", "")
        elif entry.address.key in moved:
            whose = outcomes[place][1].removeprefix("kept: ")
            outcomes[place] = ("updated", f"{whose}; this address is suppressed, the reader's new one is not")


def _suppress_entry(
    db: Database, key: str, already: bool, people: Mapping[str, BatchPerson], origin: str
) -> Outcome:
    """Puts an entry's address on the suppression list, whether or not a subscriber has it."""
    if already or not suppress(db, key, f"the list {origin}", source=SOURCE):
        return "unchanged", ""
    if key in people and people[key].id:
        return "updated", "suppressed: the list says so"
    return "added", ""


def _exclusion_outcome(
    entry: Entry, person: BatchPerson | None, outcome: Outcome, stated: Mapping[int, str]
) -> Outcome:
    """Returns the outcome of a row that excluded somebody, with the consent here that it goes against."""
    if (
        outcome != ("updated", "")
        or person is None
        or person.id not in stated
        or entry.status != person.status
    ):
        return outcome
    return "updated", f"marked as {person.status}, although a consent is recorded here: {stated[person.id]}"


def _suppress(db: Database, entry: Entry) -> bool:
    at = "" if entry.suppressed == NOW else entry.suppressed
    return suppress(db, entry.address.key, entry.suppressed_reason or TOLD, source=SOURCE, at=at)


def _suppressed(entry: Entry, why: str) -> Outcome:
    """Returns the outcome for a suppressed person: nothing changes, whatever the list says."""
    if entry.suppressed:
        return "unchanged", ""
    return "kept", f"kept as {'erased' if why == ERASED else 'suppressed'}"


def _merge_former_holder(person: BatchPerson | None, entry: Entry, origin: str, now: str) -> Outcome:
    """Merges an entry whose address a person had before. Adds no second person; only an exclusion counts."""
    if person is not None and entry.status in GONE:
        return _merge_known(person, entry, origin, now)
    return "kept", "kept: it was the address of a reader whose address was changed"


def _new(entry: Entry, origin: str, all_editions: tuple[str, ...], now: str) -> BatchPerson:
    address = entry.address
    person = BatchPerson(
        0,
        address.address,
        address.key,
        address.domain,
        entry.name,
        entry.language,
        entry.timezone,
        entry.tags or (),
        dict(entry.attributes),
        entry.status or "active",
        entry.joined or now,
        changed=True,
    )
    person.new_editions = list(all_editions if entry.editions is None else entry.editions)
    person.reads = set(person.new_editions)
    if person.status == "active":
        person.consents.append(_consent(entry, origin, now))
    return person


def _consent(entry: Entry, origin: str, now: str) -> tuple[str, str, str]:
    given = entry.consent_at or entry.joined or now
    return given, entry.consent_method or "import", entry.consent_origin or origin


def _merge_known(person: BatchPerson, entry: Entry, origin: str, now: str) -> Outcome:
    """Merges an entry of a known person. What the person chose comes before what the list says."""
    if _excludes_more(person.status, entry.status):
        person.status, person.changed = entry.status, True
        return "updated", ""
    if person.status in GONE:
        if entry.status in GONE:
            return "unchanged", ""
        return "kept", f"kept as {person.status}"
    if person.status == "pending" and entry.status != "pending":
        return "kept", "kept as pending: the person has not confirmed yet"
    changed = _set_fields(person, entry)
    wanted = [edition for edition in entry.editions or () if edition not in person.reads]
    new_editions = [edition for edition in wanted if edition not in person.left]
    if new_editions:
        person.new_editions += new_editions
        person.reads.update(new_editions)
        if person.status == "active":
            person.consents.append(_consent(entry, origin, now))
    if changed or new_editions:
        person.changed = True
        return "updated", ""
    if wanted:
        return "kept", f"kept off {', '.join(wanted)}, which the person has left"
    return "unchanged", ""


def _excludes_more(status: str, stated: str) -> bool:
    """Returns whether the status in the list excludes somebody more firmly than their status here."""
    if status in ("active", "pending"):
        return stated in GONE
    if status == "bounced":
        return stated in ("unsubscribed", "complained")
    return status == "unsubscribed" and stated == "complained"  # the preferences page cannot undo a complaint


def _set_fields(person: BatchPerson, entry: Entry) -> bool:
    """Sets the fields that the row has; an empty cell changes nothing. Returns whether anything changed."""
    before = (person.name, person.language, person.timezone, person.tags)
    person.name = entry.name or person.name
    person.language = entry.language or person.language
    person.timezone = entry.timezone or person.timezone
    person.tags = person.tags if entry.tags is None else entry.tags
    changed = before != (person.name, person.language, person.timezone, person.tags)
    for key, value in entry.attributes.items():
        if attribute_text(person.attributes.get(key)) != value:
            person.attributes[key] = value
            changed = True
    return changed


def attribute_text(value: Any) -> str:
    """Returns an attribute as an export writes it: text as it is, everything else as JSON, nothing as ""."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)

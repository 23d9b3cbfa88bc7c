"""Merges a batch of entries into the database in one transaction, with a fixed number of queries.

An import adds people and fills in their data. It never makes people active again who have left, bounced,
complained, been erased or suppressed, and never subscribes people again to an edition that they left. If the
list says that a person has left, the person gets no more mail, even if a later consent is recorded; the
outcome then names this consent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from mailer.audience.change_address import current_keys_of_former_addresses
from mailer.audience.consent.record import last_consent_texts_excluding_imports
from mailer.audience.consent.suppression import ERASED, suppress, suppression_reasons
from mailer.audience.exchange.rows.batch import (
    DEFAULT_REASON,
    LEAVING_STATUSES,
    SOURCE,
    BatchPerson,
    people_by_address_key,
    write_people,
)
from mailer.audience.exchange.rows.entry import NOW, ListEntry
from mailer.clock import utc_now
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["MergeResult", "Outcome", "merge_entries"]

#: The outcome of a row ("added", "updated", "unchanged" or "kept"), with the reason if kept or excluded.
Outcome = tuple[str, str]


class MergeResult(NamedTuple):
    """Holds the outcome of each entry, and the number of active people in the batch who read no edition."""

    outcomes: list[Outcome]
    no_edition: int


def merge_entries(
    db: Database,
    entries: Sequence[ListEntry],
    *,
    origin: str,
    all_editions: tuple[str, ...],
    zone: tzinfo = UTC,
) -> MergeResult:
    """Merges the entries in order, in one transaction, and returns their outcomes.

    `origin` is recorded as the origin of a consent if the row names none. `all_editions` are the editions
    that a new person reads if neither the row nor the operator names any. `zone` is the time zone of days in
    the reasons of outcomes.
    """
    with writing(db):
        now = utc_now()
        keys = list(dict.fromkeys(entry.address.key for entry in entries))
        suppressed = suppression_reasons(db, keys)
        people = people_by_address_key(db, keys)
        current_keys = current_keys_of_former_addresses(db, [key for key in keys if key not in people])
        people = {
            **people_by_address_key(db, [key for key in current_keys.values() if key and key not in people]),
            **people,
        }
        outcomes = []
        for entry, key in ((entry, entry.address.key) for entry in entries):
            if entry.status == "suppressed":
                outcomes.append(_suppress_entry(db, key, key in suppressed, people, origin))
                suppressed.setdefault(key, origin)
            elif key in suppressed and not (key in current_keys and entry.status in LEAVING_STATUSES):
                outcomes.append(_outcome_for_suppressed_address(entry, suppressed[key]))
            elif key in current_keys:
                outcomes.append(_merge_former_holder(people.get(current_keys[key] or ""), entry, origin, now))
            elif key in people:
                outcomes.append(_merge_known_person(people[key], entry, origin, now))
            else:
                people[key] = _new_person(entry, origin, all_editions, now)
                outcomes.append(("added", ""))
        gone = [
            person.id
            for person in people.values()
            if person.old_status == "active" and person.status in LEAVING_STATUSES
        ]
        direct_consents = last_consent_texts_excluding_imports(db, gone, zone) if gone else {}
        write_people(db, people.values(), now)
        _suppress_entries(db, entries, outcomes, current_keys)
        if direct_consents:
            holders = (
                people.get(current_keys.get(entry.address.key) or entry.address.key) for entry in entries
            )
            outcomes = [
                _exclusion_outcome(entry, person, outcome, direct_consents)
                for entry, person, outcome in zip(entries, holders, outcomes, strict=True)
            ]
        silent = sum(person.status == "active" and not person.reads for person in people.values())
        return MergeResult(outcomes, silent)


def _suppress_entries(
    db: Database,
    entries: Sequence[ListEntry],
    outcomes: list[Outcome],
    current_keys: Mapping[str, str | None],
) -> None:
    """Suppresses the addresses that entries say are suppressed, and changes the outcomes of these entries.

    `current_keys` maps the keys of former addresses to the keys of present addresses.
    """
    for place, entry in enumerate(entries):
        if not entry.suppressed or not _suppress_address_of_entry(db, entry):
            continue
        if outcomes[place][0] == "unchanged":
            outcomes[place] = ("updated", "")
        elif entry.address.key in current_keys:
            whose = outcomes[place][1].removeprefix("kept: ")
            outcomes[place] = (
                "updated",
                f"{whose}; this address is suppressed, but the reader's new address is not",
            )


def _suppress_entry(
    db: Database, address_key: str, was_suppressed: bool, people: Mapping[str, BatchPerson], origin: str
) -> Outcome:
    """Puts an entry's address on the suppression list, whether or not a subscriber has it.

    Returns the outcome of the entry. `was_suppressed` is true if the address was suppressed before, and
    `origin` is the list's name.
    """
    if was_suppressed or not suppress(db, address_key, f"the list {origin}", source=SOURCE):
        return "unchanged", ""
    if address_key in people and people[address_key].id:
        return "updated", "suppressed: the list says so"
    return "added", ""


def _exclusion_outcome(
    entry: ListEntry, person: BatchPerson | None, outcome: Outcome, direct_consents: Mapping[int, str]
) -> Outcome:
    """Returns an entry's outcome. If the entry excluded a person who has consented, it names the consent.

    `direct_consents` has, by subscriber id, a text about the last consent that was not imported.
    """
    if (
        outcome != ("updated", "")
        or person is None
        or person.id not in direct_consents
        or entry.status != person.status
    ):
        return outcome
    return (
        "updated",
        f"marked as {person.status}, although a consent is recorded here: {direct_consents[person.id]}",
    )


def _suppress_address_of_entry(db: Database, entry: ListEntry) -> bool:
    at = "" if entry.suppressed == NOW else entry.suppressed
    return suppress(db, entry.address.key, entry.suppressed_reason or DEFAULT_REASON, source=SOURCE, at=at)


def _outcome_for_suppressed_address(entry: ListEntry, reason: str) -> Outcome:
    """Returns the outcome for an entry whose address is suppressed for this reason: nothing is changed."""
    if entry.suppressed:
        return "unchanged", ""
    return "kept", f"kept as {'erased' if reason == ERASED else 'suppressed'}"


def _merge_former_holder(person: BatchPerson | None, entry: ListEntry, origin: str, now: str) -> Outcome:
    """Merges an entry whose address a person had before. Nothing changes unless it excludes the person.

    `person` is None if the person was erased. `origin` is the list's name, and `now` the UTC time of the
    change.
    """
    if person is not None and entry.status in LEAVING_STATUSES:
        return _merge_known_person(person, entry, origin, now)
    return "kept", "kept: the reader who had this address has another address now"


def _new_person(entry: ListEntry, origin: str, all_editions: tuple[str, ...], now: str) -> BatchPerson:
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
        person.consents.append(_consent_of(entry, origin, now))
    return person


def _consent_of(entry: ListEntry, origin: str, now: str) -> tuple[str, str, str]:
    given = entry.consent_at or entry.joined or now
    return given, entry.consent_method or "import", entry.consent_origin or origin


def _merge_known_person(person: BatchPerson, entry: ListEntry, origin: str, now: str) -> Outcome:
    """Merges an entry of an existing person. The person's own choices take precedence over the list.

    `origin` is the list's name, and `now` the UTC time of the change.
    """
    if _excludes_more_firmly(person.status, entry.status):
        person.status, person.changed = entry.status, True
        return "updated", ""
    if person.status in LEAVING_STATUSES:
        if entry.status in LEAVING_STATUSES:
            return "unchanged", ""
        return "kept", f"kept as {person.status}"
    if person.status == "pending" and entry.status != "pending":
        return "kept", "kept as pending: the person has not confirmed yet"
    changed = _update_person_from_entry(person, entry)
    wanted = [edition for edition in entry.editions or () if edition not in person.reads]
    new_editions = [edition for edition in wanted if edition not in person.left]
    if new_editions:
        person.new_editions += new_editions
        person.reads.update(new_editions)
        if person.status == "active":
            person.consents.append(_consent_of(entry, origin, now))
    if changed or new_editions:
        person.changed = True
        return "updated", ""
    if wanted:
        return "kept", f"kept: the person has unsubscribed from {', '.join(wanted)}"
    return "unchanged", ""


def _excludes_more_firmly(present_status: str, listed_status: str) -> bool:
    """Returns whether the status in the list excludes a person more firmly than the present status does."""
    if present_status in ("active", "pending"):
        return listed_status in LEAVING_STATUSES
    if present_status == "bounced":
        return listed_status in ("unsubscribed", "complained")
    return (
        present_status == "unsubscribed" and listed_status == "complained"
    )  # the preferences page cannot undo a complaint


def _update_person_from_entry(person: BatchPerson, entry: ListEntry) -> bool:
    """Copies the entry's data to the person and returns whether anything changed.

    An empty cell changes nothing.
    """
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
    """Returns the text that an export writes for an attribute: a text unchanged, None as "", other values as
    JSON.
    """
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)

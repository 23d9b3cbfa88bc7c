"""Exports people as CSV. The file is safe in a spreadsheet, and an import reads it back unchanged."""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING

from mailer.audience.consent.record import Consent, last_consent
from mailer.audience.consent.suppression import suppression_of
from mailer.audience.exchange.columns.header import ATTRIBUTE_PREFIX
from mailer.audience.exchange.rows.formula_cells import escape_formula
from mailer.audience.exchange.rows.merge import attribute_text
from mailer.audience.people import Subscriber, list_subscribers
from mailer.audience.segments import Segment
from mailer.audience.values.address import normalize_address
from mailer.audience.values.cells import join_list

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["export_csv"]

_FIELDS = ("address", "name", "language", "timezone", "tags", "editions", "status", "joined")
_CONSENT_FIELDS = ("consent_at", "consent_method", "consent_origin")
_SUPPRESSED_FIELDS = ("suppressed_at", "suppressed_reason")

_NO_CONSENT = Consent("", "")

# Selects every name of an attribute that any person has.
_KEYS = "SELECT DISTINCT a.key FROM subscribers s, json_each(s.attributes) AS a ORDER BY a.key"


def export_csv(
    db: Database,
    file: IO[str],
    *,
    status: str | None = None,
    edition: str | None = None,
    segment: Segment | None = None,
) -> int:
    """Writes all people who match every given condition, except erased people, to a CSV file.

    Returns the number of people in the file. `file` must be opened with newline="".
    """
    keys = [str(row[0]) for row in db.conn.execute(_KEYS)]
    writer = csv.writer(file)
    attributes = (escape_formula(ATTRIBUTE_PREFIX + key) for key in keys)
    writer.writerow([*_FIELDS, *_CONSENT_FIELDS, *_SUPPRESSED_FIELDS, *attributes])
    count = 0
    for person in list_subscribers(db, status=status, edition=edition, segment=segment):
        if person.address is None:
            continue
        consent = last_consent(db, person.id) or _NO_CONSENT
        cells = (
            person.address,
            person.name,
            person.language,
            person.timezone,
            join_list(person.tags),
            ";".join(person.editions),
            person.status,
            person.joined_at,
            consent.given_at,
            consent.method,
            consent.origin,
            *_suppression_cells(db, person),
            *(attribute_text(person.attributes.get(key)) for key in keys),
        )
        writer.writerow([escape_formula(cell) for cell in cells])
        count += 1
    return count


def _suppression_cells(db: Database, person: Subscriber) -> tuple[str, str]:
    """Returns the time and the reason of the person's suppression, or two empty texts."""
    if person.suppressed_at is None or person.address is None:
        return "", ""
    found = suppression_of(db, normalize_address(person.address).key)
    return person.suppressed_at, found.reason if found else ""

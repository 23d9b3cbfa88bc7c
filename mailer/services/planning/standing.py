"""How the people of a plan stand when it is frozen: who may still get it, and why others may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlite_utils import Database

from mailer.audience.planned import Planned
from mailer.services.planning.plan import RECEIVED, Selection

__all__ = ["STANDING_SQL", "Standing", "standing"]

#: Selects (subscriber_id, variant, reason) of everybody planned; no reason means: gets it.
STANDING_SQL = "SELECT subscriber_id, variant, reason FROM temp.standing"


@dataclass(frozen=True, slots=True)
class Standing:
    """How many of the planned get it (`present`), may not be written to any more (`left`), or have the issue
    by another campaign (`received`).

    Of those present, `other` read another variant than planned; `variants` are those that they were planned.
    """

    present: int
    left: int
    received: int
    other: int
    variants: frozenset[int]


@contextmanager
def standing(db: Database, selection: Selection, people: Planned) -> Iterator[Standing]:
    """Looks at everybody planned, inside the caller's transaction. Within it, STANDING_SQL can be used.

    The tables are temporary and in a file, so that a million people need no more memory than ten.
    """
    for table in ("planned", "standing"):
        db.conn.execute(f"DROP TABLE IF EXISTS temp.{table}")
    db.conn.execute("CREATE TEMP TABLE planned (subscriber_id INTEGER PRIMARY KEY, variant INTEGER)")
    db.conn.executemany("INSERT INTO temp.planned VALUES (?, ?)", people)
    db.conn.execute(
        "CREATE TEMP TABLE standing (subscriber_id INTEGER PRIMARY KEY, variant INTEGER, reason TEXT, "
        "present_variant INTEGER)"
    )
    sql, parameters = selection.sql()
    db.conn.execute(
        # The planned come first, in the order of their ids, each with how they stand now.
        "INSERT INTO temp.standing SELECT p.subscriber_id, p.variant, q.reason, q.variant "
        f"FROM temp.planned AS p CROSS JOIN ({sql}) AS q ON q.id = p.subscriber_id",
        parameters,
    )
    db.conn.execute("DROP TABLE temp.planned")
    yield _counted(db)
    db.conn.execute("DROP TABLE temp.standing")


def _counted(db: Database) -> Standing:
    rows = db.conn.execute(
        "SELECT reason, variant, count(*), sum(variant <> present_variant) FROM temp.standing "
        "GROUP BY reason, variant"
    ).fetchall()
    present = [row for row in rows if row[0] is None]
    received = sum(row[2] for row in rows if row[0] == RECEIVED)
    return Standing(
        present=sum(row[2] for row in present),
        left=sum(row[2] for row in rows) - sum(row[2] for row in present) - received,
        received=received,
        other=sum(row[3] for row in present),
        variants=frozenset(row[1] for row in present),
    )

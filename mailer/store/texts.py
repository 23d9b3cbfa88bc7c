"""Finds and replaces texts of a table that may hold an address, for an erasure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["rows_with_letters", "replace_texts"]


def rows_with_letters(
    db: Database, table: str, keys: tuple[str, ...], columns: tuple[str, ...], letters: str
) -> Iterator[tuple[tuple[object, ...], tuple[str, ...]]]:
    """Yields (key, texts) of the rows that may hold an address with these letters, in some spelling."""
    text = " || ' ' || ".join(columns)
    encoded = " OR ".join(f"instr({text}, '{sign}')" for sign in ("%", "&", "=", "\\u0040"))
    where = f"instr({text}, '@') AND instr(lower({text}), ?) OR {encoded}" if letters else "? = ''"
    rows = db.conn.execute(f"SELECT {', '.join((*keys, *columns))} FROM {table} WHERE {where}", (letters,))
    for row in rows:
        yield tuple(row[: len(keys)]), tuple(row[len(keys) :])


def replace_texts(
    db: Database,
    table: str,
    keys: tuple[str, ...],
    key: tuple[object, ...],
    columns: tuple[str, ...],
    before: tuple[str, ...],
    after: tuple[str, ...],
) -> None:
    """Replaces the texts of one row, unless they have changed since they were read."""
    found = " AND ".join(f"{name} = ?" for name in (*keys, *columns))
    with writing(db):
        db.conn.execute(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE {found}",
            [*after, *key, *before],
        )

"""Finds and replaces texts in a table that may contain an e-mail address, for an erasure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["rows_with_address_letters", "replace_texts"]


def rows_with_address_letters(
    db: Database, table: str, key_columns: tuple[str, ...], text_columns: tuple[str, ...], letters: str
) -> Iterator[tuple[tuple[object, ...], tuple[str, ...]]]:
    """Yields (key, texts) of each row that may contain an address with these letters, in any spelling.

    The key and the texts are the values of `key_columns` and `text_columns`. Empty `letters` select all rows.
    """
    text = " || ' ' || ".join(text_columns)
    encoded = " OR ".join(f"instr({text}, '{sign}')" for sign in ("%", "&", "=", "\\u0040"))
    where = f"instr({text}, '@') AND instr(lower({text}), ?) OR {encoded}" if letters else "? = ''"
    rows = db.conn.execute(
        f"SELECT {', '.join((*key_columns, *text_columns))} FROM {table} WHERE {where}", (letters,)
    )
    for row in rows:
        yield tuple(row[: len(key_columns)]), tuple(row[len(key_columns) :])


def replace_texts(
    db: Database,
    table: str,
    key_columns: tuple[str, ...],
    key: tuple[object, ...],
    text_columns: tuple[str, ...],
    before: tuple[str, ...],
    after: tuple[str, ...],
) -> None:
    """Replaces the texts `before` by `after` in the row with this key, unless the row has changed since it
    was read.
    """
    found = " AND ".join(f"{name} = ?" for name in (*key_columns, *text_columns))
    with writing(db):
        db.conn.execute(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in text_columns)} WHERE {found}",
            [*after, *key, *before],
        )

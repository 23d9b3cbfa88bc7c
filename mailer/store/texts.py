"""Finds texts in a table that may contain an e-mail address, and replaces them, for an erasure."""

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
    """Yields (key, texts) of each row whose texts may contain an address with these letters.

    The key and the texts are the values of `key_columns` and `text_columns`. An encoded address is found too.
    If `letters` is empty, all rows are yielded.
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
    old_texts: tuple[str, ...],
    new_texts: tuple[str, ...],
) -> None:
    """Replaces `old_texts` by `new_texts` in the row with this key.

    Does nothing if the row does not hold `old_texts` any more. `key` has a value for each of `key_columns`,
    and the texts are the values of `text_columns`.
    """
    found = " AND ".join(f"{name} = ?" for name in (*key_columns, *text_columns))
    with writing(db):
        db.conn.execute(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in text_columns)} WHERE {found}",
            [*new_texts, *key, *old_texts],
        )

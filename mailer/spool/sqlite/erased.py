"""Removes text about erased people from campaigns and deliveries, on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mailer.audience.erasure import redacted_plan
from mailer.store.texts import replace_texts, rows_with_address_letters

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["SpoolTexts"]

#: Texts that may contain somebody's address: the table, its key, the columns.
_TEXTS: Final = (
    ("deliveries", ("campaign_id", "subscriber_id"), ("reason", "provider_id")),
    ("campaigns", ("id",), ("segment", "status_note")),
)


class SpoolTexts:
    """Removes text about people from campaigns and deliveries, as `audience.erasure.RetainedTexts`
    describes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def forget_person(self, subscriber_id: int) -> None:
        """Clears the server replies about this subscriber id. Call it inside a transaction."""
        self._db.conn.execute(
            "UPDATE deliveries SET reason = '', provider_id = '' WHERE subscriber_id = ?", [subscriber_id]
        )

    def redact_texts(self, redact: Callable[[str], str], letters: str) -> None:
        """Replaces each stored text that may contain an address with these letters by `redact(text)`."""
        for table, keys, columns in _TEXTS:
            for key, before in list(rows_with_address_letters(self._db, table, keys, columns, letters)):
                after = tuple(map(redact, before))
                if after != before:
                    replace_texts(self._db, table, keys, key, columns, before, after)
        for number, plan in self._db.conn.execute("SELECT id, plan FROM campaigns").fetchall():
            changed = redacted_plan(plan, redact)
            if changed != plan:
                replace_texts(self._db, "campaigns", ("id",), (number,), ("plan",), (plan,), (changed,))

"""Opens the spool of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.spool.base import Spools
from mailer.spool.erased_words import ErasedWords
from mailer.spool.sqlite.spools import SqliteSpools

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["spools_of"]


def spools_of(db: Database) -> Spools:
    """Returns the campaigns of a workspace, which are in subscribers.db."""
    return SqliteSpools(db, ErasedWords(db))

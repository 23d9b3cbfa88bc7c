"""Opens the spool of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.audience.erasure import RetainedTexts
from mailer.spool.base import Spools
from mailer.spool.erased_words import ErasedWords
from mailer.spool.sqlite.erased import SpoolWords
from mailer.spool.sqlite.spools import SqliteSpools

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["spools_of", "words_of"]


def spools_of(db: Database) -> Spools:
    """Returns the spools of a workspace, which are stored in subscribers.db."""
    return SqliteSpools(db, ErasedWords(db))


def words_of(db: Database) -> RetainedTexts:
    """Returns what an erasure needs in order to remove text about people from campaigns and deliveries."""
    return SpoolWords(db)

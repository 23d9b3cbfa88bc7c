"""Opens the campaigns and deliveries of a workspace's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.audience.erasure import RetainedTexts
from mailer.spool.base import Spools
from mailer.spool.erased_words import ErasedTextRedaction
from mailer.spool.sqlite.erased import SpoolTexts
from mailer.spool.sqlite.spools import SqliteSpools

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["spools_of", "retained_texts_of"]


def spools_of(db: Database) -> Spools:
    """Returns the spools of the workspace with this database (subscribers.db)."""
    return SqliteSpools(db, ErasedTextRedaction(db))


def retained_texts_of(db: Database) -> RetainedTexts:
    """Returns access to the stored texts of campaigns and deliveries. An erasure uses it to remove what these
    texts say about a person."""
    return SpoolTexts(db)

"""Opens a workspace: its settings, its database and its campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.config import Settings
from mailer.spool.base import Spools
from mailer.spool.open import spools_of
from mailer.store.database import open_for_reading, open_store

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Workspace", "open_workspace", "make_workspace"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Holds the settings, the database and the campaigns (`spools`) of an open workspace."""

    settings: Settings
    db: Database
    spools: Spools

    def close(self) -> None:
        """Closes the database."""
        self.db.close()


def open_workspace(settings: Settings, *, for_reading: bool = False) -> Workspace:
    """Opens the database of a workspace, and creates or migrates the database if needed. Raises StoreError.

    With `for_reading`, a workspace that cannot be written to is opened read-only.
    """
    return make_workspace(
        settings, open_for_reading(settings.database) if for_reading else open_store(settings.database)
    )


def make_workspace(settings: Settings, db: Database) -> Workspace:
    """Returns a workspace with a database that is already open."""
    return Workspace(settings, db, spools_of(db))

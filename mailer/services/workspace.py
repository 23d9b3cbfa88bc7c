"""A workspace that is open: its settings, its database, its campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.config import Settings
from mailer.spool.base import Spools
from mailer.spool.open import spools_of
from mailer.store.database import open_store, open_to_read

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Workspace", "open_workspace", "workspace_of"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """The settings of a workspace, the audience's database, and its campaigns."""

    settings: Settings
    db: Database
    spools: Spools

    def close(self) -> None:
        """Closes the database."""
        self.db.close()


def open_workspace(settings: Settings, *, to_read: bool = False) -> Workspace:
    """Opens the database of a workspace, made and migrated where needed. Raises StoreError.

    With `to_read`, a workspace that may not be written to is opened for reading alone.
    """
    return workspace_of(
        settings, open_to_read(settings.database) if to_read else open_store(settings.database)
    )


def workspace_of(settings: Settings, db: Database) -> Workspace:
    """Returns the workspace over a database that is open."""
    return Workspace(settings, db, spools_of(db))

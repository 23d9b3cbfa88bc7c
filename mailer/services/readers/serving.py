"""Prepares a workspace for readers who open links and pages."""

from __future__ import annotations

from contextlib import closing

from sqlite_utils import Database

from mailer.audience.stable_ids import assign_missing_ids
from mailer.config import Settings
from mailer.store.database import open_store
from mailer.theme_files import check_template_folders

__all__ = ["prepare_to_serve"]


def prepare_to_serve(settings: Settings) -> None:
    """Checks the key and the templates, and gives each subscriber the id that links name.

    Subscribers that version 0.3.0 or an earlier one wrote have no such id. Raises ConfigError, ThemeError
    and StoreError.
    """
    keys = settings.signing_keys()
    check_template_folders(settings.root)
    with closing(open_store(settings.database).conn) as connection:
        assign_missing_ids(Database(connection), keys[-1])

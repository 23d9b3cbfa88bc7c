"""Detects that subscribers.db was removed or replaced, or is an old copy of the database that a campaign was
sent from.

With a database that lacks deliveries, an issue would be sent twice. So a run watches the database file. A run
refuses to start if the manifest or the journal of a campaign knows of more deliveries than the database.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.archive.campaign import read_manifest
from mailer.campaign.campaign import Campaign
from mailer.config import Settings
from mailer.delivery.progress import Progress
from mailer.errors import ArchiveError, CampaignError, StoreError
from mailer.files import sync_folder
from mailer.spool.base import Spool
from mailer.spool.journal import read_begun_claims

if TYPE_CHECKING:
    from sqlite_utils import Database

    from mailer.issue.load import LoadedIssue

__all__ = [
    "does_database_lack_deliveries",
    "watch_database",
    "refuse_if_database_lacks_claims",
    "refuse_if_database_lost_campaign",
    "refuse_if_database_lacks_deliveries",
]


@contextmanager
def watch_database(
    db: Database, path: Path, observe: Callable[[Progress], None]
) -> Iterator[Callable[[Progress], None]]:
    """Yields a progress callback for a run. The callback checks the database file, and then calls `observe`.

    The callback raises StoreError, and so ends the run, if the file at `path` was removed or replaced. The
    same is checked when the context ends. If the file is another one then, the content of the open database
    is copied to a file beside `path`, because the open file has no name any more.
    """
    before = _file_identity(path)

    def check_and_observe(progress: Progress) -> None:
        if _file_identity(path) != before:
            raise StoreError(f"{path.name} was removed or replaced while it was in use")
        observe(progress)

    try:
        yield check_and_observe
    finally:
        if _file_identity(path) != before:
            raise StoreError(_copy_to_rescue_file(db, path))


def refuse_if_database_lost_campaign(settings: Settings, loaded: LoadedIssue, slug: str) -> None:
    """Raises CampaignError if this issue was sent from this workspace as campaign `slug`.

    Called if the database has no campaign of that name, so that the database must have lost it. A campaign's
    folder that was copied here, for example with a clone of the repository, has no lock file and does not
    count.
    """
    if not (settings.root / ".mailer" / f"{slug}.lock").exists():
        return
    with suppress(ArchiveError):
        manifest = read_manifest(settings.campaigns / slug)
        if loaded.path == manifest.get("issue") or loaded.digest == manifest.get("issue_digest"):
            raise CampaignError(
                f"campaigns/{slug} says that this issue was sent from here, but {settings.database.name} "
                "does not know of it: restore the database from a backup. If everybody may get the issue "
                f"once more, move campaigns/{slug} away"
            )


def refuse_if_database_lacks_deliveries(
    settings: Settings, campaign: Campaign, delivery_counts: Mapping[str, int]
) -> None:
    """Raises StoreError if the manifest of a campaign counts more accepted deliveries than the database.

    `delivery_counts` are the numbers of deliveries in the database, by state. Uncertain deliveries count as
    accepted.
    """
    told = _count_sent_deliveries_in_manifest(settings, campaign)
    known = delivery_counts["accepted"] + delivery_counts["uncertain"]
    if told > known:
        raise StoreError(
            f"{settings.database.name} is older than campaigns/{campaign.slug}: the manifest counts {told:,} "
            f"readers who have or may have the issue, but the database only {known:,}; nothing was sent. "
            f"Restore a newer copy of the database, or end the campaign with "
            f"`mailer campaigns cancel {campaign.slug}`"
        )


def does_database_lack_deliveries(
    settings: Settings, campaign: Campaign, delivery_counts: Mapping[str, int]
) -> bool:
    """Returns whether the manifest of a campaign counts more accepted or uncertain deliveries than the
    database (`delivery_counts` by state)."""
    return (
        _count_sent_deliveries_in_manifest(settings, campaign)
        > delivery_counts["accepted"] + delivery_counts["uncertain"]
    )


def _count_sent_deliveries_in_manifest(settings: Settings, campaign: Campaign) -> int:
    """Returns the number of accepted and uncertain deliveries in the campaign's manifest; 0 if the manifest
    has no counts."""
    told = read_manifest(settings.campaigns / campaign.slug).get("counts")
    if not isinstance(told, dict):
        return 0
    numbers = [told.get(state, 0) for state in ("accepted", "uncertain")]
    return sum(number for number in numbers if isinstance(number, int))


def refuse_if_database_lacks_claims(settings: Settings, spool: Spool, journal: Path) -> None:
    """Raises StoreError if the journal of a dead run has claims that the database lacks.

    A claim is committed to the database before the journal records the message. So if a claim is missing, the
    database has lost commits.
    """
    number = spool.count_unknown_claims(read_begun_claims(journal))
    if number:
        name, slug = settings.database.name, spool.campaign.slug
        raise StoreError(
            f"{name} is older than .mailer/{journal.name}, which records {number:,} messages that were "
            f"handed over and that the database does not know; nothing was sent. If somebody removed "
            f"{name}-wal, put it back beside the database. Otherwise restore a newer copy, or end the "
            f"campaign with `mailer campaigns cancel {slug}`"
        )


def _file_identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _create_rescue_file(path: Path) -> Path:
    """Creates an empty file under an unused name beside `path`, readable only by its owner. Returns its path.

    Two runs that do this at the same time get different files.
    """
    number = 1
    while True:
        target = path.with_name(f"{path.name}-rescued" + (f"-{number}" if number > 1 else ""))
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            number += 1
        else:
            return target


def _copy_to_rescue_file(db: Database, path: Path) -> str:
    """Copies the open database to a file `NAME-rescued`, which Git ignores like the database itself.

    Returns a message that says where the copy is, or why the database could not be copied.
    """
    what = f"{path.name} was removed or replaced while it was in use"
    try:
        target = _create_rescue_file(path)
        copy = sqlite3.connect(target)
        try:
            db.conn.backup(copy)
        finally:
            copy.close()
        sync_folder(path.parent)
    except (sqlite3.Error, OSError) as error:
        return (
            f"{what}, and its content cannot be saved ({error}); restore it from a backup, and send nothing "
            "to the same readers before that"
        )
    return (
        f"{what}; its content, including this run, is in {target.name}. End all other mailer "
        f"commands, remove {path.name} with its -wal and -shm, rename {target.name} to {path.name}, and run "
        "this again"
    )

"""Settles what a run that died left behind, before anything else is done with its campaign.

A dead process leaves deliveries that are `sending` and a journal that knows their outcomes. Every command
that changes a campaign, or tells how it stands, takes the campaign's lock first: where it gets the lock, no
run is alive, and the journal is read into the database. Beside a living run nothing is recovered.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from mailer.config import Settings
from mailer.delivery.progress import Progress
from mailer.errors import BusyError, MailerError
from mailer.services.sending.after_run import conclude
from mailer.services.sending.database_guard import refuse_if_behind
from mailer.spool.erased_words import clear_journal
from mailer.spool.lock import campaign_lock
from mailer.spool.sqlite.campaigns import Campaign, find_campaign
from mailer.spool.sqlite.deliveries import Spool
from mailer.spool.sqlite.listing import addresses_in

__all__ = ["NOTHING_RECOVERED", "Recovered", "journal_of", "recover", "recover_if_idle"]

#: So many addresses of uncertain deliveries are named; `campaigns deliveries` lists all.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Recovered:
    """The number of deliveries that a recovery found uncertain, and up to five of their addresses."""

    uncertain: int = 0
    addresses: tuple[str, ...] = ()

    def sentence(self, slug: str) -> str:
        """One sentence for the operator; empty where nothing became uncertain."""
        if not self.uncertain:
            return ""
        named = ", ".join(self.addresses) + (", …" if self.uncertain > len(self.addresses) else "")
        return (
            f"an earlier run ended while {self.uncertain:,} "
            f"{'message was' if self.uncertain == 1 else 'messages were'} being handed over, now uncertain"
            f"{f' ({named})' if named else ''}; `mailer campaigns resolve {slug}` settles them"
        )


NOTHING_RECOVERED: Final = Recovered()


def journal_of(settings: Settings, slug: str) -> Path:
    """The journal of a campaign's run."""
    return settings.root / ".mailer" / f"{slug}.journal"


def recover(settings: Settings, spool: Spool) -> Recovered:
    """Settles what a dead run left `sending`. The caller holds the campaign's lock.

    What the journal tells of people who were erased meanwhile is taken out of it. Raises StoreError where the
    journal is ahead of the database: then nothing is changed.
    """
    journal = journal_of(settings, spool.campaign.slug)
    refuse_if_behind(settings, spool, journal)
    uncertain = spool.recover(journal).get("uncertain", 0)
    clear_journal(spool.database, journal)
    return Recovered(uncertain, addresses_in(spool, "uncertain", _NAMED) if uncertain else ())


def recover_if_idle(db: Database, settings: Settings, campaign: Campaign) -> Campaign:
    """Recovers a campaign whose run has died, so that its status and counts are true; gives it as it is now.

    It stays as it is where a run is alive, or nothing may be written: a read-only database, or one that its
    journal is ahead of.
    """
    spool = Spool(db, campaign)
    if campaign.status != "sending" and not spool.has_claims():
        return campaign
    with suppress(BusyError, MailerError, sqlite3.Error, OSError), campaign_lock(settings, campaign.slug):
        recover(settings, spool)
        if spool.status() == "sending":
            asked = not find_campaign(db, campaign.slug).due_at
            conclude(settings, spool, Progress(stopped_by="interrupted"), asked=asked)
    return find_campaign(db, campaign.slug)

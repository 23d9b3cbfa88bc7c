"""Recovers a campaign whose run has died, before anything else is done with the campaign.

A dead process leaves deliveries in the state `sending`, and a journal with their outcomes. Every command that
changes or shows a campaign first tries to take the campaign's lock. If the command gets the lock, no run is
active, and the outcomes in the journal are written to the database. Nothing is recovered while a run is
active.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from mailer.audience.recipients import addresses_of
from mailer.campaign.campaign import Campaign
from mailer.campaign.delivery_state import State
from mailer.campaign.status import Status
from mailer.config import Settings
from mailer.delivery.progress import Progress
from mailer.delivery.record_refusals import RefusalRecorder
from mailer.errors import BusyError, MailerError
from mailer.services.campaigns.people import addresses_in_state
from mailer.services.database.guard import refuse_if_database_lacks_claims
from mailer.services.sending.after_run import conclude_run
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.spool.erased_words import redact_journal
from mailer.spool.journal import read_journal
from mailer.spool.lock import campaign_lock
from mailer.spool.recover import settle_claims
from mailer.transports.registry import event_source_of

__all__ = [
    "NOTHING_RECOVERED",
    "RecoveryResult",
    "journal_path",
    "recover_dead_run",
    "settle_claims_by_journal",
    "recover_campaign_if_idle",
]

#: This number of uncertain addresses is shown; `campaigns deliveries` lists all.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """Counts the deliveries that a recovery made uncertain, and holds up to five of their addresses."""

    uncertain: int = 0
    addresses: tuple[str, ...] = ()

    def summary(self, slug: str) -> str:
        """Returns a sentence for the operator of the campaign `slug`; "" if nothing became uncertain."""
        if not self.uncertain:
            return ""
        named = ", ".join(self.addresses) + (", …" if self.uncertain > len(self.addresses) else "")
        return (
            f"an earlier run died while {self.uncertain:,} "
            f"{'message was' if self.uncertain == 1 else 'messages were'} being handed over, now uncertain"
            f"{f' ({named})' if named else ''}; settle them with `mailer campaigns resolve {slug}`"
        )


NOTHING_RECOVERED: Final = RecoveryResult()


def journal_path(settings: Settings, slug: str) -> Path:
    """Returns the path of a campaign's journal."""
    return settings.root / ".mailer" / f"{slug}.journal"


def recover_dead_run(workspace: Workspace, spool: Spool) -> RecoveryResult:
    """Settles the claims of a dead run by its journal. The caller holds the campaign's lock.

    Server replies about people who were erased meanwhile are removed from the journal. Raises StoreError,
    with nothing changed, if the journal has claims that the database lacks.
    """
    journal = journal_path(workspace.settings, spool.campaign.slug)
    refuse_if_database_lacks_claims(workspace.settings, spool, journal)
    uncertain = settle_claims_by_journal(workspace, spool, journal).get("uncertain", 0)
    redact_journal(workspace.db, journal)
    addresses = addresses_in_state(workspace, spool, State.UNCERTAIN, _NAMED) if uncertain else ()
    return RecoveryResult(uncertain, addresses)


def settle_claims_by_journal(workspace: Workspace, spool: Spool, journal: Path) -> dict[str, int]:
    """Settles or releases every open claim by the outcomes in a journal. Returns the number of deliveries by
    new state."""
    source = event_source_of(spool.campaign.transport)
    return settle_claims(
        spool,
        partial(read_journal, journal),
        partial(addresses_of, workspace.db),
        RefusalRecorder(workspace.db, workspace.spools, spool, source).record_bounces,
    )


def recover_campaign_if_idle(workspace: Workspace, campaign: Campaign) -> Campaign:
    """Recovers a campaign whose run has died, so that its status and counts are correct. Returns the updated
    campaign.

    The campaign is left unchanged if a run is active, if the database is read-only, or if the journal has
    claims that the database lacks.
    """
    spool = workspace.spools.open(campaign)
    if campaign.status is not Status.SENDING and not spool.has_open_claims():
        return campaign
    with (
        suppress(BusyError, MailerError, sqlite3.Error, OSError),
        campaign_lock(workspace.settings, campaign.slug),
    ):
        recover_dead_run(workspace, spool)
        if spool.status() is Status.SENDING:
            by_operator = not workspace.spools.find(campaign.slug).due_at
            conclude_run(workspace, spool, Progress(stopped_by="interrupted"), by_operator=by_operator)
    return workspace.spools.find(campaign.slug)

"""Delivers a campaign: claims deliveries, hands them to a transport, records what became of them.

`docs/delivery.md` tells what is on disk at each step.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, suppress

from mailer.delivery.gc_pause import rare_collections
from mailer.delivery.leavers import following_leavers
from mailer.delivery.loop import Loop
from mailer.delivery.options import Run
from mailer.delivery.progress import Progress
from mailer.spool.erased_words import clear_journal
from mailer.spool.journal import Journal
from mailer.store.last_run import last_run

__all__ = ["Run", "deliver"]


def deliver(run: Run) -> Progress:
    """Delivers until nothing is left to send now, `stop` is set, or the campaign is paused or cancelled.

    Sets `stop` itself when it ends, so that a transport that waits with it does not wait on.
    It pauses the campaign itself where more than the share `rejects` is refused, or where a refusal is
    about us by its own words. Where everybody is refused in the same words, nobody counts as refused,
    and CircuitBreakerError is raised. It ends where a limit of the pace is used up for longer than it would
    wait. What is deferred is tried again in this run where it is due before the run ends, else in a later.
    Raises TransportError when nothing can be handed over any more; what was claimed is given back first.
    However it ends, the spool is left such that the next call goes on where this one stopped.
    """
    known = last_run(run.db)
    journal = Journal(run.journal, known.token if known else "")
    watch = ExitStack()
    loop: Loop | None = None
    try:
        leavers = watch.enter_context(following_leavers(run.db, run.spool.campaign.edition))
        loop = Loop(run, journal, leavers)
        try:
            with rare_collections():
                loop.run()
        finally:
            loop.finish()
        if loop.error is not None:
            raise loop.error
        return loop.progress
    finally:
        watch.close()
        journal.close()
        if loop is not None and loop.is_journal_unclear:
            with suppress(OSError, sqlite3.Error):  # the next command that looks at the campaign does it
                clear_journal(run.db, run.journal)

"""Delivers a campaign: claims deliveries, hands them to a transport, records what became of them.

`docs/delivery.md` describes what is on disk at each step.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, suppress

from mailer.delivery.gc_pause import reduced_gc
from mailer.delivery.leavers import watch_leavers
from mailer.delivery.loop import Loop
from mailer.delivery.options import Run
from mailer.delivery.progress import Progress
from mailer.spool.erased_words import redact_journal
from mailer.spool.journal import Journal
from mailer.store.last_run import last_run

__all__ = ["Run", "deliver"]


def deliver(run: Run) -> Progress:
    """Delivers until nothing is left to send now, `stop` is set, or the campaign is paused or cancelled.

    Sets `stop` when it ends, so that a transport that waits on it stops waiting. Pauses the campaign where
    more than the share `rejects` is refused, or where the text of a refusal says that it concerns the sender.
    Where every recipient is refused with the same text, no refusal counts, and it raises CircuitBreakerError.
    Ends where a rate limit is used up for longer than a run waits. Deferred deliveries are tried again in
    this run if they are due before it ends, else in a later one. Raises TransportError when nothing can be
    handed over any more; open claims are released first. However it ends, the next call resumes where this
    one stopped.
    """
    known = last_run(run.db)
    journal = Journal(run.journal, known.token if known else "")
    watch = ExitStack()
    loop: Loop | None = None
    try:
        leavers = watch.enter_context(watch_leavers(run.db, run.spool.campaign.edition))
        loop = Loop(run, journal, leavers)
        try:
            with reduced_gc():
                loop.run()
        finally:
            loop.finish()
        if loop.error is not None:
            raise loop.error
        return loop.progress
    finally:
        watch.close()
        journal.close()
        if loop is not None and loop.journal_has_erased:
            with suppress(OSError, sqlite3.Error):  # the next command on the campaign tries again
                redact_journal(run.db, run.journal)

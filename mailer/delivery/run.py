"""Delivers a campaign: claims deliveries, hands them to a transport, and records the outcomes.

`docs/delivery.md` describes what is on disk at each step.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, suppress

from mailer.delivery.gc_pause import reduced_garbage_collection
from mailer.delivery.leavers import watch_leavers
from mailer.delivery.loop import DeliveryLoop
from mailer.delivery.options import RunParameters
from mailer.delivery.progress import Progress
from mailer.spool.erased_words import redact_journal
from mailer.spool.journal import Journal
from mailer.store.last_run import read_last_run

__all__ = ["RunParameters", "deliver"]


def deliver(run: RunParameters) -> Progress:
    """Delivers until nothing is left to send now, `stop` is set, or the campaign is paused or cancelled.

    Deferred deliveries are tried again in this run if they are due before it ends, else in a later run. The
    run pauses the campaign if more than the share `rejects` of the messages is refused, or if the text of a
    refusal is about the sender. The run ends early if a rate limit is used up for longer than a run waits.
    After any end, the next call continues with the deliveries that are left.

    Sets `stop` at the end, so that a transport that waits for `stop` ends its wait. Raises
    CircuitBreakerError if every recipient is refused with the same text; then no refusal counts. Raises
    TransportError if nothing can be handed over any more; before that, open claims are released.
    """
    known = read_last_run(run.db)
    journal = Journal(run.journal, known.token if known else "")
    watch = ExitStack()
    loop: DeliveryLoop | None = None
    try:
        leavers = watch.enter_context(watch_leavers(run.db, run.spool.campaign.edition))
        loop = DeliveryLoop(run, journal, leavers)
        try:
            with reduced_garbage_collection():
                loop.run()
        finally:
            loop.finish()
        if loop.error is not None:
            raise loop.error
        return loop.progress
    finally:
        watch.close()
        journal.close()
        if loop is not None and loop.journal_has_text_about_erased_people:
            with suppress(OSError, sqlite3.Error):  # the next command on the campaign tries again
                redact_journal(run.db, run.journal)

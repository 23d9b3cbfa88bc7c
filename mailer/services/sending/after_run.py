"""Concludes a run: the campaign's status, and its folder's manifest."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from mailer.archive.campaign import update_manifest
from mailer.campaign.canary import canary_of
from mailer.campaign.delivery_state import TO_SEND, State
from mailer.campaign.status import Event, Status
from mailer.config import Settings
from mailer.delivery.progress import Progress
from mailer.errors import CircuitBreakerError, FailureError, MailerError, TransportError
from mailer.services.database.guard import refuse_if_older
from mailer.services.sending.canary import end_of_first
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.store.database import explain, now, utc_text

__all__ = [
    "broke_off",
    "conclude",
    "end_if_done",
    "lower_manifest",
    "mark_missed",
    "schedule_again",
    "tell_manifest",
    "told",
]

#: After a run that was cut off, what is deferred is not tried sooner than this.
_SOON = timedelta(seconds=60)
#: Ends of a run that say nothing about the campaign, with the note for it.
_CUT_OFF = {
    "signal": "it was stopped in the middle of it",
    "interrupted": "the process that sent it died in the middle of it",
}


def conclude(workspace: Workspace, spool: Spool, progress: Progress, *, asked: bool) -> None:
    """Writes the status and the manifest after a run. `asked`: an operator wanted it; else its time had come.

    `stopped_by` may also be `interrupted`: the run died, and what it left has been recovered.
    """
    slot, again = spool.next_slot(), spool.next_try()
    if end_if_done(spool):
        spool.set_held_until("")
    elif progress.stopped_by in _CUT_OFF and not asked:
        # The service went down, not the campaign: the next one goes on.
        _wait_on(spool, _CUT_OFF[progress.stopped_by])
    elif progress.stopped_by == "pace":
        if spool.apply(Event.STOP, progress.note):
            # Readers with a time of their own before that are not kept waiting, nor what is deferred.
            local = slot if slot and spool.campaign.local_time else progress.goes_on_at
            spool.set_held_until(min(local, progress.goes_on_at, again or local))
    elif progress.stopped_by:
        _stop(spool, _CUT_OFF.get(progress.stopped_by, ""))
    elif again and _first_are_all_deferred(spool):
        _stop(spool, _deferred_note(spool))
    elif end_of_first(workspace, spool):
        pass  # held, or paused where its canary went badly
    elif slot:
        due_at = min(slot, again or slot)
        held = spool.held() if spool.campaign.local_time else 0
        schedule_again(spool, Event.WAIT, due_at, _missed_note(held))
    elif again:
        _stop(spool, _deferred_note(spool))
    elif not mark_missed(spool):
        spool.apply(Event.STOP, _deferred_note(spool))
    tell_manifest(workspace.settings, spool)


def schedule_again(spool: Spool, event: Event, due_at: str, note: str = "") -> bool:
    """Makes the campaign wait (again) for `due_at` (UTC); whether the event may happen in its status."""
    with spool.together():
        if not spool.apply(event, note):
            return False
        spool.set_due(due_at)
    return True


def _stop(spool: Spool, note: str) -> None:
    """Stops a campaign. It goes on by itself with what is deferred, where nobody else is left."""
    if spool.apply(Event.STOP, note):
        again = "" if spool.never_tried() else spool.next_try() or ""
        spool.set_held_until(max(again, utc_text(now() + _SOON)) if again else "")


def _first_are_all_deferred(spool: Spool) -> bool:
    """Whether the canary was tried, and every one of it was deferred."""
    canary = canary_of(spool.refreshed())
    counts = spool.counts()
    tried = any(counts[state] for state in (State.ACCEPTED, State.REJECTED, State.UNCERTAIN))
    return canary is not None and canary.phase == "first" and not tried


def end_if_done(spool: Spool) -> bool:
    """Ends a campaign in which nothing is left to try; whether that is so.

    It is `sent` where anybody has it, else `stopped`, with the reason.
    """
    counts = spool.counts()
    if any(counts[state] for state in TO_SEND):
        return False
    if counts[State.ACCEPTED]:
        spool.apply(Event.COMPLETE)
    else:
        spool.apply(Event.END_EMPTY, _nobody_note(counts))
    return True


def _nobody_note(counts: Mapping[str, int]) -> str:
    """Why nobody has a campaign in which everybody was tried."""
    if counts["uncertain"]:
        return f"nobody is known to have it; {counts['uncertain']:,} are uncertain"
    if counts["rejected"]:
        return f"nobody has it: all {counts['rejected']:,} were refused"
    return "nobody has it: all readers have left"


def _deferred_note(spool: Spool) -> str:
    number = spool.counts()["deferred"]
    return f"{number:,} {'is' if number == 1 else 'are'} deferred" if number else "some are held back"


def broke_off(workspace: Workspace, spool: Spool, error: BaseException, *, asked: bool) -> None:
    """Writes the status and the manifest after a run that an error ended.

    Where the time had come and the transport cannot be reached, it is tried again for as long as it is
    not too late; a campaign that braked itself waits for the operator.
    """
    if not asked and isinstance(error, TransportError) and not isinstance(error, CircuitBreakerError):
        _wait_on(spool, str(error))
    else:
        _stop(spool, str(error))
    tell_manifest(workspace.settings, spool)


def mark_missed(spool: Spool) -> bool:
    """Whether readers are held who missed their own time, and nobody else is left: then it is `missed`."""
    held = spool.held() if spool.campaign.local_time else 0
    if not held:
        return False
    return spool.apply(Event.MISS, _missed_note(held))


def _missed_note(held: int) -> str:
    people = "reader" if held == 1 else "readers"
    return f"{held:,} {people} missed their time" if held else ""


def _wait_on(spool: Spool, note: str) -> None:
    schedule_again(spool, Event.WAIT, spool.refreshed().due_at, note)


def tell_manifest(settings: Settings, spool: Spool) -> None:
    """Writes what the spool says into the folder's manifest.

    Raises StoreError where the manifest counts more who have it: this database is an old copy, and the
    manifest is the last to know.
    """
    counts = spool.counts()
    campaign = spool.refreshed()
    refuse_if_older(settings, campaign, counts)
    update_manifest(
        settings.campaigns / campaign.slug,
        {
            "status": campaign.status,
            "counts": counts,
            "started_at": campaign.started_at,
            "finished_at": campaign.finished_at,
            **({"due_at": campaign.due_at} if campaign.due_at else {}),
        },
    )


def lower_manifest(settings: Settings, spool: Spool, *states: str) -> None:
    """Lowers the manifest's numbers of these states to 0, before the spool makes them pending again.

    The manifest must never count more than the database, also where the process dies in between.
    """
    counts = {**spool.counts(), **dict.fromkeys(states, 0)}
    update_manifest(settings.campaigns / spool.campaign.slug, {"counts": counts})


def told(error: MailerError | sqlite3.Error | OSError, settings: Settings, spool: Spool) -> MailerError:
    """What ended a run, and after it a sentence that says how far it came and what goes on with it."""
    if isinstance(error, MailerError):
        plain = error
    elif isinstance(error, sqlite3.Error):
        plain = explain(error, settings.database.name)
    else:
        place = f"{error.filename}: " if error.filename else ""
        plain = FailureError(f"{place}{(error.strerror or str(error)).lower()}; correct that first")
    with suppress(MailerError, sqlite3.Error):
        return type(plain)(*plain.problems, _how_far(spool))
    return plain


def _how_far(spool: Spool) -> str:
    counts = spool.counts()
    have, held, claimed = counts["accepted"], counts["uncertain"], counts["sending"]
    left = counts["pending"] + counts["deferred"] + claimed
    parts = [f"{have:,} {'has' if have == 1 else 'have'} it"] if have else []
    if held:
        parts.append(f"{held:,} {'is' if held == 1 else 'are'} uncertain")
    if claimed:
        # The journal knows, and could not be written over into the database.
        were = "was" if claimed == 1 else "were"
        parts.append(
            f"{claimed:,} {were} being handed over, and the next run finds out which of them have it"
        )
    if not left:
        goes_on = "nobody else is left"
    elif spool.status() is Status.SCHEDULED:
        goes_on = (
            f"the {left:,} that are left are tried again by the next `run-due` or `serve`; "
            f"`mailer campaigns resume {spool.campaign.slug}` tries at once"
        )
    else:
        goes_on = f"`mailer send {spool.campaign.issue}` goes on with the {left:,} that are left"
    return f"{', '.join(parts) or 'nobody has it yet'}; {goes_on}"

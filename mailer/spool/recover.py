"""Settles what a dead run left claimed, by what its journal knows. For every implementation of the spool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mailer.spool.base import Spool
from mailer.spool.journal import Record
from mailer.spool.values import Key, Refused, Settled
from mailer.transports.base import Outcome, Result
from mailer.transports.refusal.watch import is_held, may_concern_everybody, stops

__all__ = ["adopt", "recover"]

#: Is given people (subscriber ids) and returns their addresses; None of the erased.
Addresses = Callable[[Sequence[int]], Mapping[int, str | None]]

_INTERRUPTED = Outcome(Result.UNCERTAIN, reason="the program ended while this message was being handed over")
_LOST = Outcome(Result.UNCERTAIN, reason="handed over, and unknown to this copy of the database")


def recover(
    spool: Spool,
    read: Callable[[set[Key]], Record],
    addresses: Addresses,
    note_refused: Callable[[list[Refused]], None],
) -> dict[str, int]:
    """Takes over every claim of the campaign and settles or releases it. Returns counts by state.

    `read` is given the open claims and returns what the journal of the dead run knows of them. `note_refused`
    records the bounces among what is settled, in the same transaction. A refusal that the dead run had not
    believed, because it may be everybody's, is tried again.
    """
    claims = spool.take_over()
    record = read(set(claims))
    ever = record.accepted or spool.was_accepted()
    doubted = not record.accepted and _may_be_everybodys(record, addresses)
    settled: list[Settled] = []
    released: list[Key] = []
    doubtful: list[Key] = []
    for key in claims:
        outcome = record.outcomes.get(key)
        about_us = outcome is not None and stops(outcome, attempt=key[1], accepted=ever)
        if about_us or (outcome is not None and doubted and is_held(outcome)):
            doubtful.append(key)
        elif outcome is not None:
            settled.append(Settled(*key, outcome))
        elif record.complete and key not in record.begun:
            released.append(key)
        else:
            settled.append(Settled(*key, _INTERRUPTED))
    with spool.together():
        if record.accepted:
            spool.note_accepted()
        note_refused(spool.settle(settled))
        spool.release(released)
        spool.release(doubtful, last=True)
    counts = {"pending": len(released) + len(doubtful)}
    for claim in settled:
        state = claim.outcome.result.value
        counts[state] = counts.get(state, 0) + 1
    return {state: number for state, number in counts.items() if number}


def adopt(spool: Spool, record: Record) -> None:
    """Records what a journal knows of claims that the spool has lost, as after a restored backup.

    It is called before a campaign is given up, so that what was handed over is known to be.
    """
    newest = {
        person: Settled(person, attempt, record.outcomes.get((person, attempt), _LOST))
        for person, attempt in sorted(record.begun)  # of several attempts at a person, the last
    }
    spool.adopt(list(newest.values()))


def _may_be_everybodys(record: Record, addresses: Addresses) -> bool:
    """Whether the refusals that a journal knows may be a matter of us. Nobody was accepted."""
    refused = {
        person: outcome
        for (person, _), outcome in record.outcomes.items()
        if outcome.result is not Result.SKIPPED
    }
    if not refused:
        return False
    known = addresses(list(refused))
    return may_concern_everybody(
        (known[person] or "", outcome) for person, outcome in refused.items() if person in known
    )

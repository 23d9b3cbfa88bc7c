"""Settles the claims that a dead run left open, by its journal. It works with every implementation of the
spool."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from mailer.spool.base import Spool
from mailer.spool.journal import Record
from mailer.spool.values import Key, Refused, Settled
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.watch import may_concern_everybody, must_be_held_back, stops_campaign

__all__ = ["adopt", "recover"]

#: Gets people (subscriber ids) and returns their addresses; None for erased people.
Addresses = Callable[[Sequence[int]], Mapping[int, str | None]]

_INTERRUPTED = Outcome(
    OutcomeKind.UNCERTAIN, reason="the program ended while this message was being handed over"
)
_LOST = Outcome(OutcomeKind.UNCERTAIN, reason="handed over, and unknown to this copy of the database")


def recover(
    spool: Spool,
    read: Callable[[set[Key]], Record],
    addresses: Addresses,
    note_refused: Callable[[list[Refused]], None],
    *,
    claims: Collection[Key] | None = None,
) -> dict[str, int]:
    """Takes over every claim of the campaign and settles or releases it. Returns counts by state.

    With `claims`, a run settles or releases these of its own alone, and takes over none: where another run
    has taken them over since, nothing is changed.

    `read` gets the open claims and returns what the journal of the dead run says about them. `note_refused`
    records bounces in the transaction that settles them. Refusals that the dead run still held back, because
    the server might refuse every recipient, are released and tried again.
    """
    if claims is None:
        claims = spool.take_over()
    record = read(set(claims))
    ever = record.accepted or spool.was_accepted()
    doubted = not record.accepted and _may_be_everybodys(record, addresses)
    settled: list[Settled] = []
    released: list[Key] = []
    doubtful: list[Key] = []
    for key in claims:
        outcome = record.outcomes.get(key)
        about_us = outcome is not None and stops_campaign(outcome, attempt=key[1], others_accepted=ever)
        if about_us or (outcome is not None and doubted and must_be_held_back(outcome)):
            doubtful.append(key)
        elif outcome is not None:
            settled.append(Settled(*key, outcome))
        elif record.complete and key not in record.begun:
            released.append(key)
        else:
            settled.append(Settled(*key, _INTERRUPTED))
    with spool.transaction():
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
    """Records the journal's outcomes of claims that the spool has lost, for instance because a backup was
    restored.

    It is called before a campaign is cancelled, so that no hand-over is forgotten.
    """
    newest = {
        person: Settled(person, attempt, record.outcomes.get((person, attempt), _LOST))
        for person, attempt in sorted(record.begun)  # of several attempts, the last one counts
    }
    spool.adopt(list(newest.values()))


def _may_be_everybodys(record: Record, addresses: Addresses) -> bool:
    """Returns whether the refusals in a journal may concern the sender, not the recipients. No message was
    accepted."""
    refused = {
        person: outcome
        for (person, _), outcome in record.outcomes.items()
        if outcome.result is not OutcomeKind.SKIPPED
    }
    if not refused:
        return False
    known = addresses(list(refused))
    return may_concern_everybody(
        (known[person] or "", outcome) for person, outcome in refused.items() if person in known
    )

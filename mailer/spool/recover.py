"""Settles the claims that a dead run left open, with the outcomes in the run's journal.

Works with every implementation of the spool.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from mailer.spool.base import Spool
from mailer.spool.journal import JournalContent
from mailer.spool.values import ClaimKey, RefusedClaim, SettledClaim
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.watch import may_concern_everybody, must_be_held_back, stops_campaign

__all__ = ["adopt_journal_outcomes", "settle_claims"]

#: Gets people (subscriber ids) and returns their addresses; None for erased people.
FindAddresses = Callable[[Sequence[int]], Mapping[int, str | None]]

_INTERRUPTED = Outcome(
    OutcomeKind.UNCERTAIN, reason="the program ended while this message was being handed over"
)
_LOST = Outcome(
    OutcomeKind.UNCERTAIN,
    reason="the message was handed over, but this copy of the database has no record of it",
)


def settle_claims(
    spool: Spool,
    read_journal_content: Callable[[set[ClaimKey]], JournalContent],
    find_addresses: FindAddresses,
    record_refusals: Callable[[list[RefusedClaim]], None],
    *,
    claims: Collection[ClaimKey] | None = None,
) -> dict[str, int]:
    """Takes over every open claim of the campaign and settles or releases each of them. Returns, by state,
    how many deliveries have that state now.

    With `claims`, a run settles or releases only these claims of its own and takes over none. A claim that
    another run has taken over meanwhile is not changed.

    `read_journal_content` gets the open claims and returns what the journal of the dead run says about them.
    `record_refusals` records bounces, in the transaction that settles the claims. If the server may have
    refused the sender and not these recipients, the refused deliveries are released, to be tried again.
    """
    if claims is None:
        claims = spool.take_over_claims()
    content = read_journal_content(set(claims))
    ever = content.accepted or spool.transport_has_accepted_message()
    doubted = not content.accepted and _may_concern_sender(content, find_addresses)
    settled: list[SettledClaim] = []
    released: list[ClaimKey] = []
    doubtful: list[ClaimKey] = []
    for key in claims:
        outcome = content.outcomes.get(key)
        about_us = outcome is not None and stops_campaign(outcome, attempt=key[1], others_accepted=ever)
        if about_us or (outcome is not None and doubted and must_be_held_back(outcome)):
            doubtful.append(key)
        elif outcome is not None:
            settled.append(SettledClaim(*key, outcome))
        elif content.complete and key not in content.begun:
            released.append(key)
        else:
            settled.append(SettledClaim(*key, _INTERRUPTED))
    with spool.transaction():
        if content.accepted:
            spool.record_accepted_message()
        record_refusals(spool.settle(settled))
        spool.release(released)
        spool.release(doubtful, lowest_priority=True)
    counts = {"pending": len(released) + len(doubtful)}
    for claim in settled:
        state = claim.outcome.result.value
        counts[state] = counts.get(state, 0) + 1
    return {state: number for state, number in counts.items() if number}


def adopt_journal_outcomes(spool: Spool, content: JournalContent) -> None:
    """Records the journal's outcomes of claims of which the spool has lost the record, for instance because a
    backup was restored.

    Must be called before a campaign is cancelled, so that no hand-over is forgotten.
    """
    newest = {
        person: SettledClaim(person, attempt, content.outcomes.get((person, attempt), _LOST))
        for person, attempt in sorted(content.begun)  # of several attempts, the last one counts
    }
    spool.adopt_lost_outcomes(list(newest.values()))


def _may_concern_sender(content: JournalContent, find_addresses: FindAddresses) -> bool:
    """Returns whether the refusals in a journal may concern the sender, not the recipients.

    The caller must first check that no message was accepted.
    """
    refused = {
        person: outcome
        for (person, _), outcome in content.outcomes.items()
        if outcome.result is not OutcomeKind.SKIPPED
    }
    known = find_addresses(list(refused))
    return may_concern_everybody(
        (known[person] or "", outcome) for person, outcome in refused.items() if person in known
    )

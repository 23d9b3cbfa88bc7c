"""What may be kept of the words of servers: they repeat addresses, also of people who were erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from mailer.audience.erasure import Erased
from mailer.spool.journal import forget_words, holds_words
from mailer.transports.base import Outcome, Result

__all__ = ["clear_journal", "tells_of_erased", "without_erased"]

Settled = tuple[int, int, Outcome, str]


def without_erased(db: Database, outcomes: Sequence[Settled]) -> Sequence[Settled]:
    """The outcomes (subscriber id, attempt, outcome, due) with the words that may be kept.

    Of those who were erased none are. In the words about others, their addresses are replaced: a provider may
    say the same of a whole request. To be called in the transaction that writes the words down.
    """
    erased = Erased(db)
    if not erased:
        return outcomes
    gone = erased.among(subscriber for subscriber, _, outcome, _ in outcomes if _has_words(outcome))
    cleared: dict[int, Outcome] = {}  # by the id of an outcome, which all of one request share
    kept: list[Settled] = []
    for subscriber, attempt, outcome, due in outcomes:
        if subscriber in gone:
            rest = Outcome(outcome.result, cause=outcome.cause)
        else:
            rest = cleared.get(id(outcome)) or _cleared(erased, outcome)
            cleared[id(outcome)] = rest
        kept.append((subscriber, attempt, rest, due))
    return kept


def clear_journal(db: Database, journal: Path) -> bool:
    """Takes the words about people who were erased out of a journal; whether there were any.

    The caller holds the campaign's lock, and the database has what the journal knows. Raises OSError.
    """
    erased = Erased(db)
    return bool(erased) and forget_words(journal, erased.numbers(), erased.left_out_of)


def tells_of_erased(db: Database, journal: Path) -> bool:
    """Whether a journal holds words about people who were erased. May be asked beside a run."""
    erased = Erased(db)
    return bool(erased) and holds_words(journal, erased.numbers(), erased.left_out_of)


def _has_words(outcome: Outcome) -> bool:
    if outcome.result is Result.SKIPPED:
        return False  # its reason is a word of ours
    return bool(outcome.provider_id or outcome.reason)


def _cleared(erased: Erased, outcome: Outcome) -> Outcome:
    provider_id, reason = map(erased.left_out_of, (outcome.provider_id, outcome.reason))
    if (provider_id, reason) == (outcome.provider_id, outcome.reason):
        return outcome
    return replace(outcome, provider_id=provider_id, reason=reason)

"""Takes the words about people who were erased out of what servers said, and out of journals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.audience.erasure import ErasedPeople
from mailer.spool.journal import forget_words, holds_words
from mailer.spool.values import Settled
from mailer.transports.base import Outcome, Result

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["ErasedWords", "clear_journal", "tells_of_erased"]


class ErasedWords:
    """The redaction of a workspace: of people who were erased no words are kept."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def outcomes(self, settled: Sequence[Settled]) -> Sequence[Settled]:
        """Returns the outcomes with the words that may be kept.

        Of those who were erased none are. In the words about others, their addresses are replaced: a provider
        may say the same of a whole request. It is called in the transaction that writes the words down.
        """
        erased = ErasedPeople(self._db)
        if not erased:
            return settled
        gone = erased.among(person for person, _, outcome, _ in settled if _has_words(outcome))
        cleared: dict[int, Outcome] = {}  # by the id of an outcome, which all of one request share
        kept: list[Settled] = []
        for person, attempt, outcome, due in settled:
            if person in gone:
                rest = Outcome(outcome.result, cause=outcome.cause)
            else:
                rest = cleared.get(id(outcome)) or _cleared(erased, outcome)
                cleared[id(outcome)] = rest
            kept.append(Settled(person, attempt, rest, due))
        return kept

    def text(self, words: str) -> str:
        """Returns a sentence with `[erased]` for each address of theirs."""
        return ErasedPeople(self._db).redact(words) if words else words


def clear_journal(db: Database, journal: Path) -> bool:
    """Takes the words about people who were erased out of a journal; whether there were any.

    The caller holds the campaign's lock, and the database has what the journal knows. Raises OSError.
    """
    erased = ErasedPeople(db)
    return bool(erased) and forget_words(journal, erased.numbers(), erased.redact)


def tells_of_erased(db: Database, journal: Path) -> bool:
    """Whether a journal holds words about people who were erased. May be asked beside a run."""
    erased = ErasedPeople(db)
    return bool(erased) and holds_words(journal, erased.numbers(), erased.redact)


def _has_words(outcome: Outcome) -> bool:
    if outcome.result is Result.SKIPPED:
        return False  # its reason is a word of ours
    return bool(outcome.provider_id or outcome.reason)


def _cleared(erased: ErasedPeople, outcome: Outcome) -> Outcome:
    provider_id, reason = map(erased.redact, (outcome.provider_id, outcome.reason))
    if (provider_id, reason) == (outcome.provider_id, outcome.reason):
        return outcome
    return replace(outcome, provider_id=provider_id, reason=reason)

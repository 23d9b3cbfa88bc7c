"""Removes text about erased people from server replies and from journals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.audience.erasure import ErasedPeople
from mailer.spool.journal import has_text_about, remove_text_about
from mailer.spool.values import Settled
from mailer.transports.base import Outcome, Result

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["ErasedWords", "redact_journal", "mentions_erased"]


class ErasedWords:
    """Redacts text about erased people, for one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def outcomes(self, settled: Sequence[Settled]) -> Sequence[Settled]:
        """Returns the outcomes with only the text that may be kept.

        An outcome of an erased person keeps no text. In the text about others, addresses of erased people are
        replaced, because a provider may give one reply to a whole request. It is called in the transaction
        that stores the outcomes.
        """
        erased = ErasedPeople(self._db)
        if not erased:
            return settled
        gone = erased.among(person for person, _, outcome, _ in settled if _has_words(outcome))
        cleared: dict[int, Outcome] = {}  # by id(outcome), because the deliveries of a request share one
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
        """Returns the text with `[erased]` in place of each address of an erased person."""
        return ErasedPeople(self._db).redact(words) if words else words


def redact_journal(db: Database, journal: Path) -> bool:
    """Removes server replies about erased people from a journal. Returns whether there were any.

    The caller holds the campaign's lock and has written the journal's outcomes to the database. Raises
    OSError.
    """
    erased = ErasedPeople(db)
    return bool(erased) and remove_text_about(journal, erased.subscriber_ids(), erased.redact)


def mentions_erased(db: Database, journal: Path) -> bool:
    """Returns whether a journal has server replies about erased people. It is safe while a run is alive."""
    erased = ErasedPeople(db)
    return bool(erased) and has_text_about(journal, erased.subscriber_ids(), erased.redact)


def _has_words(outcome: Outcome) -> bool:
    if outcome.result is Result.SKIPPED:
        return False  # its reason is a word of ours
    return bool(outcome.provider_id or outcome.reason)


def _cleared(erased: ErasedPeople, outcome: Outcome) -> Outcome:
    provider_id, reason = map(erased.redact, (outcome.provider_id, outcome.reason))
    if (provider_id, reason) == (outcome.provider_id, outcome.reason):
        return outcome
    return replace(outcome, provider_id=provider_id, reason=reason)

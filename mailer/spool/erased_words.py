"""Removes text about erased people from server replies and from journals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.audience.erasure import ErasedPeople
from mailer.spool.journal import has_text_about_erased_people, remove_text_about_erased_people
from mailer.spool.values import SettledClaim
from mailer.transports.base import Outcome, OutcomeKind

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["ErasedTextRedaction", "redact_journal", "journal_has_text_about_erased_people"]


class ErasedTextRedaction:
    """Removes text about erased people of one workspace, before it is stored."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def redact_outcomes(self, settled: Sequence[SettledClaim]) -> Sequence[SettledClaim]:
        """Returns the same outcomes, without text about erased people.

        An outcome of an erased person keeps no text. In the text about other people, addresses of erased
        people are replaced, because a provider may give one reply to several messages. The caller must be
        inside the transaction that stores the outcomes.
        """
        erased = ErasedPeople(self._db)
        if not erased:
            return settled
        gone = erased.erased_ids_among(
            person for person, _, outcome, _ in settled if _has_server_reply(outcome)
        )
        cleared: dict[int, Outcome] = {}  # by id(outcome), because the deliveries of a request share one
        kept: list[SettledClaim] = []
        for person, attempt, outcome, due in settled:
            if person in gone:
                rest = Outcome(outcome.result, cause=outcome.cause)
            else:
                rest = cleared.get(id(outcome)) or _redact_outcome(erased, outcome)
                cleared[id(outcome)] = rest
            kept.append(SettledClaim(person, attempt, rest, due))
        return kept

    def redact_text(self, text: str) -> str:
        """Returns the text with `[erased]` in place of each address of an erased person."""
        return ErasedPeople(self._db).redact(text) if text else text


def redact_journal(db: Database, journal: Path) -> bool:
    """Removes server replies about erased people from a journal. Returns whether any were removed.

    The caller must hold the campaign's lock, and must first write the journal's outcomes to the database.
    Raises OSError if the journal cannot be written.
    """
    erased = ErasedPeople(db)
    return bool(erased) and remove_text_about_erased_people(journal, erased.subscriber_ids(), erased.redact)


def journal_has_text_about_erased_people(db: Database, journal: Path) -> bool:
    """Returns whether a journal has server replies about erased people.

    May be called while a run writes to the journal.
    """
    erased = ErasedPeople(db)
    return bool(erased) and has_text_about_erased_people(journal, erased.subscriber_ids(), erased.redact)


def _has_server_reply(outcome: Outcome) -> bool:
    if outcome.result is OutcomeKind.SKIPPED:
        return False  # its reason is a word of ours
    return bool(outcome.provider_id or outcome.reason)


def _redact_outcome(erased: ErasedPeople, outcome: Outcome) -> Outcome:
    provider_id, reason = map(erased.redact, (outcome.provider_id, outcome.reason))
    if (provider_id, reason) == (outcome.provider_id, outcome.reason):
        return outcome
    return replace(outcome, provider_id=provider_id, reason=reason)

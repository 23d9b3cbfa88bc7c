"""Writes the journal for a channel that hands over a batch in several requests.

A request to the provider is recorded as begun right before its last byte, and its outcomes are recorded as
soon as they are known. So a kill of the process makes only the deliveries of the current request uncertain,
not those of earlier or later requests of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from mailer.message.message import Message
from mailer.spool.journal import Journal
from mailer.transports.base import GateAnswer, Outcome, OutgoingMessage, SplittingChannel

__all__ = ["RequestJournal"]


class RequestJournal:
    """Writes to the journal what one channel hands over in several requests to a provider.

    `gate` returns which messages may be handed over, and counts them as handed over; `look` only returns
    which messages may be handed over.
    """

    def __init__(
        self,
        channel: SplittingChannel,
        journal: Journal,
        gate: Callable[[Sequence[OutgoingMessage]], GateAnswer],
        look: Callable[[Sequence[OutgoingMessage]], GateAnswer],
    ) -> None:
        self._journal = journal
        self._gate = gate
        self._noted: dict[int, Outcome] = {}  # by id(outcome): the messages of a request share one
        self._error: OSError | None = None
        channel.gate, channel.look, channel.report = self._ask_gate, look, self._note_report

    def note_outcomes(self, outcomes: Iterable[tuple[Message, Outcome]]) -> None:
        """Writes the outcomes of a batch that the channel has not reported yet. Raises OSError if a write
        fails."""
        noted, self._noted = self._noted, {}
        if self._error is not None:
            raise self._error
        rest = [(*message.key, outcome) for message, outcome in outcomes if id(outcome) not in noted]
        if rest:
            self._journal.note_outcomes(rest)

    def _ask_gate(self, messages: Sequence[OutgoingMessage]) -> GateAnswer:
        """Returns the gate's answer for these messages. If the answer is granted, writes to the journal that
        the messages are handed over.

        If that write fails, the returned answer forbids the hand-over.
        """
        if self._error is not None:
            return GateAnswer(is_open=False)
        passage = self._gate(messages)
        if passage.is_granted:
            try:
                self._journal.note_begun_deliveries([message.key for message in _as_run_messages(messages)])
            except OSError as error:
                self._error = error
                return GateAnswer(is_open=False)
        return passage

    def _note_report(self, messages: Sequence[OutgoingMessage], outcome: Outcome | None) -> None:
        try:
            if outcome is None:
                self._journal.note_taken_back_deliveries(
                    [message.key for message in _as_run_messages(messages)]
                )
                return
            self._journal.note_outcomes(
                (m.subscriber_id, m.attempt, outcome) for m in _as_run_messages(messages)
            )
        except OSError as error:
            self._error = error
            return
        self._noted[id(outcome)] = outcome


def _as_run_messages(messages: Sequence[OutgoingMessage]) -> Sequence[Message]:
    """Returns the messages as the run's type `Message`, because a run gives its channel no other messages."""
    return cast("Sequence[Message]", messages)

"""Writes the journal for a channel that hands over a batch in several requests.

A request is noted as begun right before its last byte, and with its outcomes as soon as they are known. So a
kill makes only the deliveries of the current request uncertain, not those of earlier or later requests of the
batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from mailer.message.message import Message
from mailer.spool.journal import Journal
from mailer.transports.base import GateAnswer, Outcome, Outgoing, SplittingChannel

__all__ = ["Requests"]


class Requests:
    """Journals the requests of one channel. `gate` and `look` are those of the run."""

    def __init__(
        self,
        channel: SplittingChannel,
        journal: Journal,
        gate: Callable[[Sequence[Outgoing]], GateAnswer],
        look: Callable[[Sequence[Outgoing]], GateAnswer],
    ) -> None:
        self._journal = journal
        self._gate = gate
        self._noted: dict[int, Outcome] = {}  # by id(outcome): the messages of a request share one
        self._error: OSError | None = None
        channel.gate, channel.look, channel.report = self._pass, look, self._report

    def finish(self, outcomes: Iterable[tuple[Message, Outcome]]) -> None:
        """Notes the outcomes of the batch that the channel has not reported yet. Raises OSError as the
        journal does."""
        noted, self._noted = self._noted, {}
        if self._error is not None:
            raise self._error
        rest = [(*message.key, outcome) for message, outcome in outcomes if id(outcome) not in noted]
        if rest:
            self._journal.note_outcomes(rest)

    def _pass(self, messages: Sequence[Outgoing]) -> GateAnswer:
        """Asks the run's gate. Messages that pass are noted as handed over; where that fails, none passes."""
        if self._error is not None:
            return GateAnswer(open=False)
        passage = self._gate(messages)
        if passage.granted:
            try:
                self._journal.note_begun([message.key for message in _own(messages)])
            except OSError as error:
                self._error = error
                return GateAnswer(open=False)
        return passage

    def _report(self, messages: Sequence[Outgoing], outcome: Outcome | None) -> None:
        try:
            if outcome is None:
                self._journal.note_taken_back([message.key for message in _own(messages)])
                return
            self._journal.note_outcomes((m.subscriber_id, m.attempt, outcome) for m in _own(messages))
        except OSError as error:
            self._error = error
            return
        self._noted[id(outcome)] = outcome


def _own(messages: Sequence[Outgoing]) -> Sequence[Message]:
    """Casts the channel's messages to those of the run: a channel of a run gets no others."""
    return cast("Sequence[Message]", messages)

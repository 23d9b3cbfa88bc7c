"""Writes the journal for a channel that hands a batch over in several requests, a request at a time.

A request is noted as begun right before its last byte, and with what became of it as soon as that is known.
So a kill leaves in doubt only who was in a request at that moment: neither who had been handed over in an
earlier request of the batch, nor who waits for a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from mailer.message.message import Message
from mailer.spool.journal import Journal
from mailer.transports.base import GateAnswer, Outcome, Outgoing, SplittingChannel

__all__ = ["Requests"]


class Requests:
    """The requests of one channel. `gate` and `look` are the run's."""

    def __init__(
        self,
        channel: SplittingChannel,
        journal: Journal,
        gate: Callable[[Sequence[Outgoing]], GateAnswer],
        look: Callable[[Sequence[Outgoing]], GateAnswer],
    ) -> None:
        self._journal = journal
        self._gate = gate
        self._noted: dict[int, Outcome] = {}  # by id: what a request was reported with, its messages share
        self._error: OSError | None = None
        channel.gate, channel.look, channel.report = self._pass, look, self._report

    def finish(self, outcomes: Iterable[tuple[Message, Outcome]]) -> None:
        """Notes those of the batch of whom the channel has not told. Raises OSError as the journal does."""
        noted, self._noted = self._noted, {}
        if self._error is not None:
            raise self._error
        rest = [(*message.key, outcome) for message, outcome in outcomes if id(outcome) not in noted]
        if rest:
            self._journal.finish(rest)

    def _pass(self, messages: Sequence[Outgoing]) -> GateAnswer:
        """The run's gate. What passes is noted as handed over; where it cannot be noted, nothing passes."""
        if self._error is not None:
            return GateAnswer(open=False)
        passage = self._gate(messages)
        if passage.granted:
            try:
                self._journal.begin([message.key for message in _own(messages)])
            except OSError as error:
                self._error = error
                return GateAnswer(open=False)
        return passage

    def _report(self, messages: Sequence[Outgoing], outcome: Outcome | None) -> None:
        try:
            if outcome is None:
                self._journal.take_back([message.key for message in _own(messages)])
                return
            self._journal.finish((m.subscriber_id, m.attempt, outcome) for m in _own(messages))
        except OSError as error:
            self._error = error
            return
        self._noted[id(outcome)] = outcome


def _own(messages: Sequence[Outgoing]) -> Sequence[Message]:
    """The same messages: a channel of a run is given no others."""
    return cast("Sequence[Message]", messages)

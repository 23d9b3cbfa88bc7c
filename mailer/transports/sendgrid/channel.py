"""Sends requests to SendGrid one after the other, and decides what is sent again after an answer.

There is no idempotency key, so a request is repeated only where it is known that it was not carried out:
after 429, 413 and 400, and where it was cut off on its way. Before each attempt the readers who have left are
taken out. `request` makes the body of a request, `http.connection` reports how far it got.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import (
    ENDED,
    PASSED,
    GateAnswer,
    Outcome,
    Outgoing,
    Result,
    one_line,
)
from mailer.transports.http.connection import NoAnswer, NotSent, TooLarge, Unreachable
from mailer.transports.refusal.refusal import Cause
from mailer.transports.sendgrid.account import Account
from mailer.transports.sendgrid.answer import Refusal, read_answer, seconds_to_wait
from mailer.transports.sendgrid.client import Answer, Body, client, connect
from mailer.transports.sendgrid.driver import UNWRITABLE
from mailer.transports.sendgrid.request import RequestTemplate, UnfitRecipient, groups
from mailer.transports.sendgrid.throttle import LimitWait

__all__ = ["SendGridChannel"]

_TIMES_REFUSED: Final = 20  # how often the recipients that a 400 names are left out and the rest sent
_TIMES_UNREACHABLE: Final = 2
_KEPT_TEMPLATES: Final = 64
_MAY_HAVE_IT: Final = (Result.ACCEPTED, Result.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class _PendingRequest:
    """Holds the recipients of one request: indices into the batch, each with its own part as JSON text.

    The numbers count the failures of this request, or of the longer one that it was a part of.
    """

    items: Sequence[tuple[int, str]]
    broken_off: int = 0
    lost: int = 0
    unreachable: int = 0
    refused: int = 0

    def split(self, size: int) -> list[_PendingRequest]:
        """Returns the recipients as requests of at most `size` each; none where there are no recipients."""
        size = max(1, size)
        starts = range(0, len(self.items), size)
        return [replace(self, items=self.items[start : start + size]) for start in starts]


class SendGridChannel:
    """Sends the requests of one worker, over one kept connection."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._connection = connect(account.base_url, account.api_key, account.timeout)
        self._client = client(account.base_url, self._connection)
        self._templates: list[RequestTemplate] = []
        self._worked = False  # whether there has ever been an answer
        self._batch: Sequence[Outgoing] = ()
        self._outcomes: list[Outcome | None] = []
        self._gate_answer = PASSED
        self._over = False  # whether the gate has said that the run has ended
        self.gate: Callable[[Sequence[Outgoing]], GateAnswer] = lambda _: PASSED
        self.look: Callable[[Sequence[Outgoing]], GateAnswer] = lambda _: PASSED
        self.report: Callable[[Sequence[Outgoing], Outcome | None], None] = lambda *_: None

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """Sends at least one request for each rendition and campaign in the batch.

        Raises TransportError where it turns out that nothing can be sent. Where that turns out after a part
        was handed over, the rest of the batch is deferred.
        """
        self._batch, self._over = batch, False
        outcomes = self._outcomes = [None] * len(batch)
        try:
            for places in groups(batch):
                self._send_alike(places)
        except TransportError as error:
            if any(outcome and outcome.result in _MAY_HAVE_IT for outcome in outcomes):
                left = Outcome(Result.DEFERRED, reason=one_line(str(error)))
                return [outcome or left for outcome in outcomes]
            raise
        return [outcome or ENDED for outcome in outcomes]

    def close(self) -> None:
        """Drops the connection. `send` never returns while a request is in flight, so none is lost."""
        self._connection.close()

    def _send_alike(self, places: Sequence[int]) -> None:
        """Sends messages that may share requests, in as many as needed, and fills in the outcomes."""
        template = self._template(self._batch[places[0]])
        ready: list[tuple[int, str]] = []
        with self._account.composing:
            for place in places:
                try:
                    if UNWRITABLE.matches(self._batch[place].address):
                        raise UnfitRecipient(f"the address {UNWRITABLE.sentence}")
                    ready.append((place, template.personalization(self._batch[place])))
                except UnfitRecipient as reason:
                    outcome = Outcome(Result.REJECTED, reason=one_line(str(reason)), cause=Cause.US)
                    self._outcomes[place] = outcome
        waiting = [_PendingRequest(ready)] if ready else []
        limit_wait = LimitWait(self._account.throttle, self._account.sleep, lambda: not self.look(()).open)
        try:
            while waiting:
                waiting[:0] = self._send_part(template, waiting.pop(0), limit_wait)
        finally:
            limit_wait.end()

    def _send_part(
        self, template: RequestTemplate, part: _PendingRequest, limit_wait: LimitWait
    ) -> list[_PendingRequest]:
        """Sends one request, unless it has to wait; returns the parts to send instead or again."""
        outcome_of_wait = ENDED if self._over else limit_wait.wait()
        if outcome_of_wait is not None:
            return self._settle(part, outcome_of_wait)
        if self._account.refused:
            raise self._account.refused[0]
        gate_answer = self.look(self._messages(part))
        if not gate_answer.open:
            return self._settle(part, ENDED)
        part = self._without(part, gate_answer.leavers)
        if not part.items:
            return []
        try:
            answer = self._post(template, part)
        except TooLarge as error:
            return self._divide(part, Refusal(413, str(error)))
        except Unreachable as error:
            return [self._reach_again(part, error)]
        except NotSent as error:
            return self._not_sent(part, error)
        except NoAnswer as error:
            return self._settle(part, Outcome(Result.UNCERTAIN, reason=f"no answer from SendGrid: {error}"))
        self._worked = True
        return self._answered(part, answer, limit_wait)

    def _post(self, template: RequestTemplate, part: _PendingRequest) -> Answer:
        """Sends one request. `_gate_answer` is then the gate's answer, if the gate was asked."""
        messages = self._messages(part)
        self._gate_answer = PASSED

        def may_end() -> bool:
            self._gate_answer = self.gate(messages)
            return self._gate_answer.granted

        self._connection.gate = may_end
        body = Body(template.document([text for _, text in part.items]))
        alone = len(part.items) == 1
        self._account.check_size(alone, len(body))
        answer: Answer = self._client.mail.send.post(request_body=body)
        if answer.status_code == 413:
            words = read_answer(answer, self._account.api_key, ())
            self._account.note_too_large(alone, len(body), words.words if isinstance(words, Refusal) else "")
        return answer

    def _reach_again(self, part: _PendingRequest, error: Unreachable) -> _PendingRequest:
        """Returns the request for another attempt if the API answered before. Else raises TransportError."""
        part = replace(part, unreachable=part.unreachable + 1)
        if (
            not self._worked
            or part.unreachable > _TIMES_UNREACHABLE
            or self._account.sleep(float(part.unreachable))
        ):
            raise TransportError(
                f"SendGrid cannot be reached at {self._account.base_url}: {error}; check the network and "
                "MAILER_SENDGRID_URL, then run this again"
            )
        return part

    def _not_sent(self, part: _PendingRequest, error: NotSent) -> list[_PendingRequest]:
        """Returns what to send again after the gate or a lost connection stopped a request before its end."""
        if not self._gate_answer.open:
            self._over = True
            return self._settle(part, ENDED)
        if self._gate_answer.leavers:
            staying = self._without(part, self._gate_answer.leavers)
            staying = replace(staying, broken_off=part.broken_off + 1)
            # A shorter request takes less time, so that fewer leave meanwhile and there is an end to it.
            half = (len(staying.items) + 1) // 2
            return staying.split(len(staying.items) if staying.broken_off == 1 else half)
        if part.lost:
            reason = f"the request did not reach SendGrid: {error}"
            return self._settle(part, Outcome(Result.DEFERRED, reason=reason))
        self.report(self._messages(part), None)
        return [replace(part, lost=1)]

    def _answered(
        self, part: _PendingRequest, answer: Answer, limit_wait: LimitWait
    ) -> list[_PendingRequest]:
        messages = self._messages(part)
        try:
            result = read_answer(answer, self._account.api_key, [message.address for message in messages])
        except TransportError as error:
            self.report(messages, None)
            self._account.refused.append(error)
            raise
        if isinstance(result, Outcome) and answer.status_code == 429:
            self.report(messages, None)
            clock = self._account.clock
            outcome_of_wait = limit_wait.note_refused(
                result, lambda times: seconds_to_wait(answer, times, clock())
            )
            return [part] if outcome_of_wait is None else self._settle(part, outcome_of_wait)
        limit_wait.note_passed()
        if isinstance(result, Outcome):
            return self._settle(part, result)
        self.report(messages, None)
        return self._divide(part, result)

    def _divide(self, part: _PendingRequest, refusal: Refusal) -> list[_PendingRequest]:
        """Removes the recipients that a request was refused for, or splits it into shorter ones."""
        if refusal.too_large and len(part.items) > 1:
            return part.split((len(part.items) + 1) // 2)
        culprits = refusal.culprits()
        if not culprits:
            return self._settle(part, Outcome(Result.REJECTED, reason=refusal.words, cause=Cause.US))
        for index, (words, cause) in culprits.items():
            one = replace(part, items=[part.items[index]])
            self._settle(one, Outcome(Result.REJECTED, reason=words, cause=cause))
        rest = [item for index, item in enumerate(part.items) if index not in culprits]
        part = replace(part, items=rest, refused=part.refused + 1)
        if part.refused > _TIMES_REFUSED:
            outcome = Outcome(Result.DEFERRED, reason=refusal.words, cause=Cause.US)
            return self._settle(part, outcome)
        return [part] if rest else []

    def _settle(self, part: _PendingRequest, outcome: Outcome) -> list[_PendingRequest]:
        """Notes and reports the outcome of all messages of a part; returns [], as nothing is left to send."""
        for place, _ in part.items:
            self._outcomes[place] = outcome
        if outcome is not ENDED and part.items:
            self.report(self._messages(part), outcome)
        return []

    def _without(self, part: _PendingRequest, left: Mapping[int, str]) -> _PendingRequest:
        """Returns the part without readers who have left (subscriber id to reason), and skips these."""
        if not left:
            return part
        staying = []
        for place, text in part.items:
            why = left.get(self._batch[place].subscriber_id)
            if why is None:
                staying.append((place, text))
            else:
                self._outcomes[place] = Outcome(Result.SKIPPED, reason=why)
        return replace(part, items=staying)

    def _messages(self, part: _PendingRequest) -> list[Outgoing]:
        return [self._batch[place] for place, _ in part.items]

    def _template(self, message: Outgoing) -> RequestTemplate:
        for template in self._templates:
            if template.fits(message):
                return template
        template = RequestTemplate(message)
        self._templates = [template, *self._templates[: _KEPT_TEMPLATES - 1]]
        return template

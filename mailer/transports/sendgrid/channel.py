"""Sends requests to SendGrid one after the other, and decides from the answers what to send again.

The API has no idempotency keys. A request is therefore repeated only if it is known not to have been carried
out: after the statuses 429, 413 and 400, and after a connection that broke before the last byte. Before each
attempt, readers who have left are removed. `request` makes the body of a request, and `http.connection`
reports how much of it was sent.
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
    OutcomeKind,
    OutgoingMessage,
    one_line,
)
from mailer.transports.http.connection import (
    ApiUnreachable,
    RequestNotSent,
    RequestTooLarge,
    RequestUnanswered,
)
from mailer.transports.refusal.refusal import Cause
from mailer.transports.sendgrid.account import SendGridAccount
from mailer.transports.sendgrid.answer import RequestRefusal, read_answer, seconds_to_wait
from mailer.transports.sendgrid.client import ApiAnswer, JsonBody, api_client, api_connection
from mailer.transports.sendgrid.driver import UNWRITABLE
from mailer.transports.sendgrid.request import RequestTemplate, UnfitRecipient, groups_for_requests
from mailer.transports.sendgrid.throttle import RateLimitWait

__all__ = ["SendGridChannel"]

_TIMES_REFUSED: Final = 20  # how often the recipients that a 400 names are left out and the rest sent
_TIMES_UNREACHABLE: Final = 2
_KEPT_TEMPLATES: Final = 64
_MAY_HAVE_IT: Final = (OutcomeKind.ACCEPTED, OutcomeKind.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class _PendingRequest:
    """Holds the recipients of one request that is still to be sent.

    `items` are pairs of an index into the batch and the recipient's personalization as JSON text. The four
    `times_…` count the failures of this request and of the longer request that it was split from.
    """

    items: Sequence[tuple[int, str]]
    times_broken_off: int = 0
    times_lost: int = 0
    times_unreachable: int = 0
    times_refused: int = 0

    def split(self, max_recipients: int) -> list[_PendingRequest]:
        """Returns the request split into requests of at most `max_recipients`, if it has any recipients."""
        max_recipients = max(1, max_recipients)
        starts = range(0, len(self.items), max_recipients)
        return [replace(self, items=self.items[start : start + max_recipients]) for start in starts]


class SendGridChannel:
    """Sends the requests of one worker thread, over one kept connection."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self._connection = api_connection(account.base_url, account.api_key, account.timeout)
        self._client = api_client(account.base_url, self._connection)
        self._templates: list[RequestTemplate] = []
        self._worked = False  # whether there has ever been an answer
        self._batch: Sequence[OutgoingMessage] = ()
        self._outcomes: list[Outcome | None] = []
        self._gate_answer = PASSED
        self._over = False  # whether the gate has said that the run has ended
        self.gate: Callable[[Sequence[OutgoingMessage]], GateAnswer] = lambda _: PASSED
        self.look: Callable[[Sequence[OutgoingMessage]], GateAnswer] = lambda _: PASSED
        self.report: Callable[[Sequence[OutgoingMessage], Outcome | None], None] = lambda *_: None

    def send(self, batch: Sequence[OutgoingMessage]) -> list[Outcome]:
        """Sends one or more requests for each rendition and campaign in the batch; returns the outcomes.

        Raises TransportError if nothing can be sent. If a part of the batch was handed over before this
        became known, the other messages are deferred instead.
        """
        self._batch, self._over = batch, False
        outcomes = self._outcomes = [None] * len(batch)
        try:
            for places in groups_for_requests(batch):
                self._send_group(places)
        except TransportError as error:
            if any(outcome and outcome.result in _MAY_HAVE_IT for outcome in outcomes):
                left = Outcome(OutcomeKind.DEFERRED, reason=one_line(str(error)))
                return [outcome or left for outcome in outcomes]
            raise
        return [outcome or ENDED for outcome in outcomes]

    def close(self) -> None:
        """Closes the connection. No request is in flight then, because `send` waits for every answer."""
        self._connection.close()

    def _send_group(self, batch_indices: Sequence[int]) -> None:
        """Sends messages that may share requests, in as many requests as needed, and notes their outcomes."""
        template = self._template_for(self._batch[batch_indices[0]])
        ready: list[tuple[int, str]] = []
        with self._account.composing:
            for index in batch_indices:
                try:
                    if UNWRITABLE.matches(self._batch[index].address):
                        raise UnfitRecipient(f"the address {UNWRITABLE.reason_text}")
                    ready.append((index, template.personalization(self._batch[index])))
                except UnfitRecipient as reason:
                    outcome = Outcome(OutcomeKind.REJECTED, reason=one_line(str(reason)), cause=Cause.US)
                    self._outcomes[index] = outcome
        waiting = [_PendingRequest(ready)] if ready else []
        limit_wait = RateLimitWait(
            self._account.throttle, self._account.sleep, lambda: not self.look(()).is_open
        )
        try:
            while waiting:
                waiting[:0] = self._send_and_return_next_requests(template, waiting.pop(0), limit_wait)
        finally:
            limit_wait.let_another_channel_retry()

    def _send_and_return_next_requests(
        self, template: RequestTemplate, request: _PendingRequest, limit_wait: RateLimitWait
    ) -> list[_PendingRequest]:
        """Sends one request; returns the requests that are to be sent after it, in its place or again."""
        outcome_of_wait = ENDED if self._over else limit_wait.wait_for_turn()
        if outcome_of_wait is not None:
            return self._settle_request(request, outcome_of_wait)
        if self._account.refused:
            raise self._account.refused[0]
        gate_answer = self.look(self._messages_of(request))
        if not gate_answer.is_open:
            return self._settle_request(request, ENDED)
        request = self._without_leavers(request, gate_answer.leavers)
        if not request.items:
            return []
        try:
            answer = self._post_request(template, request)
        except RequestTooLarge as error:
            return self._requests_after_refusal(request, RequestRefusal(413, str(error)))
        except ApiUnreachable as error:
            return [self._retry_unreachable(request, error)]
        except RequestNotSent as error:
            return self._requests_after_interruption(request, error)
        except RequestUnanswered as error:
            return self._settle_request(
                request, Outcome(OutcomeKind.UNCERTAIN, reason=f"no answer from SendGrid: {error}")
            )
        self._worked = True
        return self._requests_after_answer(request, answer, limit_wait)

    def _post_request(self, template: RequestTemplate, request: _PendingRequest) -> ApiAnswer:
        """Sends one request and returns the answer.

        Sets `_gate_answer` to the gate's answer, if the gate was asked.
        """
        messages = self._messages_of(request)
        self._gate_answer = PASSED

        def may_hand_over() -> bool:
            self._gate_answer = self.gate(messages)
            return self._gate_answer.is_granted

        self._connection.gate = may_hand_over
        body = JsonBody(template.request_body([text for _, text in request.items]))
        has_one_recipient = len(request.items) == 1
        self._account.check_request_size(has_one_recipient, len(body))
        answer: ApiAnswer = self._client.mail.send.post(request_body=body)
        if answer.status_code == 413:
            refusal = read_answer(answer, self._account.api_key, ())
            self._account.note_refused_as_too_large(
                has_one_recipient, len(body), refusal.words if isinstance(refusal, RequestRefusal) else ""
            )
        return answer

    def _retry_unreachable(self, request: _PendingRequest, error: ApiUnreachable) -> _PendingRequest:
        """Returns the request for another attempt after no connection could be made.

        Raises TransportError if the API has never answered, or after too many attempts.
        """
        request = replace(request, times_unreachable=request.times_unreachable + 1)
        if (
            not self._worked
            or request.times_unreachable > _TIMES_UNREACHABLE
            or self._account.sleep(float(request.times_unreachable))
        ):
            raise TransportError(
                f"SendGrid cannot be reached at {self._account.base_url}: {error}; check the network and "
                "MAILER_SENDGRID_URL, then run this again"
            )
        return request

    def _requests_after_interruption(
        self, request: _PendingRequest, error: RequestNotSent
    ) -> list[_PendingRequest]:
        """Returns the requests to send after the gate or a lost connection interrupted a request."""
        if not self._gate_answer.is_open:
            self._over = True
            return self._settle_request(request, ENDED)
        if self._gate_answer.leavers:
            staying = self._without_leavers(request, self._gate_answer.leavers)
            staying = replace(staying, times_broken_off=request.times_broken_off + 1)
            # A shorter request takes less time, so that fewer leave meanwhile and there is an end to it.
            half = (len(staying.items) + 1) // 2
            return staying.split(len(staying.items) if staying.times_broken_off == 1 else half)
        if request.times_lost:
            reason = f"the request did not reach SendGrid: {error}"
            return self._settle_request(request, Outcome(OutcomeKind.DEFERRED, reason=reason))
        self.report(self._messages_of(request), None)
        return [replace(request, times_lost=1)]

    def _requests_after_answer(
        self, request: _PendingRequest, answer: ApiAnswer, limit_wait: RateLimitWait
    ) -> list[_PendingRequest]:
        messages = self._messages_of(request)
        try:
            result = read_answer(answer, self._account.api_key, [message.address for message in messages])
        except TransportError as error:
            self.report(messages, None)
            self._account.refused.append(error)
            raise
        if isinstance(result, Outcome) and answer.status_code == 429:
            self.report(messages, None)
            clock = self._account.clock
            outcome_of_wait = limit_wait.wait_after_rate_limit(
                result, lambda times: seconds_to_wait(answer, times, clock())
            )
            return [request] if outcome_of_wait is None else self._settle_request(request, outcome_of_wait)
        limit_wait.note_rate_limit_over()
        if isinstance(result, Outcome):
            return self._settle_request(request, result)
        self.report(messages, None)
        return self._requests_after_refusal(request, result)

    def _requests_after_refusal(
        self, request: _PendingRequest, refusal: RequestRefusal
    ) -> list[_PendingRequest]:
        """Returns the requests to send after a refusal: without the refused recipients, or split in two."""
        if refusal.is_too_large and len(request.items) > 1:
            return request.split((len(request.items) + 1) // 2)
        refused_recipients = refusal.refused_recipients()
        if not refused_recipients:
            return self._settle_request(
                request, Outcome(OutcomeKind.REJECTED, reason=refusal.words, cause=Cause.US)
            )
        for index, (words, cause) in refused_recipients.items():
            one = replace(request, items=[request.items[index]])
            self._settle_request(one, Outcome(OutcomeKind.REJECTED, reason=words, cause=cause))
        rest = [item for index, item in enumerate(request.items) if index not in refused_recipients]
        request = replace(request, items=rest, times_refused=request.times_refused + 1)
        if request.times_refused > _TIMES_REFUSED:
            outcome = Outcome(OutcomeKind.DEFERRED, reason=refusal.words, cause=Cause.US)
            return self._settle_request(request, outcome)
        return [request] if rest else []

    def _settle_request(self, request: _PendingRequest, outcome: Outcome) -> list[_PendingRequest]:
        """Notes and reports the outcome of all messages of a request; returns [] (nothing to send)."""
        for place, _ in request.items:
            self._outcomes[place] = outcome
        if outcome is not ENDED and request.items:
            self.report(self._messages_of(request), outcome)
        return []

    def _without_leavers(self, request: _PendingRequest, leavers: Mapping[int, str]) -> _PendingRequest:
        """Returns the request without readers who have left, whose outcome becomes SKIPPED.

        `leavers` maps subscriber ids to the reason.
        """
        if not leavers:
            return request
        staying = []
        for place, text in request.items:
            why = leavers.get(self._batch[place].subscriber_id)
            if why is None:
                staying.append((place, text))
            else:
                self._outcomes[place] = Outcome(OutcomeKind.SKIPPED, reason=why)
        return replace(request, items=staying)

    def _messages_of(self, request: _PendingRequest) -> list[OutgoingMessage]:
        return [self._batch[place] for place, _ in request.items]

    def _template_for(self, message: OutgoingMessage) -> RequestTemplate:
        for template in self._templates:
            if template.fits_message(message):
                return template
        template = RequestTemplate(message)
        self._templates = [template, *self._templates[: _KEPT_TEMPLATES - 1]]
        return template

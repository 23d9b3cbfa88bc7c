"""Sends messages to an SMTP server over one connection at a time, and decides which messages to send again.

A message that the server may have accepted is never sent again. A message that it certainly does not have is
tried once more over another connection. If the refusal may be due to commands that were sent early (MAIL,
RCPT and DATA of the next message, together with the end of the previous one), the message is sent again
without them. `session` reports how much of a message was sent, and `server_profile` keeps what was learned
about the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import PASSED, GateAnswer, Outcome, OutcomeKind, OutgoingMessage, Sleep, one_line
from mailer.transports.refusal.refusal import Cause, SmtpStage
from mailer.transports.refusal.remedies import remedy_for
from mailer.transports.smtp.attempts import SendAttempts
from mailer.transports.smtp.connection import BACK_OFF_SECONDS, SmtpConnection
from mailer.transports.smtp.outcomes import (
    is_usable_in_commands,
    outcome_of_reply,
    outcome_of_unusable_address,
    reason_server_cannot_take,
)
from mailer.transports.smtp.server import ServerSettings
from mailer.transports.smtp.server_profile import ServerProfile
from mailer.transports.smtp.session.hello import helo_advice, is_about_helo
from mailer.transports.smtp.session.session import (
    NO_ANSWER,
    AnswerMissing,
    ConnectionLost,
    GateRefused,
    SmtpEnvelope,
    SmtpSession,
)
from mailer.transports.smtp.session_refusals import may_be_about_session_alone, may_be_due_to_early_commands

__all__ = ["SmtpChannel"]

#: A message that was composed longer ago, for its early commands, is composed again (seconds).
_FRESH_SECONDS: Final = 30.0
#: Failures in a row after which the run ends: trying every reader would take days in vain.
_MOST_SETBACKS: Final = 8
_NOT_AUTHORISED: Final = (530, 534, 535, 538)


class SmtpChannel:
    """Sends messages over one connection at a time, which is kept from message to message."""

    def __init__(self, server: ServerSettings, sleep: Sleep, profile: ServerProfile) -> None:
        self._server = server
        self._sleep = sleep
        self._profile = profile
        self._connection = SmtpConnection(server, sleep, profile)
        self._setbacks = 0  # busy or broken servers in a row
        self._setback = ""  # what the last of them said
        self._fresh_helps = True  # whether a fresh session may take what a used one refuses
        self.gate: Callable[[Sequence[OutgoingMessage]], GateAnswer] = lambda _: PASSED
        self._next: OutgoingMessage | None = None
        self._composed: tuple[OutgoingMessage, bytes] | None = None
        self._composed_at = 0.0

    def set_next_message(self, message: OutgoingMessage) -> None:
        """Sets the message that follows the next batch.

        Its MAIL, RCPT and DATA may be sent together with the end of that batch.
        """
        self._next = message

    def send(self, batch: Sequence[OutgoingMessage]) -> list[Outcome]:
        """Sends one message after the other. Raises TransportError if no connection can be made."""
        outcomes: list[Outcome] = []
        for message in batch:
            try:
                outcomes.append(self._send_message(message))
            except TransportError as error:
                if not outcomes:
                    raise
                left = len(batch) - len(outcomes)
                return outcomes + [Outcome(OutcomeKind.DEFERRED, reason=one_line(str(error)))] * left
        return outcomes

    def close(self) -> None:
        """Ends the session with QUIT, if there is a session."""
        self._connection.close()

    def _send_message(self, message: OutgoingMessage) -> Outcome:
        rejected = outcome_of_unusable_address(message)
        if rejected is not None:
            return rejected
        following, self._next = self._next, None
        began = time.monotonic()
        attempts = SendAttempts(message, self._bytes_with_fresh_date(message), following)
        mine = SmtpEnvelope(message.return_path, message.address, len(attempts.raw))
        while True:
            if self._setbacks >= _MOST_SETBACKS:
                raise TransportError(
                    f"{self._server} failed {self._setbacks} times in a row: {self._setback}; "
                    "run this again later, or use another transport"
                )
            if not self._wait_after_failures():
                reason = attempts.outcome.reason or "the run ended before the message was sent"
                return Outcome(OutcomeKind.DEFERRED, reason=reason)
            session = self._connection.session_for(mine)
            unfit = reason_server_cannot_take(session, message, mine.size)
            if unfit:
                return Outcome(OutcomeKind.REJECTED, reason=unfit, cause=Cause.US)
            if not self._send_once(session, attempts):
                break
        if attempts.attempt_count == 1 and attempts.outcome.result is OutcomeKind.ACCEPTED:
            self._profile.note_message_accepted(attempts.was_sent_early, time.monotonic() - began)
        return attempts.outcome

    def _send_once(self, session: SmtpSession, attempts: SendAttempts) -> bool:
        """Sends the message once, notes the outcome, and returns whether to send it again at once."""
        message = attempts.message
        following = None if attempts.is_repeated_without_early_commands else attempts.following
        next_envelope = self._envelope_to_send_early(session, following)
        attempts.attempt_count += 1
        attempts.was_sent_early = session.sent_early is not None
        attempts.next_was_sent_early = next_envelope is not None
        attempts.messages_before = session.transactions
        session.early_timeout = None if session.answers_early_commands else self._server.early_answer_seconds
        gate_answer = PASSED

        def may_hand_over() -> bool:
            nonlocal gate_answer
            gate_answer = self.gate((message,))
            return gate_answer.is_granted

        try:
            code, words = session.run_mail_transaction(
                message.return_path,
                message.address,
                attempts.raw,
                next_envelope,
                needs_dot_stuffing=message.needs_dot_stuffing,
                gate=may_hand_over,
            )
        except GateRefused as ended:
            self._connection.forget_session()
            attempts.outcome = Outcome(OutcomeKind.DEFERRED, reason=str(ended))
            if gate_answer.leavers:
                attempts.outcome = Outcome(
                    OutcomeKind.SKIPPED, reason=gate_answer.leavers[message.subscriber_id]
                )
            return False
        except ConnectionLost as lost:
            self._connection.forget_session()
            attempts.outcome = Outcome(
                OutcomeKind.DEFERRED, reason=one_line(f"the connection was lost: {lost}")
            )
            if attempts.was_sent_early and session.stage is SmtpStage.MAIL:
                self._profile.note_connection_lost_after_early_commands(timed_out=str(lost) == NO_ANSWER)
            self._note_failure(attempts.outcome, attempts.messages_before == 0)
            return attempts.may_try_again("another connection")
        except AnswerMissing as doubt:
            self._connection.forget_session()
            reason = one_line(f"no answer after the message: {doubt}")
            attempts.outcome = Outcome(OutcomeKind.UNCERTAIN, reason=reason)
            return False
        if session.sock is None:
            self._connection.forget_session()
        return self._handle_reply(session, code, words, attempts)

    def _handle_reply(self, session: SmtpSession, code: int, words: bytes, attempts: SendAttempts) -> bool:
        """Notes the outcome that a reply means; returns whether to send the message again at once."""
        stage, reply = session.stage, one_line(words)
        attempts.outcome = outcome_of_reply(code, reply, stage)
        self._update_profile(session, code, reply, attempts)
        if code <= 299:
            self._setbacks, self._fresh_helps = 0, True
            return False
        about_us = remedy_for(attempts.outcome.reason) is not None
        if not about_us and (advice := self._advice_if_server_refuses_us(session, code, reply)):
            raise TransportError(
                f"{self._server} accepts no mail from us: {attempts.outcome.reason}; {advice}"
            )
        if about_us:  # the run stops by it, and says what to do
            self._setbacks = 0
            return False
        if may_be_due_to_early_commands(
            stage,
            code,
            reply,
            was_sent_early=attempts.was_sent_early,
            next_was_sent_early=attempts.next_was_sent_early,
        ):
            return attempts.may_try_again("without early commands")
        spent = may_be_about_session_alone(stage, code, reply)
        guessed = not spent and code <= 499 and session.accepted > 0 and self._profile.may_try_new_session
        if attempts.messages_before and self._fresh_helps and (spent or guessed):
            self._fresh_helps = False  # until something is taken again
            attempts.session_limit, attempts.limit_is_guessed = (session.accepted, reply), guessed
            self.close()
            return attempts.may_try_again("a fresh session")
        if code != 421:
            self._setbacks = 0
            return False
        self._note_failure(attempts.outcome, True)
        return attempts.messages_before > 0 and attempts.may_try_again("another connection")

    def _advice_if_server_refuses_us(self, session: SmtpSession, code: int, reply: str) -> str:
        """Returns what to do if a reply says that the server accepts no mail at all from us; otherwise ''."""
        if code in _NOT_AUTHORISED:
            secret = "[delivery.oauth]" if self._server.tokens else "MAILER_SMTP_PASSWORD"
            return f"check the user in the transport's URL and {secret}"
        # Where neither verb is named, it may be the recipient's host name.
        names_it = "helo" in reply.lower() or "ehlo" in reply.lower()
        if names_it and session.stage is not SmtpStage.MESSAGE and is_about_helo(code, reply):
            return helo_advice(session.local_hostname)
        return ""

    def _update_profile(self, session: SmtpSession, code: int, reply: str, attempts: SendAttempts) -> None:
        """Notes in the profile what a reply shows about the server."""
        stage = session.stage
        if attempts.limit_is_guessed:
            attempts.limit_is_guessed = False
            self._profile.note_new_session_result(helped=code <= 299)
            if code > 299:
                attempts.session_limit = None
        if code > 299 and stage is SmtpStage.MAIL:
            return
        if attempts.was_sent_early:
            session.answers_early_commands = True
            self._profile.note_early_commands_answered()
        if attempts.is_repeated_without_early_commands and attempts.session_limit is None:
            self._profile.stop_sending_commands_early()
        if attempts.session_limit is not None and (
            code <= 299 or not may_be_about_session_alone(stage, code, reply)
        ):
            self._profile.note_session_limit(*attempts.session_limit)
            attempts.session_limit = None

    def _note_failure(self, outcome: Outcome, is_server_failure: bool) -> None:
        """Notes a failed attempt, and whether the failure shows that the server is busy or broken."""
        self._setbacks += is_server_failure
        self._setback = outcome.reason

    def _wait_after_failures(self) -> bool:
        """Waits if the last attempts failed (back-off); returns False if the run ended during the wait."""
        if not self._setbacks or self._connection.session is not None:
            return True
        return not self._sleep(BACK_OFF_SECONDS[min(self._setbacks, len(BACK_OFF_SECONDS)) - 1])

    def _composed_bytes(self, message: OutgoingMessage) -> bytes:
        """Returns the message as bytes. It is composed once for its early commands and for sending."""
        if self._composed is None or self._composed[0] is not message:
            self._composed = (message, message.raw())
            self._composed_at = time.monotonic()
        return self._composed[1]

    def _bytes_with_fresh_date(self, message: OutgoingMessage) -> bytes:
        """Returns the message as bytes, composed again if its Date is more than half a minute old.

        The new bytes are used only if they have the size that an early MAIL command named.
        """
        raw = self._composed_bytes(message)
        if time.monotonic() - self._composed_at > _FRESH_SECONDS:
            again = message.raw()
            if len(again) == len(raw):
                self._composed, self._composed_at = (message, again), time.monotonic()
                return again
        return raw

    def _envelope_to_send_early(
        self, session: SmtpSession, message: OutgoingMessage | None
    ) -> SmtpEnvelope | None:
        """Returns the envelope of the next message if its commands may be sent early in this session.

        Returns None if there is no next message, or if it may need another session.
        """
        if message is None or not (
            session.has_extn("pipelining") and self._profile.may_send_commands_early()
        ):
            return None
        if session.transactions + 1 >= self._profile.max_messages:
            return None
        sender, recipient = message.return_path, message.address
        if not (is_usable_in_commands(sender) and is_usable_in_commands(recipient)):
            return None
        size = len(self._composed_bytes(message))
        return (
            None
            if reason_server_cannot_take(session, message, size)
            else SmtpEnvelope(sender, recipient, size)
        )

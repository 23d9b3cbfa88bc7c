"""Sends messages over one connection at a time to an SMTP server, and decides what is tried again.

A message that the server might have is never sent again. One that it surely does not have is tried once more
over another connection, and unannounced where the announcement may have been the cause. `session` knows how
far a message got on a connection, `server_profile` what was learned about the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import PASSED, GateAnswer, Outcome, Outgoing, Result, Sleep, one_line
from mailer.transports.refusal.refusal import Cause, Stage
from mailer.transports.refusal.remedies import remedy_for
from mailer.transports.smtp.attempts import Attempts
from mailer.transports.smtp.connection import BACK_OFF_SECONDS, Connection
from mailer.transports.smtp.outcomes import (
    can_be_named,
    outcome_of,
    outcome_of_unusable_address,
    reason_unfit,
)
from mailer.transports.smtp.server import Server
from mailer.transports.smtp.server_profile import ServerProfile
from mailer.transports.smtp.session.hello import helo_advice, is_about_helo
from mailer.transports.smtp.session.session import (
    NO_ANSWER,
    Announcement,
    AnswerMissing,
    ConnectionLost,
    GateRefused,
    Session,
)
from mailer.transports.smtp.session_refusals import is_about_the_announcement, is_about_the_session

__all__ = ["SmtpChannel"]

#: A message that was composed longer ago, for its announcement, is composed again (seconds).
_FRESH_SECONDS: Final = 30.0
#: Failures in a row after which the run ends: trying every reader would take days in vain.
_MOST_SETBACKS: Final = 8
_NOT_AUTHORISED: Final = (530, 534, 535, 538)


class SmtpChannel:
    """Sends over one connection at a time, which is kept from message to message."""

    def __init__(self, server: Server, sleep: Sleep, profile: ServerProfile) -> None:
        self._server = server
        self._sleep = sleep
        self._profile = profile
        self._connection = Connection(server, sleep, profile)
        self._setbacks = 0  # busy or broken servers in a row
        self._setback = ""  # what the last of them said
        self._fresh_helps = True  # whether a fresh session may take what a used one refuses
        self.gate: Callable[[Sequence[Outgoing]], GateAnswer] = lambda _: PASSED
        self._next: Outgoing | None = None
        self._composed: tuple[Outgoing, bytes] | None = None
        self._composed_at = 0.0

    def expect(self, message: Outgoing) -> None:
        """Sets the message that follows the next batch, so that it can be announced with its end."""
        self._next = message

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """Sends one message after the other. Raises TransportError where no connection can be made."""
        outcomes: list[Outcome] = []
        for message in batch:
            try:
                outcomes.append(self._send(message))
            except TransportError as error:
                if not outcomes:
                    raise
                left = len(batch) - len(outcomes)
                return outcomes + [Outcome(Result.DEFERRED, reason=one_line(str(error)))] * left
        return outcomes

    def close(self) -> None:
        """Ends the session with QUIT, where there is one."""
        self._connection.close()

    def _send(self, message: Outgoing) -> Outcome:
        rejected = outcome_of_unusable_address(message)
        if rejected is not None:
            return rejected
        following, self._next = self._next, None
        began = time.monotonic()
        attempts = Attempts(message, self._renewed(message), following)
        mine = Announcement(message.return_path, message.address, len(attempts.raw))
        while True:
            if self._setbacks >= _MOST_SETBACKS:
                raise TransportError(
                    f"{self._server} failed {self._setbacks} times in a row: {self._setback}; "
                    "run this again later, or use another transport"
                )
            if not self._back_off():
                reason = attempts.outcome.reason or "the run ended before it was sent"
                return Outcome(Result.DEFERRED, reason=reason)
            session = self._connection.session_for(mine)
            unfit = reason_unfit(session, message, mine.size)
            if unfit:
                return Outcome(Result.REJECTED, reason=unfit, cause=Cause.US)
            if not self._attempt(session, attempts):
                break
        if attempts.number == 1 and attempts.outcome.result is Result.ACCEPTED:
            self._profile.note_accepted(attempts.announced, time.monotonic() - began)
        return attempts.outcome

    def _attempt(self, session: Session, attempts: Attempts) -> bool:
        """Sends the message once on this session, notes the outcome, returns whether to try again at once."""
        message = attempts.message
        announces = None if attempts.unannounced else self._announcement(session, attempts.following)
        attempts.number += 1
        attempts.announced, attempts.announces = session.announced is not None, announces is not None
        attempts.begun = session.transactions
        patience = None if session.answers_announcements else self._server.announced_seconds
        session.announced_patience = patience
        gate_answer = PASSED

        def may_end() -> bool:
            nonlocal gate_answer
            gate_answer = self.gate((message,))
            return gate_answer.granted

        try:
            code, words = session.transact(
                message.return_path,
                message.address,
                attempts.raw,
                announces,
                stuffed=message.needs_dot_stuffing,
                gate=may_end,
            )
        except GateRefused as ended:
            self._connection.forget()
            attempts.outcome = Outcome(Result.DEFERRED, reason=str(ended))
            if gate_answer.leavers:
                attempts.outcome = Outcome(Result.SKIPPED, reason=gate_answer.leavers[message.subscriber_id])
            return False
        except ConnectionLost as lost:
            self._connection.forget()
            attempts.outcome = Outcome(Result.DEFERRED, reason=one_line(f"the connection was lost: {lost}"))
            if attempts.announced and session.stage is Stage.MAIL:
                self._profile.note_announcement_lost(unanswered=str(lost) == NO_ANSWER)
            self._note_setback(attempts.outcome, attempts.begun == 0)
            return attempts.again("another connection")
        except AnswerMissing as doubt:
            self._connection.forget()
            reason = one_line(f"no answer after the message: {doubt}")
            attempts.outcome = Outcome(Result.UNCERTAIN, reason=reason)
            return False
        if session.sock is None:
            self._connection.forget()
        return self._judge(session, code, words, attempts)

    def _judge(self, session: Session, code: int, words: bytes, attempts: Attempts) -> bool:
        """Notes what a reply means; returns whether to send the message again at once."""
        stage, reply = session.stage, one_line(words)
        attempts.outcome = outcome_of(code, reply, stage)
        self._learn(session, code, reply, attempts)
        if code <= 299:
            self._setbacks, self._fresh_helps = 0, True
            return False
        about_us = remedy_for(attempts.outcome.reason) is not None
        if not about_us and (advice := self._advice(session, code, reply)):
            raise TransportError(f"{self._server} takes no mail from us: {attempts.outcome.reason}; {advice}")
        if about_us:  # the run stops by it, and says what to do
            self._setbacks = 0
            return False
        if is_about_the_announcement(
            stage, code, reply, announced=attempts.announced, announces=attempts.announces
        ):
            return attempts.again("unannounced")
        spent = is_about_the_session(stage, code, reply)
        guessed = not spent and code <= 499 and session.accepted > 0 and self._profile.may_try_new_session
        if attempts.begun and self._fresh_helps and (spent or guessed):
            self._fresh_helps = False  # until something is taken again
            attempts.spent, attempts.guessed = (session.accepted, reply), guessed
            self.close()
            return attempts.again("a fresh session")
        if code != 421:
            self._setbacks = 0
            return False
        self._note_setback(attempts.outcome, True)
        return attempts.begun > 0 and attempts.again("another connection")

    def _advice(self, session: Session, code: int, reply: str) -> str:
        """Returns what to do where a reply says that this server accepts nothing from us at all, or ''."""
        if code in _NOT_AUTHORISED:
            secret = "[delivery.oauth]" if self._server.tokens else "MAILER_SMTP_PASSWORD"
            return f"check the user in the transport's URL and {secret}"
        # Where neither verb is named, it may be the recipient's host name.
        names_it = "helo" in reply.lower() or "ehlo" in reply.lower()
        if names_it and session.stage is not Stage.MESSAGE and is_about_helo(code, reply):
            return helo_advice(session.local_hostname)
        return ""

    def _learn(self, session: Session, code: int, reply: str, attempts: Attempts) -> None:
        """Notes what this reply shows about the server, beside what it says about the message."""
        stage = session.stage
        if attempts.guessed:
            attempts.guessed = False
            self._profile.note_new_session(helped=code <= 299)
            if code > 299:
                attempts.spent = None
        if code > 299 and stage is Stage.MAIL:
            return
        if attempts.announced:
            session.answers_announcements = True
            self._profile.note_announcement_taken()
        if attempts.unannounced and attempts.spent is None:
            self._profile.stop_announcing()
        if attempts.spent is not None and (code <= 299 or not is_about_the_session(stage, code, reply)):
            self._profile.note_session_limit(*attempts.spent)
            attempts.spent = None

    def _note_setback(self, outcome: Outcome, unwell: bool) -> None:
        """Notes a failure, and whether it shows that the server is `unwell`."""
        self._setbacks += unwell
        self._setback = outcome.reason

    def _back_off(self) -> bool:
        """Waits (backs off) after failures; returns whether to go on."""
        if not self._setbacks or self._connection.session is not None:
            return True
        return not self._sleep(BACK_OFF_SECONDS[min(self._setbacks, len(BACK_OFF_SECONDS)) - 1])

    def _raw(self, message: Outgoing) -> bytes:
        """Returns the message as bytes, composed once for both its announcement and its sending."""
        if self._composed is None or self._composed[0] is not message:
            self._composed = (message, message.raw())
            self._composed_at = time.monotonic()
        return self._composed[1]

    def _renewed(self, message: Outgoing) -> bytes:
        """Returns the message's bytes, composed again where its Date is old and the announced size fits."""
        raw = self._raw(message)
        if time.monotonic() - self._composed_at > _FRESH_SECONDS:
            again = message.raw()
            if len(again) == len(raw):
                self._composed, self._composed_at = (message, again), time.monotonic()
                return again
        return raw

    def _announcement(self, session: Session, message: Outgoing | None) -> Announcement | None:
        """Returns the announcement of the next message; None where it may need another session."""
        if message is None or not (session.has_extn("pipelining") and self._profile.may_announce()):
            return None
        if session.transactions + 1 >= self._profile.most_messages:
            return None
        sender, recipient = message.return_path, message.address
        if not (can_be_named(sender) and can_be_named(recipient)):
            return None
        size = len(self._raw(message))
        return None if reason_unfit(session, message, size) else Announcement(sender, recipient, size)

"""Sends messages over one connection at a time to an SMTP server, and decides what is tried again.

Nothing is ever tried again that the server might have. What it surely does not have is tried once more over
another connection, and unannounced where the announcement may have been the trouble. How far a message got
on a connection is `session`'s to know, what was found out about the server is kept in `learned`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import PASSED, Outcome, Outgoing, Passage, Pause, Result, one_line
from mailer.transports.refusal.refusal import Cause, Stage, judge
from mailer.transports.refusal.remedies import remedy_for
from mailer.transports.smtp.connect_errors import LoginPutOff, LoginRefused
from mailer.transports.smtp.hello import helo_advice, speaks_of_helo
from mailer.transports.smtp.learned import Learned, is_about_the_announcement, is_about_the_session
from mailer.transports.smtp.server import Busy, Full, Server, connect
from mailer.transports.smtp.session import NO_ANSWER, Announcement, Doubt, Ended, Lost, Session

__all__ = ["SmtpChannel"]

#: A message that was composed longer ago, for its announcement, is composed again (seconds).
_FRESH_SECONDS: Final = 30.0
_BACK_OFF_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
#: A server that has taken mail and takes no connection now gets another chance after each of these (seconds).
_FULL_SECONDS: Final = (0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
#: After so many setbacks in a row the server is not well; trying everybody would take days and bring nothing.
_MOST_SETBACKS: Final = 8
#: A server that has kept one connection waiting for so long, and gave none, is not tried by the others.
_LONG_SECONDS: Final = 1.5
_USABLE = re.compile(r"[^\x00-\x20\x7f-\xa0<>\u2028\u2029]+")
_NOT_AUTHORISED: Final = (530, 534, 535, 538)


class _Attempts:
    """The attempts to send one message, `raw` as bytes; `following` is who comes next on the connection.

    `outcome` is what came of the last attempt. `announced` says whether its commands came with the end of the
    message before, `announces` whether the next one's came with its end, and `begun` how many messages the
    session had carried.
    """

    outcome = Outcome(Result.DEFERRED)
    number = 0
    announced = announces = False
    begun = 0
    #: How many messages the session had taken that took no more, and what it said.
    spent: tuple[int, str] | None = None
    #: Whether nothing but the number of its messages speaks for a session that is spent.
    guessed = False
    _ways: frozenset[str] = frozenset()

    def __init__(self, message: Outgoing, raw: bytes, following: Outgoing | None) -> None:
        self.message, self.raw, self.following = message, raw, following

    def again(self, way: str) -> bool:
        """Whether to try again in this way: once in each."""
        new = way not in self._ways
        self._ways |= {way}
        return new

    @property
    def unannounced(self) -> bool:
        """Whether it was sent again because its announcement may have been the trouble."""
        return "unannounced" in self._ways


class SmtpChannel:
    """One connection at a time, kept from message to message."""

    def __init__(self, server: Server, pause: Pause, learned: Learned) -> None:
        self._server = server
        self._pause = pause
        self._learned = learned
        self._session: Session | None = None
        self._worked = False  # whether a connection has ever been made
        self._setbacks = 0  # busy or broken servers in a row
        self._setback = ""  # what the last of them said
        self._fresh_helps = True  # whether a fresh session may take what a used one refuses
        self.gate: Callable[[Sequence[Outgoing]], Passage] = lambda _: PASSED
        self._next: Outgoing | None = None
        self._composed: tuple[Outgoing, bytes] | None = None
        self._composed_at = 0.0

    def expect(self, message: Outgoing) -> None:
        """Tells which message comes after the next batch, so that it can be announced with that one's end."""
        self._next = message

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """One message after the other. Raises TransportError where there is no connection to be had."""
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
        """QUIT, where there is a connection."""
        session, self._session = self._session, None
        if session is not None:
            session.leave()

    def _send(self, message: Outgoing) -> Outcome:
        for address, whose in ((message.return_path, Cause.US), (message.address, Cause.ADDRESS)):
            if not _USABLE.fullmatch(address):
                reason = f"the address {address!a} cannot be used in SMTP; correct it"
                return Outcome(Result.REJECTED, reason=one_line(reason), cause=whose)
        following, self._next = self._next, None
        began = time.monotonic()
        attempts = _Attempts(message, self._renewed(message), following)
        mine = Announcement(message.return_path, message.address, len(attempts.raw))
        while True:
            if self._setbacks >= _MOST_SETBACKS:
                raise TransportError(
                    f"{self._server} failed {self._setbacks} times in a row: {self._setback}; "
                    "run this again later, or use another transport"
                )
            if not self._rest():
                reason = attempts.outcome.reason or "the run ended before it was sent"
                return Outcome(Result.DEFERRED, reason=reason)
            session = self._connected(mine)
            unfit = _unfit(session, message, mine.size)
            if unfit:
                return Outcome(Result.REJECTED, reason=unfit, cause=Cause.US)
            if not self._attempt(session, attempts):
                break
        if attempts.number == 1 and attempts.outcome.result is Result.ACCEPTED:
            self._learned.took(attempts.announced, time.monotonic() - began)
        return attempts.outcome

    def _attempt(self, session: Session, attempts: _Attempts) -> bool:
        """Tries it once on this session and notes the outcome; whether to try again at once."""
        message = attempts.message
        announces = None if attempts.unannounced else self._announcement(session, attempts.following)
        attempts.number += 1
        attempts.announced, attempts.announces = session.announced is not None, announces is not None
        attempts.begun = session.transactions
        patience = None if session.answers_announcements else self._server.announced_seconds
        session.announced_patience = patience
        passage = PASSED

        def may_end() -> bool:
            nonlocal passage
            passage = self.gate((message,))
            return passage.granted

        try:
            code, words = session.transact(
                message.return_path,
                message.address,
                attempts.raw,
                announces,
                dotless=message.dotless,
                gate=may_end,
            )
        except Ended as ended:
            self._session = None
            attempts.outcome = Outcome(Result.DEFERRED, reason=str(ended))
            if passage.left:
                attempts.outcome = Outcome(Result.SKIPPED, reason=passage.left[message.subscriber_id])
            return False
        except Lost as lost:
            self._session = None
            attempts.outcome = Outcome(Result.DEFERRED, reason=one_line(f"the connection was lost: {lost}"))
            if attempts.announced and session.stage is Stage.MAIL:
                self._learned.announcement_lost(unanswered=str(lost) == NO_ANSWER)
            self._set_back(attempts.outcome, attempts.begun == 0)
            return attempts.again("another connection")
        except Doubt as doubt:
            self._session = None
            reason = one_line(f"no answer after the message: {doubt}")
            attempts.outcome = Outcome(Result.UNCERTAIN, reason=reason)
            return False
        if session.sock is None:
            self._session = None
        return self._take_in(session, code, words, attempts)

    def _take_in(self, session: Session, code: int, words: bytes, attempts: _Attempts) -> bool:
        """Notes what a reply means; whether the message may be taken if it is sent again at once."""
        stage, said = session.stage, one_line(words)
        attempts.outcome = _fate(code, said, stage)
        self._learn(session, code, said, attempts)
        if code <= 299:
            self._setbacks, self._fresh_helps = 0, True
            return False
        about_us = remedy_for(attempts.outcome.reason) is not None
        if not about_us and (advice := self._advice(session, code, said)):
            raise TransportError(f"{self._server} takes no mail from us: {attempts.outcome.reason}; {advice}")
        if about_us:  # the run stops by it, and says what to do
            self._setbacks = 0
            return False
        if is_about_the_announcement(
            stage, code, said, announced=attempts.announced, announces=attempts.announces
        ):
            return attempts.again("unannounced")
        spent = is_about_the_session(stage, code, said)
        guessed = not spent and code <= 499 and session.accepted > 0 and self._learned.may_try_fresh
        if attempts.begun and self._fresh_helps and (spent or guessed):
            self._fresh_helps = False  # until something is taken again
            attempts.spent, attempts.guessed = (session.accepted, said), guessed
            self.close()
            return attempts.again("a fresh session")
        if code != 421:
            self._setbacks = 0
            return False
        self._set_back(attempts.outcome, True)
        return attempts.begun > 0 and attempts.again("another connection")

    def _advice(self, session: Session, code: int, said: str) -> str:
        """What to do where a reply says that this server takes nothing from us, whoever the recipient is."""
        if code in _NOT_AUTHORISED:
            secret = "[delivery.oauth]" if self._server.tokens else "MAILER_SMTP_PASSWORD"
            return f"check the user in the transport's URL and {secret}"
        # Where neither verb is named, it may be the recipient's host name.
        names_it = "helo" in said.lower() or "ehlo" in said.lower()
        if names_it and session.stage is not Stage.MESSAGE and speaks_of_helo(code, said):
            return helo_advice(session.local_hostname)
        return ""

    def _learn(self, session: Session, code: int, said: str, attempts: _Attempts) -> None:
        """What this reply tells of the server, beside what it tells of the message."""
        stage = session.stage
        if attempts.guessed:
            attempts.guessed = False
            self._learned.tried_fresh(helped=code <= 299)
            if code > 299:
                attempts.spent = None
        if code > 299 and stage is Stage.MAIL:
            return
        if attempts.announced:
            session.answers_announcements = True
            self._learned.announcement_taken()
        if attempts.unannounced and attempts.spent is None:
            self._learned.refuses_announcements()
        if attempts.spent is not None and (code <= 299 or not is_about_the_session(stage, code, said)):
            self._learned.spent(*attempts.spent)
            attempts.spent = None

    def _set_back(self, outcome: Outcome, unwell: bool) -> None:
        """Notes what went wrong. A kept connection that ended says nothing about the server: not `unwell`."""
        self._setbacks += unwell
        self._setback = outcome.reason

    def _rest(self) -> bool:
        """Waits after setbacks; says whether to go on."""
        if not self._setbacks or self._session is not None:
            return True
        return not self._pause(_BACK_OFF_SECONDS[min(self._setbacks, len(_BACK_OFF_SECONDS)) - 1])

    def _raw(self, message: Outgoing) -> bytes:
        """The message as bytes, composed once, be it for its announcement or for its sending."""
        if self._composed is None or self._composed[0] is not message:
            self._composed = (message, message.raw())
            self._composed_at = time.monotonic()
        return self._composed[1]

    def _renewed(self, message: Outgoing) -> bytes:
        """The same of the size that was announced, composed again where its Date would be old."""
        raw = self._raw(message)
        if time.monotonic() - self._composed_at > _FRESH_SECONDS:
            again = message.raw()
            if len(again) == len(raw):
                self._composed, self._composed_at = (message, again), time.monotonic()
                return again
        return raw

    def _announcement(self, session: Session, message: Outgoing | None) -> Announcement | None:
        """What can be said of the next message now; nothing where it may have to take another way."""
        if message is None or not (session.has_extn("pipelining") and self._learned.may_announce()):
            return None
        if session.transactions + 1 >= self._learned.most_messages:
            return None
        sender, recipient = message.return_path, message.address
        if not (_USABLE.fullmatch(sender) and _USABLE.fullmatch(recipient)):
            return None
        size = len(self._raw(message))
        return None if _unfit(session, message, size) else Announcement(sender, recipient, size)

    def _connected(self, mine: Announcement) -> Session:
        """The connection: the one there is, or another where it is worn out, gone or waits for other mail."""
        session = self._session
        if session is not None:
            if session.announced == mine:
                return session
            usable = session.announced is None and session.transactions < self._learned.most_messages
            if usable and session.is_alive():
                return session
            self.close()
        refused = 0
        while True:
            try:
                self._session = self._open()
            except Busy as busy:
                # A server that was there a moment ago, or says it is busy, gets another chance.
                pauses = _FULL_SECONDS if isinstance(busy, Full) else _BACK_OFF_SECONDS[:1] * 2
                if not self._worked or refused >= len(pauses) or self._pause(pauses[refused]):
                    raise TransportError(str(busy)) from None
                refused += 1
            else:
                self._worked = True
                return self._session

    def _open(self) -> Session:
        """A new connection. Raises TransportError, and what another has waited for in vain at once."""
        learned = self._learned
        if learned.silent is not None and not learned.connected:
            raise learned.silent
        began = time.monotonic()
        try:
            session = self._logged_in()
        except TransportError as error:
            if not learned.connected and time.monotonic() - began >= _LONG_SECONDS:
                learned.silent = error
            raise
        learned.connected = True
        return session

    def _logged_in(self) -> Session:
        """A new connection. The first to log in does so alone: a few wrong passwords lock an account."""
        learned = self._learned
        if not self._server.user or learned.logged_in:
            return connect(self._server)
        with learned.first_login:
            told = learned.login_refused or (None if learned.connected else learned.silent)
            if told is not None:
                raise told
            if not learned.logged_in:
                try:
                    session = connect(self._server)
                except (LoginPutOff, LoginRefused) as refused:
                    learned.login_refused = refused
                    raise
                learned.logged_in = True
                return session
        return connect(self._server)


def _unfit(session: Session, message: Outgoing, size: int) -> str:
    """Why this server can never take this message, or nothing."""
    utf8 = session.has_extn("smtputf8")
    if not utf8 and not message.return_path.isascii():
        return f"the server offers no SMTPUTF8, which the sender's address needs: {message.return_path}"
    if not utf8 and not message.address.isascii():
        return f"the server offers no SMTPUTF8, so it cannot write to {message.address}"
    if 0 < session.largest < size:
        return f"the message has {size:,} bytes, and the server takes {session.largest:,} at most"
    return ""


def _fate(code: int, said: str, stage: Stage) -> Outcome:
    """What a reply means: 2xx they have it, 4xx another time, 5xx never, unless it tells of a limit."""
    if code <= 299:
        return Outcome(Result.ACCEPTED, provider_id=said[:200])
    later, cause = judge(code, said, stage)
    result = Result.DEFERRED if later or code <= 499 else Result.REJECTED
    return Outcome(result, reason=one_line(f"{code} {said}"), cause=cause)

"""`smtp://user@host:port` and `smtps://…`: any SMTP server, over kept connections.

Decides what a reply means for a message, when a connection is replaced, and what is tried again. How to get
a connection is `server`'s to know, how far a message got on it is `session`'s. Nothing is ever tried again
that the server might have.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import unquote

from mailer.config import Settings
from mailer.config.urls import shown_url, split_url
from mailer.delivery.refusal import Cause, Stage, judge
from mailer.delivery.remedies import remedy_for
from mailer.delivery.transports.base import PASSED, Outcome, Outgoing, Passage, Pause, Result, one_line
from mailer.delivery.transports.server import Busy, Server, connect
from mailer.delivery.transports.session import Announcement, Doubt, Ended, Lost, Session
from mailer.errors import ConfigError, TransportError

__all__ = ["MESSAGES_PER_CONNECTION", "Smtp"]

#: A connection is replaced after so many messages. Large receivers ask for an end at some point (Yahoo: 20).
MESSAGES_PER_CONNECTION: Final = 100

#: A message that was composed longer ago, for its announcement, is composed again (seconds).
_FRESH_SECONDS: Final = 30.0
_BACK_OFF_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
#: After so many setbacks in a row the server is not well; trying everybody would take days and bring nothing.
_MOST_SETBACKS: Final = 8
_USABLE = re.compile(r"[^\x00-\x20\x7f-\xa0<>\u2028\u2029]+")
_NOT_AUTHORISED: Final = (530, 534, 535, 538)


class Smtp:
    """The transport."""

    batch = 1

    def __init__(self, server: Server, *, concurrency: int = 1, pause: Pause = time.sleep) -> None:
        self.server = server
        self.concurrency = concurrency
        self._pause = pause

    @classmethod
    def from_url(cls, url: str, settings: Settings, pause: Pause = time.sleep) -> Smtp:
        """The transport for `smtp://user@host:port` or `smtps://…`. Raises ConfigError."""
        try:
            parts = split_url(url)
        except ValueError as error:
            raise ConfigError(
                f'"{shown_url(url)}" is not a transport: {error}; write smtp://user@host:port'
            ) from None
        host, port = parts.hostname or "", parts.port
        if parts.password is not None:
            raise ConfigError(
                "the transport's URL holds a password; leave it out and set MAILER_SMTP_PASSWORD"
            )
        if not host or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ConfigError(f'"{url}" is not a transport; write smtp://user@host:port')
        user = unquote(parts.username or "")
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        if user and not password:
            raise ConfigError(
                f"MAILER_SMTP_PASSWORD is not set, and {host} wants one for {user}; put it into .env, "
                "or leave the user out of the transport's URL"
            )
        implicit = parts.scheme == "smtps"
        server = Server(
            host,
            port or (465 if implicit else 587 if user else 25),
            implicit_tls=implicit,
            user=user,
            password=password if user else "",
            ca_file=settings.smtp_ca_file,
        )
        return cls(server, concurrency=settings.delivery.connections, pause=pause)

    def channel(self) -> SmtpChannel:
        """A channel with one connection of its own."""
        return SmtpChannel(self.server, self._pause)


class SmtpChannel:
    """One connection at a time, kept from message to message."""

    def __init__(self, server: Server, pause: Pause) -> None:
        self._server = server
        self._pause = pause
        self._session: Session | None = None
        self._worked = False  # whether a connection has ever been made
        self._setbacks = 0  # busy or broken servers in a row
        self._setback = ""  # what the last of them said
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
        sender, (following, self._next) = message.return_path, (self._next, None)
        raw = self._renewed(message)
        outcome = Outcome(Result.DEFERRED)
        passage = PASSED

        def may_end() -> bool:
            nonlocal passage
            passage = self.gate((message,))
            return passage.granted

        for _ in range(2):  # what was surely not handed over may be tried once more, on another connection
            if self._setbacks >= _MOST_SETBACKS:
                raise TransportError(
                    f"{self._server} failed {self._setbacks} times in a row: {self._setback}; "
                    "run this again later, or use another transport"
                )
            if not self._rest():
                return Outcome(Result.DEFERRED, reason=outcome.reason or "the run ended before it was sent")
            session = self._connected(Announcement(sender, message.address, len(raw)))
            unfit = _unfit(session, message, len(raw))
            if unfit:
                return Outcome(Result.REJECTED, reason=unfit, cause=Cause.US)
            fresh = session.transactions == 0
            try:
                code, words = session.transact(
                    sender,
                    message.address,
                    raw,
                    self._announcement(session, following),
                    dotless=message.dotless,
                    gate=may_end,
                )
            except Ended as ended:
                self._session = None
                if passage.left:
                    return Outcome(Result.SKIPPED, reason=passage.left[message.subscriber_id])
                return Outcome(Result.DEFERRED, reason=str(ended))
            except Lost as lost:
                self._session = None
                outcome = Outcome(Result.DEFERRED, reason=one_line(f"the connection was lost: {lost}"))
                self._set_back(outcome, fresh)
                continue
            except Doubt as doubt:
                self._session = None
                return Outcome(Result.UNCERTAIN, reason=one_line(f"no answer after the message: {doubt}"))
            outcome = _fate(code, words, session.stage)
            if session.sock is None:
                self._session = None
            about_us = remedy_for(outcome.reason) is not None  # the run stops by it, and says what to do
            if code in _NOT_AUTHORISED and not about_us:
                raise TransportError(
                    f"{self._server} takes no mail from us: {outcome.reason}; "
                    "check the user in the transport's URL and MAILER_SMTP_PASSWORD"
                )
            if code != 421 or about_us:
                self._setbacks = 0
                return outcome
            self._set_back(outcome, True)
            if fresh:
                return outcome
        return outcome

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
        if message is None or session.transactions + 1 >= MESSAGES_PER_CONNECTION:
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
            usable = session.announced is None and session.transactions < MESSAGES_PER_CONNECTION
            if usable and session.is_alive():
                return session
            self.close()
        tries = 3 if self._worked else 1
        while True:
            tries -= 1
            try:
                self._session = connect(self._server)
            except Busy as busy:
                # A server that was there a moment ago, or says it is busy, gets another chance.
                if tries <= 0 or self._pause(_BACK_OFF_SECONDS[0]):
                    raise TransportError(str(busy)) from None
            else:
                self._worked = True
                return self._session


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


def _fate(code: int, words: bytes, stage: Stage) -> Outcome:
    """What a reply means: 2xx they have it, 4xx another time, 5xx never, unless it tells of a limit."""
    said = one_line(words)
    if code <= 299:
        return Outcome(Result.ACCEPTED, provider_id=said[:200])
    later, cause = judge(code, said, stage)
    result = Result.DEFERRED if later or code <= 499 else Result.REJECTED
    return Outcome(result, reason=one_line(f"{code} {said}"), cause=cause)

"""Keeps a channel's connection to an SMTP server, and replaces it when it is used up or lost."""

from __future__ import annotations

import time
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import ServerUnavailable, Sleep, TemporaryRefusal
from mailer.transports.smtp.server import ServerSettings, open_session
from mailer.transports.smtp.server_profile import ServerProfile
from mailer.transports.smtp.session.connect_errors import LoginDeferred, LoginRefused
from mailer.transports.smtp.session.session import SmtpEnvelope, SmtpSession

__all__ = ["BACK_OFF_SECONDS", "SmtpConnection"]

#: The pauses before a server that failed is tried again.
BACK_OFF_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
#: A server that has taken mail and takes no connection now gets another chance after each of these (seconds).
_FULL_SECONDS: Final = (0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
#: Seconds of a failed wait for a connection after which other threads do not try the server.
_LONG_SECONDS: Final = 1.5


class SmtpConnection:
    """Keeps the open session with an SMTP server; `session` is None while there is no session."""

    def __init__(self, server: ServerSettings, sleep: Sleep, profile: ServerProfile) -> None:
        self._server = server
        self._sleep = sleep
        self._profile = profile
        self._worked = False  # whether a connection has ever been made
        self.session: SmtpSession | None = None

    def forget_session(self) -> None:
        """Forgets the session, which has ended already."""
        self.session = None

    def close(self) -> None:
        """Ends the session with QUIT, if there is a session."""
        session, self.session = self.session, None
        if session is not None:
            session.end_session()

    def session_for(self, envelope: SmtpEnvelope) -> SmtpSession:
        """Returns a session for the message with this envelope.

        A new session replaces the old one if the old one has ended, is used up, or expects another message,
        whose commands were sent early. Raises TransportError if no connection can be made.
        """
        session = self.session
        if session is not None:
            if session.sent_early == envelope:
                return session
            usable = session.sent_early is None and session.transactions < self._profile.max_messages
            if usable and session.is_alive():
                return session
            self.close()
        refused = 0
        while True:
            try:
                self.session = self._open_session()
            except ServerUnavailable as busy:
                # A server that was there a moment ago, or says it is busy, gets another chance.
                pauses = _FULL_SECONDS if isinstance(busy, TemporaryRefusal) else BACK_OFF_SECONDS[:1] * 2
                if not self._worked or refused >= len(pauses) or self._sleep(pauses[refused]):
                    raise TransportError(str(busy)) from None
                refused += 1
            else:
                self._worked = True
                return self.session

    def _open_session(self) -> SmtpSession:
        """Returns a new session.

        Raises TransportError, at once if another thread has already waited for the server in vain.
        """
        profile = self._profile
        if profile.silent is not None and not profile.connected:
            raise profile.silent
        began = time.monotonic()
        try:
            session = self._connect_and_log_in()
        except TransportError as error:
            if not profile.connected and time.monotonic() - began >= _LONG_SECONDS:
                profile.silent = error
            raise
        profile.connected = True
        return session

    def _connect_and_log_in(self) -> SmtpSession:
        """Returns a new session, logged in if the server needs a login.

        The first login is made by one thread alone, because several attempts with a wrong password may lock
        the account.
        """
        profile = self._profile
        if not self._server.user or profile.logged_in:
            return open_session(self._server)
        with profile.first_login:
            refused = profile.login_refused or (None if profile.connected else profile.silent)
            if refused is not None:
                raise refused
            if not profile.logged_in:
                try:
                    session = open_session(self._server)
                except (LoginDeferred, LoginRefused) as error:
                    profile.login_refused = error
                    raise
                profile.logged_in = True
                return session
        return open_session(self._server)

"""Keeps a channel's connection to an SMTP server from message to message, and replaces it where needed."""

from __future__ import annotations

import time
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import RefusedForNow, Sleep, Unavailable
from mailer.transports.smtp.server import Server, connect
from mailer.transports.smtp.server_profile import ServerProfile
from mailer.transports.smtp.session.connect_errors import LoginDeferred, LoginRefused
from mailer.transports.smtp.session.session import Announcement, Session

__all__ = ["BACK_OFF_SECONDS", "Connection"]

#: The pauses before a server that failed is tried again.
BACK_OFF_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
#: A server that has taken mail and takes no connection now gets another chance after each of these (seconds).
_FULL_SECONDS: Final = (0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
#: Seconds of a failed wait for a connection after which other threads do not try the server.
_LONG_SECONDS: Final = 1.5


class Connection:
    """Keeps a session; `session` is None where there is none at the moment."""

    def __init__(self, server: Server, sleep: Sleep, profile: ServerProfile) -> None:
        self._server = server
        self._sleep = sleep
        self._profile = profile
        self._worked = False  # whether a connection has ever been made
        self.session: Session | None = None

    def forget(self) -> None:
        """Forgets a session that has ended."""
        self.session = None

    def close(self) -> None:
        """Ends the session with QUIT, where there is one."""
        session, self.session = self.session, None
        if session is not None:
            session.leave()

    def session_for(self, mine: Announcement) -> Session:
        """Returns the session, or a new one where it is used up, has ended, or has announced another message.

        Raises TransportError where no connection can be made.
        """
        session = self.session
        if session is not None:
            if session.announced == mine:
                return session
            usable = session.announced is None and session.transactions < self._profile.most_messages
            if usable and session.is_alive():
                return session
            self.close()
        refused = 0
        while True:
            try:
                self.session = self._open()
            except Unavailable as busy:
                # A server that was there a moment ago, or says it is busy, gets another chance.
                pauses = _FULL_SECONDS if isinstance(busy, RefusedForNow) else BACK_OFF_SECONDS[:1] * 2
                if not self._worked or refused >= len(pauses) or self._sleep(pauses[refused]):
                    raise TransportError(str(busy)) from None
                refused += 1
            else:
                self._worked = True
                return self.session

    def _open(self) -> Session:
        """Returns a new session.

        Raises TransportError, at once where another thread has just failed to connect.
        """
        profile = self._profile
        if profile.silent is not None and not profile.connected:
            raise profile.silent
        began = time.monotonic()
        try:
            session = self._logged_in()
        except TransportError as error:
            if not profile.connected and time.monotonic() - began >= _LONG_SECONDS:
                profile.silent = error
            raise
        profile.connected = True
        return session

    def _logged_in(self) -> Session:
        """Returns a new session.

        The first login is made alone: several wrong passwords at once lock an account.
        """
        profile = self._profile
        if not self._server.user or profile.logged_in:
            return connect(self._server)
        with profile.first_login:
            refused = profile.login_refused or (None if profile.connected else profile.silent)
            if refused is not None:
                raise refused
            if not profile.logged_in:
                try:
                    session = connect(self._server)
                except (LoginDeferred, LoginRefused) as error:
                    profile.login_refused = error
                    raise
                profile.logged_in = True
                return session
        return connect(self._server)

"""Keeps what the connections of one transport find out about its server, each for all of them.

Servers differ in two things that no reply to EHLO tells: whether they take commands that come together with
the end of a message (RFC 2920 allows it, Haraka 3.3 refuses it), and how many messages they take over one
connection.
"""

from __future__ import annotations

import threading
from typing import Final

from mailer.errors import TransportError
from mailer.transports.smtp.comparison import Comparison
from mailer.transports.smtp.session_refusals import speaks_of_the_session

__all__ = ["MESSAGES_PER_CONNECTION", "ServerProfile"]

#: A connection is replaced after so many messages. Large receivers ask for an end at some point (Yahoo: 20).
MESSAGES_PER_CONNECTION: Final = 100
#: So many connections that were lost with an announcement, and none that took one, are no chance.
_MOST_LOST: Final = 3
#: So many readers in a row are tried over a fresh session in vain, before it is the readers' own matter.
_MOST_IN_VAIN: Final = 3


class ServerProfile:
    """A profile of a server: what the connections of one transport found out. Several threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._comparison = Comparison()
        self._lost = self._unanswered = 0
        self._unconfirmed = 0
        self._refuses = False
        #: One connection logs in before the others, so that a wrong password is tried once.
        self.first_login = threading.Lock()
        self.logged_in = False
        self.login_refused: TransportError | None = None
        #: Whether there was ever a connection, and why there is none where finding that out took long.
        self.connected = False
        self.silent: TransportError | None = None
        #: Whether an announced message was ever taken, so that announcements are known to be answered.
        self.answers_announcements = False
        self._vain = 0
        #: So many messages are sent over one connection.
        self.most_messages = MESSAGES_PER_CONNECTION

    def may_announce(self) -> bool:
        """Returns whether the next message is to be announced with the end of the one before."""
        return not self._refuses and self._comparison.choose()

    def stop_announcing(self) -> None:
        """Notes that the server does not take announcements: there will be none any more."""
        self._refuses = True

    def note_announcement_taken(self) -> None:
        """Notes that an announced message was answered as any other."""
        self.answers_announcements = True

    def note_announcement_lost(self, *, unanswered: bool = False) -> None:
        """Notes that a connection ended after an announcement and before any answer to it.

        `unanswered` says that the time was up, which takes so long that it counts also where others are
        answered: several servers may share an address.
        """
        with self._lock:
            self._lost += 1
            self._unanswered += unanswered
            if self._unanswered >= _MOST_LOST or (
                self._lost >= _MOST_LOST and not self.answers_announcements
            ):
                self._refuses = True

    @property
    def may_try_fresh(self) -> bool:
        """Returns whether a refusal for now, in no words about the session, may be tried over a fresh one."""
        return self._vain < _MOST_IN_VAIN

    def note_fresh_try(self, *, helped: bool) -> None:
        """Notes that a message which was refused for now, in no words about the session, had a fresh one."""
        with self._lock:
            self._vain = 0 if helped else self._vain + 1

    def note_accepted(self, announced: bool, seconds: float) -> None:
        """Notes that a message was accepted, and how long its transaction took."""
        if not self._refuses:
            self._comparison.note(announced, seconds)

    def note_session_limit(self, messages: int, words: str) -> None:
        """Notes that a session took so many messages and no more, and that a fresh one took the next.

        Where the server's `words` speak of the session, or it is the same number twice, no later session is
        asked for more.
        """
        with self._lock:
            if messages < 1:
                return
            if speaks_of_the_session(words) or self._unconfirmed == messages:
                self.most_messages = min(self.most_messages, messages)
            self._unconfirmed = messages

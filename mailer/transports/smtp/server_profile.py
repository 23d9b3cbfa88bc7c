"""Keeps what the connections of one transport learn about its server, for all of them.

Servers differ in two things that no reply to EHLO tells: whether they accept commands that are sent with the
end of a message (RFC 2920 allows it, Haraka 3.3 refuses it), and how many messages they accept over one
connection.
"""

from __future__ import annotations

import threading
from typing import Final

from mailer.errors import TransportError
from mailer.transports.smtp.comparison import Comparison
from mailer.transports.smtp.session_refusals import names_the_session

__all__ = ["MESSAGES_PER_CONNECTION", "ServerProfile"]

#: A connection is replaced after so many messages. Large receivers ask for an end at some point (Yahoo: 20).
MESSAGES_PER_CONNECTION: Final = 100
#: Connections lost with an announcement, while none was accepted, after which announcing stops.
_MOST_LOST: Final = 3
#: Readers in a row tried over a new session in vain, after which the refusal is the readers' own matter.
_MOST_IN_VAIN: Final = 3


class ServerProfile:
    """Holds what the connections of one transport learned about a server. Several threads may use it."""

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
        #: The most messages to send over one connection.
        self.most_messages = MESSAGES_PER_CONNECTION

    def may_announce(self) -> bool:
        """Returns whether to announce the next message with the end of the one before."""
        return not self._refuses and self._comparison.choose()

    def stop_announcing(self) -> None:
        """Notes that the server does not accept announcements: none is made any more."""
        self._refuses = True

    def note_announcement_taken(self) -> None:
        """Notes that an announced message was answered like any other."""
        self.answers_announcements = True

    def note_announcement_lost(self, *, unanswered: bool = False) -> None:
        """Notes that a connection ended after an announcement and before any answer to it.

        `unanswered` says that it ended by a time-out, which costs so much time that it counts even where
        other announcements are answered: several servers may share an address.
        """
        with self._lock:
            self._lost += 1
            self._unanswered += unanswered
            if self._unanswered >= _MOST_LOST or (
                self._lost >= _MOST_LOST and not self.answers_announcements
            ):
                self._refuses = True

    @property
    def may_try_new_session(self) -> bool:
        """Returns whether a new session may help after a temporary refusal that does not name the session."""
        return self._vain < _MOST_IN_VAIN

    def note_new_session(self, *, helped: bool) -> None:
        """Notes whether a new session `helped` after a temporary refusal that does not name the session."""
        with self._lock:
            self._vain = 0 if helped else self._vain + 1

    def note_accepted(self, announced: bool, seconds: float) -> None:
        """Notes that a message was accepted, and how long its transaction took."""
        if not self._refuses:
            self._comparison.note(announced, seconds)

    def note_session_limit(self, messages: int, words: str) -> None:
        """Notes that a session accepted so many messages and no more, and that a new session accepted the
        next.

        Where the server's `words` speak of the session, or it is the same number twice, no later session is
        used for more messages.
        """
        with self._lock:
            if messages < 1:
                return
            if names_the_session(words) or self._unconfirmed == messages:
                self.most_messages = min(self.most_messages, messages)
            self._unconfirmed = messages

"""Keeps what the connections of one transport learn about their SMTP server.

Servers differ in two things that the reply to EHLO does not tell: whether they accept commands that are sent
with the end of the previous message (RFC 2920 allows it, Haraka 3.3 refuses it), and how many messages they
accept over one connection.
"""

from __future__ import annotations

import threading
from typing import Final

from mailer.errors import TransportError
from mailer.transports.smtp.comparison import EarlyCommandsComparison
from mailer.transports.smtp.session_refusals import says_session_is_used_up

__all__ = ["MESSAGES_PER_CONNECTION", "ServerProfile"]

#: A connection is replaced after so many messages. Large receivers ask for an end at some point (Yahoo: 20).
MESSAGES_PER_CONNECTION: Final = 100
#: After so many connections were lost with early commands, and none were answered, no more are sent early.
_MOST_LOST: Final = 3
#: Readers in a row tried over a new session in vain, after which the refusal is the readers' own matter.
_MOST_IN_VAIN: Final = 3


class ServerProfile:
    """Holds what the connections of one transport learned about a server. Several threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._comparison = EarlyCommandsComparison()
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
        #: Whether the server ever answered commands that were sent early.
        self.answers_early_commands = False
        self._vain = 0
        #: The most messages to send over one connection.
        self.max_messages = MESSAGES_PER_CONNECTION

    def may_send_commands_early(self) -> bool:
        """Returns whether to send the commands of the next message with the end of the previous message."""
        return not self._refuses and self._comparison.should_send_commands_early()

    def stop_sending_commands_early(self) -> None:
        """Notes that the server does not accept early commands, so that none are sent any more."""
        self._refuses = True

    def note_early_commands_answered(self) -> None:
        """Notes that the server answered commands that were sent early."""
        self.answers_early_commands = True

    def note_connection_lost_after_early_commands(self, *, timed_out: bool = False) -> None:
        """Notes that a connection ended after early commands, before the server answered them.

        After several such losses, no commands are sent early any more. If `timed_out` is True, the server did
        not answer in time; this loss counts even if other early commands were answered, because it costs much
        time, and several servers may share an address.
        """
        with self._lock:
            self._lost += 1
            self._unanswered += timed_out
            if self._unanswered >= _MOST_LOST or (
                self._lost >= _MOST_LOST and not self.answers_early_commands
            ):
                self._refuses = True

    @property
    def may_try_new_session(self) -> bool:
        """Returns whether a new session may help after a temporary refusal without mention of the session."""
        return self._vain < _MOST_IN_VAIN

    def note_new_session_result(self, *, helped: bool) -> None:
        """Notes whether a new session helped after a temporary refusal that did not mention the session."""
        with self._lock:
            self._vain = 0 if helped else self._vain + 1

    def note_message_accepted(self, was_sent_early: bool, seconds: float) -> None:
        """Notes that a message was accepted, and how many `seconds` the message took.

        `was_sent_early` is True if its commands were sent with the end of the previous message.
        """
        if not self._refuses:
            self._comparison.note_message(was_sent_early, seconds)

    def note_session_limit(self, message_count: int, words: str) -> None:
        """Notes that a session accepted `message_count` messages and refused the next one, which a new
        session accepted.

        If `words`, the text of the refusal, mentions the session, or if the number is the same twice, later
        sessions are used for no more messages than this number.
        """
        with self._lock:
            if message_count < 1:
                return
            if says_session_is_used_up(words) or self._unconfirmed == message_count:
                self.max_messages = min(self.max_messages, message_count)
            self._unconfirmed = message_count

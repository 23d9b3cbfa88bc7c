"""Records the attempts to send one message to an SMTP server."""

from __future__ import annotations

from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage

__all__ = ["SendAttempts"]


class SendAttempts:
    """Records the attempts to send one message.

    `raw` is the message as bytes, `following` the next message on the connection, `outcome` the outcome of
    the last attempt, and `messages_before` the number of messages that the session had carried before it.
    `was_sent_early` is True if the commands of this message were sent with the end of the previous message,
    and `next_was_sent_early` if the commands of the next message were sent with the end of this one.
    """

    outcome = Outcome(OutcomeKind.DEFERRED)
    attempt_count = 0
    was_sent_early = next_was_sent_early = False
    messages_before = 0
    #: How many messages a used-up session had accepted, and its reply to the next.
    session_limit: tuple[int, str] | None = None
    #: Whether only the number of its messages suggests that the session is used up.
    limit_is_guessed = False
    _reasons: frozenset[str] = frozenset()

    def __init__(self, message: OutgoingMessage, raw: bytes, following: OutgoingMessage | None) -> None:
        self.message, self.raw, self.following = message, raw, following

    def may_try_again(self, reason: str) -> bool:
        """Returns whether the message may be sent again for this reason; each reason allows one attempt."""
        is_new = reason not in self._reasons
        self._reasons |= {reason}
        return is_new

    @property
    def is_repeated_without_early_commands(self) -> bool:
        """Returns whether the message was sent again because early commands may have caused the refusal."""
        return "without early commands" in self._reasons

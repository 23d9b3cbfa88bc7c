"""Records the attempts to send one message to an SMTP server."""

from __future__ import annotations

from mailer.transports.base import Outcome, Outgoing, Result

__all__ = ["Attempts"]


class Attempts:
    """Records the attempts to send one message: `raw` are its bytes, `following` the next message on the
    connection.

    `outcome` is that of the last attempt. `announced` says whether its commands were sent with the end of the
    message before, `announces` whether the next one's were sent with its end, and `begun` how many messages
    the session had carried.
    """

    outcome = Outcome(Result.DEFERRED)
    number = 0
    announced = announces = False
    begun = 0
    #: How many messages a used-up session had accepted, and its reply to the next.
    spent: tuple[int, str] | None = None
    #: Whether only the number of its messages suggests that the session is used up.
    guessed = False
    _ways: frozenset[str] = frozenset()

    def __init__(self, message: Outgoing, raw: bytes, following: Outgoing | None) -> None:
        self.message, self.raw, self.following = message, raw, following

    def again(self, way: str) -> bool:
        """Returns whether to try again in this way: at most once in each."""
        new = way not in self._ways
        self._ways |= {way}
        return new

    @property
    def unannounced(self) -> bool:
        """Returns whether it was sent again because its announcement may have caused the refusal."""
        return "unannounced" in self._ways

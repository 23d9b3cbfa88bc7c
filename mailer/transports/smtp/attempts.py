"""The attempts to send one message to an SMTP server."""

from __future__ import annotations

from mailer.transports.base import Outcome, Outgoing, Result

__all__ = ["Attempts"]


class Attempts:
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
        """Returns whether to try again in this way: once in each."""
        new = way not in self._ways
        self._ways |= {way}
        return new

    @property
    def unannounced(self) -> bool:
        """Returns whether it was sent again because its announcement may have been the trouble."""
        return "unannounced" in self._ways

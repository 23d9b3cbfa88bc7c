"""Defines how rendering reports an error: it is raised at once, or collected with all others."""

from __future__ import annotations

from mailer.errors import MailerError, Problem

__all__ = ["RenderingFaults"]


class RenderingFaults:
    """Reports errors of rendering: raises each error, or adds its problems to the list `collected`.

    Errors are raised if `collected` is None.
    """

    def __init__(self, collected: list[Problem] | None = None) -> None:
        self._collected = collected

    def raise_or_collect(self, error: MailerError) -> None:
        """Raises the error, or adds its problems to the list of collected problems.

        If the method returns, the caller must continue with a harmless replacement of the faulty part.
        """
        if self._collected is None:
            raise error from None
        self._collected += error.problems

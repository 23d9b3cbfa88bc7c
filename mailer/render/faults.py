"""Decides whether a fault of rendering is raised at once or gathered with the others."""

from __future__ import annotations

from mailer.errors import MailerError, Problem

__all__ = ["Faults"]


class Faults:
    """Raises each fault that it is given, or adds its problems to the list that it was made with."""

    def __init__(self, gathered: list[Problem] | None = None) -> None:
        self._gathered = gathered

    def add(self, error: MailerError) -> None:
        """Reports a fault. Where this returns, rendering continues with something harmless in its place."""
        if self._gathered is None:
            raise error from None
        self._gathered += error.problems

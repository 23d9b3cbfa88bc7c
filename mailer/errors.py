"""Defines the errors that users can see, in one tree.

    MailerError                  one clear sentence; `exit_status` is the exit status of the program
    ├── InputError         (2)   the input or usage is wrong, and nothing was changed
    │   ├── ConfigError          mailer.toml, the environment, or no workspace at all
    │   ├── IssueError           an issue file, or something that it includes
    │   ├── ThemeError           a template of the theme
    │   ├── SegmentError         a segment expression
    │   ├── AudienceError        a subscriber, an address, an import file
    │   └── CampaignError        a campaign that does not exist, or whose status does not allow the command
    └── FailureError       (1)   the work was started, and a part of it failed or was not done
        ├── StoreError           subscribers.db cannot be read or written
        ├── TransportError       the transport cannot be reached, or accepts no mail from us
        │   └── CircuitBreakerError       a campaign stopped itself: too many messages failed
        ├── ArchiveError         a campaign folder cannot be written, or does not hold what was sent
        └── BusyError            another process is doing the same work at the moment

The numbers are exit statuses. An error carries one or more `Problem`s, each with a `Severity`. The code that
catches an error prints `str(error)` and stops. Each line of that is a whole sentence with the place of the
problem, and says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

__all__ = [
    "ArchiveError",
    "AudienceError",
    "CircuitBreakerError",
    "BusyError",
    "CampaignError",
    "ConfigError",
    "FailureError",
    "InputError",
    "IssueError",
    "MailerError",
    "Problem",
    "SegmentError",
    "Severity",
    "StoreError",
    "ThemeError",
    "TransportError",
]


#: An error stops a sending; a warning is for the editor to weigh.
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Describes one problem and its place in a file.

    Lines and columns count from 1. Each part of the place that is not known is None.
    """

    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        """Returns `path:line:column: message`, without the parts of the place that are not known."""
        place = [str(part) for part in (self.path, self.line, self.column) if part is not None]
        note = "warning: " if self.severity == "warning" else ""
        return ": ".join([":".join(place), note + self.message] if place else [note + self.message])


class MailerError(Exception):
    """Represents an error that users see as one or more sentences. All other errors are derived from it."""

    exit_status = 1

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            Problem(problem) if isinstance(problem, str) else problem for problem in problems
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def from_problems(cls, problems: Iterable[Problem]) -> Self:
        """Returns one error that holds all `problems`, so that users see all of them at once."""
        return cls(*problems)


class InputError(MailerError):
    """The input or usage is wrong, and nothing was changed."""

    exit_status = 2


class ConfigError(InputError):
    """The configuration is wrong, or there is no workspace here."""


class IssueError(InputError):
    """An issue cannot be used as it is written."""


class ThemeError(InputError):
    """A template of the theme cannot be used as it is written."""


class SegmentError(InputError):
    """A segment expression cannot be understood."""


class AudienceError(InputError):
    """A subscriber, an address or an import file is not usable."""


class CampaignError(InputError):
    """The campaign does not exist, or its status does not allow the command."""


class FailureError(MailerError):
    """The work was started, and a part of it failed or was not done."""


class StoreError(FailureError):
    """The database cannot be read or written."""


class TransportError(FailureError):
    """The transport cannot be reached, or accepts no mail from us."""


class CircuitBreakerError(TransportError):
    """A campaign stopped itself, because too many messages failed."""


class ArchiveError(FailureError):
    """A campaign folder cannot be written, or does not hold what was sent."""


class BusyError(FailureError):
    """Another process is doing the same work at the moment."""

"""Defines the errors that users can see, in one tree.

    MailerError                  one clear sentence; `exit_status` says how the program ends
    ├── InputError         (2)   the input or usage is wrong, and nothing was changed
    │   ├── ConfigError          mailer.toml, the environment, or no workspace at all
    │   ├── IssueError           an issue file, or something that it includes
    │   ├── ThemeError           a template of the theme
    │   ├── SegmentError         a segment expression
    │   ├── AudienceError        a subscriber, an address, an import file
    │   └── CampaignError        a campaign that is not there, or is not in the right state
    └── FailureError       (1)   it was tried, and something failed or is left
        ├── StoreError           subscribers.db cannot be read or written
        ├── TransportError       the transport cannot be reached, or accepts no mail from us
        │   └── CircuitBreakerError       a campaign stopped itself: too many messages failed
        ├── ArchiveError         a campaign folder cannot be written, or is not what was sent
        └── BusyError            another process is doing this at the moment

An error carries one or more `Problem`s, each with a `Severity`. The code that catches it prints `str(error)`
and stops: each line is a whole sentence with its place, and says what to do next.
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
    """Describes one problem and its place. Lines and columns count from 1."""

    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        """Returns `path:line:column: message`, with the parts of the place that are known."""
        place = [str(part) for part in (self.path, self.line, self.column) if part is not None]
        note = "warning: " if self.severity == "warning" else ""
        return ": ".join([":".join(place), note + self.message] if place else [note + self.message])


class MailerError(Exception):
    """Is the base of all errors that are reported to users as sentences."""

    exit_status = 1

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            Problem(problem) if isinstance(problem, str) else problem for problem in problems
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """Returns one error with many problems, so that users see all of them at once."""
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
    """The campaign does not exist, or its status does not allow the step."""


class FailureError(MailerError):
    """The work was tried, and something failed or is left."""


class StoreError(FailureError):
    """The database cannot be read or written."""


class TransportError(FailureError):
    """The transport cannot be reached, or accepts no mail from us."""


class CircuitBreakerError(TransportError):
    """A campaign stopped itself, because too many messages failed."""


class ArchiveError(FailureError):
    """A campaign folder cannot be written, or does not hold what was sent."""


class BusyError(FailureError):
    """Another process is doing this at the moment."""

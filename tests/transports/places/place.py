"""A transport in a place of its own, for the contract suite.

Each transport has a module beside this one, named after the source that its driver states. Its `KINDS` open a
place for each way to use the transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from mailer.transports import registry
from mailer.transports.base import Transport

__all__ = ["KINDS", "Kind", "Place"]


@dataclass(frozen=True)
class Place:
    """A transport, and a way to see who got something by it."""

    transport: Transport
    recipients_of: Callable[[], list[str]]

    @property
    def recipients(self) -> list[str]:
        """The addresses that have got a message."""
        return self.recipients_of()


#: Opens a place in a workspace; secrets go into the environment.
Kind = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Place]]


def _kinds() -> Mapping[str, Kind]:
    found: dict[str, Kind] = {}
    for driver in registry.all_drivers():
        found |= import_module(f"tests.transports.places.{driver.source}").KINDS
    return found


#: All kinds of all transports that are registered, by name.
KINDS = _kinds()

"""Random moments in the life of a command."""

from __future__ import annotations

import random
import time

from tests.faults.kills.harness import Desk
from tests.faults.kills.processes import PATIENCE_SECONDS, Process

__all__ = ["wait_for_a_moment", "wait_for_messages"]


def wait_for_a_moment(desk: Desk, process: Process, chance: random.Random, readers: int) -> None:
    """Waits by time over the whole life, by the number of messages taken, or a moment after the last one.

    Returns at once where the process has ended. `readers` is how many messages the server can get in all.
    """
    way = chance.random()
    if way < 0.3:
        time.sleep(chance.uniform(0, 0.4))
        return
    left = max(readers - len(desk.log), 1)
    wait_for_messages(desk, process, len(desk.log) + (chance.randint(1, left) if way < 0.8 else left))
    if way >= 0.8:
        time.sleep(chance.uniform(0, 0.03))


def wait_for_messages(desk: Desk, process: Process, number: int) -> None:
    """Waits until the server has taken so many messages in all, or the process has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(desk.log) < number and not process.ended:
        assert time.monotonic() < deadline, process.said
        time.sleep(0.0005)

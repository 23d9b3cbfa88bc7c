"""What holds with every server after every `send`."""

from __future__ import annotations

from collections import Counter

from tests.servers.real.base import RealServer
from tests.servers.real.conftest import Desk
from tests.servers.real.delivered import is_same, is_sound

__all__ = ["agree", "everybody_has_it", "told"]


def agree(desk: Desk, server: RealServer) -> None:
    """The spool and the server know of the same people, each once, and of the same messages."""
    taken = server.taken()
    assert sorted(one.recipient for one in taken) == desk.accepted(), told(desk, server)
    assert server.count() == len(taken)
    for one in taken:
        assert is_same(one.data, desk.sent[one.recipient]), one.data
        assert is_sound(one.data), one.data


def everybody_has_it(desk: Desk, server: RealServer) -> None:
    """Nobody is left, and both sides agree."""
    assert desk.counts == {"accepted": len(desk.states)}, told(desk, server)
    agree(desk, server)


def told(desk: Desk, server: RealServer) -> str:
    """What the spool, the server and the last command say: for whoever reads a failure."""
    reasons = Counter(desk.reasons.values()).most_common(5)
    return f"spool {desk.counts}, {server.name} {server.count()}; {reasons}; {desk.last.err.strip()}"

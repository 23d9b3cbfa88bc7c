"""One contract over mail servers that people have: nobody is lost, nobody gets it twice, both sides agree.

The counts and the bytes are the server's own. Each server has the smallest configuration in which it does
what a test needs; what one cannot do at all (`limits_messages`, `speaks_smtputf8`) is not asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import pytest

from tests.servers.real.base import Manners, RealServer
from tests.servers.real.conftest import CONNECTIONS, Desk, reader
from tests.servers.real.contract import agree, everybody_has_it, told
from tests.servers.real.kinds import KINDS, Kind

Start = Callable[[Manners], RealServer]


@pytest.fixture
def start(kind: Kind) -> Iterator[Start]:
    """Starts the server with the manners that are asked for."""
    with ExitStack() as stack:
        yield lambda manners: stack.enter_context(kind(manners))


def every(*, of: Iterable[Kind] = KINDS) -> pytest.MarkDecorator:
    """The test runs with each of these servers."""
    return pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in of])


@every()
def test_five_hundred_readers_get_it_once(desk: Desk, start: Start) -> None:
    desk.people([reader(number) for number in range(1, 501)])
    server = start(Manners())
    ran = desk.send(server.url)
    assert ran.status == 0, told(desk, server)
    everybody_has_it(desk, server)
    assert server.count() == 500


@every()
def test_refused_readers_are_rejected_and_the_rest_gets_it(desk: Desk, start: Start) -> None:
    refused = [f"refused{number}@d{number}.example.org" for number in range(1, 6)]
    desk.people(mixed([reader(number) for number in range(1, 96)], refused))
    server = start(Manners())
    ran = desk.send(server.url)
    assert ran.status == 1
    assert desk.counts == {"accepted": 95, "rejected": 5}, told(desk, server)
    assert all(desk.states[address] == "rejected" for address in refused)
    assert all(desk.reasons[address].startswith("550 ") for address in refused)
    agree(desk, server)


@every()
def test_greylisted_readers_are_deferred_and_get_it_later(desk: Desk, start: Start) -> None:
    greylisted = [f"greylisted{number}@d{number}.example.org" for number in range(1, 21)]
    desk.people(mixed([reader(number) for number in range(1, 61)], greylisted))
    server = start(Manners(greylisting=True))
    ran = desk.send(server.url)
    assert ran.status == 1
    assert desk.counts == {"accepted": 60, "deferred": 20}, told(desk, server)
    assert all(desk.states[address] == "deferred" for address in greylisted)
    agree(desk, server)
    server.change(Manners())
    ran = desk.send(server.url)
    assert ran.status == 0, told(desk, server)
    everybody_has_it(desk, server)


@every()
def test_a_server_for_smaller_messages_takes_none_and_we_say_why(desk: Desk, start: Start) -> None:
    desk.people([reader(number) for number in range(1, 9)])
    server = start(Manners(size=5000))
    ran = desk.send(server.url)
    assert ran.status == 1
    assert "accepted" not in desk.counts
    assert "the server accepts 5,000 at most" in ran.out + ran.err
    assert server.count() == 0


@pytest.mark.parametrize(
    ("kind", "then"),
    [pytest.param(kind, then, id=f"{kind.name}-{then}") for kind in KINDS for then in kind.limits_messages],
)
def test_a_session_that_takes_only_so_many_messages_loses_nobody(desk: Desk, start: Start, then: int) -> None:
    desk.people([reader(number) for number in range(1, 201)])
    server = start(Manners(messages=7, then=then))
    ran = desk.send(server.url)
    everybody_has_it(desk, server)
    assert ran.status == 0, told(desk, server)


@every(of=(kind for kind in KINDS if kind.limits_connections))
def test_fewer_connections_than_ours_are_enough(desk: Desk, start: Start) -> None:
    desk.people([reader(number) for number in range(1, 201)])
    server = start(Manners(connections=CONNECTIONS - 5))
    ran = desk.send(server.url)
    everybody_has_it(desk, server)
    assert ran.status == 0, told(desk, server)


@every(of=(kind for kind in KINDS if kind.speaks_smtputf8))
def test_a_reader_beyond_ascii_gets_it_where_the_server_has_smtputf8(desk: Desk, start: Start) -> None:
    desk.people(["彭沐阳@d1.example.org", *(reader(number) for number in range(1, 20))])
    server = start(Manners())
    ran = desk.send(server.url)
    assert ran.status == 0, told(desk, server)
    everybody_has_it(desk, server)
    assert server.recipients()["彭沐阳@d1.example.org"] == 1


@every()
def test_a_reader_beyond_ascii_is_told_of_where_it_has_not(desk: Desk, start: Start) -> None:
    desk.people(["彭沐阳@d1.example.org", *(reader(number) for number in range(1, 20))])
    server = start(Manners(smtputf8=False))
    ran = desk.send(server.url)
    assert ran.status == 1
    assert desk.counts == {"accepted": 19, "rejected": 1}, told(desk, server)
    assert "the server offers no SMTPUTF8" in desk.reasons["彭沐阳@d1.example.org"]
    agree(desk, server)


def mixed(many: list[str], few: list[str]) -> list[str]:
    """The few stand among the many, not behind them."""
    every = len(many) // len(few)
    found: list[str] = []
    for number, address in enumerate(many, 1):
        found.append(address)
        if number % every == 0 and number // every <= len(few):
            found.append(few[number // every - 1])
    return found

"""429, the gate and 413: how often a request is uploaded, and what of it is known at each moment."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest

from mailer.errors import TransportError
from mailer.transports.base import ENDED, GateAnswer, Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.sendgrid.transport import SendGrid, SendGridChannel
from tests.servers.sendgrid import KEY, SendGridApi
from tests.transports.outgoing import FakeMessage, messages

SLOW_DOWN = {"errors": [{"message": "too many requests", "field": None}]}
GONE = Outcome(OutcomeKind.SKIPPED, reason="unsubscribed")


def sizes(api: SendGridApi) -> list[int]:
    """How many recipients each request had that came whole."""
    return [len(request["personalizations"]) for request in api.requests]


def left(asked: Sequence[OutgoingMessage], gone: set[int]) -> GateAnswer:
    return GateAnswer(leavers={m.subscriber_id: "unsubscribed" for m in asked if m.subscriber_id in gone})


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    with SendGridApi() as api:
        yield api


@pytest.fixture
def channels(api: SendGridApi) -> Iterator[Callable[..., list[SendGridChannel]]]:
    """Channels of one transport. `pause` is called with each wait."""
    with ExitStack() as stack:

        def make(
            number: int = 1, pause: Callable[[float], object] = lambda _: False
        ) -> list[SendGridChannel]:
            transport = SendGrid(api.url, KEY, sleep=pause, timeout=5.0)
            made = [transport.channel() for _ in range(number)]
            for channel in made:
                stack.callback(channel.close)
            return made

        yield make


def at_once(
    channels: Sequence[SendGridChannel], batches: Sequence[Sequence[OutgoingMessage]]
) -> list[list[Outcome]]:
    """Each channel sends a batch, all at the same time."""
    outcomes: list[list[Outcome]] = [[] for _ in channels]

    def send(number: int) -> None:
        outcomes[number] = channels[number].send(batches[number])

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(channels))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def batches(*counts: int) -> list[list[FakeMessage]]:
    everybody = messages(sum(counts))
    starts = [sum(counts[:number]) for number in range(len(counts))]
    return [everybody[start : start + count] for start, count in zip(starts, counts, strict=True)]


# -- 429 ------------------------------------------------------------------------------------


def test_whoever_waits_for_a_limit_does_not_upload_meanwhile(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    """Three connections, and a limit that is over soon: three requests, and one more for each 429."""
    waiting = threading.Event()

    def pause(_: float) -> bool:
        waiting.wait(0.2)  # the others come to the limit meanwhile
        return False

    api.answer(429, SLOW_DOWN, times=3)
    outcomes = at_once(channels(3, pause), batches(1000, 1000, 500))
    assert {o.result for some in outcomes for o in some} == {OutcomeKind.ACCEPTED}
    assert len(api.delivered) == 2500
    assert len(api.uploads) == 3 + 3


def test_a_limit_without_end_costs_a_handful_of_requests_and_defers_everybody(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    waiting = threading.Event()
    api.limited = True
    outcomes = at_once(channels(3, lambda _: waiting.wait(0.1)), batches(1000, 1000, 500))
    assert {o.result for some in outcomes for o in some} == {OutcomeKind.DEFERRED}
    assert {o.reason for some in outcomes for o in some} == {"429 too many requests"}
    assert len(api.uploads) <= 3 + 3


def test_after_a_limit_that_lasted_each_request_is_tried_once_until_one_gets_through(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    (channel,) = channels()
    api.limited = True
    for _ in range(3):
        assert {o.result for o in channel.send(messages(1000))} == {OutcomeKind.DEFERRED}
    assert sizes(api) == [1000] * 6  # one and three waits, then one each
    api.limited = False
    assert {o.result for o in channel.send(messages(1000))} == {OutcomeKind.ACCEPTED}
    api.answer(429, SLOW_DOWN, times=3)
    assert {o.result for o in channel.send(messages(1000))} == {OutcomeKind.ACCEPTED}
    assert sizes(api) == [1000] * (7 + 4)


def test_a_request_goes_again_without_those_who_left_while_it_waited(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    gone: set[int] = set()

    def pause(_: float) -> bool:
        gone.update((3, 7))
        return False

    (channel,) = channels(pause=pause)
    channel.look = channel.gate = lambda asked: left(asked, gone)
    api.answer(429, SLOW_DOWN)
    outcomes = channel.send(messages(10))
    assert [n for n, o in enumerate(outcomes, 1) if o == GONE] == [3, 7]
    assert sizes(api) == [10, 8]
    assert api.broken_off == []


def test_a_run_that_ends_while_another_connection_asks_gives_back(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    """The one that asks has its answer; the other was not handed over, and is no deferral."""
    ended, asking = threading.Event(), threading.Event()

    def pause(_: float) -> bool:
        asking.set()
        return ended.wait(10)

    first, second = channels(2, pause)
    for channel in (first, second):
        channel.look = lambda _: GateAnswer(is_open=not ended.is_set())
    api.limited = True
    kept: list[list[Outcome]] = []
    threads = [threading.Thread(target=lambda: kept.append(first.send(messages(3))))]
    threads[0].start()
    assert asking.wait(10)
    threads.append(threading.Thread(target=lambda: kept.append(second.send(messages(2)))))
    threads[1].start()
    ended.set()
    for thread in threads:
        thread.join(10)
    by_size = {len(outcomes): outcomes for outcomes in kept}
    assert {o.reason for o in by_size[3]} == {"429 too many requests"}
    assert all(o is ENDED for o in by_size[2])
    assert len(api.uploads) == 1


# -- the gate -------------------------------------------------------------------------------


def test_a_run_that_has_ended_uploads_nothing_again(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    (channel,) = channels()
    asked: list[int] = []

    def gate(messages: Sequence[OutgoingMessage]) -> GateAnswer:
        asked.append(len(messages))
        return GateAnswer(is_open=False)

    channel.gate = gate
    outcomes = channel.send(messages(1500))
    assert all(outcome is ENDED for outcome in outcomes)
    assert asked == [1000]
    assert (api.uploads, api.connections) == ([], 1)


def test_a_run_that_has_ended_begins_no_request(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    (channel,) = channels()
    channel.look = lambda _: GateAnswer(is_open=False)
    assert all(outcome is ENDED for outcome in channel.send(messages(2500)))
    assert api.connections == 0


def test_a_hundred_leavers_a_second_break_few_requests_off(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    """A slow way: a millisecond for each reader in a request, and all who leave are in this batch."""
    order = list(range(1, 1001))
    random.Random(7).shuffle(order)
    (channel,) = channels()
    now = 0.0
    uploads: list[int] = []

    def gone() -> set[int]:
        return set(order[: int(now * 100)])

    def gate(asked: Sequence[OutgoingMessage]) -> GateAnswer:
        nonlocal now
        uploads.append(len(asked))
        now += len(asked) / 1000
        return left(asked, gone())

    channel.gate = gate
    channel.look = lambda asked: left(asked, gone())
    outcomes = channel.send(messages(1000))
    assert len(uploads) <= 120
    assert sum(uploads) <= 8 * 1000
    assert max(uploads[-10:]) < 1000
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED, OutcomeKind.SKIPPED}
    assert len(api.delivered) == [o.result for o in outcomes].count(OutcomeKind.ACCEPTED)
    assert len(api.delivered) > 200


# -- 413 ------------------------------------------------------------------------------------


def test_each_request_is_reported_as_soon_as_its_answer_is_there(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    story: list[tuple[str, int, str]] = []
    (channel,) = channels()

    def gate(asked: Sequence[OutgoingMessage]) -> GateAnswer:
        story.append(("gate", len(asked), ""))
        return GateAnswer()

    channel.gate = gate
    channel.report = lambda asked, outcome: story.append(
        ("told", len(asked), outcome.result.value if outcome else "again")
    )
    api.answer(413, b"")
    api.answer(202, headers={"X-Message-Id": "a"})
    api.answer(400, {"errors": [{"message": "bad", "field": "personalizations.1.to"}]})
    channel.send(messages(4))
    assert story == [
        ("gate", 4, ""),
        ("told", 4, "again"),
        ("gate", 2, ""),
        ("told", 2, "accepted"),
        ("gate", 2, ""),
        ("told", 2, "again"),
        ("told", 1, "rejected"),
        ("gate", 1, ""),
        ("told", 1, "accepted"),
    ]


def test_a_400_that_goes_on_names_the_readers_and_not_their_numbers(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    (channel,) = channels()
    fields = ("personalizations.1.to.0.email", "personalizations.2", "personalizations.9.to.0.email", "from")
    api.answer(400, {"errors": [{"message": "bad", "field": field} for field in fields]})
    addresses = ("a@example.org", "b\n@example.org", "c@example.org")
    outcomes = channel.send([FakeMessage(n, address) for n, address in enumerate(addresses)])
    assert [o.reason for o in outcomes[1:]] == [
        "400 bad (b @example.org: to.0.email)",
        "400 bad (c@example.org)",
    ]


def test_readers_who_cannot_be_written_to_are_in_no_request(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    (channel,) = channels()
    outcomes = channel.send([FakeMessage(1, "用户@example.org"), FakeMessage(2, "b@example.org")])
    assert [o.result for o in outcomes] == [OutcomeKind.REJECTED, OutcomeKind.ACCEPTED]
    assert outcomes[0].reason == (
        "the address cannot be written to by SendGrid: its API takes no letters beyond ASCII before the @"
    )
    assert sizes(api) == [1]


def test_what_was_too_large_is_not_uploaded_again(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    api.most_bytes = 100_000
    one, two = channels(2)
    assert {outcome.result for outcome in one.send(messages(1000))} == {OutcomeKind.ACCEPTED}
    refused = len([size for size in api.uploads if size > api.most_bytes])
    assert {outcome.result for outcome in two.send(messages(1000))} == {OutcomeKind.ACCEPTED}
    assert len([size for size in api.uploads if size > api.most_bytes]) == refused
    assert len(api.recipients) == 2000


def test_where_one_alone_is_too_large_the_others_are_not_tried_one_by_one(
    api: SendGridApi, channels: Callable[..., list[SendGridChannel]]
) -> None:
    api.most_bytes = 10
    (channel,) = channels()
    outcomes = channel.send(messages(1000))
    assert {(outcome.result, outcome.reason) for outcome in outcomes} == {
        (OutcomeKind.REJECTED, "413 Payload too large")
    }
    assert len(api.requests) < 20


@pytest.mark.parametrize("status", [401, 403, 302])
def test_a_key_that_is_refused_is_told_once_and_nothing_more_is_uploaded(status: int) -> None:
    with SendGridApi() as api:
        api.answer(status, b"", times=99)
        transport = SendGrid(api.url, KEY)
        said = set()
        for _ in range(4):
            channel = transport.channel()
            with pytest.raises(TransportError) as error:
                channel.send(messages(3))
            said.add(str(error.value))
            channel.close()
        assert len(said) == 1
        assert len(api.requests) == 1
        assert api.delivered == []

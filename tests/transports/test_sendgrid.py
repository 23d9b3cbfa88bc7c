"""SendGrid: what becomes of each recipient, whatever the API does, against a strict stand-in on loopback."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mailer.config import Settings
from mailer.errors import ConfigError, TransportError
from mailer.render.slots.markers import Markers
from mailer.render.slots.text_part import text_part
from mailer.render.text.wrap import wrap
from mailer.transports.base import GateAnswer, Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.refusal.refusal import Cause
from mailer.transports.sendgrid import client as sendgrid_client
from mailer.transports.sendgrid.transport import SendGrid, SendGridChannel
from tests.servers.sendgrid import KEY, SendGridApi
from tests.transports.outgoing import FakeEnvelope, FakeMessage, fake_rendition, messages
from tests.transports.variables import with_variables

NOW = 1_700_000_000.0


@dataclass
class Bench:
    """The API's stand-in, a channel to it, and the pauses that the channel asked for."""

    api: SendGridApi
    channel: SendGridChannel
    pauses: list[float] = field(default_factory=list)
    ending: bool = False

    def send(self, count: int = 3) -> list[Outcome]:
        return self.channel.send(messages(count))

    def results(self, count: int = 3) -> list[str]:
        return [outcome.result.value for outcome in self.send(count)]


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:

        def make(patience: float = 5, key: str = KEY, **options: Any) -> Bench:
            api = stack.enter_context(SendGridApi(**options))
            made = Bench(api, None)  # type: ignore[arg-type]

            def pause(seconds: float) -> bool:
                made.pauses.append(seconds)
                return made.ending

            transport = SendGrid(api.url, key, sleep=pause, clock=lambda: NOW, timeout=patience)
            made.channel = transport.channel()
            stack.callback(made.channel.close)
            return made

        yield make


def error(message: str, where: str | None = None) -> dict[str, Any]:
    return {"errors": [{"message": message, "field": where, "help": None}]}


def test_a_thousand_go_in_one_request_and_each_gets_their_own(bench: Callable[..., Bench]) -> None:
    desk = bench()
    outcomes = desk.send(1000)
    assert outcomes == [Outcome(OutcomeKind.ACCEPTED, provider_id="id-1")] * 1000
    assert len(desk.api.requests) == 1
    last = desk.api.delivered[-1]
    assert (last.to, last.name) == ("reader1000@example.org", "Reader One")
    assert last.subject == "晨报 Reader One"
    assert last.headers["List-Unsubscribe"] == "<https://news.example.org/u/token-1000>"
    assert '<a href="https://news.example.org/u/token-1000">' in last.html
    assert last.custom_args == {"mailer_reference": "7.1000"}


def test_more_than_a_thousand_go_in_more_requests(bench: Callable[..., Bench]) -> None:
    desk = bench()
    assert set(desk.results(1001)) == {"accepted"}
    assert [len(request["personalizations"]) for request in desk.api.requests] == [1000, 1]


def test_requests_share_a_connection(bench: Callable[..., Bench]) -> None:
    desk = bench()
    for _ in range(3):
        desk.send()
    assert desk.api.connections == 1
    assert desk.api.user_agents[0].startswith("sendgrid/")


def test_each_look_has_a_request_of_its_own_and_order_is_kept(bench: Callable[..., Bench]) -> None:
    desk = bench()
    other, campaign = fake_rendition(1, "Evening"), FakeEnvelope(reply_to=None)
    batch = [
        FakeMessage(1, "a@example.org"),
        FakeMessage(2, "b@example.org", rendition=other),
        FakeMessage(3, "c@example.org"),
        FakeMessage(4, "d@example.org", envelope=campaign),
    ]
    outcomes = desk.channel.send(batch)
    assert [outcome.provider_id for outcome in outcomes] == ["id-1", "id-2", "id-1", "id-3"]
    by_reader = {message.to: message for message in desk.api.delivered}
    assert "Evening" in by_reader["b@example.org"].text
    assert by_reader["d@example.org"].reply_to is None


def test_one_address_twice_is_never_in_one_request(bench: Callable[..., Bench]) -> None:
    desk = bench()
    batch = [
        FakeMessage(1, "a@example.org"),
        FakeMessage(2, "A@example.org"),
        FakeMessage(3, "b@example.org"),
    ]
    assert [outcome.result for outcome in desk.channel.send(batch)] == ["accepted"] * 3
    assert len(desk.api.requests) == 2


def test_429_is_waited_out_until_its_reset_and_repeated(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(429, error("too many requests"), {"X-RateLimit-Reset": str(int(NOW) + 7)})
    assert desk.results() == ["accepted"] * 3
    assert desk.pauses == [7.5]
    assert len(desk.api.delivered) == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": str(int(NOW) + 5000)}, 60.0),
        ({"X-RateLimit-Reset": str(int(NOW) - 5000)}, 1.0),
        ({"X-RateLimit-Reset": "soon"}, 2.0),
        ({"Retry-After": "9"}, 9.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 2.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:27 GMT"}, 7.0),
        ({"Retry-After": "Tuesday, 14-Nov-23 22:13:27 GMT"}, 7.0),
        ({"Retry-After": "Tue Nov 14 22:13:27 2023"}, 7.0),
        ({"Retry-After": "Wed, 15 Nov 2023 22:13:27 GMT"}, 60.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:13:20 GMT"}, 2.0),
        ({"Retry-After": "Tue, 99 Nov 2023 99:99:99 GMT"}, 2.0),
        ({"Retry-After": "Tue, 14 Nov 9999999 22:13:27 GMT"}, 2.0),
        ({"Retry-After": "-5"}, 2.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "9" * 12}, 60.0),
        ({"X-RateLimit-Reset": "30"}, 30.0),
        ({"X-RateLimit-Reset": "0"}, 1.0),
        ({"X-RateLimit-Reset": "", "Retry-After": " 9 "}, 9.0),
        ({"X-RateLimit-Reset": str(int(NOW) - 5000), "Retry-After": "9"}, 9.0),
        ({"X-RateLimit-Reset": "0", "Retry-After": "Tue, 14 Nov 2023 22:13:27 GMT"}, 7.0),
        ({}, 2.0),
    ],
)
def test_a_wait_is_at_least_a_second_and_at_most_a_minute(
    headers: dict[str, str], seconds: float, bench: Callable[..., Bench]
) -> None:
    desk = bench()
    desk.api.answer(429, b"", headers)
    assert desk.results() == ["accepted"] * 3
    assert desk.pauses == [seconds]


def test_429_without_end_defers_everybody(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(429, error("too many requests"), times=4)
    assert (
        desk.send() == [Outcome(OutcomeKind.DEFERRED, reason="429 too many requests", cause=Cause.THEM)] * 3
    )
    assert desk.pauses == [2.0, 4.0, 8.0]
    assert desk.api.delivered == []


def test_a_run_that_ends_does_not_wait_for_a_reset(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.ending = True
    desk.api.answer(429, b"slow down")
    assert desk.send() == [Outcome(OutcomeKind.DEFERRED, reason="429 slow down", cause=Cause.THEM)] * 3
    assert len(desk.api.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 200, 201])
def test_a_failure_of_theirs_or_a_strange_success_is_uncertain_and_never_repeated(
    status: int, bench: Callable[..., Bench]
) -> None:
    desk = bench()
    desk.api.answer(status, error("oops"))
    assert desk.send() == [Outcome(OutcomeKind.UNCERTAIN, reason=f"{status} oops")] * 3
    assert len(desk.api.requests) == 1


@pytest.mark.parametrize("kind", ["close", "reset", "hang"])
def test_no_answer_is_uncertain_and_never_repeated(kind: Any, bench: Callable[..., Bench]) -> None:
    desk = bench(patience=0.2)
    desk.api.trouble(kind)
    outcomes = desk.send()
    assert {outcome.result for outcome in outcomes} == {OutcomeKind.UNCERTAIN}
    why = "no answer came in time" if kind == "hang" else "the connection was closed"
    assert outcomes[0].reason == f"no answer from SendGrid: {why}"
    assert len(desk.api.requests) == 1
    assert desk.results() == ["accepted"] * 3


def test_a_yes_that_is_cut_off_is_still_a_yes(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.trouble("half")
    assert desk.send() == [Outcome(OutcomeKind.ACCEPTED, provider_id="half")] * 3
    assert desk.results() == ["accepted"] * 3


@pytest.mark.parametrize(
    "body", [b"", b"<html>no</html>", b'{"errors": 7}', b"[]", b"\xff\xfe{", b"[" * 5000]
)
@pytest.mark.parametrize("status", [400, 413, 500])
def test_an_answer_that_is_not_json_is_no_trouble(
    status: int, body: bytes, bench: Callable[..., Bench]
) -> None:
    desk = bench()
    desk.api.answer(status, body)
    (outcome,) = desk.send(1)
    assert outcome.result is (OutcomeKind.UNCERTAIN if status == 500 else OutcomeKind.REJECTED)
    assert outcome.reason.startswith(str(status))


def test_400_rejects_the_one_it_names_and_sends_the_rest(bench: Callable[..., Bench]) -> None:
    desk = bench()
    batch = [
        FakeMessage(1, "a@example.org"),
        FakeMessage(2, "not an address"),
        FakeMessage(3, "c@example.org"),
        FakeMessage(4, "用户@example.org"),
    ]
    outcomes = desk.channel.send(batch)
    assert [outcome.result for outcome in outcomes] == ["accepted", "rejected", "accepted", "rejected"]
    assert outcomes[1].reason == "400 Does not contain a valid address. (not an address: to.0.email)"
    # Letters beyond ASCII may be right; that SendGrid takes none is not the reader's fault.
    assert [outcome.cause for outcome in outcomes] == [None, Cause.ADDRESS, None, Cause.US]
    assert desk.api.recipients == ["a@example.org", "c@example.org"]


def test_400_that_names_one_at_a_time_still_spares_the_rest(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(400, error("bad", "personalizations.0.to"))
    desk.api.answer(400, error("bad", "personalizations.1"))
    outcomes = desk.send(4)
    assert [outcome.result for outcome in outcomes] == ["rejected", "accepted", "rejected", "accepted"]
    assert {outcome.cause for outcome in outcomes} == {Cause.US, None}


def test_400_for_everybody_sends_nothing_more(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(400, error("bad", "personalizations.0"))
    assert desk.results(1) == ["rejected"]
    assert len(desk.api.requests) == 1


def test_400_that_names_nobody_rejects_the_request_in_its_words(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(400, error("The subject is required.", "subject"))
    refused = Outcome(OutcomeKind.REJECTED, reason="400 The subject is required. (subject)", cause=Cause.US)
    assert desk.send() == [refused] * 3
    assert len(desk.api.requests) == 1


def test_400_that_names_somebody_who_is_not_there_names_nobody(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(400, error("bad", "personalizations.99.to"))
    assert desk.results() == ["rejected"] * 3


@pytest.mark.parametrize("number", range(4))
def test_400_rejects_exactly_the_one_of_its_number(number: int, bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(400, error("bad", f"personalizations.{number}.to.0.email"))
    results = desk.results(4)
    assert [place for place, result in enumerate(results) if result == "rejected"] == [number]
    assert results.count("accepted") == 3


def test_400_that_names_the_one_after_the_last_names_nobody(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(400, error("bad", "personalizations.3.to.0.email"))
    assert {(outcome.result, outcome.cause) for outcome in desk.send(3)} == {(OutcomeKind.REJECTED, Cause.US)}
    assert len(desk.api.requests) == 1


def test_400_again_and_again_leaves_the_rest_for_later(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(400, error("bad", "personalizations.0"), times=99)
    results = desk.results(30)
    assert results == ["rejected"] * 21 + ["deferred"] * 9
    assert len(desk.api.requests) == 21


def test_413_is_halved_until_it_fits(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(413, error("Payload too large"), times=2)
    assert desk.results(8) == ["accepted"] * 8
    assert [len(request["personalizations"]) for request in desk.api.requests] == [8, 4, 2, 2, 2, 2]


def test_a_request_over_thirty_megabytes_is_halved_before_it_is_sent(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sendgrid_client, "MOST_BYTES", 3000)
    desk = bench()
    assert desk.results(8) == ["accepted"] * 8
    assert len(desk.api.requests) > 1
    assert desk.api.recipients == [message.address for message in messages(8)]


def test_413_for_one_recipient_rejects_them(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sendgrid_client, "MOST_BYTES", 10)
    desk = bench()
    (outcome,) = desk.send(1)
    assert outcome.result is OutcomeKind.REJECTED
    assert "the request has " in outcome.reason
    assert desk.api.requests == []


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "check SENDGRID_API_KEY"),
        (403, "the key needs the Mail Send permission, and the sender has to be verified at SendGrid"),
        (404, "check MAILER_SENDGRID_URL"),
        (405, "check MAILER_SENDGRID_URL"),
        (415, "check MAILER_SENDGRID_URL"),
        (302, "check MAILER_SENDGRID_URL"),
    ],
)
def test_what_no_request_can_overcome_stops_the_run(
    status: int, advice: str, bench: Callable[..., Bench]
) -> None:
    desk = bench()
    desk.api.answer(status, error("no"), {"Location": desk.api.url + "/elsewhere"})
    with pytest.raises(TransportError) as caught:
        desk.send()
    assert str(caught.value) == f"SendGrid accepted no message: {status} no; {advice}"
    assert len(desk.api.paths) == 1  # a redirect is never followed with the key


def test_a_wrong_key_is_told_and_never_shown(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "SG.a-very-secret-key"
    desk = bench(key=secret)
    with pytest.raises(TransportError, match=r"401 The provided authorization grant is invalid"):
        desk.send()
    assert secret not in caplog.text
    assert caplog.text


def test_a_key_that_comes_back_in_an_answer_is_not_kept(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(500, f"what is {KEY}?".encode())
    desk.api.answer(400, error(f"bad {KEY}", f"personalizations.0.{KEY}"))
    assert desk.send(1)[0].reason == "500 what is [key]?"
    assert desk.send(1)[0].reason == "400 bad [key] (reader1@example.org: [key])"


def test_what_was_accepted_stays_accepted_when_the_rest_fails(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(401, error("gone"), after=1)
    batch = [FakeMessage(1, "a@example.org"), FakeMessage(2, "b@example.org", rendition=fake_rendition(1))]
    first, second = desk.channel.send(batch)
    assert first.result is OutcomeKind.ACCEPTED
    assert second == Outcome(
        OutcomeKind.DEFERRED, reason="SendGrid accepted no message: 401 gone; check SENDGRID_API_KEY"
    )


def test_what_is_uncertain_stays_uncertain_when_the_rest_fails(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(500, error("oops"))
    desk.api.answer(401, error("gone"))
    batch = [FakeMessage(1, "a@example.org"), FakeMessage(2, "b@example.org", rendition=fake_rendition(1))]
    results = [outcome.result for outcome in desk.channel.send(batch)]
    assert results == [OutcomeKind.UNCERTAIN, OutcomeKind.DEFERRED]


def test_nobody_there_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    channel = SendGrid(f"http://127.0.0.1:{port}", KEY).channel()
    with pytest.raises(TransportError) as caught:
        channel.send(messages(1))
    assert str(caught.value) == (
        f"SendGrid cannot be reached at http://127.0.0.1:{port}: Connection refused; "
        "check the network and MAILER_SENDGRID_URL, then run this again"
    )


def test_an_api_that_was_there_is_called_again_after_a_pause(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = bench()
    assert desk.results() == ["accepted"] * 3
    desk.channel.close()
    real, calls = socket.create_connection, []

    def refuse_twice(*args: Any, **more: Any) -> socket.socket:
        calls.append(args)
        if len(calls) < 3:
            raise ConnectionRefusedError(111, "Connection refused")
        return real(*args, **more)

    monkeypatch.setattr(socket, "create_connection", refuse_twice)
    assert desk.results() == ["accepted"] * 3
    assert desk.pauses == [1.0, 2.0]


def test_a_value_too_large_for_a_personalization_rejects_that_reader_alone(
    bench: Callable[..., Bench],
) -> None:
    desk = bench()
    batch = [FakeMessage(1, "a@example.org", name="长" * 4000), FakeMessage(2, "b@example.org")]
    first, second = desk.channel.send(batch)
    assert first.result is OutcomeKind.REJECTED
    assert "SendGrid accepts 10,000 at most; shorten the reader's name or attributes" in first.reason
    assert second.result is OutcomeKind.ACCEPTED
    assert desk.channel.send(batch[:1]) == [first]
    assert len(desk.api.requests) == 1


@pytest.mark.parametrize("name", ["Smith; John, Jr.", "王小明", '"', "-x-", "<b>&amp;"])
def test_any_name_is_within_the_limits_and_cannot_leave_its_place(
    name: str, bench: Callable[..., Bench]
) -> None:
    desk = bench()
    assert desk.channel.send([FakeMessage(name=name)])[0].result is OutcomeKind.ACCEPTED
    (got,) = desk.api.delivered
    assert got.subject == f"晨报 {name}"
    assert got.text.startswith(f"Dear {name}\n")
    assert "<b>" not in got.html
    assert not set(got.name) & set(";,")


def test_lines_are_wrapped_again_for_a_long_name(bench: Callable[..., Bench]) -> None:
    markers = Markers("seed")
    name = markers.make_marker(("subscriber.name",), "reader", ("x", 1))
    text = text_part(
        wrap(f"Dear {name}, the harbour rests today, and nobody there knows why it does."), markers
    )
    shown = replace(fake_rendition(), text=text)
    desk = bench()
    long = "Maria Anna Theresa Josepha " * 3
    batch = [
        FakeMessage(1, "a@example.org", "Al", rendition=shown),
        FakeMessage(2, "b@example.org", long, rendition=shown),
    ]
    assert [outcome.result for outcome in desk.channel.send(batch)] == [OutcomeKind.ACCEPTED] * 2
    assert [got.text for got in desk.api.delivered] == [
        text.fill({"subscriber.name": each}) for each in ("Al", long)
    ]
    assert max(map(len, desk.api.delivered[1].text.split("\n"))) <= 78
    assert len(desk.api.requests) == 1
    assert (
        desk.channel.send([FakeMessage(name="长" * 4000, rendition=shown)])[0].result is OutcomeKind.REJECTED
    )


def test_no_name_is_no_name(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.channel.send([FakeMessage(name="")])
    assert desk.api.requests[0]["personalizations"][0]["to"] == [{"email": "reader1@example.org"}]
    assert desk.api.delivered[0].text.startswith("Dear reader\n")


def test_settings_give_key_place_and_connections(settings: Settings) -> None:
    ready = with_variables(
        settings, SENDGRID_API_KEY=f"{KEY}\n", MAILER_SENDGRID_URL="https://api.eu.sendgrid.com/"
    )
    transport = SendGrid.from_settings("sendgrid:", ready)
    assert transport.base_url == "https://api.eu.sendgrid.com"
    assert transport.concurrency == settings.delivery.connections


@pytest.mark.parametrize(
    ("key", "url", "sentence"),
    [
        ("a b", "https://api.sendgrid.com", "SENDGRID_API_KEY is not a key"),
        ("a\nb", "https://api.sendgrid.com", "SENDGRID_API_KEY is not a key"),
        (KEY, "http://sendgrid.example.org", "would send the API key to sendgrid.example.org in the clear"),
        (KEY, "ftp://sendgrid.example.org", "is not a URL such as https://api.sendgrid.com"),
        (KEY, "https://host:99999", "is not a URL such as"),
        (KEY, "https://user@host", "is not a URL such as"),
        (KEY, "https://host/?a=b", "is not a URL such as"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_sent(
    key: str, url: str, sentence: str, settings: Settings
) -> None:
    wrong = with_variables(settings, SENDGRID_API_KEY=key, MAILER_SENDGRID_URL=url)
    with pytest.raises(ConfigError, match=sentence):
        SendGrid.from_settings("sendgrid:", wrong)


def leaving(*numbers: int) -> Callable[[Sequence[OutgoingMessage]], GateAnswer]:
    """A gate of a run in which these subscribers have left."""
    return lambda asked: GateAnswer(
        leavers={m.subscriber_id: "unsubscribed" for m in asked if m.subscriber_id in numbers}
    )


def test_a_request_is_built_again_without_readers_who_left(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.channel.gate = leaving(2, 5)
    outcomes = desk.send(6)
    skipped = Outcome(OutcomeKind.SKIPPED, reason="unsubscribed")
    taken = outcomes[0]
    assert taken.result is OutcomeKind.ACCEPTED
    assert outcomes == [taken, skipped, taken, taken, skipped, taken]
    assert [d.to for d in desk.api.delivered] == [f"reader{n}@example.org" for n in (1, 3, 4, 6)]


def test_a_request_in_which_everybody_left_is_not_made(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.channel.gate = leaving(1, 2)
    assert desk.send(2) == [Outcome(OutcomeKind.SKIPPED, reason="unsubscribed")] * 2
    assert desk.api.delivered == []


def test_a_run_that_has_ended_hands_over_no_request(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.channel.gate = lambda _: GateAnswer(is_open=False)
    assert desk.results(2) == ["deferred", "deferred"]
    assert desk.api.delivered == []


def test_readers_who_leave_while_a_large_request_is_halved_are_left_out(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.api.answer(413, error("too large"))
    desk.channel.gate = leaving(4)
    assert desk.results(4) == ["accepted", "accepted", "accepted", "skipped"]
    assert [d.to for d in desk.api.delivered] == [f"reader{n}@example.org" for n in (1, 2, 3)]


def test_a_batch_that_is_broken_off_again_and_again_goes_in_shorter_requests(
    bench: Callable[..., Bench],
) -> None:
    """Somebody in the request leaves each time, until it is short: there is an end to it."""
    desk = bench()
    sizes: list[int] = []

    def gate(asked: Sequence[OutgoingMessage]) -> GateAnswer:
        sizes.append(len(asked))
        return GateAnswer(leavers={asked[-1].subscriber_id: "unsubscribed"} if len(asked) > 4 else {})

    desk.channel.gate = gate
    results = desk.results(16)
    assert results.count("accepted") + results.count("skipped") == 16
    assert sizes[:4] == [16, 15, 7, 3]
    assert len(desk.api.delivered) == results.count("accepted") >= 12

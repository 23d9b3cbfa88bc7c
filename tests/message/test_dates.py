"""The Date of a message is that of its hand-over within a minute, and costs the run one renewal a minute."""

from __future__ import annotations

import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from mailer.clock import now
from mailer.config import Settings
from mailer.message import dates as dates_module
from mailer.message import dkim as dkim_module
from mailer.message.dates import DateStampClock, MinuteCache
from mailer.message.dkim import Signer, TemplateSigner
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.registry import open_transport, signer_for_transport
from mailer.transports.sendgrid.request import RequestTemplate
from tests.cli import run
from tests.clock import Clock
from tests.desk import ISSUE, SLUG, fill
from tests.message.test_message import SENT, simple
from tests.servers.smtp import SmtpServer
from tests.signing import ED25519, RSA, ed25519_key, pem, rsa_key, signatures, verified, with_keys, write_key
from tests.spooled import Scripted, send_over

pytestmark = pytest.mark.clock("2026-11-21T04:00:30")


def load_signer(settings: Settings) -> Signer:
    signer = signer_for_transport("smtp://mx.example.org", with_keys(settings))
    assert signer is not None
    return signer


def envelope(settings: Settings, sent_at: datetime | None = None, **more: Any) -> Envelope:
    return Envelope(settings, campaign_id=7, slug=SLUG, edition="morning", sent_at=sent_at, **more)


def person(number: int) -> Person:
    return Person(number, f"reader{number}@example.org", "李雷", "zh")


def field(raw: bytes, name: str) -> str:
    (line,) = [x for x in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if x.startswith(name.encode() + b":")]
    return line.decode().partition(": ")[2]


def seconds(raw: bytes) -> int:
    return int(parsedate_to_datetime(field(raw, "Date")).timestamp())


# -- the run ------------------------------------------------------------------------------------


def test_each_message_of_a_run_has_the_date_of_its_hand_over_and_signatures_of_that_time(
    workspace: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = fill(workspace, 4)
    write_key(desk / ".dkim" / f"{RSA}.pem", pem(rsa_key()))
    write_key(desk / ".dkim" / f"{ED25519}.pem", pem(ed25519_key()))
    keys = f'\n[dkim]\nkeys = {{ {RSA} = ".dkim/{RSA}.pem", {ED25519} = ".dkim/{ED25519}.pem" }}\n'
    with (desk / "mailer.toml").open("a", encoding="utf-8") as file:
        file.write(keys)
    signers: list[Signer] = []
    sent: list[tuple[datetime, bytes]] = []

    def decide(message: OutgoingMessage) -> Outcome:
        sent.append((now(), message.raw()))
        clock.forward(seconds=61)
        return Outcome(OutcomeKind.ACCEPTED, "ok")

    def opened(transport: str, settings: Settings) -> Signer | None:
        signers.extend(filter(None, [signer_for_transport(transport, settings)]))
        return signers[-1]

    send_over(monkeypatch, Scripted(decide, concurrency=1))
    monkeypatch.setattr("mailer.services.sending.send.signer_for_transport", opened)
    assert run(desk, "send", ISSUE, "--yes", "--transport", "smtp://mx.example.org").status == 0
    assert len(sent) == 4
    for at, raw in sent:
        assert seconds(raw) == int(at.timestamp())
        assert [int(tags["t"]) for tags in signatures(raw)] == [seconds(raw)] * 2
        assert verified(raw, signers[-1]) == [True, True]
    assert len({field(raw, "Date") for _, raw in sent}) == 4
    assert run(desk, "campaigns", "verify", SLUG).status == 0


def test_a_message_that_is_announced_arrives_with_the_bytes_and_the_size_that_were_announced(
    settings: Settings, clock: Clock
) -> None:
    signer = load_signer(settings)
    template = MessageTemplate(simple(), envelope(settings), signer)
    with SmtpServer() as server:
        channel = open_transport(server.url, settings).channel()
        messages = [Message(template, person(number)) for number in range(3)]
        for message, following in itertools.pairwise([*messages, None]):
            if following is not None:
                channel.set_next_message(following)  # type: ignore[attr-defined]
            assert message is not None
            assert channel.send([message])[0].result is OutcomeKind.ACCEPTED
            clock.forward(seconds=61)
        channel.close()
        received = list(server.received)
        announced = [line.partition("SIZE=")[2] for line in server.commands if line.startswith("MAIL FROM")]
    assert [seconds(one.data) for one in received] == [
        int(datetime(2026, 11, 21, 4, *at, tzinfo=UTC).timestamp()) for at in ((0, 30), (0, 30), (1, 31))
    ]  # each but the first was composed when the one before it was sent
    assert announced == [str(len(one.data)) for one in received]
    assert all(verified(one.data, signer) == [True, True] for one in received)


def test_a_delivery_that_is_tried_again_has_a_new_date_and_the_same_message_id(
    settings: Settings, clock: Clock
) -> None:
    template = MessageTemplate(simple(), envelope(settings))
    first = Message(template, person(1), attempt=1).raw()
    clock.forward(hours=2)
    again = Message(template, person(1), attempt=2).raw()
    assert seconds(again) - seconds(first) == 7200
    assert field(again, "Message-ID") == field(first, "Message-ID")
    assert again.partition(b"\r\n")[2] == first.partition(b"\r\n")[2]  # Date stands first


def test_sendgrid_is_given_no_date(settings: Settings, clock: Clock) -> None:
    message = Message(MessageTemplate(simple(), envelope(settings)), person(1))
    form = RequestTemplate(message)
    document = json.loads(form.request_body([form.personalization(message)]))
    names = {name.lower() for name in document["personalizations"][0]["headers"]}
    assert "message-id" in names
    assert "date" not in names | set(document.get("headers", {}))


# -- once a minute --------------------------------------------------------------------------------


def test_within_a_minute_nothing_is_made_again_and_after_it_everything_once(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"dates": 0, "signatures": 0, "bodies": 0}

    def counted(name: str, module: Any, function: str) -> None:
        real = getattr(module, function)

        def count(*args: Any) -> Any:
            made[name] += 1
            return real(*args)

        monkeypatch.setattr(module, function, count)

    counted("dates", dates_module, "format_datetime")
    counted("signatures", dkim_module, "_signature_start")
    counted("bodies", TemplateSigner, "__init__")
    template = MessageTemplate(simple(), envelope(settings), load_signer(settings))
    expected = {"dates": 1, "signatures": 2, "bodies": 1}  # two keys
    assert made == expected
    for second in range(30):
        Message(template, person(second)).raw()
        clock.forward(seconds=29.0 / 30)
        assert made == expected, second
    clock.set("2026-11-21T04:01:00")
    for number in range(30):
        Message(template, person(number)).raw()
    assert made == {"dates": 2, "signatures": 4, "bodies": 1}


def test_variants_of_one_run_have_the_same_date_in_the_same_minute(settings: Settings, clock: Clock) -> None:
    shared = envelope(settings)
    templates = [MessageTemplate(simple(subject), shared) for subject in ("a", "b")]
    for _ in range(3):
        first = Message(templates[0], person(1)).raw()
        clock.forward(seconds=20)
        assert field(Message(templates[1], person(2)).raw(), "Date") == field(first, "Date")
        clock.forward(seconds=40)


def test_a_clock_that_is_set_back_takes_the_date_back(settings: Settings, clock: Clock) -> None:
    template = MessageTemplate(simple(), envelope(settings), load_signer(settings))
    clock.forward(hours=1)
    later = Message(template, person(1)).raw()
    clock.forward(hours=-1)
    earlier = Message(template, person(1)).raw()
    assert seconds(later) - seconds(earlier) == 3600
    assert verified(earlier, load_signer(settings)) == [True, True]


def test_a_time_that_is_given_stays(settings: Settings, clock: Clock) -> None:
    template = MessageTemplate(simple(), envelope(settings, SENT))
    clock.forward(hours=5)
    assert field(Message(template, person(1)).raw(), "Date") == "Sat, 21 Nov 2026 00:00:00 +0000"


def test_a_seal_without_a_date_is_renewed_all_the_same(settings: Settings) -> None:
    signer = load_signer(settings)
    raw = b"From: a@news.example.org\r\nSubject: x\r\n\r\nbody\r\n"
    signed = TemplateSigner(signer, [raw], 1).with_date(b"Sat, 21 Nov 2026 00:00:00 +0000", 2).sign([]) + raw
    assert [tags["t"] for tags in signatures(signed)] == ["2", "2"]
    assert verified(signed, signer) == [True, True]


# -- several threads --------------------------------------------------------------------------------


def test_threads_that_compose_while_the_minute_changes_agree_on_date_and_signature(
    settings: Settings,
) -> None:
    begun, ticks = datetime(2026, 11, 21, 4, tzinfo=UTC), itertools.count()
    shared = envelope(settings, clock=lambda: begun + timedelta(seconds=7 * next(ticks)))
    signer = load_signer(settings)
    template = MessageTemplate(simple(), shared, signer)
    made: list[bytes] = []

    def work() -> None:
        made.extend([Message(template, person(number)).raw() for number in range(40)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 160
    assert len({field(raw, "Date") for raw in made}) > 10
    for raw in made:
        assert [int(tags["t"]) for tags in signatures(raw)] == [seconds(raw)] * 2
        assert verified(raw, signer) == [True, True]


def test_a_thread_that_waited_for_another_takes_what_that_one_made(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = datetime(2026, 11, 21, 4, tzinfo=UTC)
    later = begun + timedelta(minutes=1)
    # At first sight a minute is over; when it is this thread's turn, what there is is right.
    said = iter([begun, later, begun])
    dates = DateStampClock(clock=lambda: next(said))
    kept = dates.current_stamp()
    assert kept.date == b"Sat, 21 Nov 2026 04:00:00 +0000"

    stamps = iter([kept, kept._replace(minute=kept.minute + 1), kept])
    monkeypatch.setattr(dates, "current_stamp", lambda: next(stamps))
    made: list[bytes] = []
    assert MinuteCache(dates, lambda stamp, _: made.append(stamp.date)).current_value() is None
    assert made == [kept.date]
    assert next(said, None) is None
    assert next(stamps, None) is None

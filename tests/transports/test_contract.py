"""Every transport that is registered keeps to this, whoever takes the messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.errors import ConfigError, TransportError
from mailer.transports.base import Channel, Outcome, OutcomeKind
from mailer.transports.registry import open_transport
from tests.transports.outgoing import FakeMessage, fake_rendition, messages
from tests.transports.places.place import KINDS, Place


@pytest.fixture(params=list(KINDS))
def place(
    request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    with KINDS[request.param](workspace, monkeypatch) as place:
        yield place


@pytest.fixture
def channel(place: Place) -> Iterator[Channel]:
    channel = place.transport.channel()
    yield channel
    channel.close()


def test_each_message_has_its_outcome_and_reaches_its_reader(place: Place, channel: Channel) -> None:
    batch = messages(min(place.transport.batch_size, 5))
    outcomes = channel.send(batch)
    assert [outcome.result for outcome in outcomes] == [OutcomeKind.ACCEPTED] * len(batch)
    assert place.recipients == [message.address for message in batch]


def test_what_took_a_message_names_it(place: Place, channel: Channel) -> None:
    (outcome,) = channel.send(messages(1))
    assert outcome.provider_id
    assert outcome.reason == ""


def test_a_channel_goes_on_after_a_batch(place: Place, channel: Channel) -> None:
    for message in messages(7):
        assert channel.send([message])[0].result is OutcomeKind.ACCEPTED
    assert sorted(place.recipients) == [f"reader{number}@example.org" for number in range(1, 8)]


def test_a_larger_batch_than_asked_for_keeps_its_order(place: Place, channel: Channel) -> None:
    # Two looks in turn, so that a transport which sorts them has to put the outcomes back.
    other = fake_rendition(1, "Evening")
    batch = [
        message if number % 2 else FakeMessage(message.subscriber_id, message.address, rendition=other)
        for number, message in enumerate(messages(9))
    ]
    outcomes = channel.send(batch)
    assert [outcome.result for outcome in outcomes] == [OutcomeKind.ACCEPTED] * 9
    assert sorted(place.recipients) == sorted(message.address for message in batch)


def test_an_empty_batch_is_no_trouble(channel: Channel) -> None:
    assert channel.send([]) == []


def test_a_channel_may_be_closed_twice_or_unused(place: Place) -> None:
    unused = place.transport.channel()
    unused.close()
    unused.close()
    used = place.transport.channel()
    used.send(messages(1))
    used.close()
    used.close()


def test_a_closed_channel_opens_again_when_it_is_used(place: Place, channel: Channel) -> None:
    channel.send(messages(1))
    channel.close()
    assert channel.send([messages(2)[1]])[0].result is OutcomeKind.ACCEPTED


def test_several_channels_work_side_by_side(place: Place) -> None:
    channels = [place.transport.channel() for _ in range(3)]
    for channel, message in zip(channels, messages(3), strict=True):
        assert channel.send([message])[0].result is OutcomeKind.ACCEPTED
    for channel in channels:
        channel.close()
    assert len(place.recipients) == 3


def test_it_says_how_much_it_takes_at_once(place: Place) -> None:
    assert place.transport.batch_size >= 1
    assert place.transport.concurrency >= 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("pigeon:coop", '"pigeon:coop" is not a transport; use outbox:PATH, smtp://user@host:port'),
        ("smtp", '"smtp" is not a transport'),
        ("outbox:", "names no folder; write outbox:PATH"),
        ("smtp://", '"smtp://" is not a transport; write smtp://user@host:port'),
        ("smtp://host:99999", "write smtp://user@host:port"),
        ("smtp://host/path", "write smtp://user@host:port"),
        ("smtp://host?tls=no", "write smtp://user@host:port"),
        ("smtp://me:word@host", "holds a password; leave it out and set MAILER_SMTP_PASSWORD"),
        ("smtp://me@host", "MAILER_SMTP_PASSWORD is not set, and host requires a password for me"),
        ("sendgrid:", "SENDGRID_API_KEY is not set; put the key of your SendGrid account into .env"),
        ("sendgrid:x", "write sendgrid: and set MAILER_SENDGRID_URL to use another URL"),
    ],
)
def test_a_wrong_url_or_a_missing_secret_is_told_before_anything_is_sent(
    url: str, sentence: str, settings: Settings
) -> None:
    with pytest.raises(ConfigError) as caught:
        open_transport(url, settings)
    assert sentence in str(caught.value)
    assert "me:word" not in str(caught.value)


def test_a_transport_that_is_not_there_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:1 cannot be reached: Connection refused; check"):
        open_transport("smtp://127.0.0.1:1", settings).channel().send(messages(1))


def test_outcomes_are_plain_values() -> None:
    assert Outcome(OutcomeKind.ACCEPTED) == Outcome(OutcomeKind.ACCEPTED, "", "")
    assert [str(result) for result in OutcomeKind] == [
        "accepted",
        "deferred",
        "rejected",
        "uncertain",
        "skipped",
    ]

"""Header fields that all messages of a campaign share, and the address to leave by mail."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.config import Settings, load_settings
from mailer.links.urls import Purpose
from mailer.message.envelope import Envelope, Person, feedback_id_of_domain
from mailer.message.message import Message, MessageTemplate
from mailer.transports.registry import signer_for_transport
from mailer.transports.sendgrid.request import RequestTemplate
from tests.message.test_message import envelope, simple
from tests.signing import verified, with_keys

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)
DOMAIN = st.lists(LABEL, min_size=1, max_size=9).map(".".join)
READER = Person(12, "li@example.org", "李雷", "zh", stable_id=b"12345678")


@pytest.mark.parametrize(
    ("domain", "sender_id"),
    [
        ("example.org", "example.org"),
        ("News.Example", "news.example"),
        ("news.example.org", "news.example"),
        ("news.harbour-brief.example", "news.harbour-br"),
        ("harbourbrief.com", "harbourbrie.com"),
        ("newsletter.photography", "newslet.photogr"),
        ("a.co", "a.co-mail"),
        ("xn--bcher-kva.example", "xn--bch.example"),
        ("a.b.c.mail.example.org", "c.mail.example"),
    ],
)
def test_the_sender_id_is_made_from_the_domain(domain: str, sender_id: str) -> None:
    assert feedback_id_of_domain(domain) == sender_id


@given(DOMAIN)
@example("a")
@example("a-" * 31 + "a.b")
def test_a_sender_id_has_5_to_15_characters(domain: str) -> None:
    assert re.fullmatch(r"[a-z0-9.-]{5,15}", feedback_id_of_domain(domain))


def test_a_sender_id_of_the_settings_is_taken(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_PUBLICATION_FEEDBACK_ID", "harbour-brief")
    fields = dict(envelope(load_settings(workspace)).shared_headers)
    assert fields["Feedback-ID"] == "2026-11-21-morning:morning:newsletter:harbour-brief"


@pytest.mark.parametrize(
    ("edition", "feedback_id", "value"),
    [
        ("newsletter", "", "2026-11-21-newsletter:newsletter:news.example"),
        ("newsletter", "harbour-brief", "2026-11-21-newsletter:newsletter:harbour-brief"),
        ("morning", "morning", "2026-11-21-morning:newsletter:morning"),
    ],
)
def test_no_identifier_occurs_twice_in_a_feedback_id(
    settings: Settings, edition: str, feedback_id: str, value: str
) -> None:
    settings = settings.model_copy(
        update={
            "publication": settings.publication.model_copy(update={"feedback_id": feedback_id}),
            "editions": {edition: settings.editions["morning"]},
        }
    )
    shared = Envelope(settings, campaign_id=7, slug=f"2026-11-21-{edition}", edition=edition)
    assert dict(shared.shared_headers)["Feedback-ID"] == value


@pytest.fixture
def by_mail(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MAILER_PUBLICATION_UNSUBSCRIBE_MAILTO", "leave+a&b@bücher.example")
    return load_settings(workspace)


def test_an_address_to_leave_by_mail_stands_behind_the_link(by_mail: Settings) -> None:
    shared = envelope(by_mail)
    signer = signer_for_transport("smtp:", with_keys(by_mail))
    assert signer is not None
    raw = Message(MessageTemplate(simple(), shared, signer), READER).raw()
    link = shared.links.unsubscribe_url(READER.stable_id, 7)
    first, second = raw.partition(b"List-Unsubscribe: ")[2].split(b"\r\n")[:2]
    assert first == f"<{link}>,".encode()
    assert second.startswith(b" <mailto:leave+a%26b@xn--bcher-kva.example?subject=unsubscribe%20")
    assert verified(raw, signer) == [True, True]

    uris = [
        uri.strip(" <>")
        for uri in str(message_from_bytes(raw, policy=default)["List-Unsubscribe"]).split(",")
    ]
    assert uris[0] == link
    (subject,) = parse_qs(urlsplit(uris[1]).query)["subject"]
    token = shared.links.tokens.read(subject.removeprefix("unsubscribe "), Purpose.UNSUBSCRIBE)
    assert token is not None
    assert (token.stable_id, token.campaign_id) == (READER.stable_id, 7)
    assert READER.address not in " ".join(uris)


def test_sendgrid_gets_both_on_one_line(by_mail: Settings) -> None:
    message = Message(MessageTemplate(simple(), envelope(by_mail)), READER)
    field = message.headers["List-Unsubscribe"]
    assert re.fullmatch(r"<https://[^<>]+>, <mailto:[^<>]+>", field)
    assert f'"List-Unsubscribe":"{field}"' in RequestTemplate(message).personalization(message)


def test_the_link_stands_alone_unless_there_is_an_address(settings: Settings) -> None:
    message = Message(MessageTemplate(simple(), envelope(settings)), READER)
    assert re.fullmatch(r"<https://[^<>]+>", message.headers["List-Unsubscribe"])


def test_the_language_of_the_rendition_is_a_field_for_sendgrid_too(settings: Settings) -> None:
    message = Message(MessageTemplate(simple(), envelope(settings)), READER)
    own = RequestTemplate(message).personalization(message)
    assert '"List-Post":"NO"' in own
    assert '"Content-Language":"zh"' in own

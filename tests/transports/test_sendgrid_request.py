"""Requests to SendGrid: tags that nobody can forge, headers that fit."""

from __future__ import annotations

import json
from email import message_from_string, policy

import pytest

from mailer.config import Mailbox
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart
from mailer.transports.sendgrid.request import RequestTemplate, encoded_header_value, groups_for_requests
from tests.servers.sendgrid import problems
from tests.transports.outgoing import FakeEnvelope, FakeMessage, fake_rendition, messages


def request_body(message: FakeMessage) -> dict[str, object]:
    form = RequestTemplate(message)
    made: dict[str, object] = json.loads(form.request_body([form.personalization(message)]))
    return made


def test_a_document_has_no_problems_and_tracks_nobody() -> None:
    made = request_body(FakeMessage())
    assert problems(made) == []
    assert made["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
        "ganalytics": {"enable": False},
    }
    assert made["mail_settings"] == {"footer": {"enable": False}, "sandbox_mode": {"enable": False}}
    assert made["from"] == {"email": "desk@news.example.org", "name": "晨报 Desk"}
    assert made["reply_to"] == {"email": "editors@news.example.org"}


def test_equal_slots_share_a_tag_and_tags_are_new_each_time() -> None:
    first, second = RequestTemplate(FakeMessage()), RequestTemplate(FakeMessage())
    one, two = (json.loads(form.personalization(FakeMessage())) for form in (first, second))
    # subject and text, html, text's and html's link: a value is escaped for where it stands
    assert len(one["substitutions"]) == 4  # the name as header, html and text; the link once
    assert not set(one["substitutions"]) & set(two["substitutions"])


def test_a_rendition_without_slots_needs_no_substitutions() -> None:
    plain = Rendition(
        0, "en", RenditionPart(("S",)), RenditionPart(("<p>H</p>",)), RenditionPart(("",)), "", "t"
    )
    made = request_body(FakeMessage(rendition=plain))
    assert problems(made) == []
    assert "substitutions" not in made["personalizations"][0]  # type: ignore[index]


def test_a_sender_with_an_international_domain_is_written_in_ascii() -> None:
    sender = Mailbox(address="desk@新闻.example.org")
    made = request_body(FakeMessage(envelope=FakeEnvelope(sender=sender, reply_to=None)))
    assert made["from"] == {"email": f"desk@{'新闻'.encode('idna').decode()}.example.org"}
    assert "reply_to" not in made


@pytest.mark.parametrize(
    "value",
    ['"晨报" <morning.example.org>', "晨报 and a very long description " * 9, '"Plain" <a.b>', "plain"],
)
def test_a_header_value_is_one_line_of_ascii_that_reads_the_same(value: str) -> None:
    encoded = encoded_header_value("Subject", value)
    assert encoded.isascii()
    assert encoded.isprintable()
    parsed = message_from_string(f"Subject: {encoded}\n\n", policy=policy.default)["Subject"]
    assert str(parsed).replace('"', "").strip() == value.replace('"', "").strip()


@pytest.mark.parametrize(
    ("field", "value"), [("List-Id", f'"{"早报" * 90}" <m.a.test>'), ("Subject", "早报" * 90)]
)
def test_each_encoded_word_fits_a_line_if_the_value_is_folded_at_its_spaces(field: str, value: str) -> None:
    first, *others = encoded_header_value(field, value).split(" ")
    assert len(f"{field}: {first}") <= 76
    assert max(len(f" {word}") for word in others) <= 76


def test_groups_keep_everybody_once() -> None:
    other = fake_rendition(1)
    batch = [*messages(3), *messages(3), *messages(2, rendition=other)]
    found = list(groups_for_requests(batch))
    assert sorted(place for group in found for place in group) == list(range(8))
    assert [len(group) for group in found] == [3, 3, 2]

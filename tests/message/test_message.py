"""A message that is joined from fragments is the message that the standard library would have built."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, strict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.addresses import address_with_ascii_domain
from mailer.config import Settings, load_settings
from mailer.errors import InputError
from mailer.links.urls import Purpose
from mailer.message.envelope import Envelope, Person
from mailer.message.header_fields import mailbox_value
from mailer.message.message import Message, MessageTemplate
from mailer.message.sample import sample_message
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext, escape_for_context

SENT = datetime(2026, 11, 21, tzinfo=UTC)
NAME = Slot(("subscriber.name",), "reader", SlotContext.HTML)
LEAVE = Slot(("links.unsubscribe",), "", SlotContext.HREF)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=400)


def rendition(subject: RenditionPart, html: RenditionPart, text: RenditionPart) -> Rendition:
    return Rendition(0, "zh", subject, html, text, "", "theme")


def simple(subject: str = "早报：十条新闻", before: str = "<p>你好", after: str = "</p>") -> Rendition:
    return rendition(
        RenditionPart((subject,)),
        RenditionPart((before, ' <a href="', '">x</a>' + after), (NAME, LEAVE)),
        RenditionPart(
            ("你好 ", "\n.\n", "\n"), (Slot(("subscriber.name",), "reader", SlotContext.TEXT), LEAVE_TEXT)
        ),
    )


LEAVE_TEXT = Slot(("links.unsubscribe",), "", SlotContext.TEXT)


def envelope(settings: Settings) -> Envelope:
    return Envelope(settings, campaign_id=7, slug="2026-11-21-morning", edition="morning", sent_at=SENT)


def built_slowly(settings: Settings, shown: Rendition, person: Person) -> EmailMessage:
    """The same message by the standard library alone."""
    shared = envelope(settings)
    values = shared.slot_values(person)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = shown.subject.fill(values)
    message["Message-ID"] = shared.message_id(person)
    message.set_content(shown.text.fill(values), cte="base64")
    message.add_alternative(shown.html.fill(values), subtype="html", cte="base64")
    return message


def bodies(message: EmailMessage) -> list[str]:
    return [
        part.get_content().replace("\r\n", "\n").removesuffix("\n")
        for part in message.walk()
        if not part.is_multipart()
    ]


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=strict)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        for value in part.values():
            assert getattr(value, "defects", ()) == ()
    return message


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=ANY, subject=TEXT, before=TEXT, after=TEXT)
@example(name="李雷\r\nBcc: thief@example.org", subject="a", before=".", after="\n.\n..\nFrom me")
@example(name='"; <x@y>', subject="=?utf-8?q?x?=", before="", after="")
@example(name="\u2028", subject=" ", before="=", after="=\n=")
def test_what_is_spliced_parses_equal_to_what_is_built(
    settings: Settings, name: str, subject: str, before: str, after: str
) -> None:
    shown = simple(subject, before, after)
    person = Person(12, "li@example.org", name, "zh")
    raw = Message(MessageTemplate(shown, envelope(settings)), person).raw()
    fast, slow = parsed(raw), parsed(built_slowly(settings, shown, person).as_bytes())

    assert bodies(fast) == bodies(slow)
    assert str(fast["Subject"]).strip() == subject.strip()
    if "=?" not in subject:  # the library takes such text for an encoded word already when it is given
        assert str(fast["Subject"]).strip() == str(slow["Subject"]).strip()
    assert fast["Message-ID"] == slow["Message-ID"]
    assert [address.addr_spec for address in fast["To"].addresses] == ["li@example.org"]
    raw_to = next(v for k, v in message_from_bytes(raw).items() if k == "To")
    shown_name = str(make_header(decode_header(raw_to))).rpartition("li@example.org")[0]
    assert shown_name.strip(' "<') == escape_for_context(name, SlotContext.HEADER).strip().strip(' "<')
    assert "Bcc" not in fast
    assert fast.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in fast.iter_parts()] == ["text/plain", "text/html"]
    lines = raw.split(b"\r\n")
    assert max(len(line) for line in lines) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert not any(line.startswith(b".") for line in lines)


def test_headers_are_those_of_a_well_kept_list(settings: Settings) -> None:
    message = parsed(
        Message(
            MessageTemplate(simple(), envelope(settings)),
            Person(12, "li@example.org", "李雷", stable_id=bytes.fromhex("00112233445566ff")),
        ).raw()
    )
    link = envelope(settings).links.unsubscribe_url(bytes.fromhex("00112233445566ff"), 7)
    assert message["From"] == "Harbour Brief <desk@news.example.org>"
    assert message["To"] == "李雷 <li@example.org>"
    assert message["Reply-To"] == "editors@news.example.org"
    assert message["Subject"] == "早报：十条新闻"
    assert message["Date"] == "Sat, 21 Nov 2026 00:00:00 +0000"
    assert message["Message-ID"] == "<2026-11-21-morning.00112233445566ff@news.example.org>"
    assert message["List-Unsubscribe"] == f"<{link}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == '"Morning Brief" <morning.news.example.org>'
    assert message["List-Help"] == "<mailto:editors@news.example.org?subject=help>"
    assert message["List-Archive"] == "<https://news.example.org/archive/>"
    assert message["List-Post"] == "NO"
    assert message["Content-Language"] == "zh"
    assert message["Feedback-ID"] == "2026-11-21-morning:morning:newsletter:news.example"
    assert message["Precedence"] == "bulk"
    assert "Auto-Submitted" not in message
    assert link in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_one_click_stays_whole_for_the_longest_address(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "https://news.example.org/" + "p" * 770
    monkeypatch.setenv("MAILER_PUBLICATION_BASE_URL", base)
    settings = load_settings(workspace)
    raw = Message(MessageTemplate(simple(), envelope(settings)), Person(12, "li@example.org")).raw()
    line = next(line for line in raw.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
    assert line == f"List-Unsubscribe: <{envelope(settings).links.unsubscribe_url(bytes(8), 7)}>".encode()
    assert len(line) <= 998
    parsed(raw)


def test_a_subject_may_hold_a_slot(settings: Settings) -> None:
    shown = rendition(
        RenditionPart(("", "，早上好"), (Slot(("subscriber.name",), "读者", SlotContext.HEADER),)),
        RenditionPart(("h",)),
        RenditionPart(("t",)),
    )
    template = MessageTemplate(shown, envelope(settings))
    assert (
        parsed(Message(template, Person(1, "a@example.org", "韩梅梅")).raw())["Subject"] == "韩梅梅，早上好"
    )
    assert parsed(Message(template, Person(2, "b@example.org")).raw())["Subject"] == "读者，早上好"


def test_free_attributes_fill_slots(settings: Settings) -> None:
    slot = Slot(("subscriber.attributes.company",), "your firm", SlotContext.TEXT)
    shown = rendition(RenditionPart(("s",)), RenditionPart(("h",)), RenditionPart(("At ", "."), (slot,)))
    template = MessageTemplate(shown, envelope(settings))
    message = Message(template, Person(1, "a@example.org", attributes={"company": "Quay & Co"}))
    assert bodies(parsed(message.raw()))[0] == "At Quay & Co."
    assert bodies(parsed(Message(template, Person(1, "a@example.org")).raw()))[0] == "At your firm."


def test_a_chinese_edition_name_stays_a_valid_list_id(workspace: Path, settings: Settings) -> None:
    config = workspace / "mailer.toml"
    config.write_text(config.read_text("utf-8").replace("Morning Brief", "港口早报"), encoding="utf-8")
    message = parsed(
        Message(
            MessageTemplate(simple(), envelope(load_settings(workspace))), Person(1, "a@example.org")
        ).raw()
    )
    assert message["List-Id"] == "港口早报 <morning.news.example.org>"


def test_bounces_come_back_to_an_address_of_their_own(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_DELIVERY_RETURN_PATH", "bounces@news.example.org")
    shared = envelope(load_settings(workspace))
    path = Message(
        MessageTemplate(simple(), shared), Person(12, "li@example.org", stable_id=b"12345678")
    ).return_path
    local, _, domain = path.partition("@")
    assert domain == "news.example.org"
    assert len(local) <= 64
    token = shared.links.tokens.read(local.removeprefix("bounces+"), Purpose.BOUNCE)
    assert token is not None
    assert (token.stable_id, token.campaign_id) == (b"12345678", 7)


def test_without_a_return_path_bounces_come_to_the_sender(settings: Settings) -> None:
    assert envelope(settings).return_path(Person(12, "li@example.org")) == "desk@news.example.org"


def test_an_address_is_ascii_in_its_domain() -> None:
    assert address_with_ascii_domain("li@müller.example") == "li@xn--mller-kva.example"


@pytest.mark.parametrize(
    ("name", "address"), [("a\r\nBcc: b", "a@b.test"), ("a", "a@b.test\n"), ("\0", "a@b.test")]
)
def test_a_line_break_never_reaches_a_header(name: str, address: str) -> None:
    with pytest.raises(InputError, match="line break"):
        mailbox_value("To", name, address)


def test_a_sample_belongs_to_nobody(settings: Settings) -> None:
    sample = sample_message(settings, simple(), slug="2026-11-21-morning", edition="morning", sent_at=SENT)
    message = parsed(sample.raw())
    assert message["To"] == "林小满 <reader@example.org>"
    link = str(message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    token = envelope(settings).links.tokens.read(link, Purpose.UNSUBSCRIBE)
    assert token is not None
    assert token.is_of_test_copy


def test_a_sample_fills_every_slot(settings: Settings) -> None:
    bare = Slot(("subscriber.attributes.job_title",), "", SlotContext.TEXT)
    kept = Slot(("subscriber.attributes.company",), "your firm", SlotContext.TEXT)
    text = RenditionPart(("At ", " as ", ".\n"), (kept, bare))
    shown = Rendition(0, "en", RenditionPart(("s",)), simple().html, text, "", "theme")
    sample = sample_message(settings, shown, slug="2026-11-21-evening", edition="evening", sent_at=SENT)
    plain, html = bodies(parsed(sample.raw()))
    assert plain == "At your firm as job title."
    assert "Alex Reader" in html
    assert sample.values["subscriber.language"] == "en"

"""The lines of a message's header have the lengths that RFC 2047 and RFC 5322 allow, and read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.config import Mailbox, Settings, TextByLanguage
from mailer.message.dkim import Signer
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext
from mailer.transports.registry import signer_for_transport
from tests.message.test_message import rendition, simple
from tests.signing import with_keys

SIGNERS: list[Signer] = []
SENT = datetime(2026, 11, 21, tzinfo=UTC)
#: Letters of one to four octets, spaces, and what RFC 5322 and RFC 2047 give a meaning.
SIGNS = st.sampled_from([*"ab zé港𠀀 \"\\,;:<>@()=?_.'", "word ", "港口早报", "=?utf-8?q?x?="])
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=160) | st.lists(
    SIGNS, max_size=90
).map("".join)
LABEL = st.text(st.sampled_from("abcdefghij0123456789"), min_size=1, max_size=60)
DOMAIN = st.lists(LABEL, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "test"]))
ADDRESS = st.builds("{}@{}".format, LABEL, DOMAIN)
EDITION = st.text(st.sampled_from("abcdefgh-"), max_size=70).map(lambda rest: "m" + rest)


def composed(settings: Settings, person: Person, subject: RenditionPart, **changed: Any) -> bytes:
    edition = changed.pop("edition", "morning")
    shown = simple()
    settings = settings.model_copy(
        update={
            "publication": settings.publication.model_copy(update=changed),
            "editions": {
                edition: settings.editions["morning"].model_copy(update={"name": TextByLanguage("早报" * 9)})
            },
        }
    )
    envelope = Envelope(settings, campaign_id=7, slug=f"2026-11-21-{edition}", edition=edition, sent_at=SENT)
    if not SIGNERS:  # reading an RSA key takes most of the time
        signer = signer_for_transport("smtp://mx.example.org", with_keys(settings))
        assert signer is not None
        SIGNERS.append(signer)
    look = rendition(subject, shown.html, shown.text)
    signer = replace(SIGNERS[0], domain=envelope.domain)
    return Message(MessageTemplate(look, envelope, signer), person).raw()


def fields_of(raw: bytes) -> dict[str, list[bytes]]:
    """The lines of each field of the header, by the name of the field."""
    found: dict[str, list[bytes]] = {}
    for field in raw.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"\n ").split(b"\r\n"):
        found[field.partition(b":")[0].decode()] = field.split(b"\n")
    return found


def can_be_folded(line: bytes, is_first: bool) -> bool:
    """Whether white space stands in a line at a place that makes two shorter lines."""
    words = line.split()
    return len(words) > 2 or (len(words) == 2 and (not is_first or len(words[1]) < 78))


def assert_lines_are_short(raw: bytes) -> None:
    for name, lines in fields_of(raw).items():
        for number, line in enumerate(lines):
            if b"=?" in line:
                assert len(line) <= 76, line
            elif name.startswith("List-") and name != "List-Id":
                assert number or line.partition(b": ")[2].startswith((b"<", b"List-", b"NO")), line
            elif len(line) > 78:
                assert not can_be_folded(line, number == 0), line


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def addresses_of(message: EmailMessage, field: str) -> list[tuple[str, str]]:
    found: tuple[Address, ...] = message[field].addresses
    return [(address.display_name.strip(), address.addr_spec) for address in found]


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(name=TEXT, subject=TEXT, address=ADDRESS, sender=ADDRESS, edition=EDITION)
@example(name="李" * 15, subject="早" * 15, address="li@example.org", sender="desk@b.test", edition="m")
@example(name="é" * 60, subject="word " * 30 + "end", address="a@b.test", sender="a@b.test", edition="m")
@example(name="x" * 58, subject="a" * 70, address="a" * 60 + "@b.test", sender="a@b.test", edition="m" * 60)
@example(
    name="", subject="", address="a" * 60 + "@bbbbbb.test", sender="a@" + "b" * 70 + ".test", edition="m"
)
def test_every_line_of_a_header_is_short_and_reads_back(
    settings: Settings, name: str, subject: str, address: str, sender: str, edition: str
) -> None:
    mailbox = Mailbox(name=name.strip(), address=sender)
    raw = composed(
        settings,
        Person(12, address, name, "zh"),
        RenditionPart((subject,)),
        sender=mailbox,
        reply_to=mailbox,
        edition=edition,
    )
    assert_lines_are_short(raw)
    message = parsed(raw)
    if "=?" not in subject:  # the parser decodes such words also where they are not encoded words
        assert str(message["Subject"]).strip() == subject.strip()
    assert addresses_of(message, "From")[0][1] == sender
    assert addresses_of(message, "Reply-To")[0][1] == sender
    assert addresses_of(message, "To")[0][1] == address
    assert str(message["Message-ID"]).strip().startswith(f"<2026-11-21-{edition}.")
    assert str(message["Feedback-ID"]).strip().startswith(f"2026-11-21-{edition}:{edition}:newsletter:")
    assert str(message["List-Id"]).startswith("早报早报")


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(
    name=st.text(st.sampled_from("李雷港口早报é a"), min_size=1, max_size=90).map(str.strip),
    subject=st.text(st.sampled_from("李雷港口早报é a"), min_size=1, max_size=90).map(str.strip),
)
def test_names_and_subjects_of_a_slot_read_back(settings: Settings, name: str, subject: str) -> None:
    slot = Slot(("subscriber.name",), "reader", SlotContext.HEADER)
    raw = composed(
        settings,
        Person(12, "li@example.org", name, "zh"),
        RenditionPart((subject + " ", ""), (slot,)),
        sender=Mailbox(name=name, address="desk@example.org"),
    )
    assert_lines_are_short(raw)
    message = parsed(raw)
    assert str(message["Subject"]).strip() == f"{subject} {name or 'reader'}".strip()
    # The parser of Python 3.11 puts a space between two encoded words of a name, so they are decoded here.
    lines = fields_of(raw)
    for field, address in (("To", "li@example.org"), ("From", "desk@example.org")):
        value = b"".join(lines[field]).decode("ascii").partition(": ")[2]
        shown, _, spec = value.rpartition("<") if "<" in value else ("", "", value)
        assert str(make_header(decode_header(shown))).strip().strip('"') == name
        assert spec.rstrip(">") == address


@pytest.mark.parametrize("length", [60, 66, 67, 68, 69, 70, 71, 200])
def test_a_plain_subject_is_folded_at_its_spaces(settings: Settings, length: int) -> None:
    subject = ("Ten headlines from the harbour " * 9)[:length].rstrip()
    raw = composed(settings, Person(1, "a@example.org"), RenditionPart((subject,)))
    lines = fields_of(raw)["Subject"]
    assert b"".join(lines) == b"Subject: " + subject.encode()
    assert max(map(len, lines)) <= 78
    assert (len(lines) == 1) is (length <= 69)

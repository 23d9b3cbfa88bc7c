"""Signatures, held against another implementation (dkimpy) that reads the message as a receiver does."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.config import Dkim, Settings, load_settings
from mailer.issue.load import load_issue
from mailer.message.dkim import (
    Signer,
    TemplateSigner,
    domains_may_align,
    relaxed_body_piece,
    relaxed_header_value,
)
from mailer.message.envelope import Person
from mailer.message.message import Message, MessageTemplate
from mailer.message.mime import encode_quoted_printable, encode_slot_value
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext
from mailer.transports.base import OutcomeKind
from mailer.transports.registry import open_transport, signer_for_transport
from tests.message.test_message import LEAVE, LEAVE_TEXT, NAME, SENT, envelope, rendition, simple
from tests.servers.smtp import SmtpServer
from tests.signing import ED25519, RSA, pem, records, rsa_key, signatures, verified, with_keys, write_key

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.name for path in (ROOT / "issues").glob("*.yaml"))
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
SPACED = st.text(st.sampled_from(" \t.\n=aé早F"), max_size=120)
COMPANY = Slot(("subscriber.attributes.company",), "", SlotContext.TEXT)
FUNCTION_SCOPED = [HealthCheck.function_scoped_fixture]


def load_signer(settings: Settings, *selectors: str) -> Signer:
    signer = signer_for_transport("smtp://mx.example.org", with_keys(settings, *selectors))
    assert signer is not None
    return signer


@pytest.fixture
def signer(settings: Settings) -> Signer:
    """RSA first, then Ed25519."""
    return load_signer(settings)


def shown(subject: str = "早报：十条新闻", before: str = "<p>你好", after: str = "</p>") -> Rendition:
    """A rendition with a slot in the subject, and others at every border of the text."""
    return rendition(
        RenditionPart((subject, "，早上好"), (Slot(("subscriber.name",), "", SlotContext.HEADER),)),
        RenditionPart((before, ' <a href="', '">x</a>' + after), (NAME, LEAVE)),
        RenditionPart(("", "  ", "\n.\n..\n  two  spaces\t\n", ""), (COMPANY, COMPANY, LEAVE_TEXT)),
    )


def composed(
    settings: Settings, signer: Signer | None, person: Person, look: Rendition | None = None
) -> bytes:
    return Message(MessageTemplate(look or shown(), envelope(settings), signer), person).raw()


READER = Person(12, "li@example.org", "李雷", "zh", {"company": "Quay  & Co "})


# -- what verifies --------------------------------------------------------------------------


@pytest.mark.parametrize("selectors", [(RSA,), (ED25519,), (RSA, ED25519), (ED25519, RSA)])
def test_each_key_makes_a_signature_that_verifies_in_its_order(
    settings: Settings, selectors: tuple[str, ...]
) -> None:
    signer = load_signer(settings, *selectors)
    raw = composed(settings, signer, READER)
    assert verified(raw, signer) == [True] * len(selectors)
    assert [tags["s"] for tags in signatures(raw)] == list(selectors)
    kinds = {RSA: "rsa-sha256", ED25519: "ed25519-sha256"}
    assert [tags["a"] for tags in signatures(raw)] == [kinds[selector] for selector in selectors]


def test_the_rest_of_the_message_is_what_it_is_without_keys(settings: Settings, signer: Signer) -> None:
    signed, plain = composed(settings, signer, READER), composed(settings, None, READER)
    assert signed.endswith(b"\r\n" + plain)
    assert b"DKIM-Signature" not in plain
    added = signed.removesuffix(plain)
    assert added.count(b"DKIM-Signature: ") == 2
    assert all(len(line) <= 78 for line in added.split(b"\r\n"))


def test_the_tags_say_what_was_done(settings: Settings, signer: Signer) -> None:
    for tags in signatures(composed(settings, signer, READER)):
        assert list(tags) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"]
        assert (tags["v"], tags["c"], tags["d"]) == ("1", "relaxed/relaxed", "news.example.org")
        assert int(tags["t"]) == SENT.timestamp()


def test_everything_but_precedence_is_signed_and_what_readers_see_once_more(
    settings: Settings, signer: Signer
) -> None:
    raw = composed(settings, signer, READER)
    (named, _) = [tags["h"].split(":") for tags in signatures(raw)]
    fields = re.findall(rb"^([A-Za-z-]+):", raw.partition(b"\r\n\r\n")[0], re.MULTILINE)
    present = [name.decode() for name in fields if name != b"DKIM-Signature"]
    assert set(present) - set(named) == {"Precedence"}
    counted = {name: named.count(name) - present.count(name) for name in named}
    assert {name for name, more in counted.items() if more == 1} == {
        *("From", "To", "Cc", "Subject", "Date", "Reply-To", "Content-Type"),
        *("List-Unsubscribe", "List-Unsubscribe-Post"),
    }
    assert set(counted.values()) == {0, 1}


@pytest.mark.parametrize(
    "person",
    [
        Person(1, "a@example.org"),
        Person(2, "b@example.org", "", "", {"company": ""}),
        Person(3, "c@example.org", "Anna  Maria\tLi", "", {"company": "a  b   c"}),
        Person(4, "d@example.org", ' "Li" ', "", {"company": " leading and trailing  "}),
        Person(5, "e@example.org", "陈" * 90, "", {"company": "港口" * 300}),
        Person(6, "f@example.org", "x" * 200, "", {"company": ".\n.dot\r\n..\n"}),
        Person(7, "g@example.org", "From me", "", {"company": "From here = there" + " " * 90}),
        Person(8, "h@bücher.example", "=?utf-8?q?x?=", "", {"company": "\t\t"}),
    ],
    ids=lambda person: person.address[0],
)
def test_slots_of_every_kind_are_signed_as_they_are_sent(
    settings: Settings, signer: Signer, person: Person
) -> None:
    raw = composed(settings, signer, person)
    assert verified(raw, signer) == [True, True]
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))


@hypothesis_settings(suppress_health_check=FUNCTION_SCOPED, deadline=None, max_examples=60)
@given(name=ANY, company=ANY | SPACED, subject=ANY, before=ANY | SPACED, after=ANY | SPACED)
@example(name="", company="", subject="", before="", after="")
@example(name=" ", company=" \t ", subject=" ", before="  ", after="  \n\n")
@example(name="\r\nBcc: x", company="\r\n.\r\n", subject="a  b", before=".", after="\n \n")
def test_any_message_verifies(
    settings: Settings, name: str, company: str, subject: str, before: str, after: str
) -> None:
    signer = load_signer(settings)
    person = Person(12, "li@example.org", name, "zh", {"company": company})
    raw = composed(settings, signer, person, shown(subject, before, after))
    assert verified(raw, signer) == [True, True]


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_variant_of_every_sample_verifies(settings: Settings, sample: str) -> None:
    desk = load_settings(ROOT)
    signer = load_signer(settings)
    loaded = load_issue(ROOT / "issues" / sample, desk)
    looks = render_variants(loaded, desk, slug="2026-11-21-x", variants=[0, 1])
    for look in looks.values():
        for person in (READER, Person(13, "a@example.net")):
            assert verified(composed(desk, signer, person, look), signer) == [True, True]


def test_one_template_signs_in_several_threads(settings: Settings, signer: Signer) -> None:
    template = MessageTemplate(shown(), envelope(settings), signer)
    people = [Person(i, f"r{i}@example.org", f"Reader  {i}", "", {"company": "x" * i}) for i in range(40)]
    made: list[list[bytes]] = [[] for _ in range(4)]

    def work(into: list[bytes]) -> None:
        into.extend(Message(template, person).raw() for person in people)

    threads = [threading.Thread(target=work, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made[0] == made[1] == made[2] == made[3]  # both kinds of signature are deterministic
    assert all(verified(raw, signer) == [True, True] for raw in made[0])


# -- what does not --------------------------------------------------------------------------


def _pairs(raw: bytes) -> Iterable[tuple[str, bytes]]:
    """The message, changed in one place, for each field that is signed and some places of the body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b": ")
        if colon and name not in (b"DKIM-Signature", b"Precedence"):
            at = raw.index(b"\r\n" + line) + 2 + len(name) + 2 + len(value) // 2
            yield name.decode(), raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    start = len(raw) - len(body)
    visible = [i for i in range(start, len(raw)) if raw[i] not in b"\r\n \t"]
    for at in (visible[0], visible[len(visible) // 2], visible[-1]):
        yield f"body at {at - start}", raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def test_one_changed_byte_in_any_field_or_in_the_body_is_seen(settings: Settings, signer: Signer) -> None:
    raw = composed(settings, signer, READER)
    changed = dict(_pairs(raw))
    assert {"From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Id"} < set(changed)
    for place, data in changed.items():
        assert len(data) == len(raw)
        assert verified(data, signer) == [False, False], place


@pytest.mark.parametrize(
    "field",
    [
        *("From: x@evil.example", "Subject: x", "To: x@y.test", "Cc: x@y.test", "Reply-To: x@evil.example"),
        *("Date: x", "List-Unsubscribe: <https://evil.example>", "Content-Type: text/html"),
    ],
)
def test_a_field_that_is_added_is_seen(settings: Settings, signer: Signer, field: str) -> None:
    line = field.encode() + b"\r\n"
    raw = composed(settings, signer, READER)
    assert verified(line + raw, signer) == [False, False]
    assert verified(raw.replace(b"\r\nMIME-Version", b"\r\n" + line + b"MIME-Version"), signer) == [
        False,
        False,
    ]


def test_something_after_the_end_is_seen(settings: Settings, signer: Signer) -> None:
    raw = composed(settings, signer, READER)
    assert verified(raw + b"more\r\n", signer) == [False, False]


def test_what_a_relay_may_do_is_not_taken_for_a_change(settings: Settings, signer: Signer) -> None:
    raw = composed(settings, signer, Person(1, "a@example.org", "Anna  Maria", "", {"company": "a  b"}))
    relayed = b"Received: from a by b; Sat, 21 Nov 2026 00:00:01 +0000\r\n" + raw + b"\r\n\r\n"
    relayed = relayed.replace(b'"Anna  Maria" ', b'"Anna Maria"\r\n ').replace(b"a  b", b"a b")
    relayed = relayed.replace(b"Precedence: bulk\r\n", b"")
    assert len(relayed) != len(raw)
    assert b'"Anna Maria"\r\n ' in relayed
    assert verified(relayed, signer) == [True, True]


def test_another_key_in_dns_does_not_verify(settings: Settings, signer: Signer, tmp_path: Path) -> None:
    raw = composed(settings, signer, READER)
    write_key(tmp_path / "other.pem", pem(rsa_key(number=1)))
    files = {RSA: str(tmp_path / "other.pem"), ED25519: f".dkim/{ED25519}.pem"}
    other = signer_for_transport("smtp:", settings.model_copy(update={"dkim": Dkim(keys=files)}))
    assert other is not None
    assert verified(raw, other) == [False, True]


# -- canonical forms ------------------------------------------------------------------------


@given(before=ANY | SPACED, value=ANY | SPACED, after=ANY | SPACED)
@example(before=" ", value=" ", after=" ")
@example(before="a\t", value="", after="\t \n \n")
def test_pieces_are_canonical_each_by_itself(before: str, value: str, after: str) -> None:
    pieces = [
        encode_quoted_printable(before),
        encode_slot_value(value),
        encode_quoted_printable(after),
        b"\r\n--end--\r\n",
    ]
    assert b"".join(map(relaxed_body_piece, pieces)) == Relaxed.canonicalize_body(b"".join(pieces))


@given(st.text(st.sampled_from(' \tab:,"'), min_size=1, max_size=60), st.booleans())
def test_values_of_fields_are_canonical(text: str, folded: bool) -> None:
    value = b" " + (b"\r\n ".join(text.encode().split(b"a")) if folded else text.encode())
    ((_, expected),) = Relaxed.canonicalize_headers([(b"X", value)])
    assert relaxed_header_value(value) == expected.removesuffix(b"\r\n")


def test_a_field_that_differs_only_in_part_cannot_be_sealed(signer: Signer) -> None:
    with pytest.raises(ValueError, match="Subject is signed, so its whole value"):
        TemplateSigner(signer, [b"Subject: a ", b"\r\nX: y\r\n\r\nbody\r\n"], 1)


def test_a_field_that_stands_twice_cannot_be_sealed(signer: Signer) -> None:
    with pytest.raises(ValueError, match="a signed header field occurs twice"):
        TemplateSigner(signer, [b"List-Id: <a>\r\nlist-id: ", b"\r\n\r\nbody\r\n"], 1)


# -- by SMTP --------------------------------------------------------------------------------


def test_what_arrives_by_smtp_verifies(settings: Settings, signer: Signer) -> None:
    people = [
        Person(1, "a@example.org", "李雷", "", {"company": ".leading dot"}),
        Person(2, "b@example.org", "", "", {"company": "..\n.\n"}),
        Person(3, "c@example.org", "x", "", {"company": "trailing  "}),
    ]
    template = MessageTemplate(shown(before=".\n..\n.", after="\n.\n"), envelope(settings), signer)
    messages = [Message(template, person) for person in people]
    with SmtpServer() as server:
        channel = open_transport(server.url, settings).channel()
        outcomes = channel.send(messages)
        channel.close()
    assert [outcome.result for outcome in outcomes] == [OutcomeKind.ACCEPTED] * 3
    for received, message in zip(server.received, messages, strict=True):
        assert received.data == message.raw()
        assert verified(received.data, signer) == [True, True]


def test_an_address_with_letters_beyond_ascii_is_signed_as_it_is(settings: Settings, signer: Signer) -> None:
    """RFC 8616: fields are hashed as the octets that they are; d= and s= are ASCII all the same."""
    message = Message(
        MessageTemplate(simple(), envelope(settings), signer), Person(1, "用户@bücher.example", "李")
    )
    with SmtpServer(smtputf8=True) as server:
        channel = open_transport(server.url, settings).channel()
        (outcome,) = channel.send([message])
        channel.close()
    assert outcome.result is OutcomeKind.ACCEPTED
    (received,) = server.received
    assert "用户@xn--bcher-kva.example".encode() in received.data
    assert verified(received.data, signer) == [True, True]
    assert verified(received.data.replace("用户".encode(), "用戶".encode()), signer) == [False, False]


# -- who signs what -------------------------------------------------------------------------


def test_nobody_signs_without_keys_or_by_sendgrid(settings: Settings) -> None:
    assert signer_for_transport("smtp://mx.example.org", settings) is None
    missing = settings.model_copy(update={"dkim": Dkim(keys={"s": "not-there.pem"})})
    assert signer_for_transport("sendgrid:", missing) is None


def test_the_outbox_is_signed_too(settings: Settings, signer: Signer) -> None:
    signed = with_keys(settings)
    assert signer_for_transport("outbox:outbox", signed) is not None
    message = Message(MessageTemplate(shown(), envelope(signed), signer), READER)
    (outcome,) = open_transport("outbox:outbox", signed).channel().send([message])
    assert verified((settings.root / "outbox" / outcome.provider_id).read_bytes(), signer) == [True, True]


def test_the_domain_may_be_another_than_that_of_from(settings: Settings) -> None:
    keyed = with_keys(settings)
    other = keyed.model_copy(update={"dkim": keyed.dkim.model_copy(update={"domain": "example.org"})})
    signer = signer_for_transport("smtp:", other)
    assert signer is not None
    raw = composed(other, signer, READER)
    assert [tags["d"] for tags in signatures(raw)] == ["example.org"] * 2
    assert set(records(signer)) == {f"{s}._domainkey.example.org." for s in (RSA, ED25519)}
    assert verified(raw, signer) == [True, True]


@pytest.mark.parametrize(
    ("signing", "sender", "aligned"),
    [
        ("news.example.org", "news.example.org", True),
        ("example.org", "news.example.org", True),
        ("mail.example.org", "news.example.org", True),
        ("example.org", "Example.ORG", True),
        ("provider.example", "news.example.org", False),
        ("notexample.org", "example.org", False),
    ],
)
def test_what_surely_does_not_align_is_known(signing: str, sender: str, aligned: bool) -> None:
    assert domains_may_align(signing, sender) is aligned

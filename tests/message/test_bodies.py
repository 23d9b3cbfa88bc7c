"""A part of a body reads back as the text that it was made from, in both encodings; signatures verify."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.config import Settings
from mailer.message.bodies import Base64Body, QuotedPrintableBody, encode_body
from mailer.message.envelope import Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext
from mailer.transports.registry import signer_for_transport
from tests.message.test_message import NAME, envelope, rendition
from tests.message.test_paragraphs import TEXT as WITH_PARAGRAPHS
from tests.signing import verified, with_keys

#: Texts of every length from none to some lines, with characters of one to four octets.
PIECE = st.text(st.characters(exclude_categories=["Cs"]), max_size=70) | st.text(
    st.sampled_from("a港é𠀀.\n F"), max_size=120
)
PATHS = tuple(f"subscriber.attributes.a{number}" for number in range(5))
SLOTS = tuple(Slot((path,), "", SlotContext.TEXT) for path in PATHS)


def part_of(fragments: list[str], reused: int) -> RenditionPart:
    """A part with a slot between each two fragments. `reused` says how many slots differ."""
    return RenditionPart(tuple(fragments), tuple(SLOTS[i % reused] for i in range(len(fragments) - 1)))


def joined(body: Base64Body | QuotedPrintableBody, values: dict[str, str]) -> bytes:
    pieces = [body.fragments[0]]
    for value, fragment in zip(body.encode(values), body.fragments[1:], strict=True):
        pieces += (value, fragment)
    return b"".join(pieces)


def decoded(body: Base64Body | QuotedPrintableBody, values: dict[str, str]) -> bytes:
    """What the standard library reads of a part."""
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
    message = message_from_bytes(
        head + body.transfer_encoding + b"\r\n\r\n" + joined(body, values), policy=default
    )
    data = message.get_payload(decode=True)
    assert isinstance(data, bytes)
    assert message.defects == []
    return data


def crlf(text: str) -> bytes:
    return re.sub("\r\n|\r|\n", "\r\n", text).encode()


@given(
    fragments=st.lists(PIECE, min_size=1, max_size=6),
    filled=st.lists(PIECE, min_size=5, max_size=5),
    reused=st.integers(1, 5),
)
@example(fragments=["", ""], filled=[""] * 5, reused=1)
@example(fragments=["a", "b", "c", "d", "e", "f"], filled=["", "x", "", "y", ""], reused=5)
@example(fragments=["ab", "", "", "c"], filled=["", "", "1", "", ""], reused=3)
@example(fragments=["港口" * 60, "a"], filled=["港" * 100] * 5, reused=1)
def test_both_encodings_read_back(fragments: list[str], filled: list[str], reused: int) -> None:
    part = part_of(fragments, reused)
    values = dict(zip(PATHS, filled, strict=True))
    wanted = "".join(
        text
        for number, fragment in enumerate(fragments)
        for text in (fragment, part.slots[number].fill(values) if number < len(part.slots) else "")
    )
    base64, quoted = Base64Body(part), QuotedPrintableBody(part)
    assert decoded(base64, values) == b"".join(map(crlf, _pieces(part, values)))
    assert crlf(decoded(quoted, values).decode()) == decoded(base64, values) + b"\r\n"
    if "\r" not in wanted:
        assert decoded(base64, values) == crlf(wanted)
    lines = joined(base64, values).split(b"\r\n")
    assert lines.pop() == b""
    assert all(re.fullmatch(rb"[A-Za-z0-9+/]{2,76}={0,2}", line) and len(line) <= 76 for line in lines)
    assert all(len(line) % 4 == 0 and b"=" not in line for line in lines[:-1])


def _pieces(part: RenditionPart, values: dict[str, str]) -> list[str]:
    found = [part.fragments[0]]
    for slot, fragment in zip(part.slots, part.fragments[1:], strict=True):
        found += (slot.fill(values), fragment)
    return found


@given(name=PIECE, mail=PIECE)
def test_paragraphs_that_are_wrapped_for_a_reader_read_back(name: str, mail: str) -> None:
    values = {"subscriber.name": name, "subscriber.email": mail, "links.unsubscribe": "https://a.test/x"}
    assert decoded(Base64Body(WITH_PARAGRAPHS), values) == crlf(WITH_PARAGRAPHS.fill(values))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The harbour rests today.\n" * 20, b"quoted-printable"),
        ("港口今天休息。\n" * 20, b"base64"),
        ("", b"quoted-printable"),
        ("Un café au port, s'il vous plaît.\n", b"quoted-printable"),
        ("a" * 1000 + "é" * 100, b"quoted-printable"),
        ("a" * 1000 + "港" * 100, b"base64"),
    ],
)
def test_base64_is_chosen_where_it_is_shorter(text: str, encoding: bytes) -> None:
    assert encode_body(RenditionPart((text,))).transfer_encoding == encoding


@given(PIECE, st.integers(1, 40))
def test_base64_is_at_least_five_percent_shorter(text: str, times: int) -> None:
    part = RenditionPart((text * times,))
    sizes = [len(joined(body, {})) for body in (Base64Body(part), QuotedPrintableBody(part))]
    chosen = encode_body(part).transfer_encoding
    if sizes[0] < 0.94 * sizes[1] - 8:
        assert chosen == b"base64"
    if sizes[0] > 0.95 * sizes[1] + 8:
        assert chosen == b"quoted-printable"


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(
    fragments=st.lists(PIECE, min_size=1, max_size=5),
    filled=st.lists(PIECE, min_size=5, max_size=5),
    name=PIECE,
)
def test_a_signed_message_in_base64_verifies(
    settings: Settings, fragments: list[str], filled: list[str], name: str
) -> None:
    signer = signer_for_transport("smtp:", with_keys(settings))
    assert signer is not None
    text = part_of([*fragments, "港口今天休息。" * 40], 5)
    html = RenditionPart(("<p>港口" * 20, "</p>" + "港口" * 40 + "<p>"), (NAME,))
    person = Person(12, "li@example.org", name, "zh", dict(zip([p[22:] for p in PATHS], filled, strict=True)))
    template = MessageTemplate(rendition(RenditionPart(("早报",)), html, text), envelope(settings), signer)
    raw = Message(template, person).raw()
    assert raw.count(b"Content-Transfer-Encoding: base64\r\n") == 2
    assert verified(raw, signer) == [True, True]
    values = template.envelope.slot_values(person)
    message = message_from_bytes(raw, policy=default)
    for kind, part in (("plain", text), ("html", html)):
        body = message.get_body((kind,))
        assert body is not None
        assert body.get_payload(decode=True) == b"".join(map(crlf, _pieces(part, values)))
    lines = raw.split(b"\r\n")
    assert not [line for line in lines if line.startswith((b".", b"From ", b"\n"))]

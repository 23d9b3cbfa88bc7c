"""A message shows what `Part.fill` says, also where a paragraph is wrapped again for its reader."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.config import Settings
from mailer.message.envelope import Person
from mailer.message.message import Message, MessageTemplate
from mailer.message.mime import LINE, encode_slot_value, quoted_printable
from mailer.message.paragraphs import EncodedParagraph
from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import RenditionPart
from mailer.render.slots.text_part import text_part
from mailer.render.text.wrap import LIMIT, display_width, wrap
from tests.message.test_message import NAME, bodies, built_slowly, envelope, parsed, rendition

MARKERS = Markers("seed")
WHO = MARKERS.make(("subscriber.name",), "reader", ("x", 1))
MAIL = MARKERS.make(("subscriber.email",), "", ("x", 1))
LEAVE = MARKERS.make(("links.unsubscribe",), "", ("x", 1))
WORDS = "the harbour rests today and nobody knows why, 港口今天休息，没有人知道为什么。"
TEXT = text_part(
    f"{WHO}\n\n{wrap(f'Dear {WHO}, {WORDS} {WHO} {WORDS}')}\n.\n{wrap(f'{WORDS} {MAIL}')}\n{WHO}\n{LEAVE}\n",
    MARKERS,
)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=ANY
    | st.lists(st.sampled_from(["From ", ".", "名字", "word ", "é ", "\n"]), max_size=20).map("".join)
)
@example(name="word " * 20)
@example(name="名" * 60)
@example(name="From Bob")
@example(name=".")
def test_what_is_composed_is_what_fill_says(settings: Settings, name: str) -> None:
    shown = rendition(RenditionPart(("s",)), RenditionPart(("<p>", "</p>"), (NAME,)), TEXT)
    person = Person(12, "li@example.org", name, "zh")
    raw = Message(MessageTemplate(shown, envelope(settings)), person).raw()
    assert bodies(parsed(raw)) == bodies(parsed(built_slowly(settings, shown, person).as_bytes()))
    body = raw.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert [line for line in body if len(line) > LINE or line.startswith((b".", b"From "))] == []


@given(ANY)
def test_lines_are_no_longer_than_they_may_be(name: str) -> None:
    text = TEXT.fill({"subscriber.name": name, "subscriber.email": "a@example.org"})
    for line in text.split("\n"):
        assert display_width(line) <= LIMIT or not any(mark in line.strip() for mark in " ，。")


def test_only_a_reader_with_long_values_costs_a_wrapping() -> None:
    part = text_part(wrap(f"Dear {WHO}, {WORDS}"), MARKERS)
    (paragraph,) = part.paragraphs
    ready = EncodedParagraph(part, paragraph)
    for name in ("Al", "名字", "word " * 20):
        filled = [name]
        text = part.fill({"subscriber.name": name}).removesuffix("\n")
        assert ready.fill({"subscriber.name": name}) == text
        encoded = ready.encode(filled, [encode_slot_value(name)])
        assert (encoded == quoted_printable(text)) is (len(name) > 20)


@pytest.mark.parametrize("value", ["From me", "x" * 75 + "From me", "a\nFrom me", ".", "x" * 75 + "."])
def test_no_encoded_line_begins_with_a_mark_of_mailboxes(value: str) -> None:
    for data in (quoted_printable(value), encode_slot_value(value), b"=\r\n" + quoted_printable(value)):
        assert not [line for line in data.split(b"\r\n") if line.startswith((b"From ", b"."))]

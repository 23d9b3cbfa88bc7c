"""A message shows what `Part.fill` says, also where a paragraph is wrapped again for its reader."""

from __future__ import annotations

import quopri
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.config import Settings
from mailer.message import paragraphs
from mailer.message.envelope import Person
from mailer.message.message import Message, MessageTemplate
from mailer.message.mime import LINE, encode_quoted_printable, encode_slot_value
from mailer.message.paragraphs import EncodedParagraph
from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import Paragraph, RenditionPart, join_fragments
from mailer.render.slots.text_part import text_part
from mailer.render.text.wrap import LIMIT, display_width, wrap
from tests.message.test_message import NAME, bodies, built_slowly, envelope, parsed, rendition

MARKERS = Markers("seed")
WHO = MARKERS.make_marker(("subscriber.name",), "reader", ("x", 1))
MAIL = MARKERS.make_marker(("subscriber.email",), "", ("x", 1))
LEAVE = MARKERS.make_marker(("links.unsubscribe",), "", ("x", 1))
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
        assert (encoded == encode_quoted_printable(text)) is (len(name) > 20)


@pytest.mark.parametrize("value", ["From me", "x" * 75 + "From me", "a\nFrom me", ".", "x" * 75 + "."])
def test_no_encoded_line_begins_with_a_mark_of_mailboxes(value: str) -> None:
    for data in (
        encode_quoted_printable(value),
        encode_slot_value(value),
        b"=\r\n" + encode_quoted_printable(value),
    ):
        assert not [line for line in data.split(b"\r\n") if line.startswith((b"From ", b"."))]


PIECES = (
    *(WHO, MAIL, LEAVE) * 2,
    *(
        "word ",
        "a",
        "港口今天休息，",
        "（",
        "）",
        "한국어 ",
        "한국어",
        "を",
        "“",
        "ไทย",
        "נמל",
        "…",
        "—",
        "é",
        ": ",
        "://x ",
        "slot",
        ".",
        "“",
        " ",
        "- ",
    ),
    *("https://a.test/", "mailto:", "\u0301", "\ufe0f\u20e3", "\u00a0", "\u200b", "long " * 9, "港" * 30),
)
SOURCE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join)
FIRST = "", "https://", "名", "-", "slot"
LAST = "", "http", "mailto", "7", "slot" + "0" * 24 + "x1z", "名", "-"
#: The beginning, the end and the length of the value of each of the three slots.
VALUES = st.tuples(
    *[st.tuples(st.sampled_from(FIRST), st.sampled_from(LAST), st.sampled_from([1, 3, 11, 36, 70]))] * 3
)


def long_values(reader: tuple[tuple[str, str, int], ...]) -> dict[str, str]:
    texts = [
        (first + "q" * size)[:size] if size < len(first + last) else first.ljust(size - len(last), "q") + last
        for first, last, size in reader
    ]
    return dict(zip(("subscriber.name", "subscriber.email", "links.unsubscribe"), texts, strict=True))


@hypothesis_settings(deadline=None, max_examples=300)
@given(
    source=SOURCE, first=st.sampled_from(["", "> ", "• "]), readers=st.lists(VALUES, min_size=2, max_size=8)
)
@example(
    source=f"You read this at {MAIL}. To leave, go to {LEAVE} now.",
    first="> ",
    readers=[
        (("", "", 3), ("", "7", 36), ("https://", "", 70)),
        (("", "", 3), ("", "q", 36), ("https://", "7", 70)),
    ],
)
@example(  # a value that makes the text after it a URL
    source=f"{'long ' * 9}{WHO}://x 港口港口{WHO}",
    first="",
    readers=[(("", "", 36),) * 3, (("", "http", 36),) * 3],
)
@example(  # a keycap is as wide as two letters
    source=f"{'港' * 30}{WHO}\ufe0f\u20e3港口{'港' * 30}",
    first="",
    readers=[(("", "", 11),) * 3, (("", "7", 11),) * 3],
)
@example(  # the marker of a slot counts as 12 columns
    source=f"{'long ' * 9}{WHO} {'long ' * 9}",
    first="",
    readers=[(("", "", 70),) * 3, (("", LAST[4], 70),) * 3],
)
@example(  # a line may end before a URL also where there is no space
    source=f"{'long ' * 9}\u200b{WHO}", first="", readers=[(("", "", 36),) * 3, (("https://", "", 36),) * 3]
)
@example(  # a mark makes the digit before it wider
    source=f"{WHO}（{WHO}\ufe0f\u20e3{MAIL}{MAIL}",
    first="> ",
    readers=[(("", "7", 36), ("", "", 1), ("", "", 1))],
)
@example(  # a URL is a word of its own
    source=f"港口港口{WHO}港口 {'long ' * 9}",
    first="",
    readers=[(("", "", 70),) * 3, (("https://", "", 70),) * 3],
)
def test_a_layout_that_readers_share_is_what_each_alone_would_get(
    source: str, first: str, readers: list[tuple[tuple[str, str, int], ...]]
) -> None:
    part = text_part(wrap(first + source), MARKERS)
    for paragraph in part.paragraphs:
        shared = EncodedParagraph(part, paragraph)
        for reader in readers:
            values = long_values(reader)
            filled = [slot.fill(values) for slot in shared.slots]
            alone = paragraph.wrapped_if_too_long(
                join_fragments(paragraph.own_fragments(part.fragments), filled), filled
            )
            assert shared.fill(values) == alone
            encoded = shared.encode(filled, [encode_slot_value(value) for value in filled])
            assert quopri.decodestring(encoded).decode() == alone.replace("\n", "\r\n")


def test_readers_with_links_of_one_length_cost_one_wrapping(monkeypatch: pytest.MonkeyPatch) -> None:
    part = text_part(wrap(f"To leave this list, open {LEAVE} in a browser."), MARKERS)
    (paragraph,) = part.paragraphs
    wrapped: list[str] = []
    rewrap = Paragraph.wrapped_if_too_long

    def counted(self: Any, shown: str, filled: Sequence[str]) -> str:
        wrapped.append(shown)
        return rewrap(self, shown, filled)

    monkeypatch.setattr(Paragraph, "wrapped_if_too_long", counted)
    ready = EncodedParagraph(part, paragraph)
    for number in range(100, 200):
        link = f"https://news.example.org/leave/{number}/{'q' * 40}"
        text = ready.encode([link], [encode_slot_value(link)])
        assert (
            quopri.decodestring(text).decode().split()
            == f"To leave this list, open {link} in a browser.".split()
        )
    assert len(wrapped) == 1
    for size in range(2 * paragraphs._MAX_LAYOUTS):
        ready.fill({"links.unsubscribe": "https://" + "q" * (size + 80)})
    assert len(ready._layouts) == paragraphs._MAX_LAYOUTS

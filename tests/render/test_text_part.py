"""The finished text part: slots within addresses, and paragraphs that are wrapped again for a reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import ThemeError
from mailer.render.rendition import Rendition
from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import RenditionPart, SlotContext
from mailer.render.slots.text_part import text_part
from mailer.render.text.wrap import LIMIT, display_width, wrap

Render = Callable[..., Rendition]
MARKERS = Markers("seed")
NAME = MARKERS.make_marker(("subscriber.name",), "reader", ("x", 1))
CITY = MARKERS.make_marker(("subscriber.attributes.city",), "", ("x", 1))
LEAVE = MARKERS.make_marker(("links.unsubscribe",), "", ("x", 1))
ENGLISH = "welcome to the evening edition, in which three stories speak of the harbour and one does not."
CHINESE = (
    "早上好。离年末大促还有三周，新闻几乎都绕着同一个问题：货该放在哪里。仓库、关口和冷柜都在给出自己的答案。"
)
NAMES = [
    "Al",
    "Maria Anna Theresa Josepha von und zu Lothringen the Younger",
    "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaefers"[:60],
    "买买提明阿卜杜拉买买提明阿卜杜拉买买提明阿卜杜拉买买提明",
    "Zoe\u0308 " * 20,
    "👩‍👩‍👧‍👦" * 12,
    "가나다라마바사아자차카타파하 가나다라마바사아자차카타파하 가나다라",
]


def long_lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if display_width(line) > LIMIT]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("indent", ["", "  | ", "> > "])
@pytest.mark.parametrize(
    "words", [f"Dear {NAME}, {ENGLISH}", f"{NAME}，{CHINESE}", f"{ENGLISH} {NAME} {ENGLISH} {NAME}"]
)
def test_lines_with_slots_are_wrapped_for_each_reader(words: str, indent: str, name: str) -> None:
    part = text_part(f"one\n\n{wrap(words, 72, indent)}\ntwo\n", MARKERS)
    text = part.fill({"subscriber.name": name})
    assert long_lines(text) == []
    assert text.startswith(f"one\n\n{indent}")
    assert text.endswith("\ntwo\n")
    typed = words.replace(NAME, name)
    inside = [line.removeprefix(indent.rstrip()) for line in text.split("\n")[2:-2]]
    assert "".join("".join(inside).split()) == "".join(typed.split())


def test_a_short_name_leaves_the_lines_as_they_are() -> None:
    wrapped = wrap(f"Dear {NAME}, {ENGLISH}")
    part = text_part(wrapped, MARKERS)
    assert (
        part.fill({"subscriber.name": "x" * 12})
        == re.sub("[\ufdd0-\ufdef]", "", wrapped.replace(NAME, "x" * 12)) + "\n"
    )


def test_a_bullet_hangs_again() -> None:
    part = text_part(wrap(f"• {NAME} one two three four five six seven eight nine ten"), MARKERS)
    lines = part.fill({"subscriber.name": "long " * 10}).split("\n")
    assert lines[0].startswith("• long long")
    assert lines[1].startswith("  ")


def test_a_line_of_a_template_that_does_not_wrap_is_wrapped_where_it_must_be() -> None:
    part = text_part(f"> Dear {NAME}, {ENGLISH[:40]}\n", MARKERS)
    assert part.fill({}).count("\n") == 1
    lines = part.fill({"subscriber.name": NAMES[1]}).split("\n")
    assert long_lines("\n".join(lines)) == []
    assert lines[1].startswith("> ")


def test_code_with_a_slot_is_never_wrapped(render: Render) -> None:
    body = "```\nprint(   '{{ subscriber.name }}'   )   # says the name\n```"
    rendition = render("items: [{title: One, body: " + json.dumps(body) + "}]")
    text = rendition.text.fill({"subscriber.name": NAMES[1]})
    assert f"    print(   '{NAMES[1]}'   )   # says the name\n" in text


def test_two_paragraphs_and_a_link_are_told_apart() -> None:
    text = f"{wrap(f'Dear {NAME}, {ENGLISH}')}\n{wrap(f'{CITY}: {ENGLISH}')}\n{LEAVE}\n"
    part = text_part(text, MARKERS)
    assert [(each.slot, each.end_slot) for each in part.paragraphs] == [(0, 1), (1, 2)]
    link = "https://news.example.org/u/" + "x" * 90
    filled = part.fill(
        {"subscriber.name": NAMES[1], "subscriber.attributes.city": NAMES[3], "links.unsubscribe": link}
    )
    assert long_lines(filled) == [link]


def test_a_part_is_read_back_and_old_ones_are_as_they_were() -> None:
    part = text_part(wrap(f"Dear {NAME}, {ENGLISH} {NAME}"), MARKERS)
    assert part.paragraphs
    assert RenditionPart.from_json(json.loads(json.dumps(part.to_json()))) == part
    old = {
        "fragments": ["Dear ", "\n"],
        "slots": [{"paths": ["subscriber.name"], "default": "", "context": "text"}],
    }
    again = RenditionPart.from_json(old)
    assert again.to_json() == old
    assert again.fill({"subscriber.name": "long " * 30}) == "Dear " + "long " * 30 + "\n"


@pytest.mark.parametrize(
    ("text", "context"),
    [
        (f"x <https://e.test/?c={CITY}>", SlotContext.URL),
        (f"https://e.test/?c={CITY}", SlotContext.URL),
        (f"https://{CITY}.e.test/", SlotContext.URL),
        (f"<mailto:a@e.test?subject={CITY}>", SlotContext.URL),
        (f"<tel:{CITY}>", SlotContext.URL),
        (f"www.e.test/{CITY}/x", SlotContext.URL),
        (f"<https://e.test/a_(b)/{CITY}>", SlotContext.URL),
        (f"x <https://e.test/>{CITY}", SlotContext.TEXT),
        (f"(https://e.test/){CITY}", SlotContext.TEXT),
        (f"https://e.test/，{CITY}", SlotContext.TEXT),
        (f"https://e.test/ {CITY}", SlotContext.TEXT),
        (f"Tel: {CITY}", SlotContext.TEXT),
        (f"Tel:{CITY}", SlotContext.TEXT),
        (f"<{CITY}>", SlotContext.TEXT),
        (CITY, SlotContext.TEXT),
    ],
)
def test_a_slot_within_an_address_is_percent_encoded(text: str, context: SlotContext) -> None:
    part = text_part(text, MARKERS)
    assert [slot.context for slot in part.slots] == [context]


@given(st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_value_reshapes_a_link(city: str) -> None:
    part = text_part(wrap(f"see x <https://e.test/?c={CITY}>, or not"), MARKERS)
    filled = part.fill({"subscriber.attributes.city": city})
    assert re.fullmatch(r"see x\s<https://e\.test/\?c=[A-Za-z0-9_.~%-]*>,\sor\snot\n", filled)


def test_an_address_with_a_slot_is_the_same_in_both_parts(render: Render) -> None:
    url = "https://e.test/?city={{ subscriber.attributes.city }}"
    rendition = render(f"items: [{{title: One, body: '[x]({url}){{{{ subscriber.attributes.city }}}}'}}]")
    values = {"subscriber.attributes.city": "São Paulo & <co>"}
    address = "https://e.test/?city=S%C3%A3o%20Paulo%20%26%20%3Cco%3E"
    assert f"x <{address}>São Paulo & <co>\n" in rendition.text.fill(values)
    assert f'href="{address}"' in rendition.html.fill(values)


def test_a_marker_in_pieces_is_refused() -> None:
    with pytest.raises(ThemeError, match="has cut a slot into pieces"):
        text_part(f"{NAME[:12]}\n{NAME[12:]}", MARKERS)


def test_marks_that_stand_alone_are_dropped() -> None:
    assert text_part("a\ufdd0b\ufdd1\n\ufdd3\nc\ufdd2", MARKERS).fill({}) == "ab\n\nc\n"


def test_many_blanks_are_left_as_they_are() -> None:
    assert text_part(f"a{' ' * 60_000}b  \n", MARKERS).fragments == (f"a{' ' * 60_000}b\n",)

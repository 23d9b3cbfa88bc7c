from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import fromstring
from markdown_it import MarkdownIt

from mailer.issue.markdown import document
from mailer.render.markdown.cell_widths import (
    TextRun,
    fits_on_one_line,
    is_number,
    min_cell_width,
    split_cell_text,
)
from mailer.render.markdown.html import MarkdownSource, MarkdownText
from mailer.render.markdown.tables import FULL, PHONE, lay_out_tables

WIDE = (
    "| Berth | Fee | Tonnes | Agent |\n|:--|--:|--:|---|\n"
    "| Upper Reach | 2,310.75 | 23,456,789 | Tide & Co. |\n"
)
CELLS = st.lists(
    st.text(st.sampled_from("aeiouMW019.,-–/%€ 港口运한국，。éя"), max_size=30).map(str.strip),
    min_size=1,
    max_size=6,
)


def read(text: str, **more: Any) -> MarkdownText:
    def nothing(*_: object) -> Any:
        return None

    return MarkdownText(MarkdownSource(document.parse_markdown(text), nothing, **more))


def words(html: str) -> list[str]:
    """The words of HTML without the heads that are repeated in stacked rows."""
    page = fromstring(f"<div>{html}</div>")
    for label in page.cssselect(".rowlabel"):
        label.drop_tree()
    return re.findall(r"[^\W_]+", " ".join(cell.text_content() for cell in page.cssselect("th, td")))


@pytest.mark.parametrize(
    "text",
    [
        *("1,204.50", "+3.4 %", "−11.0%", "12,345,678", "€ 5", "5 €", "10:30–11:00", "2026-11-26"),
        *("1 204 000", "(3.5)", "USD 12", "12 km", "~7", "21°", "3.4 %*"),
    ],
)
def test_numbers_with_signs_and_units_are_numbers(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "–", "at once", "3 of 4 ships", "x1", "1 January 2027", "九", "1" * 30])
def test_words_are_no_numbers(text: str) -> None:
    assert not is_number(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("up 3.4 % on 2,000", ["3.4 %"]),
        ("well-known names", ["well-known"]),
        ("open 10:00–11:30, daily", ["10:00–11:30,"]),
        ("20 000 t of ore", ["20 000"]),
        ("부산항 컨테이너", ["부산항", "컨테이너"]),
        ("上湾3.5 %箱and/or口", ["3.5 %", "and/or"]),
        ("plain words, “quoted” ones; 1,204.50", []),
    ],
)
def test_words_that_a_browser_would_break_are_kept_whole(text: str, kept: list[str]) -> None:
    assert [piece for piece, kind in split_cell_text(text, 20) if kind == "whole"] == kept


def test_a_long_address_may_break_and_the_words_beside_it_may_not() -> None:
    address = "https://www.example.org/a/b?c=1&d=2"
    assert list(split_cell_text(f"see {address} now", 20)) == [
        ("see ", "plain"),
        (address, "long"),
        (" now", "plain"),
    ]


@settings(deadline=None)
@given(st.text(max_size=80), st.integers(1, 40))
def test_pieces_are_the_text(text: str, room: int) -> None:
    assert "".join(piece for piece, _ in split_cell_text(text, room)) == text


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_cell_needs_no_more_than_a_line_of_it(text: str) -> None:
    assert (
        0
        <= min_cell_width([TextRun(text)], 20)
        <= max(min_cell_width([TextRun(text.replace(" ", "x"))], 1e9), 24) + 8
    )


@settings(deadline=None)
@given(st.lists(CELLS, min_size=2, max_size=4))
def test_mail_and_web_page_hold_the_same_words(rows: list[list[str]]) -> None:
    width = max(map(len, rows))
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * width)
    rich = read("\n".join(lines))
    typed = re.findall(r"[^\W_]+", " ".join(" ".join(row) for row in rows))
    assert words(rich.html) == typed
    assert words(rich.mail) == typed


def test_the_tokens_given_stay_as_they_are() -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(WIDE)
    before = deepcopy(tokens)
    lay_out_tables(tokens, for_mail=True)
    lay_out_tables(tokens, for_mail=False)
    assert tokens == before


def test_a_narrow_table_is_a_table_and_a_wide_one_is_stacked() -> None:
    narrow = read("| a | b |\n|---|--:|\n| x | 12 |\n")
    assert '<table class="data"' in narrow.mail
    assert "rowlabel" not in narrow.mail
    wide = read(WIDE)
    assert '<table class="data stack roomy"' in wide.mail
    assert wide.mail.count('class="rowlabel"') == 3
    assert 'role="region" tabindex="0" aria-label="Berth, Fee, Tonnes, Agent"' in wide.html
    assert "rowlabel" not in wide.html
    assert "role" not in narrow.html


def test_a_table_takes_a_smaller_size_before_it_is_stacked() -> None:
    middling = "| Harbour | Tonnes | Rate |\n|---|--:|--:|\n| Southwestport | 12,345,678 | +3.4 % |\n"
    assert 'class="data small"' in read(middling).mail
    assert 'class="data stack roomy"' in read(middling, width=FULL - 60).mail
    assert 'class="data stack roomy"' in read("> " + middling.replace("\n|", "\n> |")).mail
    assert PHONE < FULL


def test_a_table_too_wide_for_any_mail_is_always_stacked() -> None:
    row = "| " + " | ".join(["Extraordinary"] * 7) + " |\n"
    assert 'class="data stack always"' in read(row + "|---" * 7 + "|\n" + row).mail


def test_labels_end_as_their_language_does() -> None:
    table = (
        "| 港口 | 何时？ | Why? | When | |\n|---|---|---|---|---|\n"
        "| 上湾三号泊位码头 | 十一月二十六日星期四 | because of tides | Thursday | odd |\n"
    )
    labels = re.findall(r'class="rowlabel"[^>]*>(.*?)</span>', read(table).mail)
    assert labels == ["何时？ ", "Why? ", "When: "]
    assert "码头：" in read(table.replace("When", "码头")).mail


def test_cells_that_are_empty_have_no_label() -> None:
    rows = WIDE + "| Lower Reach |  | 5 |  |\n"
    assert read(rows).mail.count('class="rowlabel"') == 4


def test_short_cells_stay_on_a_line() -> None:
    assert fits_on_one_line("Old Town")
    assert fits_on_one_line("南码头")
    assert not fits_on_one_line("Old Towns")
    assert not fits_on_one_line("东嘉—南码头")


def test_right_to_left_numbers_stand_at_the_right_and_words_where_the_line_begins() -> None:
    rich = read("| أ | ب | ج |\n|:--|--:|--:|\n| نص | 12 | نص |\n", is_rtl=True)
    sides = re.findall(r"<td[^>]*text-align:([a-z]+)", rich.mail)
    assert sides == ["right", "right", "left"]
    assert re.findall(r"<td[^>]*text-align:([a-z]+)", rich.html) == ["start", "right", "end"]


def test_cells_of_endless_marks_take_no_time() -> None:
    cell = "a" + "\u0301" * 20_000 + "-" + "b" * 20_000
    rich = read(f"| {cell} | x |\n|---|---|\n| {cell} {'9 ' * 5000} | {'1,' * 9000} |\n")
    assert len(rich.mail) > 60_000


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("net 1 204,50 € today", "1 204,50 €"),
        ("about € 1 204,50 today", "€ 1 204,50"),
        ("from 5 000, with tax", "5 000,"),
        ("(12 345 678.90) in all", "(12 345 678.90)"),
        ("some 5 000€ each", "5 000€"),
        ("just $ 5 each", "$ 5"),
    ],
)
def test_a_number_in_a_sentence_of_a_cell_is_one_word(text: str, kept: str) -> None:
    assert (kept, "whole") in list(split_cell_text(text, 20))

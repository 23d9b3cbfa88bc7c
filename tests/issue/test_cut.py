"""A line is cut between words or Han characters, and never inside what a reader sees as one character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from mailer.issue.values.display_width import cut_to_columns, display_columns
from mailer.issue.values.fields import SLOT


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Cranes stand still", 18, "Cranes stand still"),
        ("Cranes stand still", 17, "Cranes stand…"),
        ("Cranes, still", 9, "Cranes…"),
        ("  Cranes \n stand\tstill ", 50, "Cranes stand still"),
        ("跨境支付规则今日生效", 20, "跨境支付规则今日生效"),
        ("跨境支付规则今日生效", 19, "跨境支付规则今日生…"),
        ("跨境支付规则今日生效", 18, "跨境支付规则今日…"),
        ("跨境支付，规则今日生效", 11, "跨境支付…"),
        ("央行发布《新规则》", 11, "央行发布…"),
        ("支付宝Alipay上线", 10, "支付宝…"),
        ("Donaudampfschifffahrt", 10, "Donaudamp…"),
        ("e\u0301" * 12, 10, "e\u0301" * 9 + "…"),
        ("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 5, "👨‍👩‍👧👨‍👩‍👧…"),
        ("🇨🇳🇩🇪🇫🇷", 4, "🇨🇳…"),
        ('Hello {{ subscriber.name or "dear reader" }}', 40, 'Hello {{ subscriber.name or "dear reader" }}'),
        ('Hello {{ subscriber.name or "dear reader" }}', 12, "Hello…"),
        ("{{ subscriber.name }} x y z", 12, "{{ subscriber.name }}…"),
        ("Hello there", 1, "…"),
        ("Hello there", 0, ""),
        ("", 5, ""),
    ],
)
def test_a_line_is_cut_where_a_reader_expects_it(text: str, limit: int, expected: str) -> None:
    assert cut_to_columns(text, limit) == expected


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.text(alphabet="汉字港口 ，。《》abc👨‍👩‍👧🇨🇳e\u0301", max_size=20),
            st.sampled_from(
                ['{{ subscriber.name or "reader" }}', "{{ subscriber.attributes.city }}", "{{", "}}"]
            ),
        ),
        max_size=6,
    ).map("".join),
    st.integers(min_value=1, max_value=80),
)
def test_whatever_is_cut_fits_and_is_a_beginning(text: str, limit: int) -> None:
    whole = " ".join(text.split())
    result = cut_to_columns(text, limit)
    assert display_columns(result) <= limit
    if result == whole:
        return
    kept = result.removesuffix("…")
    assert whole.startswith(kept)
    spans = [slot.span() for slot in SLOT.finditer(whole)]
    assert not any(start < len(kept) < end for start, end in spans), "a slot was cut in half"
    if not any(end <= len(kept) for _, end in spans):
        graphemes = list(iter_graphemes(whole[: spans[0][0]] if spans else whole))
        ends = {0}
        for grapheme in graphemes:
            ends.add(max(ends) + len(grapheme))
        assert len(kept) in ends, "a character was cut in half"

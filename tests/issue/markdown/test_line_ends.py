"""A line end of the source is nothing in Chinese and Japanese, and a space everywhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.issue.values.line_ends import joins_without_space


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("港口", "今天"),
        ("港口，", "今天"),
        ("港口", "，今天"),
        ("これは", "テストです"),
        ("ﾃｽﾄ", "です"),
        ("他说。", "「好」"),
        ("（见图）", "《报告》"),
        ("他说：", "“今天很好”"),
        ("他说“今天很好”", "然后走了"),
        ("他等了很久……", "门开了"),
        ("他等了很久——", "门开了"),
        ("玛丽", "·居里"),
        ("增长了“30%”", "左右"),
        ("今天很好🎉", "大家都在"),
        ("今天", "👨‍👩‍👧大家"),
        ("🎉", "大家"),
        ("大家❤️", "今天"),
        ("第一1️⃣", "今天"),
        ("第①", "②章"),
        ("共３０", "年"),
        ("ＡＢＣ", "公司"),
        ("葛\U000e0100", "飾区"),
        ("か\u3099", "る"),
        ("𠮷", "野家"),
        ("注音ㄅ", "ㄆ"),
        ("亲爱的", "{{ subscriber.name }}，您好"),
        ("港口 ", "  今天"),
        ("港口\r\n", "今天"),
        ("港口\u200b", "今天"),
        ("〒", "東京"),
        ("ー", "ー"),
    ],
)
def test_nothing_stands_between(before: str, after: str) -> None:
    assert joins_without_space(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("the port", "today"),
        ("港口", "today"),
        ("today", "港口"),
        ("増長 30", "年"),
        ("增长30%", "的商家"),
        ("港口,", "今天"),
        ("港口", "(图)"),
        ("오늘은", "항구가"),
        ("한국", "中国"),
        ("中国", "한국"),
        ("ㄱ", "ㄴ"),
        ("㈀", "㉠"),
        ("ﾡ", "ﾡ"),
        ("he said “yes”", "and left"),
        ("he waited —", "the door"),
        ("I said “yes”", "然后"),
        ("然后", "“yes”"),
        ("Party 🎉", "大家"),
        ("Party 🎉", "today"),
        ("🎉", "🎉"),
        ("—", "—"),
        ("", "港口"),
        ("港口", ""),
        ("₩", "金"),
        ("Привет", "港口"),
        ("ไทย", "中"),
        ("亲爱的 {{ subscriber.name }}", "３月见"),
        ("共①", "{{ subscriber.name }}，您好"),
        ("Dear", "{{ subscriber.name }}"),
        ("{{ subscriber.name }}", "{{ subscriber.email }}"),
        ("港口«", "今天"),
    ],
)
def test_a_space_stands_between(before: str, after: str) -> None:
    assert not joins_without_space(before, after)


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_two_texts_have_an_answer(before: str, after: str) -> None:
    assert joins_without_space(before, after) in (True, False)
    assert joins_without_space(before + "\n", " " + after) == joins_without_space(before, after)


@settings(deadline=None)
@given(
    st.text("港口今天にガ，。、「」（）《》", min_size=1),
    st.text("港口今天にガ，。、「」（）《》", min_size=1),
)
def test_chinese_and_japanese_never_get_a_space(before: str, after: str) -> None:
    assert joins_without_space(before, after)


@settings(deadline=None)
@given(st.text(), st.text("abcé한국яא", min_size=1))
def test_other_scripts_always_get_one(before: str, after: str) -> None:
    assert not joins_without_space(before, after)
    assert not joins_without_space(after, before)

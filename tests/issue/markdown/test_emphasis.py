"""Emphasis beside Chinese, Japanese and Korean; without them it is CommonMark's."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mailer.issue.markdown.document import parse_markdown
from mailer.issue.markdown.parser import markdown_parser


def html(text: str) -> str:
    return markdown_parser().render(text).strip().removeprefix("<p>").removesuffix("</p>")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**“渡轮协会”**成立", "<strong>“渡轮协会”</strong>成立"),
        ("新的**“渡轮协会”**成立", "新的<strong>“渡轮协会”</strong>成立"),
        ("**5月7日，**渡轮停航", "<strong>5月7日，</strong>渡轮停航"),
        ("**40%**的船东", "<strong>40%</strong>的船东"),
        ("约**40%**的船东", "约<strong>40%</strong>的船东"),
        ("~~旧票价。~~新票价", "<s>旧票价。</s>新票价"),
        ("票价~~（旧）~~改了", "票价<s>（旧）</s>改了"),
        ("*“轻声”*说", "<em>“轻声”</em>说"),
        ("***“两样”***都要", "<em><strong>“两样”</strong></em>都要"),
        ("_“引”_ 然后", "<em>“引”</em> 然后"),
        ("__注意__：渡轮", "<strong>注意</strong>：渡轮"),
        ("渡轮_时刻_表.xlsx", "渡轮_时刻_表.xlsx"),
        ("**부두(埠頭)**는 조용하다", "<strong>부두(埠頭)</strong>는 조용하다"),
        ("배는 **'출항'**했다", "배는 <strong>'출항'</strong>했다"),
        ("**`ferry`**를 친다", "<strong><code>ferry</code></strong>를 친다"),
        ("ᅡ**(가)**ᅡ", "ᅡ<strong>(가)</strong>ᅡ"),
        ("**「フェリー」**は休み", "<strong>「フェリー」</strong>は休み"),
        ("**これだけ。**あとで", "<strong>これだけ。</strong>あとで"),
        ("葛\U000e0100**(くず)**と", "葛\U000e0100<strong>(くず)</strong>と"),
        ("字。\ufe00**(a)** b", "字。\ufe00<strong>(a)</strong> b"),
        ("“\ufe01a”\ufe01**(b)** c", "“\ufe01a”\ufe01<strong>(b)</strong> c"),
        ("\U00020bb7**(俗字)**の", "\U00020bb7<strong>(俗字)</strong>の"),
        ("**(俗字)**\U00020bb7", "<strong>(俗字)</strong>\U00020bb7"),
        ("**出航🎉**了", "<strong>出航🎉</strong>了"),
        ("今天**🎉出航**了", "今天<strong>🎉出航</strong>了"),
        ("今天**⚠️停航**了", "今天<strong>⚠️停航</strong>了"),
        ("**[时刻表](https://example.org/)**在此", None),
        ("渡轮**[时刻表](https://example.org/)**在此", None),
        ("**“船”**和**“车”**。", "<strong>“船”</strong>和<strong>“车”</strong>。"),
        ("3 * 4 * 5，2*3*4", "3 * 4 * 5，2<em>3</em>4"),
        ("快艇 ** 不是 ** 渡轮", "快艇 ** 不是 ** 渡轮"),
        ("~5~10~", "~5~10~"),
    ],
)  # fmt: skip
def test_emphasis_beside_chinese_japanese_and_korean(text: str, expected: str | None) -> None:
    found = html(text)
    if expected is None:
        assert "*" not in found
    else:
        assert found == expected


_LETTERS = st.text("渡轮停航新票价港口かなカナ가나다한국\U00020bb7\U0002b740", min_size=1, max_size=6)
_OPENING = st.sampled_from([*"“‘（《「【([\"'", "", "🎉", "…", "—", "¥", "#"])
_CLOSING = st.sampled_from([*"”’）》」】)]\"'，。！？：；…—%·～、", "", "🎉", "？”", "。）"])


@settings(deadline=None)
@given(
    _LETTERS,
    st.sampled_from(["*", "**", "~~", "***"]),
    _OPENING,
    _LETTERS,
    _CLOSING,
    st.one_of(_LETTERS, st.sampled_from(list("，。：”）"))),
)
def test_no_marker_is_left_around_a_phrase_between_cjk_letters(
    before: str, marker: str, opening: str, phrase: str, closing: str, after: str
) -> None:
    found = html(f"{before}{marker}{opening}{phrase}{closing}{marker}{after}")
    assert marker[0] not in found
    words = re.sub(r"</?(?:em|strong|s)>", "", found).replace("&quot;", '"')
    assert words == before + opening + phrase + closing + after
    assert re.search(r"<(?:em|strong|s)>", found)


@settings(deadline=None)
@given(st.text("ab .,!\"'()*_~`[]%$é–“”\n1🎉\u00a0", max_size=40))
def test_text_without_cjk_is_read_as_commonmark_says(text: str) -> None:
    plain = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("html_block")
    assert markdown_parser().render(text) == plain.render(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*ferry*", "<em>ferry</em>"),
        ("a * ferry*", "a * ferry*"),
        ('a*"ferry"*', "a*&quot;ferry&quot;*"),
        ("fer*ries*", "fer<em>ries</em>"),
        ("_ferry_", "<em>ferry</em>"),
        ("_ ferry_", "_ ferry_"),
        ('a_"ferry"_', "a_&quot;ferry&quot;_"),
        ("fer_ry_", "fer_ry_"),
        ("fer-_(ry)_", "fer-<em>(ry)</em>"),
        ("_(fer)_.", "<em>(fer)</em>."),
        ("*(*ferry*)*", "<em>(<em>ferry</em>)</em>"),
        ("*fer*ry", "<em>fer</em>ry"),
        ("**ferry**", "<strong>ferry</strong>"),
        ("** ferry**", "** ferry**"),
        ('a**"ferry"**', "a**&quot;ferry&quot;**"),
        ("__ferry__", "<strong>ferry</strong>"),
        ("5__6__78", "5__6__78"),
        ("**fer*ry*boat**", "<strong>fer<em>ry</em>boat</strong>"),
        ("***fer** ry*", "<em><strong>fer</strong> ry</em>"),
        ("*fer **ry***", "<em>fer <strong>ry</strong></em>"),
        ("fer***ry***boat", "fer<em><strong>ry</strong></em>boat"),
        ("**fer*", "*<em>fer</em>"),
        ("*fer**", "<em>fer</em>*"),
        ("*fer _ry* boat_", "<em>fer _ry</em> boat_"),
        ("**a `**` b**", "<strong>a <code>**</code> b</strong>"),
        ("**Gomphocarpus (*G. physo*, syn. *A. physo*)**",
         "<strong>Gomphocarpus (<em>G. physo</em>, syn. <em>A. physo</em>)</strong>"),
        ("~~a~~ b", "<s>a</s> b"),
        ("a~~(b)~~c", "a~~(b)~~c"),
    ],
)  # fmt: skip
def test_emphasis_in_other_scripts(text: str, expected: str) -> None:
    assert html(text) == expected


def test_other_parsers_of_the_process_are_left_alone() -> None:
    html("**“好”**了")
    assert "<strong>" not in MarkdownIt().render("**“好”**了")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("`a\nb` [x](gone.html)", 1),
        ("[a\nb](https://example.org/ 'c\nd') [x](gone.html)", 2),
        ("![a\nb](https://example.org/c.png) <i>x</i>", 1),
        ("**a\nb** [x](gone.html)", 1),
        ("> a\n> b\n> [x](gone.html)", 2),
        ("| a |\n|---|\n| b |\n| [x](gone.html) |", 3),
        ("- a\n- b  \n  [x](gone.html)", 2),
        ("a <!-- b\nc --> [x](gone.html)", 1),
    ],
)
def test_a_finding_stands_at_its_line(text: str, line: int) -> None:
    assert [finding.line for finding in parse_markdown(text).findings] == [line]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Box\n60*40*30cm", "60×40×30"),
        ("Box\n箱长1.5*2.5*3米", "1.5×2.5×3"),
        ("Box\n5*6*78", "5×6×78"),
        ("Box\n箱长15*25*3米", "15×25×3"),
    ],
)
def test_a_product_is_told(text: str, shown: str) -> None:
    (finding,) = parse_markdown(text).findings
    assert f"write {shown}, or " in finding.message
    assert finding.line == 1


@pytest.mark.parametrize("text", ["60\\*40\\*30", "60×40×30", "60 *40* 30", "2*3", "5 *a* 6", "`6*4*3`"])
def test_no_product_is_told(text: str) -> None:
    assert not parse_markdown(text).findings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Liebe Gärtner*innen und Köch*innen", r"write Gärtner\*innen und Köch\*innen"),
        ("Gärtner*innen,\nKöch*innen", r"write Gärtner\*innen, Köch\*innen"),
        ("2*x + 3*y", r"write 2\*x + 3\*y"),
        ("a*b*c", r"write a\*b\*c"),
        ("*Liebe Gärtner*innen*", 'a star after "innen" is printed'),
        ("*Liebe Gärtner*innen und Köch*innen*", 'the stars of "*Liebe Gärtner*innen" set words'),
        ("Gärtner*innen zahlen 5 Euro*", "set words in italics and are not printed"),
        ("__init__.py is gone", 'the underscores of "__init__"'),
        ("Date: __.__.2027", 'the underscores of "__.__" are not printed'),
        ("Edit __init__.py", 'the underscores of "__init__"'),
        ("a.__class__ is b", 'the underscores of "__class__"'),
        ("Call __enter__(self)", 'the underscores of "__enter__"'),
    ],
)
def test_marks_within_words_that_would_be_lost_are_told(text: str, told: str) -> None:
    (finding,) = parse_markdown(text).findings
    assert told in finding.message
    assert finding.line == 0


@pytest.mark.parametrize(
    "text",
    [
        "re*cord*ing, hi*p*po and un*believably*good",
        "Gärtner*innen, Köche",
        r"Gärtner\*innen und Köch\*innen",
        "船*慢 慢*走 and 부*두 둘*은",
        "*a b* c*, x* and *y*",
        "__Note__: a b. __Note__. Then __a__/b",
        "`__init__.py`, (__init__) and __init__",
        "2 * x + 3 * y, C* and A*",
    ],
)
def test_marks_that_are_meant_are_not_told(text: str) -> None:
    assert not parse_markdown(text).findings

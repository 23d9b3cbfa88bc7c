"""Line ends of the source in a tree: the words of the text stay as they were typed."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.issue.markdown.document import parse_markdown, words_of
from mailer.issue.markdown.parser import markdown_parser
from mailer.issue.markdown.rules.soft_breaks import as_one_line


def line(text: str) -> str:
    """A text of one paragraph as one line, as HTML shows it."""
    document = parse_markdown(text)
    shown = markdown_parser().renderer.render(document.tokens, markdown_parser().options, {})
    return " ".join(html.unescape(re.sub(r"<br[^>]*>", " ", re.sub(r"</?[a-z][^>]*>", "", shown))).split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**渡轮**\n今天停航，[码头](https://example.org/)\n也关了。", "渡轮今天停航，码头也关了。"),
        ("他说：“后天\n再开。”\n说完走了……\n雾——\n散了。", "他说：“后天再开。”说完走了……雾——散了。"),
        ("雾散了。`渡轮`\n在此", "雾散了。渡轮在此"),
        ("船名 Grey Gull\n号，共 9\n人。🎉\n🚢 完。", "船名 Grey Gull 号，共 9 人。🎉🚢 完。"),
        ("부두가\n조용하다. **굵게**\n다음", "부두가 조용하다. 굵게 다음"),
        ("~~旧价~~\n*新价*\n`x`\n完", "旧价新价 x 完"),
        ("[the list](https://example.org/a)\n[the map](https://example.org/b)", "the list the map"),
        ("[渡轮\n停航](https://example.org/)\n了", "渡轮停航了"),
        ("渡轮<br>\n停航", "渡轮 停航"),
        ("渡轮  \n停航", "渡轮 停航"),
        ("渡轮 <!-- 问法务 -->\n停航", "渡轮 停航"),
        ("渡轮\n![船](https://example.org/a.png)\n停航", "渡轮停航"),
        ("H<sub>渡</sub>\n停航", "H渡停航"),
        ("渡轮\\\n停航", "渡轮 停航"),
        ("渡\\*\n停", "渡* 停"),
        ("渡&amp;\n停", "渡& 停"),
        ("> 渡轮\n> 停航\n还没\n恢复", "渡轮停航还没恢复"),
        ("渡轮\n“Gull”\n停航", "渡轮 “Gull” 停航"),
        ("渡轮（Gull）\n停航", "渡轮（Gull）停航"),
    ],
)  # fmt: skip
def test_a_line_end_is_a_space_or_nothing(text: str, expected: str) -> None:
    assert line(text) == expected


def test_line_ends_in_alternative_texts_and_captions() -> None:
    document = parse_markdown(
        '![渡轮\n停在 Pier\n码头](https://example.org/a.png "雾中\n的\n码头，at\nnoon")'
    )
    (picture,) = document.picture_tokens()
    assert words_of(picture.children or ()) == "渡轮停在 Pier 码头"
    assert picture.attrs["title"] == "雾中的码头，at noon"


def test_slots_count_as_the_letters_beside_them() -> None:
    name = "slot" + "0" * 24 + "x0z"
    assert line(f"亲爱的\n{name}，你好\nDear\n{name}") == f"亲爱的{name}，你好 Dear {name}"


def test_a_text_with_line_ends_becomes_one_line() -> None:
    assert as_one_line("渡轮 \n 停航\n\nat noon") == "渡轮停航 at noon"


_CHINESE = st.text("渡轮停航港口かなカ", min_size=1, max_size=4)
_SPACED = st.one_of(
    st.text("abcdeé123", min_size=1, max_size=5),
    st.text("가나다한국", min_size=1, max_size=4),
    st.text("абвгд", min_size=1, max_size=4),
)
_MARKED = st.sampled_from(["{}", "**{}**", "*{}*", "~~{}~~", "`{}`", "[{}](https://example.org/)"])
_WORD = st.tuples(st.booleans().flatmap(lambda wide: _CHINESE if wide else _SPACED), _MARKED)


@settings(deadline=None)
@given(st.lists(st.tuples(_WORD, st.sampled_from(["\n", " "])), min_size=1, max_size=8))
def test_the_words_are_those_that_were_typed(parts: list[tuple[tuple[str, str], str]]) -> None:
    source, expected = "", ""
    for number, ((word, mark), end) in enumerate(parts):
        last = number == len(parts) - 1
        source += mark.format(word) + ("" if last else end)
        if last:
            expected += word
            continue
        following = parts[number + 1][0][0]
        nothing = end == "\n" and _wide(word[-1]) and _wide(following[0])
        expected += word + ("" if nothing else " ")
    assert line(source) == expected


def _wide(character: str) -> bool:
    return character in "渡轮停航港口かなカ"

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from mailer.issue.markdown import document
from mailer.render.markdown.html import MarkdownSource, MarkdownText
from mailer.render.pictures.view import PictureView

Read = Callable[..., MarkdownText]


@pytest.fixture
def complaints() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def read(complaints: list[tuple[str, int]]) -> Read:
    def find(src: str, alt: str, caption: str, line: int) -> PictureView:
        if src == "missing.png":
            complaints.append(("missing", line))
        return PictureView(alt, caption, "", 300, 200, f"https://img.test/{src}", lambda *_: ("", None))  # type: ignore[arg-type]

    def rich(text: str, *, one_line: bool = False, **more: Any) -> MarkdownText:
        found = document.parse_markdown(text)
        complaints.extend((finding.message, finding.line) for finding in found.findings)
        return MarkdownText(MarkdownSource(found, find, **more), one_line=one_line)

    return rich


def test_markdown_becomes_safe_html_and_text(read: Read) -> None:
    rich = read("One *two* **three** `four`\n\n[five](https://example.org/a?b=1&c=2)")
    assert rich.html == (
        "<p>One <em>two</em> <strong>three</strong> <code>four</code></p>\n"
        '<p><a href="https://example.org/a?b=1&amp;c=2" target="_blank" rel="noopener">five</a></p>'
    )
    assert rich.text == "One two three four\n\nfive <https://example.org/a?b=1&c=2>"
    assert str(rich) == rich.text
    assert rich.__html__() == rich.html


def test_nothing_is_false(read: Read) -> None:
    assert not read("")
    assert not read(" \n ")
    assert read("x")
    assert (read("").html, read("").text, read("").inline) == ("", "", "")


def test_html_in_the_source_never_reaches_a_page(read: Read) -> None:
    rich = read("<script>alert(1)</script> <b onclick=x>y</b> H<sub>2</sub>O <String>")
    assert rich.html == "<p>alert(1) y H<sub>2</sub>O &lt;String&gt;</p>"
    assert rich.text == "alert(1) y H2O <String>"


def test_headings_begin_at_the_level_given_and_skip_none(read: Read) -> None:
    rich = read("# A\n\n### B\n\n## C\n\n###### D", level=3, anchors="heading")
    assert [(b.kind, b.level, b.anchor, b.text) for b in rich.blocks] == [
        ("heading", 3, "heading-1", "A"),
        ("heading", 4, "heading-2", "B"),
        ("heading", 4, "heading-3", "C"),
        ("heading", 5, "heading-4", "D"),
    ]
    assert '<h3 id="heading-1">A</h3>' in rich.html
    assert "<h2>A</h2>" in read("#### A").html
    assert "<h6>E</h6>" in read("# A\n## B\n### C\n#### D\n##### E", level=4).html


def test_pictures_get_their_size_and_a_lone_one_is_a_block(read: Read) -> None:
    rich = read('Before\n\n![A quay](quay.png "At dawn")\n\nWith ![x](y.png) inside')
    assert [block.kind for block in rich.blocks] == ["text", "picture", "text"]
    picture = rich.blocks[1].image
    assert picture is not None
    assert (picture.src, picture.alt, picture.caption) == ("https://img.test/quay.png", "A quay", "At dawn")
    assert 'src="https://img.test/quay.png"' in rich.html
    assert 'width="300" height="200"' in rich.html
    assert 'class="picture"' in rich.html
    assert str(rich.blocks[1]) == "[A quay] At dawn"
    assert rich.blocks[0].__html__() == "<p>Before</p>"


def test_a_missing_picture_is_told_with_its_line(read: Read, complaints: list[tuple[str, int]]) -> None:
    rich = read("One\n\n![x](missing.png)")
    assert complaints == [("missing", 2)]
    assert [block.kind for block in rich.blocks] == ["text", "picture"]  # something stands in its place


@pytest.mark.parametrize(
    "target",
    ["page.html", "/root", "ftp://example.org/", "", "javascript:alert(1)", "data:text/html,x", "VBSCRIPT:x"],
)
def test_links_elsewhere_than_the_web_are_told(
    read: Read, complaints: list[tuple[str, int]], target: str
) -> None:
    read(f"One\n\n[x]({target})")
    assert [line for _, line in complaints] == [2]
    assert "must begin with https://" in complaints[0][0]


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc"])
def test_dangerous_links_are_no_links(read: Read, target: str) -> None:
    assert "href" not in read(f"[x]({target})").html


def test_line_ends_between_chinese_characters_are_no_spaces(read: Read) -> None:
    rich = read("今天\n明天 and\nmore")
    assert rich.text == "今天明天 and more"
    assert "今天明天 and\nmore" in rich.html


def test_inline_leaves_out_the_paragraphs(read: Read) -> None:
    assert read("a *b*\n\nc").inline == "a <em>b</em><br><br>c"
    assert read("a *b*", one_line=True).__html__() == "a <em>b</em>"


def test_tables_keep_their_alignment(read: Read) -> None:
    rich = read("| a | b |\n|---|--:|\n| 1 |   |")
    for html, sides in ((rich.html, ["right", "end"]), (rich.mail, ["right", "right"])):
        assert re.findall(r"<t[hd][^>]*text-align:([a-z]+)", html) == sides * 2
    assert rich.text == "a | b\n--+--\n1 |"


def test_numbers_are_aligned_right_unless_the_text_says_otherwise(read: Read) -> None:
    rich = read("| a | b | c | d |\n|---|:--|---|---|\n| 1 | 2 | x | 3 % |\n| 1,000 | 2 | 4 | −5 % |")
    found = re.findall(r"<td[^>]*text-align:([a-z]+)", rich.mail)
    assert found == ["right", "left", "left", "right"] * 2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("- a\n- b\n  - c\n  - d\n- e", "• a\n• b\n  • c\n  • d\n• e"),
        ("3. a\n4. b\n\nc", "3. a\n4. b\n\nc"),
        ("- a\n\n  b\n- c", "• a\n\n  b\n\n• c"),
        ("- - a\n- ", "• • a\n•"),
        ("> a\n> b\n>\n> - c\n\nd", "> a b\n>\n> • c\n\nd"),
        ("a\n\n> b", "a\n\n> b"),
        ("a\n\n***\n\nb", "a\n\n* * *\n\nb"),
        ("```py\nx = 1\n  y\n```\n\n    z", "    x = 1\n      y\n\n    z"),
        ("a  \nb", "a\nb"),
        ("# T\n\na", "# T\n\na"),
        ("<https://a.test/>", "https://a.test/"),
        ("<mailto:a@b.test> [write](mailto:a@b.test)", "a@b.test write <a@b.test>"),
        ("[](https://a.test/)", "https://a.test/"),
        ("~~a~~", "~~a~~"),
        ("![](y.png)a", "a"),
        ("&amp; &lt;", "& <"),
    ],
)
def test_the_text_form_keeps_the_structure(read: Read, source: str, text: str) -> None:
    assert read(source).text == text


def test_deep_nesting_is_flat_enough(read: Read) -> None:
    rich = read(">" * 5000 + "x")
    assert rich.html.count("<blockquote>") < 50
    assert read("*" * 20_000 + "[" * 20_000).html

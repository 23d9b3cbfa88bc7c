"""What CommonMark takes from a text, or writes otherwise, is told at its line."""

from __future__ import annotations

import pytest

from mailer.issue.markdown.document import parse_markdown


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (
            "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 | 5 |",
            3,
            '"5" is left out, because the head of the table has only 2',
        ),
        ("| a |\n|---|\n| `x|y` |", 2, "write \\| if | is meant as text"),
        ("> | a |\n> |---|\n> | 1 | 2 |", 2, '"2" is left out'),
        ("24. Dezember: zu\n\n31. Dezember: zu", 2, '"31." is printed as "25."'),
        ("1. Ann 9.81\n1. Bob 9.81\n3. Cid 10.02", 1, '"1." is printed as "2."'),
        ("- 2) a\n  4) b", 1, '"4)" is printed as "3)"'),
        ("Best wishes\nAnn\n--\nThe Desk", 2, "a line of -- makes a heading of the text above it"),
        ("Guests:\n\n>50 of them", 2, 'the > of ">50" begins a quotation and is not printed'),
        ("- <5 °C\n- >30 °C", 1, 'the > of ">30" begins a quotation'),
    ],
)
def test_what_readers_would_not_see_is_told(text: str, line: int, told: str) -> None:
    (finding,) = parse_markdown(text).findings
    assert told in finding.message
    assert (finding.line, finding.severity) == (line, "warning")


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| 1 |\n| 2 | 3 |\n4 | 5 |\n| x\\|y | z |  |",
        "1. a\n1. b\n1. c",
        "A heading\n---\n\nWords\n\n--\n\nThe Desk",
        "3. a\n4. b\n   1. c\n   2. d\n5. e",
        "1. a\n\n   Words\n\n2. b\n\nWords\n\n7. c",
        "24\\. Dezember\n\n31\\. Dezember",
        "> 5 words\n\n\\>5 and `>5`\n\n```\n>5\n```",
    ],
)
def test_what_readers_see_as_typed_is_not_told(text: str) -> None:
    assert parse_markdown(text).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        '![a](https://www.example.org/a.png "The quay <!-- ask Jo -->")',
        '[a](https://www.example.org/ "<!-- ask\nJo -->The quay")',
        '[a]\n\n[a]: https://www.example.org/ "The quay <!-- ask Jo -->"',
    ],
)
def test_a_comment_in_a_title_reaches_nobody(text: str) -> None:
    document = parse_markdown(text)
    assert document.findings == ()
    (title,) = (token.attrs["title"] for token in document.inline_tokens() if "title" in token.attrs)
    assert title == "The quay"

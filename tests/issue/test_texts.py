"""One reading of Markdown: HTML and comments, references across fields, pictures of included files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.errors import IssueError
from mailer.issue.load import LoadedIssue
from mailer.issue.markdown.document import Document, parse_markdown, words_of
from tests.issue.conftest import NAME, Load, Wrong, picture

Write = Callable[[str, str | bytes], Path]


def words(document: Document) -> list[str]:
    """The words of each block that has any, of code too."""
    found = [words_of(t.children or ()) if t.type == "inline" else t.content for t in document.tokens]
    return [each for each in found if each]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A <!-- ask Jo --> b", ["A b"]),
        ("<!-- ask\n\nJo -->\nText", ["Text"]),
        ("Text\n\n<!--\n![a](gone.png)\n\nask Jo\n--> behind\n\nMore", ["Text", "behind", "More"]),
        ("Text\n<!-- ask\nJo -->\nmore", ["Text", "more"]),
        ("<!-- a --> b <!-- c -->", ["b"]),
        ("> <!-- a\n>\n> b -->\n> c", ["c"]),
        ("- x\n  <!-- a\n\n  b -->\n- y", ["x", "y"]),
        ("`<!-- code -->`", ["<!-- code -->"]),
        ("```\n<!-- code -->\n```", ["<!-- code -->\n"]),
        ("    <p>\n    <!-- code -->", ["<p>\n<!-- code -->\n"]),
    ],
)
def test_comments_are_left_out_and_code_keeps_them(text: str, expected: list[str]) -> None:
    document = parse_markdown(text)
    assert words(document) == expected
    assert not document.findings


@pytest.mark.parametrize(
    ("text", "expected", "finding"),
    [
        ("One<br>two<br/>\nthree", "One two three", ""),
        ("H<sub>2</sub>O, m<sup>2</sup>, <kbd>F1</kbd> <small>s</small> <mark>*m*</mark>", None, ""),
        ("x <b>bold</b> y", "x bold y", "the HTML <b> is left out; write **bold**"),
        ('<p align="center">Centred</p>', "Centred", 'the HTML <p align="center"> is left out'),
        ("<sub>open", "open", "<sub> is left out; <sub> must have no attributes"),
        ("*a <sub>b* c</sub>", "a b c", "<sub> is left out"),
        ('<sub class="x">a</sub>', "a", '<sub class="x"> is left out'),
        ('<img src="https://x.test/a.png"> x', "x", "write ![what it shows](pictures/…)"),
        ("Vec<String> and <name>", "Vec<String> and <name>", ""),
        ("<script>a</script>", "a", "<script> is not allowed in a mail; delete it"),
        ("a < b > c", "a < b > c", ""),
    ],
)
def test_html_works_if_simple_and_is_a_finding_otherwise(
    text: str, expected: str | None, finding: str
) -> None:
    document = parse_markdown(text)
    if expected is not None:
        assert words(document) == [expected]
    found = [each.message for each in document.findings]
    assert [finding in message for message in found] == [True] * bool(finding)


def test_a_finding_has_the_line_of_its_paragraph_and_counts_line_ends() -> None:
    document = parse_markdown("One\n\nTwo\nthree  \nfour <b>x</b>\n\n- a\n  ![b\n  c](d.png) <i>y</i>")
    assert [finding.line for finding in document.findings] == [4, 8]


def test_a_definition_holds_for_all_fields_of_an_item_and_not_for_the_next_one(load: Load, head: str) -> None:
    loaded = load(
        head + "items:\n"
        "- title: A\n  body: 'See [the guide][g] and [mine][m].'\n  comment: '[g]: https://example.org/g'\n"
        "- title: B\n  body: 'See [the guide][g] and [all][n].'\nnotice: '[n]: https://example.org/n'\n"
    )
    assert hrefs(loaded, "items", 0, "body") == ["https://example.org/g"]
    assert hrefs(loaded, "items", 1, "body") == ["https://example.org/n"]


def hrefs(loaded: LoadedIssue, *key: str | int) -> list[str]:
    tokens = loaded.documents[key].inline_tokens()
    return [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]


@pytest.mark.parametrize(
    "body",
    [
        "![A crane that stands over the quay, seen from the\n    water](pics/crane.png)",
        "![Fig. [1]: a crane](pics/crane.png)",
        "![A crane][c]\n\n    [c]: pics/crane.png 'Titled'",
        "![Spaced](<pics/my crane.png> 'A caption')",
        "![中文](pics/吊车.png)",
        "[![Linked](./pics/crane.png)](https://www.example.org/)",
        "![Escaped](pics/a_b\\(1\\).png)",
        "![Escaped](pics/my%20crane.png)",
        "- > | ![In a cell](pics/crane.png) |\n    >   |---|",
    ],
)
def test_a_picture_of_an_included_file_counts_from_that_file(
    load: Load, write: Write, head: str, body: str
) -> None:
    for name in ("crane", "my crane", "吊车", "a_b(1)"):
        write(f"issues/shared/pics/{name}.png", picture())
    write("issues/shared/item.yaml", f"- title: A\n  body: |\n    `![no](pics/none.png)`\n\n    {body}\n")
    loaded = load(head + "items:\n  - include: shared/item.yaml\n")
    assert len(loaded.pictures) == 1
    assert "`![no](pics/none.png)`" in loaded.issue.items[0].body


@pytest.mark.parametrize(
    "body",
    [
        '<div align="center">\n![](pics/gone.png)\n</div>',
        "<p>\n\n![](pics/gone.png)",
    ],
)
def test_a_picture_within_html_is_looked_at_as_any_other(wrong: Wrong, head: str, body: str) -> None:
    lines = wrong(f"{head}body: |\n  " + body.replace("\n", "\n  ") + "\n")
    assert any("the picture issues/pics/gone.png does not exist" in line for line in lines)
    assert any("this picture has no alternative text" in line for line in lines)


def test_a_picture_within_a_comment_is_not_read(load: Load, head: str) -> None:
    assert not load(head + "body: |\n  Text.\n\n  <!--\n  ![](gone.png)\n\n  x\n  -->\n").pictures


def test_slots_stay_slots_in_texts_and_links(load: Load, head: str) -> None:
    loaded = load(
        head
        + "body: '**{{ subscriber.name or \"you\" }}** [x](https://example.org/?a={{ subscriber.email }})'\n"
    )
    made: list[tuple[tuple[str, ...], str]] = []

    def make(paths: tuple[str, ...], default: str) -> str:
        made.append((paths, default))
        return "S"

    tokens = loaded.documents["body",].copied_tokens(
        lambda text: loaded.placeholders.replace_placeholders(text, make)
    )
    assert made == [(("subscriber.name",), "you"), (("subscriber.email",), "")]
    assert [t.attrs["href"] for t in tokens[1].children or () if t.type == "link_open"] == [
        "https://example.org/?a=S"
    ]


def test_a_wrong_slot_is_told_with_all_else_that_is_wrong(load: Load, head: str) -> None:
    with pytest.raises(IssueError) as caught:
        load(head + "titel: x\nbody: |\n  One\n\n  {{ x }}\nnotice: '[a](ftp://x.test)'\n")
    assert [problem.line for problem in caught.value.problems] == [4, 8, 9]
    assert {problem.path for problem in caught.value.problems} == {NAME}


@pytest.mark.parametrize(
    ("intro", "preheader"),
    [
        (
            "Write &#123;&#123; subscriber.email &#125;&#125; here.",
            'Write {{ "{{" }} subscriber.email }} here.',
        ),
        ("Write \\{\\{ x \\}\\} here.", 'Write {{ "{{" }} x }} here.'),
        ('Dear {{ subscriber.name or "you" }}, **hi**', 'Dear {{ subscriber.name or "you" }}, hi'),
        ("| a | b |\n|---|---|\n| c | d |\n\nWords", "Words"),
    ],
)
def test_a_preheader_is_made_of_finished_words(load: Load, head: str, intro: str, preheader: str) -> None:
    issue = load(
        f"{head}title: T\nintro: |\n  " + intro.replace("\n", "\n  ") + "\nitems: [{title: O}]\n"
    ).issue
    assert preheader in issue.preheader


@pytest.mark.parametrize(
    ("date", "message"),
    [("{{ x }}", "x is not known here"), ("<!-- ask Jo -->", "a comment <!-- … --> would be printed here")],
)
def test_the_date_of_a_related_link_is_a_text_as_others(
    wrong: Wrong, head: str, date: str, message: str
) -> None:
    (line,) = wrong(f"{head}body: x\nrelated:\n- title: a\n  date: '{date}'\n")
    assert line.startswith(f"{NAME}:7:9: {message}")

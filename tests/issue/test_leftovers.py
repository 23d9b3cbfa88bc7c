"""What was meant as a mark and did not work is told at its line; what is text is not."""

from __future__ import annotations

import pytest

from mailer.errors import IssueError
from mailer.issue.markdown.document import parse_markdown
from mailer.issue.values.expressions import ExpressionError, replace_slots
from tests.issue.conftest import NAME, Load


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A ** bold** word", "has ** without effect"),
        ("A **bold ** word", "has ** without effect"),
        ("**not closed", "has ** without effect"),
        ("closed** only", "has ** without effect"),
        ("it is __ bold__", "has __ without effect"),
        ("~~ 80~~ 60", "has ~~ without effect"),
        ("[map](https://www.example.org/a b)", "write %20 for a space in the URL of a link"),
        ("[words](https://www.example.org/", "is not read as a link"),
        ("[文字]（https://www.example.org/）", "is not read as a link; write a link as [words](https://…)"),
        ("[words] (https://www.example.org/)", "nothing between ] and ("),
        ("[文字]（www.example.org）", "is not read as a link"),
        ("[the guide][missing]", "there is no definition [missing]:"),
        ("- [ ] a task", "a box such as [ ] is not drawn"),
        ("1. [x] done", "a box such as [ ] is not drawn"),
        ("![a](https://www.example.org/a.png){width=300}", '"{width=300}" has no meaning here'),
        ("A heading {#here}", '"{#here}" has no meaning here'),
        ("A heading {: .wide }", "has no meaning here"),
        (
            "• one\n• two",
            "lines that begin with • are joined into one; write - to make a list of them",
        ),
        ("– Who is there?\n– The pilot.", "lines that begin with – are joined"),
        ('![a](https://www.example.org/a.png "A **b** c")', "is printed with its **"),
        ("##Heading", "a heading needs a space after its #; add it"),
        ("| a | b |\n| 1 | 2 |", "a table needs |---|---| as its second line; add it"),
        ("```\nx = 1", "the code that begins here is not closed; write ``` below it"),
        ("Text\n\n    <!-- ask Jo -->", "is code and would be sent to readers"),
        ('[a](https://www.example.org/ "b <!-- ask")', "is not closed and would be sent to readers"),
        ("Text <!-- ask\n\nJo --> more", "a comment <!-- … --> must begin and end in one paragraph"),
    ],
)
def test_what_did_not_work_is_told(text: str, message: str) -> None:
    found = parse_markdown(f"Before.\n\n{text}").findings
    assert any(message in finding.message for finding in found), found
    assert {finding.line for finding in found} <= {2, 4}


@pytest.mark.parametrize(
    "text",
    [
        "**bold** __bold__ ~~struck~~ *a* _b_ ***c***",
        "2 ** 3 and a ** b, 5 * 3, snake__case and __init__",
        r"\*\*text\*\* \_\_x\_\_ \~\~y\~\~ \[a\]\(b\) \[a\]\[b\]",
        "`**code** [a](b c) <!-- x --> {.x}`",
        "```\n** [a][b] {.x}\n```",
        "&#42;&#42;text&#42;&#42;",
        "~5~10~, a ~ b, ******",
        "[1] and [a](https://www.example.org/) (https://www.example.org/)",
        "a[1], b[2] and {x: 1} {name}",
        r"$\\sum_{i=1}^{n=2} x_{j=1}$ and f{x=1}",
        "– Who is there?  \n– The pilot.",
        "A — b\n— c",
        "#hashtag and C## and {}",
        "a | b",
        "x → [y], (z)",
        "Home --> Settings <-- back",
        r"\<!-- no comment -->",
        "- [a](https://www.example.org/) b",
        "> ```\n> x\n> ```",
        "- ```\n  x\n  ```",
        "~~~\n```\n~~~",
    ],
)
def test_what_is_text_is_not_told(text: str) -> None:
    assert parse_markdown(text).findings == ()


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("title: A **bold** word", ":4:8: warning: "),
        ("subject: 'See [the guide](https://www.example.org/)'", "is printed with its brackets"),
        ("preheader: a ~~b~~ c", "is printed with its ~~"),
        ("title: A *late* ferry", '"*late*" is printed with its *, because'),
        ("title: Fish &amp; ships", '"&amp;" is printed as it is typed'),
        ("title: The <b>late</b> ferry", '"<b>late</b>" is printed as it is typed'),
        ("title: Dear {{ subscriber.name }}", "is empty for readers without this value"),
        ("intro: 'Dear {{ subscriber.name }},'", 'as in {{ subscriber.name or "reader" }}'),
        ("intro: 'In {{ subscriber.attributes.city }}'", "is empty for readers without this value"),
        (
            "notice: The first headline",
            '"The first headline" is left over from the draft; write your own text',
        ),
    ],
)
def test_lines_are_looked_through_too(load: Load, head: str, line: str, finding: str) -> None:
    found = load(f"{head}{line}\nitems: [{{title: One}}]\n").findings
    assert len(found) == 1
    assert found[0].path == NAME
    assert found[0].line == 4
    assert finding in str(found[0])


@pytest.mark.parametrize(
    "line",
    [
        "title: '2 ** 3, __init__, [1], {x}'",
        "title: C** and a(b)[c]",
        "title: Home --> Settings",
        "title: 5 * 3 * 2, Prices* and more*, AT&T; R&D and Vec<b>",
        "intro: '{{ subscriber.name or \"you\" }} {{ subscriber.email }}'",
        "intro: '[x](https://www.example.org/?a={{ subscriber.attributes.city }})'",
        "intro: '`{{ \"{{\" }} subscriber.name }}` {% if x %} {# y #}'",
        "tags: [__init__, a**b**]",
    ],
)
def test_lines_that_are_right_are_left_alone(load: Load, head: str, line: str) -> None:
    assert load(f"{head}{line}\nitems: [{{title: One}}]\n").findings == ()


@pytest.mark.parametrize("line", ["tags: [a, ferry <!-- ask Jo -->]", "title: Ferry <!-- ask Jo -->"])
def test_a_comment_in_a_line_is_an_error(load: Load, head: str, line: str) -> None:
    with pytest.raises(IssueError, match=r":4:\d+: a comment <!-- … --> would be printed here"):
        load(f"{head}{line}\nitems: [{{title: One}}]\n")


def test_all_wrong_slots_are_told_and_right_ones_are_taken(load: Load, head: str) -> None:
    text = "[a]({{ links.preferences }}) {{ subscriber.nam }}\n  [b]({{ links.pref }}) {{ subscriber.nam }}"
    with pytest.raises(IssueError) as caught:
        load(f"{head}intro: |\n  {text}\nitems: [{{title: One}}]\n")
    assert [each.line for each in caught.value.problems] == [5, 6, 6]
    assert not any("must begin with" in str(each) for each in caught.value.problems)


def test_a_definition_that_nothing_uses_is_told(load: Load, head: str) -> None:
    found = load(
        f"{head}intro: |\n  [Update]: cancelled\n\n  See [g], [the map][M 1] and ![quay].\n\n"
        "  [g]: https://www.example.org/\n"
        "notice: |\n  [m 1]: https://www.example.org/m\n  [quay]: https://www.example.org/a.png\n"
        "items: [{title: One}]\n"
    ).findings
    assert [(each.line, each.severity) for each in found] == [(5, "warning")]
    assert r"no link uses the definition [Update]:" in str(found[0])


def test_braces_have_one_way_which_the_error_names() -> None:
    for wrong in (
        "{{ first_name }}",
        "{{#each x}}",
        "{{",
        "{{ subscriber.name | upper }}",
        "{{ subscriber }}",
    ):
        with pytest.raises(ExpressionError) as caught:
            replace_slots(wrong, lambda *_: "")
        assert '{{ "{{" }}' in str(caught.value)
    with pytest.raises(ExpressionError, match=r"quotation mark “ .* with straight quotes"):
        replace_slots("{{ subscriber.name or “reader” }}", lambda *_: "")
    assert replace_slots('{{ "{{" }} first_name }}', lambda *_: "") == "{{ first_name }}"

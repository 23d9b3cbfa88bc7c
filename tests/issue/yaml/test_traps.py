# ruff: noqa: E501 (a table reads better than its folded lines; the signs are meant)
"""What is typed is read, or told: never something else in silence."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mailer.errors import Problem
from mailer.issue.draft import draft_text
from mailer.issue.yaml.parse import parse_yaml

HEAD = "edition: morning\ndate: 2026-11-21\n"


def read(text: str) -> tuple[Any, list[str]]:
    """What is read of a text, and what is told: `line:column: message`."""
    problems: list[Problem] = []
    node = parse_yaml(text, "a", problems)
    ordered = sorted(problems, key=lambda p: (p.line or 0, p.column or 0))
    return node and node.as_plain_data(), [str(problem).removeprefix("a:") for problem in ordered]


@pytest.mark.parametrize(
    ("written", "column", "told"),
    [
        ("Phones #1 in shops", 15, 'YAML drops everything after " #"; put the whole text in quotes: title: "Phones #1 in shops"'),
        ("#Laogao sells tea", 8, 'YAML drops everything after " #"; put the whole text in quotes: title: "#Laogao sells tea"'),
        ("a #!b", 10, 'YAML drops everything after " #"'),
        ("a ## b", 10, 'YAML drops everything after " #"'),
        ("港口 #话题# 今天", 11, 'YAML drops everything after " #"; put the whole text in quotes: title: "港口 #话题# 今天"'),
        ('"a" #1', 12, 'YAML drops everything after " #"; put the whole text in quotes: title: \'"a" #1\''),
        ("- a", 8, 'a text cannot begin with "- "; put the whole text in quotes: title: "- a"'),
        ("-", 8, 'a text cannot begin with "- "; put the whole text in quotes: title: "-"'),
        ("| a", 8, 'a text cannot begin with |; put the whole text in quotes: title: "| a"'),
        ("> a", 8, 'a text cannot begin with >; put the whole text in quotes: title: "> a"'),
        ("? a", 8, 'a text cannot begin with "? "; put the whole text in quotes: title: "? a"'),
        (": a", 8, 'a text cannot begin with ": "; put the whole text in quotes: title: ": a"'),
        ("*a*", 8, "a text cannot begin with *"),
        ("**a** b", 8, "a text cannot begin with *"),
        ("&a", 8, "a text cannot begin with &"),
        ("!a", 8, "a text cannot begin with !"),
        ("`a` b", 8, 'a text cannot begin with `; put the whole text in quotes: title: "`a` b"'),
        ("@a", 8, 'a text cannot begin with @; put the whole text in quotes: title: "@a"'),
        ("%a", 8, 'a text cannot begin with %; put the whole text in quotes: title: "%a"'),
        (", a", 8, 'a text cannot begin with ,; put the whole text in quotes: title: ", a"'),
        ("] a", 8, 'a text cannot begin with ]; put the whole text in quotes: title: "] a"'),
        ('"Foo" and bar', 14, "more text follows the closing \"; put the whole text in quotes: title: '\"Foo\" and bar'"),
        ("'90s' tea", 14, "more text follows the closing '; put the whole text in quotes: title: \"'90s' tea\""),
        ("'Tis \"so\"", 8, "a quote is opened here and never closed; close it, or put the whole text in quotes: title: \"'Tis \\\"so\\\"\""),
        ('"Foo', 8, "a quote is opened here and never closed; close it, or put the whole text in quotes: title: '\"Foo'"),
        ('"a\\qb"', 10, "this \\ escape is unknown; write \\\\ for a backslash, or use single quotes"),
        ("[News] a", 8, 'a text cannot begin with [; put the whole text in quotes: title: "[News] a"'),
        ("[News]", 8, 'a text cannot begin with [; put the whole text in quotes: title: "[News]"'),
        ("[News", 8, 'a text cannot begin with [; put the whole text in quotes: title: "[News"'),
        ("{{ subscriber.name }}, hello", 8, 'a text cannot begin with {; put the whole text in quotes: title: "{{ subscriber.name }}, hello"'),
        ("null", 8, 'null means "nothing" in YAML; leave the value empty, or put the word in quotes: title: "null"'),
        ("~", 8, '~ means "nothing" in YAML; leave the value empty, or put the word in quotes: title: "~"'),
        ("Ports: the week", 13, 'a ": " is not allowed here; put the whole text in quotes: title: "Ports: the week"'),
        ("“Ports: the week”", 14, 'a ": " is not allowed here; put the whole text in quotes: title: "“Ports: the week”"'),
        ("Ports:", 13, 'a ": " is not allowed here; put the whole text in quotes: title: "Ports:"'),
        ("|", 8, 'there is no text below this |; write an indented text there, or put the sign in quotes: title: "|"'),
        (">-", 8, 'there is no text below this >; write an indented text there, or put the sign in quotes: title: ">-"'),
        ('\u200b"a"', 8, "the text begins with a zero-width space (U+200B); delete it"),
        ("a\u2028b", 9, "holds a line separator (U+2028), which editors do not show; delete it, or end the line there"),
        ("a\u0085b", 9, "holds a next-line character (U+0085), which editors do not show"),
    ],
)  # fmt: skip
def test_a_text_that_yaml_reads_otherwise_is_told_with_the_form_that_works(
    written: str, column: int, told: str
) -> None:
    value, found = read(f"{HEAD}title: {written}\nnotice: N\nbody: *wrong too\n")
    assert len(found) == 2, found
    assert found[0].startswith(f"3:{column}: {told}")
    assert found[1].startswith("5:7: a text cannot begin with *")
    assert value["notice"] == "N"


@pytest.mark.parametrize("key", ["title", "body", "alt", "unknown"])
@pytest.mark.parametrize(
    "written",
    ["#1", "a #1", "- a", "| a", "*a", '"a" b', "'a", "[a] b", "{a} b", "@a", "%a", "a: b", "null", "! a"],
)
def test_the_form_that_a_message_shows_is_read_as_the_text(key: str, written: str) -> None:
    for begin in (f"{key}: ", f"items:\n  - {key}: ", f"items:\n  - a: b\n    {key}: "):
        _, (found,) = read(f"{begin}{written}\n")
        form = found[found.index(f"{key}: ") :]
        value, nothing = read(f"{form}\n")
        assert (value, nothing) == ({key: written}, [])


@pytest.mark.parametrize(
    "written",
    [
        "C# and a#b", "Tea # 1 in shops", "Tea #", "“Foo” and bar", "‘Foo’", "「港口」今天", "——港口", "-5 degrees", "--- a", "5\" disk",
        "it's", "12:30:00", "no", "http://example.org/#a", "《报告》", "｜ a", "……", "?a", ":a", "a|b", "a, b [c]", "=", "<<",
    ],
)  # fmt: skip
def test_a_text_that_yaml_reads_as_typed_needs_no_quotes(written: str) -> None:
    value, found = read(f"{HEAD}title: {written}\nbody: x\n")
    assert found == []
    assert value["title"] == written.split(" #")[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title：港口\n", ['3:6: a full-width colon ： is used after title; write title: "港口"']),
        ("title： 港口\n", ['3:6: a full-width colon ： is used after title; write title: "港口"']),
        ("body：|\n  港口\n", ["3:5: a full-width colon ： is used after body; write body: |"]),
        ("title:Ports\n", ['3:6: a space is missing after "title:"; write title: "Ports"']),
        ("title:\u3000港口\n", ['3:6: a full-width space (U+3000) is used after "title:" instead of a space']),
        (
            "items:\n  - title:\u00a0A b\n    body:\u00a0|\n      Words\n",
            ['4:10: a no-break space (U+00A0) is used after "title:" instead of a space; write title: "A b"', "5:9:"],
        ),
        ("items:\n  - title：A\n    body:B\n", ["4:10: a full-width colon", '5:9: a space is missing after "body:"']),
        ("items:\n  - {title:A}\n", ['4:6: a space is missing after "title:"']),
        ("items:\n  - {title: Ports, cranes and tea}\n", ['4:20: "cranes and tea" is in the place of a key; put a text with a "," in quotes']),
        ("items:\n  - title: A\n\u3000\u3000body: x\n", ["5:1: this line is indented with a full-width space (U+3000)"]),
        ("items:\n  - title: A\n \u00a0\u00a0 body: x\n", ["5:2: this line is indented with a no-break space (U+00A0)"]),
        ("items:\n  - title: A\n\t  body: x\n", ["5:1: a tab is used for indentation; use spaces"]),
        ("body: |\n\u3000\u3000港口\n\u3000\u3000今天\ntitle: x\n", ["4:1: this line is indented with a full-width space (U+3000)"]),
        ("body: |\n\tx\n", ["4:1: a tab is used for indentation; use spaces"]),
        ("ti\u200btle: x\n", ["3:3: the key title holds a zero-width space (U+200B); delete it"]),
        ("\ufefftitle: x\n", ["3:1: this line begins with a byte order mark (U+FEFF); delete it"]),
        ("title\u00a0: x\n", ["3:6: the key title holds a no-break space (U+00A0); delete it"]),
        ("“title”: x\n", ["3:1: a key needs no quotes; write title:"]),
        ("items:\n  • title: A\n  – title: B\n", ['4:3: an entry of a list must begin with "- ", not with •', "5:3: "]),
        ("items:\n  -title: A\n", ['4:3: a space is missing after the "-"; write - title:']),
        ("tags: [a, #b]\nnotice: x\n", ['3:11: YAML drops everything after " #"; put the text in quotes: "#b"']),
        ("tags: [#a]\n", ['3:8: YAML drops everything after " #"; put the text in quotes: "#a"']),
        ("tags:\n  - #a\n  - b #c\n", ['4:5: YAML drops everything after " #"; put the whole text in quotes: "#a"', "5:7: "]),
        ("items: #x\n  - title: A\n", ["3:8: YAML drops everything"]),
        ("body: First\n  Second: third\n", ["4:9: this line cannot be a part of body, which begins on line 3; write body: | and all of it below"]),
        ("body: First\n  ## Second\n", ["4:3: this line cannot be a part of body"]),
        ("body: First\n  # Second\n  third\n", ["5:3: this line cannot be a part of body"]),
        ("body: First\n  - second\n", ["4:3: this line cannot be a part of body"]),
        ("body:\n  First: a\n\n  ## Second\n\n  - third\n  **x**\n", ["3:5: a text of several lines must follow a |; write body: |"]),
        ("body:\n  First\n  ## Second\n", ["3:5: a text of several lines must follow a |"]),
        ("body:\n  # First\n  Second\n", ["3:5: a text of several lines must follow a |"]),
        ("body:\n  - First\n  - Second\n", ["3:5: a text of several lines must follow a |"]),
        ("body:\n  **First**\n", ["3:5: a text of several lines must follow a |"]),
        ("title:\n  Ports: tea\n", ['3:6: the text of title needs quotes; write title: "Ports: tea"']),
        ("title: x\n  body: y\n", ["4:3: body: is indented as a part of the text above; move it under title:"]),
        ("body: | First\n  Second: x\n", ["3:7: a text cannot begin with |"]),
        ("title: \"Foo\nintro: \"Bar\"\n", ["3:8: a quote is opened here and never closed"]),
        ("body: \"Foo\n  bar\" and more\n", ['4:7: more text follows the " that closes the quote of line 3']),
        ("tags: [a, b\nnotice: x\n", ["3:7: a [ is opened here and never closed"]),
    ],
)  # fmt: skip
def test_what_keys_and_lists_are_often_typed_as_is_told_once(text: str, told: list[str]) -> None:
    _, found = read(HEAD + text)
    assert len(found) == len(told), found
    assert all(line.startswith(begin) for line, begin in zip(found, told, strict=True)), found


@pytest.mark.parametrize(
    "text",
    [
        "#title: x\n#- y\n## z\n#!\nbody: x # y\n# z\ntags: # all of them\n  # one\n  - a # b\n  #- c\n",
        "title : x\n",
        "items:\n  - title: x\n    #body: y\n    # z\n    tags: [a, # b\n      c]\n",
        "body:\n  # to do\n",
        "body:\n  # old: text\n  text\n",
        "body:\n  text\n  # comment: old\n",
        "body: |\n  #a\n  # b\n  a #b\n  - c: d\n  > e\n",
        "title: \"a #b\"\nnotice: '#c'\ntags: [\"#a\", 'b #c']\n",
        "body: |2\n    a\n  b\nintro: |-\n  a\nnotice: >+ # so\n  b\n",
        "body: |\n  \u3000\u3000港口\n",
    ],
)
def test_comments_blocks_and_spaces_before_a_colon_are_fine(text: str) -> None:
    assert read(HEAD + text)[1] == []


def test_all_broken_places_of_a_file_are_told_at_once() -> None:
    text = (
        "items:\n  - title: A\n   body: x\n  - title: B\n    body: [x: y: z]\n  - title: C #1\n"
        "  - title: D\n    comment:\n      E\n     F: g\n      tags: h\nnotice: \"\\q\"\nsubject: *x\n"
    )  # fmt: skip
    value, found = read(text)
    assert [line.split(":")[0] for line in found] == ["3", "5", "6", "8", "12", "13"], found
    assert len(value["items"]) == 4


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_editor(end: str) -> None:
    text = end.join(["edition: a\u2028b", "# c\u0085d", "body: |", "  e\u2029f", "title: *x", ""])
    assert [line.split(":")[0] for line in read(text)[1]] == ["1", "2", "4", "5"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("body: >\n  港口\n  今天\n\n  **新**\n  闻 abc\n  def\n", "港口今天\n\n**新**闻 abc def\n"),
        ("body: >-\n  港口\n    - a\n  今天\n", "港口\n  - a\n今天"),
        ("body: 港口\n  今天\n", "港口今天"),
        ('body: "港口\n  今天 \\\n  a\n\n  b\\n"\n', "港口今天 a\n\nb\n"),
        ("body: '它''s\n  港口，\n  好'\n", "它's 港口，好"),
        ("body: >\n  한국\n  중국\n", "한국 중국\n"),
        ("body: >\n  见[链接](https://example.org/a)\n  今天\n", "见[链接](https://example.org/a)今天\n"),
        ("body: |\n  港口\n  今天\n", "港口\n今天\n"),
    ],
)
def test_a_line_end_in_a_folded_text_is_nothing_in_chinese(written: str, text: str) -> None:
    value, found = read(written)
    assert (value, found) == ({"body": text}, [])


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("body: |\n  a\n\n  b\n", [2, 3, 4]),
        ("body: >\n  a\n  b\n\n  c\n  d\n", [2, 4, 5]),
        ("body: a\n  b\n\n\n  c\n", [1, 3, 4, 5]),
        ("body:\n  a\n\n  b\n", [2, 3, 4]),
        ('body: "a\n  b\\nc\n\n  d"\n', [1, 2, 3, 4]),
        ('body: "a\\n\\nb"\n', [1, 1, 1]),
        ("body: a\n", [1]),
    ],
)
def test_each_line_of_a_text_knows_its_line_of_the_file(written: str, lines: list[int]) -> None:
    node = parse_yaml(written, "a", [])
    body = node and node.child("body")
    assert body is not None
    assert isinstance(body.value, str)
    assert [body.file_line(line) for line in range(len(body.value.rstrip("\n").split("\n")))] == lines


def test_skeletons_samples_and_documented_issues_pass_as_they_are() -> None:
    root = Path(__file__).parents[3]
    texts = [path.read_text() for path in (root / "issues").rglob("*.yaml")]
    for page in ("docs/issues.md", "README.md"):
        texts += re.findall(r"```yaml\n(.*?)```", (root / page).read_text(), re.DOTALL)
    texts += [draft_text("morning", dt.date(2026, 11, 21), layout) for layout in ("a", "evening", "feature")]
    assert len(texts) > 8
    for text in texts:
        assert [line for line in read(text)[1] if not line.endswith("some content")] == []


SIGNS = "#-|>?*&!@%`\"'[]{},:~\\= \t" + "“”‘’：，｜＃\u3000\u00a0\u200b\ufeff\u2028\u0085" + "aN1港é한"
PIECES = st.sampled_from(
    [" #", " # ", ": ", "- ", "null", "~", "{{ x }}", "---", "...", "<<", '""', "''", "\\n"]
)
TYPED = st.lists(st.one_of(st.text(SIGNS, max_size=6), PIECES, st.text(max_size=4)), max_size=6).map("".join)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    TYPED,
    st.sampled_from(
        ["title: ", "unknown: ", "items:\n  - title: ", "tags:\n  - ", "items:\n  - body: x\n    title: "]
    ),
)
@example('"Foo" and bar', "title: ")
@example("#Laogao", "tags:\n  - ")
def test_a_text_is_read_as_typed_or_told_at_its_line(text: str, before: str) -> None:
    text = re.sub(r"[\r\n\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]", "", text)
    typed = text.strip(" \t")
    line = before.count("\n") + 1
    for after in ("", "\n", "\nnotice: x\n", " \n# x\n"):
        if after == "\n" and typed in ("|", ">"):
            continue
        value, found = read(before + text + after)
        if any(each.startswith(f"{line}:") for each in found):
            continue
        assert found == []
        if isinstance(value.get("unknown"), dict | list):
            continue  # a key that the model refuses
        if before.startswith("tags") and isinstance(value["tags"][0], dict | list):
            continue  # an entry may be a mapping or a list; the model refuses it
        got = value
        while not isinstance(got, str | None):
            got = (
                got.get("title", got.get("unknown", got.get("tags", got.get("items"))))
                if isinstance(got, dict)
                else got[0]
            )
        seen = re.split(r"(?:^|[ \t])#(?:[ \t]|$)", typed)[0].rstrip(" \t")
        if seen[:1] in ("'", '"'):
            assert seen[-1] == seen[0]
            continue
        assert (got or "") == seen

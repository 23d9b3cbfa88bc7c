"""YAML becomes texts with places; whatever could blow up or surprise is refused in one sentence."""

from __future__ import annotations

import pytest
import yaml

from mailer.errors import Problem
from mailer.issue.yaml import parse as yaml_parse
from mailer.issue.yaml.parse import parse_yaml


def said(text: str) -> list[str]:
    problems: list[Problem] = []
    parse_yaml(text, "a.yaml", problems)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    "written", ["no", "on", "12:30:00", "2026", "1e3", "0x1f", "2026-11-21", "=", "<<", "1_000"]
)
def test_a_text_stays_what_was_typed(written: str) -> None:
    node = parse_yaml(f"title: {written}\n{written}: x", "a.yaml", [])
    assert node is not None
    assert node.as_plain_data() == {"title": written, written: "x"}


@pytest.mark.parametrize("written", ["", "~", "null", "# a comment"])
def test_what_is_left_blank_counts_as_left_out(written: str) -> None:
    node = parse_yaml(f"title: {written}\nintro: 'null'", "a.yaml", [])
    assert node is not None
    assert node.as_plain_data() == {"intro": "null"}


def test_each_value_knows_its_place_in_characters() -> None:
    node = parse_yaml("港口: {名: 值}\nlist:\n  - a\n  - |\n    b\n", "a.yaml", [])
    assert node is not None
    inner = node.child("港口")
    assert inner is not None
    name = inner.child("名")
    assert name is not None
    assert name.key_position is not None
    assert (name.key_position.line, name.key_position.column, name.position.column) == (1, 6, 9)
    entry = node.child("list") and node.child("list").child(1)  # type: ignore[union-attr]
    assert entry is not None
    assert (entry.position.line, entry.position.column, entry.text_line) == (4, 5, 5)
    assert node.child("nothing") is None
    assert inner.child(3) is None
    assert name.child("x") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yaml:1:1: is empty; write at least edition, date and some content"),
        ("# nothing\n", "a.yaml:1:1: is empty; write at least edition, date and some content"),
        (
            "a: 1\n---\nb: 2\n",
            "a.yaml:2:1: a second document begins here, but a file must contain only one; delete the ---",
        ),
        ("a: 1\nb: 2\na: 3\n", 'a.yaml:3:1: the key "a" is written twice; delete this or the one on line 1'),
        ("a:\n\tb: 1\n", "a.yaml:2:1: a tab is used for indentation; use spaces"),
        ("a: @x", "a.yaml:1:4: a text cannot begin with @; put the whole text in quotes"),
        ("a: %x", "a.yaml:1:4: a text cannot begin with %; put the whole text in quotes"),
        ("a: b: c", 'a.yaml:1:5: a ": " is not allowed here; put the whole text in quotes'),
        ("b: 1\na: 'x\n\n", "a.yaml:2:4: a quote is opened here and never closed"),
        (
            'a: "x" y',
            'a.yaml:1:8: more text follows the closing "; put the whole text in quotes: a: \'"x" y\'',
        ),
        ("a:\n  - b\n c: d", "a.yaml:3:2: this does not fit"),
        ("a: [1, 2", "a.yaml:1:4: a [ is opened here and never closed; close it"),
        ("a: x\nb\nc: d\n", 'a.yaml:2:1: a ":" is missing here, or the text above needs quotes'),
        ("- a\nb: c", 'a.yaml:2:1: this line should begin with "- "'),
        ('a: "\\q"', "a.yaml:1:5: this \\ escape is unknown"),
        ("%FOO\na: b", "a.yaml:1:5: is not valid YAML: found unknown directive name"),
        ("? [a]\n: b", "a.yaml:1:3: a key must be a word"),
        ("~: b", "a.yaml:1:1: a key must be a word"),
        (
            "a: !!python/object:os.system x",
            "a.yaml:1:4: a text cannot begin with ! (anchors, aliases and types of YAML are not used here)",
        ),
        (
            "a: !!python/object:os.system\n  b: c",
            'a.yaml:1:4: the YAML type "tag:yaml.org,2002:python/object:os.system" is not',
        ),
        ("a: &b\n  c: d", 'a.yaml:1:4: "&b" is a YAML anchor, which is not allowed here'),
        ("a: [*b]", 'a.yaml:1:5: "*b" is a YAML alias, which is not allowed here'),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(text: str, message: str) -> None:
    found = said(text)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_a_billion_laughs_end_quickly() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    found = said("\n".join(lines))
    assert found[0].startswith("a.yaml:1:5: a text cannot begin with &")


@pytest.mark.parametrize("text", ["[" * 900_000, "{a: " * 200_000, "- " * 400_000, "? " * 400_000])
def test_deep_nesting_ends_quickly(text: str) -> None:
    (found,) = said(text)
    assert found.endswith(
        "is nested more than 20 levels deep; remove levels, because an issue needs only five"
    )


def test_too_many_values_end_quickly() -> None:
    (found,) = said("- a\n" * 60_000)
    assert found == "a.yaml:50000:3: holds more than 50,000 values; make it smaller"


def test_a_long_key_is_not_told_at_length() -> None:
    (found,) = said(f"{'k' * 900}: 1\n" * 2)
    assert found == f'a.yaml:2:1: the key "{"k" * 39}…" is written twice; delete this or the one on line 1'


def test_the_pure_python_loader_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_parse, "_Loader", yaml.SafeLoader)
    assert said("a:\n\tb: 1\n") == ["a.yaml:2:1: a tab is used for indentation; use spaces"]
    assert said("a:\n  - b\n c: d")[0].startswith("a.yaml:3:2: this does not fit")
    assert said("a: [1: 2: 3]")[0].startswith("a.yaml:1:")

"""Variants of an issue: what each segment sees."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mailer.issue.model import Issue, issue_for_variant, keys_and_reader_conditions, reader_conditions
from tests.issue.conftest import Load

SECTIONS = """\
sections:
  - title: A
    items:
      - title: a1
      - title: a2
        only: x
  - title: B
    only: y
    items:
      - title: b1
        only: x
  - title: C
    items:
      - title: c1
        only: z
  - title: D
    intro: Hello.
    items:
      - title: d1
        only: z
"""


def shown(issue: Issue) -> dict[str, list[str]]:
    return {section.title: [item.title for item in section.items] for section in issue.sections}


def test_expressions_are_told_once_and_in_order_with_their_places(load: Load, head: str) -> None:
    issue = load(head + SECTIONS).issue
    assert reader_conditions(issue) == ("x", "y", "z")
    assert [keys for keys, only in keys_and_reader_conditions(issue) if only == "x"] == [
        ("sections", 0, "items", 1, "only"),
        ("sections", 1, "items", 0, "only"),
    ]
    assert list(
        keys_and_reader_conditions(load(head + "items:\n  - title: a\n  - {title: b, only: x}\n").issue)
    ) == [(("items", 1, "only"), "x")]


def test_a_variant_leaves_out_what_is_for_others(load: Load, head: str) -> None:
    issue = load(head + SECTIONS).issue
    assert shown(issue_for_variant(issue, 0b000)) == {"A": ["a1"], "D": []}
    assert shown(issue_for_variant(issue, 0b001)) == {"A": ["a1", "a2"], "D": []}
    assert shown(issue_for_variant(issue, 0b010)) == {"A": ["a1"], "D": []}
    assert shown(issue_for_variant(issue, 0b011)) == {"A": ["a1", "a2"], "B": ["b1"], "D": []}
    assert shown(issue_for_variant(issue, 0b100)) == {"A": ["a1"], "C": ["c1"], "D": ["d1"]}
    assert issue_for_variant(issue, 0b111) is issue
    assert issue_for_variant(issue, 0b000) == issue_for_variant(issue, 0b010)


def test_items_are_filtered_too(load: Load, head: str) -> None:
    issue = load(head + "items:\n  - title: a\n  - {title: b, only: x}\n").issue
    assert [item.title for item in issue_for_variant(issue, 0).items] == ["a"]
    assert [item.title for item in issue_for_variant(issue, 1).items] == ["a", "b"]


def test_an_issue_cannot_be_changed(load: Load, head: str) -> None:
    issue = load(head + "body: x\n").issue
    with pytest.raises(ValidationError, match="frozen"):
        issue.title = "other"  # type: ignore[misc]

"""The JSON Schema says what the model says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from mailer.config import Settings
from mailer.issue.draft import draft_text
from mailer.issue.fields import parse_date
from mailer.issue.schema import issue_schema, schema_text
from mailer.issue.tree import parse
from tests.issue.test_load import FULL

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(issue_schema())
SAMPLES = sorted((ROOT / "issues").glob("*.yaml"))


def plain(text: str) -> Any:
    node = parse(text, "a.yaml", [])
    assert node is not None
    return node.plain()


def test_the_page_in_docs_is_in_step_with_the_model() -> None:
    assert (ROOT / "docs/issue.schema.json").read_text("utf-8") == schema_text(), (
        "run `mailer schema > docs/issue.schema.json`"
    )


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(issue_schema())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_samples_are_valid(path: Path) -> None:
    VALIDATOR.validate(plain(path.read_text("utf-8")))


@pytest.mark.parametrize("layout", ["morning", "evening", "feature", "other"])
def test_the_drafts_are_valid(layout: str) -> None:
    VALIDATOR.validate(plain(draft_text("morning", parse_date("2026-11-21"), layout)))


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        "edition: a\ndate: 2026-11-21\nitems: [{include: a.yaml}, {title: a, source: b}]\n"
        "related: [{include: a.yaml}]\n",
        "edition: a\ndate: 2026-11-21\nsections: [{include: a}, {title: a, items: [{include: b.yaml}]}]\n",
    ],
)
def test_what_may_be_written_is_valid(text: str) -> None:
    VALIDATOR.validate(plain(text))


@pytest.mark.parametrize(
    "text",
    [
        "edition: a\n",
        "edition: a\ndate: 21.11.2026\n",
        "edition: a\ndate: 2026-11-21\ntitel: x\n",
        "edition: a\ndate: 2026-11-21\nitems: [{include: a.yaml, title: b}]\n",
        "edition: a\ndate: 2026-11-21\nitems: [{titel: b}]\n",
        "edition: a\ndate: 2026-11-21\ntags: a\n",
        "edition: a\ndate: 2026-11-21\nitems: [{title: a, image: {src: a.png}}]\n",
    ],
)
def test_what_is_wrong_is_not(text: str, settings: Settings) -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate(plain(text))

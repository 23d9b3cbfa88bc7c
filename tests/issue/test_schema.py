# ruff: noqa: E501 (a table reads better than its folded lines)
"""The JSON Schema says what the model says."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from mailer.config import Settings
from mailer.errors import Problem
from mailer.issue.draft import draft_text
from mailer.issue.model import Issue
from mailer.issue.schema import issue_schema, schema_text
from mailer.issue.values.fields import parse_date
from mailer.issue.yaml.parse import parse_yaml
from tests.issue.new_keys import issues, written
from tests.issue.test_load import FULL

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(issue_schema())
SAMPLES = sorted((ROOT / "issues").glob("*.yaml"))


def plain(text: str) -> Any:
    node = parse_yaml(text, "a.yaml", [])
    assert node is not None
    return node.as_plain_data()


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
        *(
            "edition: a\ndate: 2026-11-21\n"
            f"items: [{{title: a, image: {{src: a.png, alt: a, width: {width}}}}}]\n"
            for width in ("300", "'300'", "300px", "' 300 px '")
        ),
        "edition: a\ndate: 2026-11-21\nsections: [{include: a}, {title: a, items: [{include: b.yaml}]}]\n",
        "edition: a\ndate: 2026-11-21\ncontents: NO\nnumbering: By-Section\nstyle: ' List '\n"
        "items: [{quote: a}, {quote: {text: a}}, {title: a, lead: Yes, sponsored: off}]\n",
        "edition: a\ndate: 2026-11-21\ncontents:\nnumbering:\nnotices: [{text: a, place: }]\n"
        "items: [{title: a, lead: , sponsored: , image: [{src: a.png, alt: a, place: BELOW}], links: , event: }]\n",
        *(
            f"edition: a\ndate: 2026-11-21\nitems: [{{title: a, event: {{starts: '{starts}'}}}}]\n"
            for starts in (
                "2026-12-20",
                " 2026-12-20 18:00 ",
                "2026-12-20T18:00:00+08:00",
                "2026-12-20t9:00Z",
            )
        ),
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
        "edition: a\ndate: 2026-11-21\nitems: [{body: a}]\n",
        "edition: a\ndate: 2026-11-21\nitems: [{title: a, lead: maybe}]\n",
        "edition: a\ndate: 2026-11-21\nitems: [{title: a, lead: 1}]\n",
        "edition: a\ndate: 2026-11-21\nitems: [{title: a, event: {starts: tomorrow}}]\n",
        "edition: a\ndate: 2026-11-21\nitems: [{title: a, event: {venue: a}}]\n",
        "edition: a\ndate: 2026-11-21\nitems: [{title: a, image: [{src: a.png, alt: a}, b]}]\n",
        "edition: a\ndate: 2026-11-21\nitems: [{title: a, image: {src: a.png, alt: a, place: top}}]\n",
        "edition: a\ndate: 2026-11-21\nnumbering: roman\n",
        "edition: a\ndate: 2026-11-21\nstyle: rows\n",
        "edition: a\ndate: 2026-11-21\nnotices: [{text: a, place: below}]\n",
    ],
)
def test_what_is_wrong_is_not(text: str, settings: Settings) -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate(plain(text))


class _Editor(yaml.SafeLoader):
    """Reads YAML as an editor's language server does: numbers, booleans and null, but no dates."""


_Editor.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def check_what_the_loader_takes(text: str) -> None:
    """Checks that an issue is valid by the schema, if the loader takes it."""
    problems: list[Problem] = []
    node = parse_yaml(text, "a.yaml", problems)
    try:
        Issue.model_validate(node and node.as_plain_data())
    except ValueError:
        return
    if problems:
        return
    VALIDATOR.validate(yaml.load(text, Loader=_Editor))


#: Values that YAML does not read as texts, and the loader does.
ODD = ("2026", "3.5", "1e3", "true", "no", "12:30:00", "2026-11-21", "0x1f", "1_000", ".inf")


@pytest.mark.parametrize("written", ODD)
def test_what_the_loader_takes_as_a_text_is_valid(written: str) -> None:
    text = (
        f"edition: {written}\ndate: 2026-11-21\ntitle: {written}\nintro: {written}\ntags: [{written}, x]\n"
        f"items:\n  - title: {written}\n    body: {written}\n    source: {written}\n    only: {written}\n"
        f"    image: {{src: {written}, alt: {written}}}\n    comment:\n    tags:\n    url:\n"
        f"  - title: x\n    source: {{name: {written}, url: }}\n    image:\n  - include: {written}\n"
        f"column: {{title: {written}, byline: {written}, body: {written}}}\nsections:\nrelated:\nnotice:\n"
    )
    Issue.model_validate(plain(text.replace("  - include", "#  - include")))
    VALIDATOR.validate(yaml.load(text, Loader=_Editor))


@given(
    st.dictionaries(
        st.sampled_from(sorted(set(Issue.model_fields) - {"edition", "date"})),
        st.sampled_from(
            (
                *ODD,
                "",
                "text",
                "[a, 2]",
                "{title: 1}",
                "[{title: yes}]",
                "{label: 1, url: 'mailto:a@example.org'}",
            )
        ),
    ),
    st.dates(min_value=dt.date(1, 1, 1)),
)
def test_what_the_loader_takes_is_valid(fields: dict[str, str], date: dt.date) -> None:
    head = f"edition: a\ndate: {date.isoformat()}\n"
    text = head + "".join(f"{key}: {value}\n" for key, value in fields.items())
    check_what_the_loader_takes(text)


@given(issues)
def test_what_the_loader_takes_of_the_new_keys_is_valid(keys: dict[str, Any]) -> None:
    text = written(keys)
    check_what_the_loader_takes(text)


def test_every_key_has_a_description_and_no_description_is_left_over() -> None:
    schema = issue_schema()
    parts = {"Issue": schema, **schema["$defs"]}
    text = (ROOT / "mailer/issue/key_descriptions.toml").read_text("utf-8")
    described = {name: set(keys) for name, keys in tomllib.loads(text).items()}
    assert described == {name: set(part["properties"]) for name, part in parts.items()}
    for part in parts.values():
        assert all(field["description"].endswith(".") for field in part["properties"].values())

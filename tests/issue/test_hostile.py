"""Whatever stands in a file, loading gives an issue or one IssueError."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.config import Settings, load_settings
from mailer.errors import IssueError, Problem
from mailer.issue.load import load_issue
from mailer.issue.model import Issue, Item
from tests.conftest import CONFIG
from tests.issue.test_load import FULL

KEYS = [*Issue.model_fields, *Item.model_fields, "include", "src", "alt", "name", "label", "title"]
WORDS = [
    "morning",
    "2026-11-21",
    "{{ subscriber.name }}",
    "![a](b.png)",
    "https://example.org",
    "x: y",
    "../x",
    "-",
]


@pytest.fixture(scope="module")
def desk() -> Any:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_SECRET_KEY", "x")
        (Path(folder) / "mailer.toml").write_text(CONFIG, "utf-8")
        yield load_settings(Path(folder))


def loads_or_refuses(desk: Settings, data: bytes) -> None:
    path = desk.root / "issue.yaml"
    path.write_bytes(data)
    problems: tuple[Problem, ...] = ()
    try:
        loaded = load_issue(path, desk)
    except IssueError as refused:
        problems = refused.problems
    else:
        assert loaded.issue.title
        assert loaded.issue.subject
        assert loaded.issue.preheader
    for problem in problems:
        assert problem.path
        assert problem.message.isprintable(), problem.message


texts = st.one_of(st.text(max_size=20), st.sampled_from(WORDS))
values = st.recursive(
    st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), texts), inner, max_size=5),
    ),
    max_leaves=15,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*Issue.model_fields]), values, max_size=8), st.booleans())
def test_any_tree(desk: Settings, tree: dict[str, Any], complete: bool) -> None:
    if complete:
        tree |= {"edition": "morning", "date": "2026-11-21", "body": "x"}
    with contextlib.suppress(UnicodeEncodeError):
        loads_or_refuses(desk, yaml.safe_dump(tree, allow_unicode=True).encode())


@settings(max_examples=120, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(alphabet="ab:-?&*!|>'\"%@`{}[],# \n\t\0\x85\u2028港", max_size=60).map(str.encode),
    )
)
def test_any_bytes(desk: Settings, data: bytes) -> None:
    loads_or_refuses(desk, data)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, len(FULL)), st.integers(0, 12), st.text(alphabet="a: \n-'\"{}[]&*\t\0", max_size=4))
def test_any_slip_of_the_keys(desk: Settings, at: int, gone: int, typed: str) -> None:
    loads_or_refuses(desk, (FULL[:at] + typed + FULL[at + gone :]).encode())


@pytest.mark.parametrize("marks", ["[^", "](", "{{ ", "`a"])
def test_many_marks_are_read_to_their_end(desk: Settings, marks: str) -> None:
    """Each took a minute or more where the text was searched through anew at each mark."""
    text = marks * (90_000 // len(marks))
    path = desk.root / "issue.yaml"
    path.write_text(f"edition: morning\ndate: 2026-11-21\ntitle: x\nbody: |\n  {text}\n", "utf-8")
    with contextlib.suppress(IssueError):
        assert load_issue(path, desk).documents

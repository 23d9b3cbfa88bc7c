"""A draft is written once, and loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import Settings, load_settings
from mailer.errors import IssueError
from mailer.issue import draft
from mailer.issue.draft import write_draft
from mailer.issue.load import load_issue
from mailer.issue.values.fields import parse_date

DAY = parse_date("2026-11-21")


@pytest.mark.parametrize(
    ("edition", "part"),
    [("morning", "items"), ("evening", "sections"), ("evening", "column"), ("feature", "body")],
)
def test_a_draft_has_the_parts_of_its_layout_and_loads(settings: Settings, edition: str, part: str) -> None:
    path = write_draft(settings, edition, DAY)
    assert path == settings.root / f"issues/2026-11-21-{edition}.yaml"
    loaded = load_issue(path, settings)
    assert getattr(loaded.issue, part)
    assert loaded.issue.edition == edition
    assert loaded.issue.date == DAY


def test_a_layout_of_ones_own_begins_with_items(workspace: Path) -> None:
    config = workspace / "mailer.toml"
    config.write_text(
        config.read_text("utf-8") + '\n[editions.weekly]\nname = "W"\nlayout = "weekly"\n', "utf-8"
    )
    settings = load_settings(workspace)
    assert load_issue(write_draft(settings, "weekly", DAY), settings).issue.items


def test_a_draft_never_overwrites(settings: Settings) -> None:
    path = settings.root / "issues/2026-11-21-morning.yaml"
    path.write_text("mine", "utf-8")
    with pytest.raises(
        IssueError, match=r"exists already and was not changed; edit it, or choose another date with --date"
    ):
        write_draft(settings, "morning", DAY)
    assert path.read_text("utf-8") == "mine"


def test_an_unknown_edition_has_no_draft(settings: Settings) -> None:
    with pytest.raises(
        IssueError, match=r'"mornin" is not an edition of mailer.toml; did you mean "morning"'
    ):
        write_draft(settings, "mornin", DAY)
    with pytest.raises(IssueError, match=r"mailer\.toml has morning, evening, feature"):
        write_draft(settings, "x/../y", DAY)
    assert list((settings.root / "issues").iterdir()) == []


def test_a_draft_that_cannot_be_written_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "draft_text", lambda *_args, **_options: "\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_draft(settings, "morning", DAY)
    assert list((settings.root / "issues").iterdir()) == []

"""What one can do with an issue, as functions with typed results, without the command line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.errors import InputError, IssueError
from mailer.services.issues.check import check_issue
from mailer.services.issues.draft import create_draft
from mailer.services.issues.render import render_issue
from tests.clock import Clock

ISSUE = """\
edition: morning
date: 2026-11-21
items:
- {title: One, body: The news.}
- {title: Two, body: For some., only: '"vip" in tags'}
"""


@pytest.fixture
def issue(workspace: Path) -> Path:
    path = workspace / "issues" / "test.yaml"
    path.write_text(ISSUE, encoding="utf-8")
    return path


def test_a_draft_is_of_today_in_the_publications_time_zone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock("2026-11-21T18:00")
    assert create_draft(settings, "morning") == "issues/2026-11-22-morning.yaml"
    assert create_draft(settings, "morning", dt.date(2026, 12, 1)) == "issues/2026-12-01-morning.yaml"
    with pytest.raises(IssueError, match="exists already"):
        create_draft(settings, "morning")


def test_a_check_tells_whether_the_issue_is_ready(settings: Settings, issue: Path) -> None:
    checked = check_issue(settings, issue)
    assert (checked.issue, checked.problems, checked.is_ready) == ("issues/test.yaml", (), True)
    issue.write_text(ISSUE.replace("The news.", "The news of 60*40*30"), encoding="utf-8")
    assert check_issue(settings, issue).is_ready
    strict = check_issue(settings, issue, strict=True)
    assert not strict.is_ready
    assert strict.to_json()["ok"] is False
    assert [problem["severity"] for problem in strict.to_json()["problems"]] == ["warning"]
    assert not check_issue(settings, issue.with_name("none.yaml")).is_ready


def test_an_issue_is_rendered_with_a_folder_for_each_condition(
    settings: Settings, issue: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    done = render_issue(settings, issue, output)
    assert (done.conditions, done.has_errors) == (('"vip" in tags',), False)
    assert (output / "email.html").stat().st_size == done.html_bytes
    assert {path.name for path in (output / "variants").iterdir()} == {"0", "1"}
    assert (done.variant_folder(output, 1) / "message.eml").is_file()
    with pytest.raises(InputError, match="is a file"):
        render_issue(settings, issue, issue)

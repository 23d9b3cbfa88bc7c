# ruff: noqa: E501 (a table reads better than its folded lines)
"""Whatever stands under the new keys: no traceback, every problem has a line, and what is right is rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from mailer.config import Settings, load_settings
from mailer.issue.load import examine_issue
from mailer.render.faults import RenderingFaults
from mailer.render.slots.markers import Markers
from mailer.render.source_positions import SourcePositions
from mailer.render.views.build import ViewBuilder
from tests.issue.conftest import NAME
from tests.issue.new_keys import issues, written


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=300)
@given(issues)
def test_every_problem_has_a_line(workspace: Path, keys: dict[str, Any]) -> None:
    _examine(workspace, load_settings(workspace), written(keys))


@pytest.mark.parametrize("layout", ["morning", "brief"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(keys=issues)
def test_also_with_values_left_out(workspace: Path, layout: str, keys: dict[str, Any]) -> None:
    config = load_settings(workspace)
    edition = config.editions["morning"].model_copy(update={"layout": layout})
    _examine(
        workspace,
        config.model_copy(update={"editions": {"morning": edition}}),
        written({key: value for key, value in keys.items() if value}),
    )


def _examine(workspace: Path, config: Settings, text: str) -> None:
    path = workspace / NAME
    path.write_text(text, encoding="utf-8")
    loaded, problems = examine_issue(path, config)
    for problem in problems:
        assert problem.path == NAME
        assert problem.line or "more problems" in problem.message
        assert 1 <= (problem.line or 1) <= text.count("\n") + 1
        assert "Input should" not in problem.message, problem
        assert not problem.message.startswith("datetime"), problem
    if loaded is None:
        assert any(problem.severity == "error" for problem in problems)
        return
    views = ViewBuilder(SourcePositions(loaded), config, Markers("x"), "https://e.test/", RenderingFaults([]))
    view = views.issue_view(loaded.issue)
    for item in view.all_items:
        if item.event is not None:
            assert item.event.calendar.endswith(".ics")

"""A workspace with one short issue and so many readers, for tests of what is sent and when."""

from __future__ import annotations

from pathlib import Path

from tests.cli import run

__all__ = ["ISSUE", "SLUG", "TEXT", "fill"]

SLUG = "2026-11-21-morning"
ISSUE = "issues/2026-11-21-morning.yaml"
TEXT = """\
edition: morning
date: 2026-11-21
language: en
items:
  - title: Cranes stand still
    body: The harbour rests today.
"""


def fill(workspace: Path, number: int) -> Path:
    """Writes the issue and imports reader0@example.org and so on; gives the workspace."""
    (workspace / ISSUE).write_text(TEXT, encoding="utf-8")
    rows = "".join(f"reader{i}@example.org\n" for i in range(number))
    (workspace / "readers.csv").write_text("email\n" + rows, encoding="utf-8")
    ran = run(workspace, "subscribers", "import", "readers.csv")
    assert ran.status == 0, ran.err
    return workspace

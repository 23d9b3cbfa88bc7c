"""A workspace with an issue and readers, for tests of what is sent and when.

The fixture `desk` makes one as the mark of the same name says; `fill` does it for any folder.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli import run

__all__ = ["ISSUE", "MAIL", "SLUG", "TEXT", "copy_repository", "fill"]

ROOT = Path(__file__).parents[1]
#: The URL of a mail server that no test reaches.
MAIL = "smtp://mx.example.org"

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


def fill(workspace: Path, readers: int | str, *, issue: str = ISSUE, text: str = TEXT) -> Path:
    """Writes the issue and imports the readers; returns the workspace.

    `readers` is the text of a CSV file, or a number: reader0@example.org and so on, 0 for an empty database.
    """
    (workspace / issue).write_text(text, encoding="utf-8")
    if readers == 0:
        return workspace
    if isinstance(readers, int):
        readers = "email\n" + "".join(f"reader{i}@example.org\n" for i in range(readers))
    (workspace / "readers.csv").write_text(readers, encoding="utf-8")
    ran = run(workspace, "subscribers", "import", "readers.csv")
    assert ran.status == 0, ran.err
    return workspace


def copy_repository(root: Path, *folders: str) -> Path:
    """Makes a workspace of the repository's own mailer.toml and these of its folders; returns its path."""
    root.mkdir()
    shutil.copy(ROOT / "mailer.toml", root)
    for folder in folders:
        shutil.copytree(ROOT / folder, root / folder)
    return root

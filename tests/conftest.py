"""What every test may use: a workspace of its own, far from the real environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.config import Settings, load_settings
from mailer.store.database import open_store

CONFIG = """\
[publication]
name = "Harbour Brief"
from = "Harbour Brief <desk@news.example.org>"
reply_to = "editors@news.example.org"
postal_address = "Harbour Brief, 12 Quay Street, Port Example"
base_url = "https://news.example.org"
timezone = "Asia/Shanghai"
language = "en"

[editions.morning]
name = "Morning Brief"
layout = "morning"
language = "zh"
time = "08:00"

[editions.evening]
name = "Evening Brief"
layout = "evening"

[editions.feature]
name = "The Long Read"
layout = "feature"

[delivery]
transport = "outbox:outbox"
"""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for variable in list(os.environ):
        if variable.startswith(("MAILER_", "SENDGRID_")):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("MAILER_SECRET_KEY", "a-secret-key-for-tests-only")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with mailer.toml (editions morning, evening, feature) and nothing else."""
    root = tmp_path / "workspace"
    (root / "issues").mkdir(parents=True)
    (root / "mailer.toml").write_text(CONFIG, encoding="utf-8")
    return root


@pytest.fixture
def settings(workspace: Path) -> Settings:
    """The settings of `workspace`."""
    return load_settings(workspace)


@pytest.fixture
def db(settings: Settings) -> Database:
    """The database of `workspace`, newly made."""
    return open_store(settings.database)


@pytest.fixture
def journal(settings: Settings) -> Path:
    """The path of a campaign's journal in `workspace`."""
    return settings.root / ".mailer" / "x.journal"

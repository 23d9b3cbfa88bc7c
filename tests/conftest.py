"""What every test may use: a workspace of its own, far from the real environment."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis_settings
from sqlite_utils import Database

from mailer.clock import set_clock
from mailer.config import Settings, load_settings
from mailer.store.database import open_store
from tests.clock import Clock
from tests.desk import fill

if TYPE_CHECKING:
    from tests.spooled import Scripted

if (
    hypothesis_settings.get_current_profile_name() == "default"
):  # elsewhere than in CI, where there is no deadline
    hypothesis_settings.register_profile("untimed", deadline=None)
    hypothesis_settings.load_profile("untimed")

# A shell starts a job in the background with Ctrl-C ignored, and the programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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
def _system_clock() -> Iterator[None]:
    """Each test begins with the system's clock, whatever clock the one before was given."""
    yield
    set_clock(None)


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
def db(settings: Settings) -> Iterator[Database]:
    """The database of `workspace`, open; a new one where no fixture before has made it."""
    database = open_store(settings.database)
    yield database
    database.close()


@pytest.fixture
def journal(settings: Settings) -> Path:
    """The path of a campaign's journal in `workspace`."""
    return settings.root / ".mailer" / "x.journal"


@pytest.fixture
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the program: it stands at the time of the mark `clock("2026-11-21T04:20")`, UTC."""
    mark = request.node.get_closest_marker("clock")
    return Clock(*(mark.args if mark else ("2026-11-21T12:00",)))


@pytest.fixture
def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The transport of every `send`: it accepts all, until a test changes `decide`.

    The mark `wire(url=…, concurrency=…)` sets the URL in the settings, and the number of connections.
    """
    from tests.spooled import Scripted, send_over  # not loaded for tests of the layers below

    mark = request.node.get_closest_marker("wire")
    options = dict(mark.kwargs) if mark else {}
    if url := options.pop("url", ""):
        monkeypatch.setenv("MAILER_DELIVERY_TRANSPORT", url)
    transport = Scripted(**options)
    send_over(monkeypatch, transport)
    return transport


@pytest.fixture
def desk(request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with an issue and the readers of the mark `desk(readers=…, text=…, issue=…, NAME=VALUE)`.

    `readers`, `text` and `issue` are those of `tests.desk.fill`; names in capitals go to the environment.
    """
    mark = request.node.get_closest_marker("desk")
    assert mark is not None, "say with pytest.mark.desk(readers=…) which readers there are"
    for name, value in mark.kwargs.items():
        if name.isupper():
            monkeypatch.setenv(name, value)
    return fill(workspace, **{name: value for name, value in mark.kwargs.items() if not name.isupper()})

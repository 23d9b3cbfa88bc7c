"""The messages of the samples, every page of the web application, issues with every field, and of desks."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.checkers.sending import Sent, pages_of, send_samples
from tests.full_issue import ROOT, full_issue
from tools.clients.documents import documents
from tools.screenshots import Shown, shown

LAYOUTS = ("morning", "evening", "feature", "brief", "digest")
#: Issues of desks that have all blocks between them; axe takes a second and a half for each.
DESKS = ("desk-club", "desk-datasets", "desk-essay", "desk-repositories")


@pytest.fixture(scope="session")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return send_samples(tmp_path_factory.mktemp("sent") / "desk")


@pytest.fixture(scope="session")
def pages(sent: Sent) -> dict[str, str]:
    """The HTML of every page, by its name."""
    # In a thread of its own, because Playwright's event loop may run in this one.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(pages_of, sent).result()


@pytest.fixture(scope="session")
def full_issues(tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """For each layout an English issue with items and a Chinese one with sections, both with every field; and
    some issues of different desks.
    """
    found = [replace(documents()[name], name=name) for name in DESKS]
    for layout in LAYOUTS:
        for language in ("en", "zh"):
            root = tmp_path_factory.mktemp(layout) / "desk"
            _workspace(root, layout)
            loaded = full_issue(root, edition="checked", sections=language == "zh", language=language)
            full = shown(loaded, root)
            found.append(Shown(f"full-{layout}-{language}", full.mail, full.web, full.pictures))
    return found


def _workspace(root: Path, layout: str) -> None:
    """Makes the repository's workspace at `root`, with an edition `checked` of this layout."""
    (root / "issues").mkdir(parents=True)
    shutil.copytree(ROOT / "issues/pictures", root / "issues/pictures")
    text = (ROOT / "mailer.toml").read_text(encoding="utf-8")
    edition = f'[editions.checked]\nname = "The Checked Edition"\nlayout = "{layout}"\nlanguage = "en"\n'
    (root / "mailer.toml").write_text(f"{text}\n{edition}", encoding="utf-8")

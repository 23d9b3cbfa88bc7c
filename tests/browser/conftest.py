"""Chromium for the tests, and the issues that they look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium import needed_chromium
from tests.full_issue import full_issue
from tools import screenshots
from tools.screenshots import Shown


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with needed_chromium() as started:
        yield started


@pytest.fixture(scope="module")
def issues(tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """The samples, and for each layout an issue with every field and words that do not want to break."""
    found = screenshots.samples()
    for number, edition in enumerate(("morning", "evening", "feature")):
        root = tmp_path_factory.mktemp("full") / "desk"
        loaded = full_issue(root, edition=edition, sections=number % 2 == 1)
        full = screenshots.shown(loaded, root)
        found.append(Shown(f"full-{edition}", full.mail, full.web, full.pictures))
    return found

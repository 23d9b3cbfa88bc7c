"""Renders the mails that the gallery and its tests look at: the samples and the fixtures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mailer.config import Edition, Settings, TextByLanguage, load_settings
from mailer.issue.load import load_issue
from tools.screenshots import ROOT, Shown, samples, shown

__all__ = ["FIXTURES", "documents", "fixture_names", "sample_names", "settings_with_all_layouts"]

#: Issues with texts of their own: right-to-left, mixed, wide, bare, many items, brief, digest, every field.
FIXTURES = ROOT / "tests/fixtures/clients"


def settings_with_all_layouts() -> Settings:
    """Returns this repository's settings with two more editions, for the layouts `brief` and `digest`."""
    settings = load_settings(ROOT)
    evening = settings.editions["evening"]
    more: dict[str, Edition] = {
        "brief": evening.model_copy(
            update={"name": TextByLanguage("港口快报"), "layout": "brief", "language": "zh"}
        ),
        "digest": evening.model_copy(
            update={"name": TextByLanguage("The Week on the Quay"), "layout": "digest"}
        ),
    }
    return settings.model_copy(update={"editions": {**settings.editions, **more}})


def sample_names() -> list[str]:
    """Returns the names of the sample issues, in order."""
    return sorted(path.stem for path in (ROOT / "issues").glob("*.yaml"))


def fixture_names() -> list[str]:
    """Returns the names of the fixtures, in order."""
    return sorted(path.stem for path in FIXTURES.glob("*.yaml"))


@cache
def documents() -> dict[str, Shown]:
    """Returns each sample and fixture by its name, rendered with the theme of this repository."""
    settings = settings_with_all_layouts()
    found = {each.name: each for each in samples()}
    for name in fixture_names():
        path: Path = FIXTURES / f"{name}.yaml"
        found[name] = shown(load_issue(path, settings), ROOT, settings)
    return found

"""Renders the mails that the gallery and its tests look at: the samples and the fixtures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mailer.config import Edition, Settings, TextByLanguage, load_settings
from mailer.issue.load import load_issue
from tools.screenshots import ROOT, Shown, samples, shown

__all__ = [
    "DESK",
    "FIXTURES",
    "desk_names",
    "documents",
    "fixture_names",
    "sample_names",
    "settings_with_all_layouts",
]

#: Issues with texts of their own: right-to-left, mixed, wide, bare, many items, brief, digest, every field.
FIXTURES = ROOT / "tests/fixtures/clients"
#: Issues as different desks write them: a list of links, a club's letter, a council's bulletin …
DESK = ROOT / "tests/fixtures/desk"

#: The name, layout, language and rhythm of the editions of these issues, beside those of this repository.
_EDITIONS = {
    "brief": ("港口快报", "brief", "zh", "daily"),
    "digest": ("The Week on the Quay", "digest", "en", "weekly"),
    "links": ("Quayside Links", "digest", "en", "weekly"),
    "code": ("Harbour Code", "morning", "en", "monthly"),
    "club": ("The Quay Club", "evening", "en", None),
    "council": ("Town Hall Bulletin", "evening", "en", "weekly"),
    "data": ("Open Figures", "evening", "en", "monthly"),
    "both": ("双语简报", "brief", "zh", "daily"),
}


def settings_with_all_layouts() -> Settings:
    """Returns this repository's settings with further editions, so that each layout has one."""
    settings = load_settings(ROOT)
    evening = settings.editions["evening"]
    more: dict[str, Edition] = {
        key: evening.model_copy(
            update={"name": TextByLanguage(name), "layout": layout, "language": language, "rhythm": rhythm}
        )
        for key, (name, layout, language, rhythm) in _EDITIONS.items()
    }
    return settings.model_copy(update={"editions": {**settings.editions, **more}})


def sample_names() -> list[str]:
    """Returns the names of the sample issues, in order."""
    return sorted(path.stem for path in (ROOT / "issues").glob("*.yaml"))


def fixture_names() -> list[str]:
    """Returns the names of the fixtures, in order."""
    return sorted(path.stem for path in FIXTURES.glob("*.yaml"))


def desk_names() -> list[str]:
    """Returns the names of the issues of different desks, in order: `desk-club` for desk/club.yaml."""
    return sorted(f"desk-{path.stem}" for path in DESK.glob("*.yaml"))


@cache
def documents() -> dict[str, Shown]:
    """Returns each sample and fixture by its name, rendered with the theme of this repository."""
    settings = settings_with_all_layouts()
    found = {each.name: each for each in samples()}
    paths: dict[str, Path] = {name: FIXTURES / f"{name}.yaml" for name in fixture_names()}
    paths |= {name: DESK / f"{name.removeprefix('desk-')}.yaml" for name in desk_names()}
    for name, path in paths.items():
        found[name] = shown(load_issue(path, settings), ROOT, settings)
    return found

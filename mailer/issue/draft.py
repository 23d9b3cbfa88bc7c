"""Writes drafts of issues: a skeleton for the edition's layout, with edition and date filled in."""

from __future__ import annotations

import datetime as dt
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template

import yaml

from mailer.config import Settings
from mailer.display_text import nearest_word
from mailer.errors import IssueError, Problem

__all__ = ["draft_text", "texts_in_skeletons", "write_draft"]

#: The skeleton of a layout; every other layout begins with items.
_SKELETONS = {"evening": "evening.yaml", "feature": "feature.yaml"}

#: The page about issues that `mailer init` puts into a workspace. Workspaces of earlier versions have none.
_PAGE = "issues/README.md"


@cache
def texts_in_skeletons() -> frozenset[str]:
    """Returns every text in the skeletons, each as one line.

    An issue that contains one of these texts was not finished.
    """
    texts: set[str] = set()
    for skeleton in (files("mailer.issue") / "skeletons").iterdir():
        _collect_texts_in(yaml.load(skeleton.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), texts)
    return frozenset(text for text in texts if not text.startswith("$"))


def _collect_texts_in(yaml_value: object, texts: set[str]) -> None:
    if isinstance(yaml_value, dict):
        yaml_value = [each for key, each in yaml_value.items() if key != "source"]
    if isinstance(yaml_value, list):
        for each in yaml_value:
            _collect_texts_in(each, texts)
    elif isinstance(yaml_value, str):
        texts.add(" ".join(yaml_value.split()))


def draft_text(edition: str, date: dt.date, layout: str, *, has_page: bool = True) -> str:
    """Returns the YAML of a draft: the skeleton of `layout` with the edition and date filled in.

    `has_page` tells whether the workspace has the page about issues, which the draft then names.
    """
    keys = f"Every key is explained in {_PAGE}" if has_page else "`mailer schema` lists every key"
    skeleton = files("mailer.issue") / "skeletons" / _SKELETONS.get(layout, "items.yaml")
    return Template(skeleton.read_text(encoding="utf-8")).substitute(
        edition=edition, date=date.isoformat(), keys=keys
    )


def write_draft(settings: Settings, edition: str, date: dt.date) -> Path:
    """Writes the draft issues/DATE-EDITION.yaml and returns its path.

    Raises IssueError if the edition is unknown or the file exists.
    """
    if edition not in settings.editions:
        best = nearest_word(edition, settings.editions)
        advice = f'did you mean "{best}"?' if best else f"mailer.toml has {', '.join(settings.editions)}"
        raise IssueError(f'"{edition}" is not an edition of mailer.toml; {advice}')
    name = f"issues/{date.isoformat()}-{edition}.yaml"
    path = settings.root / name
    layout = settings.editions[edition].layout
    text = draft_text(edition, date, layout, has_page=(settings.root / _PAGE).is_file())
    try:
        path.parent.mkdir(exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise IssueError(
            Problem("exists already and was not changed; edit it, or choose another date with --date", name)
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path

"""A draft to begin from: the skeleton of an edition's layout with its name and date."""

from __future__ import annotations

import datetime as dt
import os
from importlib.resources import files
from pathlib import Path
from string import Template

from mailer.config import Settings
from mailer.errors import IssueError, Problem
from mailer.words import nearest

__all__ = ["draft_text", "write_draft"]

#: The skeleton of a layout; every other layout begins with items.
_SKELETONS = {"evening": "evening.yaml", "feature": "feature.yaml"}


def draft_text(edition: str, date: dt.date, layout: str) -> str:
    """The YAML of a draft."""
    skeleton = files("mailer.issue") / "skeletons" / _SKELETONS.get(layout, "items.yaml")
    return Template(skeleton.read_text(encoding="utf-8")).substitute(edition=edition, date=date.isoformat())


def write_draft(settings: Settings, edition: str, date: dt.date) -> Path:
    """Makes issues/DATE-EDITION.yaml. Raises IssueError for an unknown edition or a file that is there."""
    if edition not in settings.editions:
        best = nearest(edition, settings.editions)
        advice = f'did you mean "{best}"?' if best else f"mailer.toml has {', '.join(settings.editions)}"
        raise IssueError(f'"{edition}" is not an edition of mailer.toml; {advice}')
    name = f"issues/{date.isoformat()}-{edition}.yaml"
    path = settings.root / name
    text = draft_text(edition, date, settings.editions[edition].layout)
    try:
        path.parent.mkdir(exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise IssueError(
            Problem("is there already and was left as it is; edit it, or choose --date", name)
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path

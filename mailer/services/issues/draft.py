"""Creates a draft of an issue from the skeleton of an edition."""

from __future__ import annotations

import datetime as dt

from mailer.clock import now
from mailer.config import Settings
from mailer.issue.draft import write_draft

__all__ = ["create_draft"]


def create_draft(settings: Settings, edition: str, date: dt.date | None = None) -> str:
    """Creates a draft of an issue, and returns its path in the workspace, with slashes.

    Without `date`, the draft is dated today in the publication's time zone. Raises IssueError for an unknown
    edition, or if the file exists.
    """
    today = now().astimezone(settings.publication.zone).date()
    return write_draft(settings, edition, date or today).relative_to(settings.root).as_posix()

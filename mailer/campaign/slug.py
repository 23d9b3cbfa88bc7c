"""Makes and checks slugs. A slug names a campaign in URLs, in commands and as a folder below `campaigns/`."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["is_slug", "slug_of"]

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def slug_of(edition: str, date: dt.date, campaign_number: int = 1) -> str:
    """Returns the slug for a campaign of the issue of this edition and date: `2026-11-21-morning`.

    `campaign_number` is 1 for the first campaign of the issue; the second gets `2026-11-21-morning-2`.
    """
    slug = f"{date.isoformat()}-{edition}"
    return slug if campaign_number == 1 else f"{slug}-{campaign_number}"


def is_slug(text: str) -> bool:
    """Returns whether a text is a valid slug, which can name one visible folder."""
    return _SLUG.fullmatch(text) is not None

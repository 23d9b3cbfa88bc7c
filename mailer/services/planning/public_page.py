"""Renders the public page of an issue: only the parts for everybody, unless the edition is configured
otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mailer.config import Settings
from mailer.issue.model import issue_for_variant
from mailer.render.rendition import Rendition

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["public_page_rendition", "is_public_page_blank"]


def public_page_rendition(
    loaded: LoadedIssue, settings: Settings, slug: str, renditions: Mapping[int, Rendition]
) -> Rendition | None:
    """Returns the rendition with only the parts for everybody; None if the public page shows something else.

    `renditions` are the readers' renditions by variant. Raises the same errors as `render_variants`.
    """
    if settings.editions[loaded.issue.edition].public_page != "everybody":
        return None
    if 0 in renditions:
        return renditions[0]
    from mailer.render.render import render_variants

    return render_variants(loaded, settings, slug=slug, variants=(0,))[0]


def is_public_page_blank(loaded: LoadedIssue, settings: Settings) -> bool:
    """Returns whether the public page shows only the parts for everybody, and the issue has no such parts."""
    page = issue_for_variant(loaded.issue, 0)
    if page == loaded.issue or settings.editions[page.edition].public_page != "everybody":
        return False
    return not (page.items or page.sections or page.intro or page.body or page.column or page.call_to_action)

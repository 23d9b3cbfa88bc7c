"""Verifies the folder of a campaign that the operator names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailer.config import Settings
from mailer.errors import CampaignError
from mailer.services.workspace import open_workspace

__all__ = ["VerifiedCampaign", "verify_by_slug"]


@dataclass(frozen=True, slots=True)
class VerifiedCampaign:
    """Holds the result of verifying a campaign's folder, as sentences.

    `problems` are differences in the folder itself. `notes` are differences that a changed theme or another
    version of mailer explains.
    """

    slug: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_unchanged(self) -> bool:
        """Returns whether the folder holds what was sent."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON data."""
        return {
            "slug": self.slug,
            "ok": self.is_unchanged,
            "findings": list(self.problems),
            "notes": list(self.notes),
        }


def verify_by_slug(settings: Settings, slug: str) -> VerifiedCampaign:
    """Compares the folder of the campaign with what was sent.

    Raises CampaignError if there is no such campaign, or if the folder of the campaign is missing.
    """
    folder = settings.campaigns / slug
    if not folder.is_dir():
        open_workspace(settings, for_reading=True).spools.find(slug)
        raise CampaignError(f"campaigns/{slug} is missing; restore it from a backup")
    # Imported here, because no other command on campaigns renders issues.
    from mailer.archive.verify import verify_campaign

    result = verify_campaign(folder, settings)
    return VerifiedCampaign(slug, result.problems, result.notes)

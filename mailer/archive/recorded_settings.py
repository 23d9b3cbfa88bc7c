"""Restores the settings that a campaign was made with, from the campaign's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from mailer.archive.manifest import MANIFEST
from mailer.config import Brand, Edition, Mailbox, Publication, Settings
from mailer.errors import ArchiveError

__all__ = ["recorded_settings"]

#: The keys of a recorded publication that hold a mailbox or None.
_MAILBOXES = ("from", "reply_to", "unsubscribe_mailto")


def recorded_settings(manifest: Mapping[str, Any], settings: Settings, root: Path | None = None) -> Settings:
    """Returns `settings` with the publication, the brand and the edition that the manifest recorded.

    These may have been changed in mailer.toml since the campaign was sent. Texts for readers are in the
    publication's language, as in the settings of a workspace. `root` is the folder of the workspace in the
    returned settings; None means the folder of `settings`. Raises ArchiveError if the manifest has no such
    record.
    """
    try:
        recorded = manifest["settings"]
        edition = Edition.model_validate(recorded["edition"])
        publication = _recorded_publication(recorded["publication"])
        return settings.model_copy(
            update={
                "root": root or settings.root,
                "publication": publication,
                "brand": Brand.model_validate(recorded["brand"]),
                "editions": MappingProxyType({**settings.editions, str(manifest["edition"]): edition}),
            }
        ).in_language(publication.language)
    except (AttributeError, KeyError, TypeError, ValidationError):
        raise ArchiveError(f"{MANIFEST} does not hold the settings that the campaign was sent with") from None


def _recorded_publication(recorded: Mapping[str, Any]) -> Publication:
    """Returns the recorded publication. Its mailboxes were checked when the campaign was made."""
    return Publication.model_validate(
        {
            key: Mailbox.model_validate(value) if key in _MAILBOXES and value is not None else value
            for key, value in recorded.items()
        }
    )

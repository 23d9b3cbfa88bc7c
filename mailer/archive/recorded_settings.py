"""Restores the settings that a campaign was made with from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from mailer.archive.manifest import MANIFEST
from mailer.config import Brand, Edition, Publication, Settings
from mailer.errors import ArchiveError

__all__ = ["recorded_settings"]


def recorded_settings(manifest: Mapping[str, Any], settings: Settings, root: Path | None = None) -> Settings:
    """Returns the settings with the publication, brand and edition that the manifest recorded.

    The current name, sender or colours may differ from those that were sent. Raises ArchiveError where none
    are recorded.
    """
    try:
        recorded = manifest["settings"]
        edition = Edition.model_validate(recorded["edition"])
        return settings.model_copy(
            update={
                "root": root or settings.root,
                "publication": Publication.model_validate(recorded["publication"]),
                "brand": Brand.model_validate(recorded["brand"]),
                "editions": MappingProxyType({**settings.editions, str(manifest["edition"]): edition}),
            }
        )
    except (KeyError, TypeError, ValidationError):
        raise ArchiveError(f"its {MANIFEST} does not hold the settings that it was sent with") from None

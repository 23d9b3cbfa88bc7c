"""A campaign to archive: a real issue with an include and pictures, rendered by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mailer.archive.campaign import write_campaign
from mailer.config import Settings
from mailer.issue.load import LoadedIssue, load_issue
from mailer.render.rendition import Picture, Rendition
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext

ISSUE = """\
edition: evening
date: 2026-11-21
title: Cranes stand still
items:
  - title: Quiet berths
    body: "A look at the berths: ![Cranes at dusk](pictures/cranes.png)"
  - include: shared/weather.yaml
"""


def png(colour: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), colour).save(stream, "PNG")
    return stream.getvalue()


def rendition(variant: int = 0, *, more: str = "", theme: str = "a" * 64) -> Rendition:
    name = Slot(("subscriber.name",), "reader", SlotContext.HTML)
    leave = Slot(("links.unsubscribe",), "", SlotContext.HREF)
    return Rendition(
        variant=variant,
        language="en",
        subject=RenditionPart(("Cranes stand still",)),
        html=RenditionPart(("<p>Dear ", f"</p>{more}<a href='", "'>leave</a>"), (name, leave)),
        text=RenditionPart(("Dear ", ""), (Slot(("subscriber.name",), "reader", SlotContext.TEXT),)),
        web=f"<!doctype html><p>Dear reader{more}</p>",
        theme=theme,
        pictures=(Picture("cranes-1234.png", png("navy"), 40, 20),),
    )


@dataclass
class Desk:
    """A workspace with one issue, ready to be archived under any name."""

    settings: Settings
    loaded: LoadedIssue
    renditions: dict[int, Rendition] = field(default_factory=lambda: {0: rendition()})

    def folder(self, slug: str = "2026-11-21-evening") -> Path:
        return self.settings.campaigns / slug

    def write(self, slug: str = "2026-11-21-evening", **more: Any) -> Path:
        manifest = {"subject": "Cranes stand still", "date": "2026-11-21", **more.pop("manifest", {})}
        write_campaign(
            self.folder(slug),
            settings=self.settings,
            loaded=self.loaded,
            renditions=self.renditions,
            manifest=manifest,
            **more,
        )
        return self.folder(slug)


@pytest.fixture
def desk(settings: Settings) -> Desk:
    issues = settings.root / "issues"
    (issues / "shared").mkdir()
    (issues / "pictures").mkdir()
    (issues / "evening.yaml").write_text(ISSUE)
    (issues / "shared/weather.yaml").write_text("title: Weather\nbody: Calm.\n")
    (issues / "pictures/cranes.png").write_bytes(png("navy"))
    (settings.root / "logo.png").write_bytes(png("red"))
    branded = settings.model_copy(update={"brand": settings.brand.model_copy(update={"logo": "logo.png"})})
    return Desk(branded, load_issue(issues / "evening.yaml", branded))


@pytest.fixture
def tree() -> Callable[[Path], set[str]]:
    """Everything below a folder, hidden or not."""
    return lambda folder: {p.relative_to(folder).as_posix() for p in folder.rglob("*")}

"""Defines a rendition: an issue that was rendered for one variant and can be sent to any reader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailer.errors import Problem
from mailer.render.slots.slots import RenditionPart

__all__ = ["MEDIA", "Picture", "Rendition"]

#: The parts of a rendition, each of which has templates of its own.
MEDIA = ("email", "text", "web")


@dataclass(frozen=True, slots=True)
class Picture:
    """Holds a picture, or the calendar file of an event, as it is published.

    `name` is the file name, with a hash of the bytes. `width` and `height` are in CSS px; 0 for a calendar
    file.
    """

    name: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """Holds an issue that was rendered for one variant.

    `variant` is a bit mask: bit i is set if the i-th `only` expression of the issue is true for the variant's
    readers. `web` is the web page, the same for every reader. `theme` is the hash of the theme's files.
    `pictures` are the pictures that `html` and `web` show. `findings` are warnings about pictures; the
    archive does not keep them.
    """

    variant: int
    language: str
    subject: RenditionPart
    html: RenditionPart
    text: RenditionPart
    web: str
    theme: str
    pictures: tuple[Picture, ...] = ()
    findings: tuple[Problem, ...] = field(default=(), compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Returns the rendition without its pictures as JSON data, for `from_json`."""
        return {
            "variant": self.variant,
            "language": self.language,
            "subject": self.subject.to_json(),
            "html": self.html.to_json(),
            "text": self.text.to_json(),
            "web": self.web,
            "theme": self.theme,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rendition:
        """Returns the rendition, without pictures, of the data that `to_json` returned."""
        return cls(
            variant=int(data["variant"]),
            language=data["language"],
            subject=RenditionPart.from_json(data["subject"]),
            html=RenditionPart.from_json(data["html"]),
            text=RenditionPart.from_json(data["text"]),
            web=data["web"],
            theme=data["theme"],
        )

    @property
    def digest(self) -> str:
        """Returns the SHA-256 in hex of everything in the rendition that a recipient can see."""
        data = {k: v for k, v in self.to_json().items() if k not in ("variant", "theme")}
        text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        pictures = "".join(f"\0{picture.name}" for picture in self.pictures)
        return hashlib.sha256((text + pictures).encode()).hexdigest()

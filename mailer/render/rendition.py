"""Defines the result of rendering: an issue for one variant, ready to be sent to any reader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailer.errors import Problem
from mailer.render.slots.slots import Part

__all__ = ["MEDIA", "Picture", "Rendition"]

#: The parts of a rendition, each of which has templates of its own.
MEDIA = ("email", "text", "web")


@dataclass(frozen=True, slots=True)
class Picture:
    """Holds a published picture.

    `name` holds the hash of its bytes; sizes are in CSS px.
    """

    name: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """Holds an issue rendered for one variant. `web` has no slots: it is the same for every reader.

    `variant` is a bit mask: bit i is set where the i-th `only` expression of the issue holds.
    `theme` is the hash of the templates that made it. `pictures` are those that html and web refer to.
    `findings` are warnings about what it was made of, for `check`; they are not kept.
    """

    variant: int
    language: str
    subject: Part
    html: Part
    text: Part
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
        """Returns the rendition of the data that `to_json` gave."""
        return cls(
            variant=int(data["variant"]),
            language=data["language"],
            subject=Part.from_json(data["subject"]),
            html=Part.from_json(data["html"]),
            text=Part.from_json(data["text"]),
            web=data["web"],
            theme=data["theme"],
        )

    @property
    def digest(self) -> str:
        """Returns the SHA-256 in hex over all that a recipient can see."""
        data = {k: v for k, v in self.to_json().items() if k not in ("variant", "theme")}
        text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        pictures = "".join(f"\0{picture.name}" for picture in self.pictures)
        return hashlib.sha256((text + pictures).encode()).hexdigest()

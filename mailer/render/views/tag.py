"""Defines the view of a tag: a text that knows its language."""

from __future__ import annotations

from typing import ClassVar

from mailer.language_tags import direction_of

__all__ = ["TagView"]


class TagView(str):
    """Represents a tag of an item or of the issue as a text that has a language."""

    called: ClassVar[str] = "a tag"
    __slots__ = ("language",)
    language: str

    @classmethod
    def of(cls, text: str, language: str) -> TagView:
        """Returns the tag `text` in the language with the tag `language`."""
        tag = cls(text)
        tag.language = language
        return tag

    @property
    def dir(self) -> str:
        """Returns the direction that the tag's language is written in: `ltr` or `rtl`."""
        return direction_of(self.language)

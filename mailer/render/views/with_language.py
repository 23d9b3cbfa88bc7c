"""Defines the views that have one language: the base of all of them, and the view of a tag."""

from __future__ import annotations

from typing import ClassVar

from mailer.language_tags import direction_of

__all__ = ["TagView", "ViewWithLanguage"]


class ViewWithLanguage:
    """Adds the writing direction to the view of a part of an issue that has one language."""

    language: str

    @property
    def dir(self) -> str:
        """Returns the direction that the part's language is written in: `ltr` or `rtl`."""
        return direction_of(self.language)


class TagView(ViewWithLanguage, str):
    """Represents a tag of an item or of the issue as a text that has a language."""

    called: ClassVar[str] = "a tag"

    @classmethod
    def of(cls, text: str, language: str) -> TagView:
        """Returns the tag `text` in the language with the tag `language`."""
        tag = cls(text)
        tag.language = language
        return tag

"""An error as an operator meets it."""

from __future__ import annotations

from mailer.display_text import without_control_characters

__all__ = ["check_sentence"]


def check_sentence(error: Exception) -> None:
    """It is one short line, and a terminal obeys nothing in it."""
    text = str(error)
    assert 0 < len(text) < 1000
    assert "\n" not in text
    assert text == without_control_characters(text)

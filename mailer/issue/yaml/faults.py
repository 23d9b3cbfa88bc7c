"""Describes mistakes in the text of a file, and quotes texts for messages."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Fault", "quoted_entry", "quoted", "shown_character"]

#: Of a text that is shown in a message, so many characters.
_SHOWN = 60


class Fault(NamedTuple):
    """Describes a mistake in a text. `line` and `column` count from 1."""

    line: int
    column: int
    message: str


def quoted(text: str) -> str:
    """Returns the text as a YAML scalar in quotes that is read as exactly this text; a long one is cut."""
    text = text.strip()
    if len(text) > _SHOWN:
        text = text[: _SHOWN - 1] + "…"
    if "\\" in text or '"' in text:
        if "'" not in text:
            return f"'{text}'"
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f'"{text}"'


def quoted_entry(key: str | None, text: str) -> str:
    """Returns the value in quotes, with its key, or as the entry of a list."""
    return f"{key}: {quoted(text)}" if key else quoted(text)


def shown_character(character: str) -> str:
    """Returns the character as it can be read in a message."""
    names = {
        "\t": "a tab",
        "\u3000": "a full-width space (U+3000)",
        "\u00a0": "a no-break space (U+00A0)",
        "\u2028": "a line separator (U+2028)",
        "\u2029": "a paragraph separator (U+2029)",
        "\u0085": "a next-line character (U+0085)",
        "\ufeff": "a byte order mark (U+FEFF)",
        "\u200b": "a zero-width space (U+200B)",
    }
    if character in names:
        return names[character]
    return character if character.isprintable() else f"the invisible character U+{ord(character):04X}"

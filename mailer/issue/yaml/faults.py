"""Describes mistakes in the text of a file, and quotes texts for messages."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TextFault", "quoted_entry", "quoted_scalar", "described_character"]

#: Of a text that is shown in a message, so many characters.
_SHOWN = 60


class TextFault(NamedTuple):
    """Describes a mistake in the text of a file. `line` and `column` count from 1."""

    line: int
    column: int
    message: str


def quoted_scalar(text: str) -> str:
    """Returns the text in quotes, so that YAML reads exactly this text. A long text is shortened first."""
    text = text.strip()
    if len(text) > _SHOWN:
        text = text[: _SHOWN - 1] + "…"
    if "\\" in text or '"' in text:
        if "'" not in text:
            return f"'{text}'"
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f'"{text}"'


def quoted_entry(key: str | None, text: str) -> str:
    """Returns `key: "text"`, or only the text in quotes if there is no key."""
    return f"{key}: {quoted_scalar(text)}" if key else quoted_scalar(text)


def described_character(character: str) -> str:
    """Returns the name of an invisible character for a message, or a visible character itself."""
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

"""Makes placeholders: the words that replace slots while a Markdown text is parsed.

A placeholder is a word of letters and digits, so that Markdown leaves it alone. It holds a hash of the files
of the issue: no text of an issue can contain one of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

from mailer.issue.values.expressions import BRACES, fill_slots

__all__ = ["PLACEHOLDER", "Placeholders"]

#: Anything of a placeholder's shape.
PLACEHOLDER = re.compile(r"slot[0-9a-f]{24}x[0-9]{1,6}z", re.IGNORECASE)


#: What is not known of every reader.
_MAY_BE_EMPTY = ("subscriber.name", "subscriber.attributes.")


class Placeholders:
    """Makes and finds the placeholders of one issue. `seed` is a hash of its files."""

    def __init__(self, seed: str) -> None:
        self._prefix = f"slot{hashlib.sha256(b'mailer.placeholders' + seed.encode()).hexdigest()[:24]}x"
        self._pattern = re.compile(f"{self._prefix}([0-9]{{1,6}})z", re.IGNORECASE)
        self._slots: list[tuple[tuple[str, ...], str]] = []
        self._numbers: dict[tuple[tuple[str, ...], str], int] = {}

    def fill(self, text: str) -> str:
        """Returns the text with a placeholder for each slot. Raises ExpressionError where one is wrong."""
        return fill_slots(text, self._word)

    def replace(self, text: str, make: Callable[[tuple[str, ...], str], str]) -> str:
        """Returns the text with the result of `make(paths, default)` in place of each placeholder."""
        if self._prefix not in text.lower():
            return text
        return self._pattern.sub(lambda found: make(*self._slots[int(found[1])]), text)

    def without_fallback(self, text: str) -> Iterator[str]:
        """Returns a warning for each slot of a text that is empty where nothing is known of a reader."""
        for found in self._pattern.finditer(text):
            paths, default = self._slots[int(found[1])]
            if not default and all(path.startswith(_MAY_BE_EMPTY) for path in paths):
                yield (
                    f"{_slot(paths, default)} is empty for readers of whom it is not known; "
                    f"write what stands there instead, as in {_slot(paths, 'reader')}"
                )

    def is_link(self, word: str) -> bool:
        """Returns whether a word is one placeholder, that of a reader's own link."""
        found = self._pattern.fullmatch(word)
        return found is not None and all(path.startswith("links.") for path in self._slots[int(found[1])][0])

    def written(self, text: str) -> str:
        """Returns finished text as an editor would write it: slots in braces, literal braces as text."""
        return self.replace(text.replace("{{", BRACES), _slot)

    def _word(self, paths: tuple[str, ...], default: str) -> str:
        slot = (paths, default)
        if slot not in self._numbers:
            self._numbers[slot] = len(self._slots)
            self._slots.append(slot)
        return f"{self._prefix}{self._numbers[slot]}z"


def _slot(paths: tuple[str, ...], default: str) -> str:
    quote = "'" if '"' in default else '"'
    return "{{ " + " or ".join([*paths, *([f"{quote}{default}{quote}"] if default else [])]) + " }}"

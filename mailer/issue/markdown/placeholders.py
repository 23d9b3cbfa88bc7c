"""Makes placeholders: words that replace slots while a Markdown text is parsed.

A placeholder consists of letters and digits, so that Markdown leaves it alone. It contains a hash of the
issue's files, so that no text of the issue can contain its own placeholders.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

from mailer.issue.values.expressions import BRACES, replace_slots, slot_text

__all__ = ["PLACEHOLDER", "Placeholders"]

#: Anything of a placeholder's shape.
PLACEHOLDER = re.compile(r"slot[0-9a-f]{24}x[0-9]{1,6}z", re.IGNORECASE)


#: Values that some readers do not have.
_MAY_BE_EMPTY = ("subscriber.name", "subscriber.attributes.")


class Placeholders:
    """Makes and finds the placeholders of one issue. `seed` is a hash of the issue's files."""

    def __init__(self, seed: str) -> None:
        self._prefix = f"slot{hashlib.sha256(b'mailer.placeholders' + seed.encode()).hexdigest()[:24]}x"
        self._pattern = re.compile(f"{self._prefix}([0-9]{{1,6}})z", re.IGNORECASE)
        self._slots: list[tuple[tuple[str, ...], str]] = []
        self._numbers: dict[tuple[tuple[str, ...], str], int] = {}

    def replace_slots(self, text: str) -> str:
        """Returns the text with a placeholder for each slot. Raises ExpressionError for an invalid slot."""
        return replace_slots(text, self._placeholder_for)

    def replace_placeholders(self, text: str, make_value: Callable[[tuple[str, ...], str], str]) -> str:
        """Returns the text with `make_value(paths, default)` in place of each placeholder.

        `paths` are the alternatives in the slot, such as `subscriber.name`; `default` is the slot's default.
        """
        if self._prefix not in text.lower():
            return text
        return self._pattern.sub(lambda found: make_value(*self._slots[int(found[1])]), text)

    def missing_fallback_warnings(self, text: str) -> Iterator[str]:
        """Yields a warning for each placeholder whose slot has no default and is empty for some readers."""
        for found in self._pattern.finditer(text):
            paths, default = self._slots[int(found[1])]
            if not default and all(path.startswith(_MAY_BE_EMPTY) for path in paths):
                yield (
                    f"{slot_text(paths, default)} is empty for readers without this value; "
                    f"write a default for them, as in {slot_text(paths, 'reader')}"
                )

    def is_reader_link(self, word: str) -> bool:
        """Returns whether `word` is the placeholder of a URL of one reader, such as `links.preferences`."""
        found = self._pattern.fullmatch(word)
        return found is not None and all(path.startswith("links.") for path in self._slots[int(found[1])][0])

    def restore_slots(self, text: str) -> str:
        """Returns the text with a slot in place of each placeholder; braces that are text are escaped."""
        return self.replace_placeholders(text.replace("{{", BRACES), slot_text)

    def _placeholder_for(self, paths: tuple[str, ...], default: str) -> str:
        slot = (paths, default)
        if slot not in self._numbers:
            self._numbers[slot] = len(self._slots)
            self._slots.append(slot)
        return f"{self._prefix}{self._numbers[slot]}z"

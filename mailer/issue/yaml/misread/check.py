"""Checks a file line by line for text that YAML reads otherwise than it was typed.

A text is walked through line by line, as far as the layout of an issue needs: keys, entries of lists, quoted
texts, brackets and blocks. Everything else is left to the parser.
"""

from __future__ import annotations

import re

from mailer.issue.yaml.characters import INVISIBLE
from mailer.issue.yaml.faults import Fault, quoted_entry, shown_character
from mailer.issue.yaml.keys import known_keys
from mailer.issue.yaml.misread.values import HEADER, KEY, CheckedValues

__all__ = ["CheckedText", "check_text"]

_NO_COLON = re.compile(r"([\"“]?)([\w-]+)([\"”]?)[ \u3000]*(?:(：)|:(?!//)(?=[^ \t]))(.*)")
_BULLET = re.compile(r"([–—−•·－﹣*+][ \t\u3000]*|-)(?=([\w]+)[ ]*[:：])")
_CURLY = "“”‘’「」"


class CheckedText(CheckedValues):
    """Holds a text that YAML reads as it was typed, of the same length as before.

    `faults` has its mistakes.
    """

    def __init__(self, text: str, faults: list[Fault]) -> None:
        super().__init__(text, faults)
        row = 0
        while row < len(self.lines):
            row = self._line(row)

    def _line(self, row: int) -> int:
        """Checks a line and the lines that belong to it; returns the number of the next line."""
        bare = self.lines[row].lstrip(" \t")
        if not bare or bare.startswith("#") or self.lines[row].startswith(("---", "...", "%")):
            return row + 1
        column = self.indentation(row)
        self._bullet(row, column)
        line, dash = self.lines[row], None
        while match := re.compile(r"-(?:[ \t]+|$)").match(line, column):
            dash, column = column, match.end()
        if column >= len(line) or line[column] == "#":
            return row + 1
        key = KEY.match(line, column)
        if key:
            return self._pair(row, key, column)
        if self._no_colon(row, column, dash is not None):
            return self.below(row, column) if dash is None else row + 1
        if dash is None and line[column] not in "\"'[{&*!|>%@`,]}":
            return row + 1
        return self.value(row, column, column - 1 if dash is None else dash, None)

    def _bullet(self, row: int, column: int) -> None:
        match = _BULLET.match(self.lines[row], column)
        if match and match[2] in known_keys():
            sign = match[1][0]
            if match[1] == "-":
                self.fault(row, column, f'a space is missing after the "-"; write - {match[2]}:')
            else:
                self.fault(row, column, f'an entry of a list begins with "- " and not with {sign}')
                self.put(row, column, len(match[1]), " ")
                self.put(row, column, 1, "-")

    def _no_colon(self, row: int, column: int, entry: bool) -> bool:
        """Reports a full-width colon, or a missing space after a colon, behind a word that is a key."""
        match = _NO_COLON.match(self.lines[row], column)
        if not match or (match[2] not in known_keys() and (entry or not match[2].isidentifier())):
            return False
        advice = f"write {quoted_entry(match[2], match[5])}" if match[5].strip() else f"write {match[2]}:"
        if HEADER.match(match[5].strip()):
            advice = f"write {match[2]}: {match[5].strip()}"
        at = match.start(4) if match[4] else match.start(5) - 1
        wrong = INVISIBLE.match(match[5])
        if match[4]:
            why = f"a full-width colon ： stands after {match[2]}"
        elif wrong:
            why = f'{shown_character(wrong[0])} stands after "{match[2]}:" in place of a space'
        else:
            why = f'a space is missing after "{match[2]}:"'
        self.fault(row, at, f"{why}; {advice}")
        self.put(row, match.start(3), len(self.lines[row]) - match.start(3), " ")
        self.put(row, match.start(3), 1, ":")
        if match[1]:
            self.put(row, match.start(1), 1, " ")
        self.drop(row, column)
        return True

    def _pair(self, row: int, match: re.Match[str], column: int) -> int:
        key = match[1]
        wrong = INVISIBLE.search(key)
        if wrong:
            right = INVISIBLE.sub("", key)
            self.fault(
                row, column + wrong.start(), f"the key {right} holds {shown_character(wrong[0])}; delete it"
            )
        elif key[0] in _CURLY:
            self.fault(row, column, f"a key needs no quotes; write {key.strip(_CURLY)}:")
        name = INVISIBLE.sub("", key).strip("\"'" + _CURLY)
        after = match.end()
        while after < len(self.lines[row]) and self.lines[row][after] in " \t":
            after += 1
        if after >= len(self.lines[row]) or self.lines[row][after] == "#":
            return self.nothing(row, column, name, match.end())
        return self.value(row, after, column, name)


def check_text(text: str, faults: list[Fault]) -> CheckedText:
    """Returns the text as YAML can read it. Adds the places that YAML would misread to `faults`."""
    return CheckedText(text, faults)

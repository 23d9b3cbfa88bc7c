"""Checks a file line by line for text that YAML reads differently from what was typed.

Only what occurs in the layout of an issue is looked at: keys, entries of lists, quoted texts, brackets and
blocks. Everything else is left to the parser.
"""

from __future__ import annotations

import re

from mailer.issue.yaml.characters import INVISIBLE
from mailer.issue.yaml.faults import TextFault, described_character, quoted_entry
from mailer.issue.yaml.keys import known_keys
from mailer.issue.yaml.misread.values import HEADER, KEY, ValueChecker

__all__ = ["CheckedText", "check_text"]

_NO_COLON = re.compile(r"([\"“]?)([\w-]+)([\"”]?)[ \u3000]*(?:(：)|:(?!//)(?=[^ \t]))(.*)")
_BULLET = re.compile(r"([–—−•·－﹣*+][ \t\u3000]*|-)(?=([\w]+)[ ]*[:：])")
_CURLY = "“”‘’「」"


class CheckedText(ValueChecker):
    """Holds a YAML text in which each value that YAML would misread is replaced by filler of equal length.

    So all positions stay correct. A description of each such value is appended to `faults`.
    """

    def __init__(self, text: str, faults: list[TextFault]) -> None:
        super().__init__(text, faults)
        row = 0
        while row < len(self.lines):
            row = self._check_line(row)

    def _check_line(self, row: int) -> int:
        """Checks a line and the lines that belong to it. Returns the next row to check."""
        bare = self.lines[row].lstrip(" \t")
        if not bare or bare.startswith("#") or self.lines[row].startswith(("---", "...", "%")):
            return row + 1
        column = self.check_indentation(row)
        self._check_bullet(row, column)
        line, dash = self.lines[row], None
        while match := re.compile(r"-(?:[ \t]+|$)").match(line, column):
            dash, column = column, match.end()
        if column >= len(line) or line[column] == "#":
            return row + 1
        key = KEY.match(line, column)
        if key:
            return self._check_key_and_value(row, key, column)
        if self._has_faulty_colon(row, column, dash is not None):
            return self.next_outer_row(row, column) if dash is None else row + 1
        if dash is None and line[column] not in "\"'[{&*!|>%@`,]}":
            return row + 1
        return self.check_value(row, column, column - 1 if dash is None else dash, None)

    def _check_bullet(self, row: int, column: int) -> None:
        match = _BULLET.match(self.lines[row], column)
        if match and match[2] in known_keys():
            sign = match[1][0]
            if match[1] == "-":
                self.add_fault(row, column, f'a space is missing after the "-"; write - {match[2]}:')
            else:
                self.add_fault(row, column, f'an entry of a list must begin with "- ", not with {sign}')
                self.overwrite(row, column, len(match[1]), " ")
                self.overwrite(row, column, 1, "-")

    def _has_faulty_colon(self, row: int, column: int, is_entry: bool) -> bool:
        """Returns whether the key at `column` has a full-width colon, or no space after its colon.

        Reports the mistake and corrects it in the text. `is_entry` is True if the line begins an entry of
        a list.
        """
        match = _NO_COLON.match(self.lines[row], column)
        if not match or (match[2] not in known_keys() and (is_entry or not match[2].isidentifier())):
            return False
        advice = f"write {quoted_entry(match[2], match[5])}" if match[5].strip() else f"write {match[2]}:"
        if HEADER.match(match[5].strip()):
            advice = f"write {match[2]}: {match[5].strip()}"
        at = match.start(4) if match[4] else match.start(5) - 1
        wrong = INVISIBLE.match(match[5])
        if match[4]:
            why = f"a full-width colon ： is used after {match[2]}"
        elif wrong:
            why = f'{described_character(wrong[0])} is used after "{match[2]}:" instead of a space'
        else:
            why = f'a space is missing after "{match[2]}:"'
        self.add_fault(row, at, f"{why}; {advice}")
        self.overwrite(row, match.start(3), len(self.lines[row]) - match.start(3), " ")
        self.overwrite(row, match.start(3), 1, ":")
        if match[1]:
            self.overwrite(row, match.start(1), 1, " ")
        self.blank_out_nested_rows(row, column)
        return True

    def _check_key_and_value(self, row: int, key_match: re.Match[str], column: int) -> int:
        key = key_match[1]
        wrong = INVISIBLE.search(key)
        if wrong:
            right = INVISIBLE.sub("", key)
            self.add_fault(
                row,
                column + wrong.start(),
                f"the key {right} holds {described_character(wrong[0])}; delete it",
            )
        elif key[0] in _CURLY:
            self.add_fault(row, column, f"a key needs no quotes; write {key.strip(_CURLY)}:")
        name = INVISIBLE.sub("", key).strip("\"'" + _CURLY)
        after = key_match.end()
        while after < len(self.lines[row]) and self.lines[row][after] in " \t":
            after += 1
        if after >= len(self.lines[row]) or self.lines[row][after] == "#":
            return self.check_empty_value(row, column, name, key_match.end())
        return self.check_value(row, after, column, name)


def check_text(text: str, faults: list[TextFault]) -> CheckedText:
    """Overwrites everything in the text that YAML would misread, and adds a fault for each to `faults`."""
    return CheckedText(text, faults)

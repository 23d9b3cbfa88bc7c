"""Checks the values after keys and dashes for text that YAML reads differently from what was typed."""

from __future__ import annotations

import re

from mailer.issue.yaml.characters import INVISIBLE
from mailer.issue.yaml.faults import described_character, quoted_entry
from mailer.issue.yaml.keys import known_keys, long_text_keys, text_keys
from mailer.issue.yaml.misread.closing import closing_bracket, closing_quote
from mailer.issue.yaml.misread.lines import TextLines

__all__ = ["HEADER", "KEY", "ValueChecker"]

HEADER = re.compile(r"[|>](?:[1-9]?[+-]?|[+-][1-9])[ \t]*(?:[ \t]#(?:[ \t].*)?)?$")
KEY = re.compile(
    r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[^\s#&*!|>'\"%@`,\[\]{}](?:(?!:\s|:$|\s#).)*?)[ \t]*:(?=[ \t]|$)"
)
_COLON = re.compile(r":(?:[ \t]|$)")
_HEX = r"x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}"
_ESCAPE = re.compile(rf"(?:[^\\]|\\(?:[0abtnvfre \"/\\N_LP\t]|{_HEX}))*(\\?)")
_COMMENT = re.compile(r"[ \t]#")
_MARKS = re.compile(r"[-*+?](?:[ \t]|$)|[>|]|[0-9]+[.)][ \t]|```|~~~")
_OFF = re.compile(r"#[ \t]*(?:- |[\w\"'-]+:(?:\s|$))|#$")  # a line that was commented out
_PLAIN_COMMENT = re.compile(r"#[ \t]")


class ValueChecker(TextLines):
    """Reports mistakes in values and makes them harmless.

    Each checking method returns the next row to check. `row` and `column` are the place where the value
    begins, `parent_column` is the column of the key or dash before the value, and `key` is None after a dash.
    """

    def check_empty_value(self, row: int, column: int, key: str, key_end: int) -> int:
        """Checks a key that has no value on its line, and the text below it. Returns the next row to check.

        `key_end` is the column after the colon.
        """
        if key not in text_keys():
            return row + 1
        end = self.next_outer_row(row, column)
        rows = [each for each in range(row + 1, end) if not self.is_blank(each)]
        if not rows:
            return row + 1
        first = self.lines[rows[0]].lstrip(" \t")
        if first[0] in "\"'" or HEADER.match(first):
            return self.check_value(rows[0], self.indent_width(rows[0]), column, key)
        bare = [text for each in rows if not _OFF.match(text := self.lines[each].strip(" \t"))]
        if all(_PLAIN_COMMENT.match(each) for each in bare):
            return end
        if bare[0][0] in "&!%@`[]{},*" or any(
            _MARKS.match(each) or _COLON.search(each) or each[0] == "#" or _COMMENT.search(each)
            for each in bare
        ):
            self.report_unquoted_text(row, key_end - 1, key, bare[0] if len(bare) == 1 else "…")
            self.blank_out_nested_rows(row, column)
        return end

    def report_unquoted_text(self, row: int, column: int, key: str, text: str) -> None:
        """Reports that the text below `key` needs a `|` or quotes. The message shows `text` in quotes."""
        if key in long_text_keys():
            self.add_fault(
                row, column, f"a text of several lines must follow a |; write {key}: | and the text below it"
            )
        else:
            self.add_fault(row, column, f"the text of {key} needs quotes; write {quoted_entry(key, text)}")

    def check_value(self, row: int, column: int, parent_column: int, key: str | None) -> int:
        """Checks the value that begins at `row` and `column`. Returns the next row to check.

        `parent_column` is the column of the key or dash before the value; `key` is None after a dash.
        """
        line = self.lines[row]
        text = line[column:].rstrip(" \t")
        sign = text[0]
        if HEADER.match(text):
            return self.check_block_text(row, column, parent_column, key)
        if sign in "\"'":
            return self.check_quoted_text_and_get_next_row(row, column, parent_column, key)
        if sign in "[{":
            return self.check_brackets(row, column, parent_column, key)
        bare = text[: cut.start()].rstrip() if (cut := _COMMENT.search(text)) else text
        begins = f"a text cannot begin with {sign}"
        why = None
        if sign in "*@%`,]}|>" or (sign in "&!" and (" " in bare or key in text_keys())):
            why = begins
        elif sign in "-?:" and (len(bare) == 1 or bare[1] in " \t"):
            why = f'a text cannot begin with "{bare[:2].strip()} "'
        elif sign in "｜＞" and len(bare) == 1 and self.next_outer_row(row, parent_column) > row + 1:
            return self.report_and_skip(
                row, column, parent_column, f"a full-width {sign} cannot begin a text; write |"
            )
        elif INVISIBLE.match(sign) and bare[1:2] in tuple("\"'[{|>*&!"):
            return self.report_and_skip(
                row, column, parent_column, f"the text begins with {described_character(sign)}; delete it"
            )
        if why:
            more = " (anchors, aliases and types of YAML are not used here)" if sign in "&*!" else ""
            message = f"{why}{more}; put the whole text in quotes: {quoted_entry(key, text)}"
            return self.report_and_skip(row, column, parent_column, message)
        if sign in "&!":
            return row + 1  # a name or a type of what stands below, which the parser tells
        colon = _COLON.search(bare)
        if colon:
            at = column + colon.start()
            self.add_fault(
                row,
                at,
                f'a ": " is not allowed here; put the whole text in quotes: {quoted_entry(key, bare)}',
            )
            return self.overwrite_value(row, column, parent_column)
        return self.check_continuation_lines(row, parent_column, key)

    def report_and_skip(self, row: int, column: int, parent_column: int, message: str) -> int:
        """Reports a fault, overwrites the value, and returns the row after the value.

        `parent_column` is the column of the key or dash before the value.
        """
        self.add_fault(row, column, message)
        return self.overwrite_value(row, column, parent_column)

    def overwrite_value(self, row: int, column: int, parent_column: int) -> int:
        """Overwrites a value with letters that YAML reads as a text. Returns the row after the value.

        `parent_column` is the column of the key or dash before the value.
        """
        self.overwrite(row, column, len(self.lines[row]) - column, "x")
        return self.blank_out_nested_rows(row, parent_column)

    def check_block_text(self, row: int, column: int, parent_column: int, key: str | None) -> int:
        """Checks the indentation of the text below a `|` or `>`, and that there is a text.

        `parent_column` is the column of the key or dash before the value; `key` is None after a dash.
        Returns the next row to check.
        """
        if self.lines[row][column] == ">":
            self.folded_block_offsets.add(self.starts[row] + column)
            self.overwrite(row, column, 1, "|")
        reported = False
        at = row + 1
        while at < len(self.lines):
            line = self.lines[at]
            blank = len(line) - len(line.lstrip(" \t\u00a0\u3000"))
            if not self.is_blank(at) and self.indent_width(at) <= parent_column:
                if blank <= self.indent_width(at):
                    break
                if not reported:
                    reported = True
                    self.check_indentation(at)
                self.overwrite(at, 0, blank, " ")
                if self.indent_width(at) <= parent_column:
                    self.overwrite(at, 0, len(line), " ")
            elif self.is_blank(at) and "\t" in line[: parent_column + 1]:
                self.overwrite(at, 0, len(line), " ")
            at += 1
        if all(self.is_blank(each) for each in range(row + 1, at)):
            sign = self.lines[row][column:].split("#")[0].strip()
            sign = (">" if self.starts[row] + column in self.folded_block_offsets else "|") + sign[1:]
            advice = f"write an indented text there, or put the sign in quotes: {quoted_entry(key, sign)}"
            self.add_fault(row, column, f"there is no text below this {sign[0]}; {advice}")
        return at

    def check_quoted_text_and_get_next_row(
        self, row: int, column: int, parent_column: int, key: str | None
    ) -> int:
        """Checks a text in quotes: whether it is closed, its escapes, and what follows it.

        `parent_column` is the column of the key or dash before the value; `key` is None after a dash.
        Returns the next row to check.
        """
        text = self.lines[row][column:].rstrip(" \t")
        end = closing_quote(self.lines, (row, column), parent_column)
        if end is None:
            message = "a quote is opened here and never closed; close it, or put the whole text in quotes: "
            return self.report_and_skip(row, column, parent_column, message + quoted_entry(key, text))
        if text[0] == '"' and end[0] == row:
            unknown = _ESCAPE.match(self.lines[row][: end[1]], column + 1)
            if unknown and unknown[1]:
                at = unknown.start(1)
                self.add_fault(
                    row, at, "this \\ escape is unknown; write \\\\ for a backslash, or use single quotes"
                )
                return self.overwrite_value(row, column, parent_column)
        after = self.lines[end[0]][end[1] + 1 :]
        rest = after.strip(" \t")
        if not rest or (rest[0] == "#" and after[0] in " \t"):
            return end[0] + 1
        if end[0] == row:
            what = f"more text follows the closing {text[0]}"
            at = end[1] + 1 + len(after) - len(after.lstrip(" \t"))
            self.add_fault(row, at, f"{what}; put the whole text in quotes: {quoted_entry(key, text)}")
            return self.overwrite_value(row, column, parent_column)
        self.add_fault(
            end[0],
            end[1] + 1,
            f"more text follows the {text[0]} that closes the quote of line {row + 1}; "
            f"write {text[0] * 2 if text[0] == chr(39) else chr(92) + text[0]} for a quote inside the text",
        )
        for each in range(row + 1, end[0] + 1):
            self.overwrite(each, 0, len(self.lines[each]), " ")
        self.overwrite_value(row, column, parent_column)
        return max(end[0] + 1, self.next_outer_row(row, parent_column))

    def check_brackets(self, row: int, column: int, parent_column: int, key: str | None) -> int:
        """Checks a value that begins with a bracket: whether it is closed, or is a text without quotes.

        `parent_column` is the column of the key or dash before the value; `key` is None after a dash.
        Returns the next row to check.
        """
        text = self.lines[row][column:].rstrip(" \t")
        end, cuts = closing_bracket(self.lines, (row, column), parent_column)
        message = (
            f"a text cannot begin with {text[0]}; put the whole text in quotes: {quoted_entry(key, text)}"
        )
        if key in text_keys() or text.startswith("{{"):
            return self.report_and_skip(row, column, parent_column, message)
        if end is None:
            message = f"a {text[0]} is opened here and never closed; close it, or put a text in quotes: "
            return self.report_and_skip(row, column, parent_column, message + quoted_entry(key, text))
        after = self.lines[end[0]][end[1] + 1 :]
        rest = after.strip(" \t")
        if rest and not rest.startswith("#"):
            return self.report_and_skip(row, column, parent_column, message)
        for at, where in cuts:
            word = re.split(r"[,\]}]", self.lines[at][where:])[0]
            self.add_fault(
                at,
                where,
                f'YAML drops everything after " #"; put the text in quotes: {quoted_entry(None, word)}',
            )
            self.overwrite(at, where, 1, "x")
        return end[0] + 1

    def check_continuation_lines(self, row: int, parent_column: int, key: str | None) -> int:
        """Checks the further lines of a text that begins on `row` without a quote.

        `parent_column` is the column of the key or dash before the value; `key` is None after a dash.
        Returns the next row to check.
        """
        end = self.next_outer_row(row, parent_column)
        commented = False
        for at in range(row + 1, end):
            line = self.lines[at].strip(" \t")
            if not line:
                continue
            if _OFF.match(line) or _PLAIN_COMMENT.match(line):
                commented = True
                continue
            pair = KEY.match(line)
            colon = _COLON.search(line)
            if pair and pair[1] in known_keys():
                self.add_fault(
                    at,
                    self.indent_width(at),
                    f"{pair[1]}: is indented as a part of the text above; move it "
                    + (f"under {key}:" if key else "to the left"),
                )
                if key:  # goes on as if it stood where it should
                    self.lines[at] = (" " * parent_column + line).ljust(len(self.lines[at]))
                    return at
            elif colon or commented or line[0] == "#" or _MARKS.match(line):
                name = key or "the text"
                advice = (
                    f"write {key}: | and all of it below" if key in long_text_keys() else "put it in quotes"
                )
                self.add_fault(
                    at,
                    self.indent_width(at) + (colon.start() if colon else 0),
                    f"this line cannot be a part of {name}, which begins on line {row + 1}; {advice}",
                )
            else:
                continue
            self.blank_out_nested_rows(row, parent_column)
            break
        return end

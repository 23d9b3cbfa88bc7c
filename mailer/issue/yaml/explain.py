"""Turns PyYAML's errors into plain sentences for an editor."""

from __future__ import annotations

import yaml

from mailer.issue.yaml.characters import lines_and_line_ends
from mailer.issue.yaml.faults import TextFault, described_character

__all__ = ["fault_from_error"]

_FIT = "this does not fit what comes before it; check the indentation and the quotes"
_COMMA = 'a "," or the closing bracket is missing; add it, or put the text in quotes'

#: Words of PyYAML's messages, and what an editor can do about each error.
_ADVICE = (
    ("mapping values are not allowed", 'a ": " is not allowed here; put the whole text in quotes'),
    ("found unexpected end of stream", "a quote is opened here and never closed; close it"),
    ("could not find expected ':'", 'a ":" is missing here, or the text above needs quotes'),
    ("did not find expected '-'", 'this line should begin with "- ", or its indentation is wrong'),
    ("did not find expected key", _FIT),
    ("expected <block end>", _FIT),
    ("did not find expected ',' or", _COMMA),
    ("expected ',' or", _COMMA),
    ("escape character", "this \\ escape is unknown; write \\\\ for a backslash, or use single quotes"),
    (
        "expected hexdecimal number",
        "this \\ escape is unknown; write \\\\ for a backslash, or use single quotes",
    ),
    ("found a tab character", "a tab is used for indentation; use spaces"),
    (
        "sequence entries are not allowed",
        'a "- " is not allowed here; put a text in quotes, or a list below its key',
    ),
    ("mapping keys are not allowed", 'a "? " is not allowed here; put the whole text in quotes'),
    ("did not find expected node content", "a value is missing here, or the text needs quotes"),
)


def fault_from_error(error: yaml.YAMLError, text: str) -> TextFault:
    """Returns an error of PyYAML as a sentence for the editor, with the position of the mistake in `text`."""
    problem = str(getattr(error, "problem", None) or error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    opened = getattr(error, "context_mark", None)
    late = "unexpected end of stream" in problem or "could not find expected ':'" in problem
    if mark and opened and (late or mark.line > text.rstrip().count("\n")):
        mark = opened  # what is never closed is seen only later, often at the end of the file
    if mark is None:
        return TextFault(1, 1, f"is not valid YAML: {problem}")
    message = next((advice for words, advice in _ADVICE if words in problem), f"is not valid YAML: {problem}")
    if "cannot start any token" in problem:
        lines = lines_and_line_ends(text)[0]
        found = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
        message = (
            "a tab is used for indentation; use spaces"
            if found == "\t"
            else f"a text cannot begin with {described_character(found)}; put the whole text in quotes"
        )
    return TextFault(mark.line + 1, mark.column + 1, message)

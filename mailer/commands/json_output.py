"""Prints the JSON document of a command with `--json`, even if the command ends with an error.

A command prints one document. The document is kept until the command has ended, so that a later error can be
added to it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from mailer.display_text import HIDDEN, without_control_characters
from mailer.errors import Problem

__all__ = [
    "JsonOutput",
    "as_json_text",
    "emit_json",
    "emit_json_list",
    "set_exit_explanation",
    "use_json_output",
]

#: The explanation of an exit status if the command gave none; 130 is the status after SIGINT.
_DEFAULT_EXPLANATIONS: Final = {130: "interrupted"}
_NO_DOCUMENT: Final = object()


class JsonOutput:
    """Holds the JSON document of a command until the command ends. `wanted` is True if `--json` was given."""

    def __init__(self, *, wanted: bool) -> None:
        self.wanted = wanted
        self._document: Any = _NO_DOCUMENT
        self._list_is_open = False
        self._explanation = ""

    def keep_document(self, document: Any) -> None:
        """Keeps `document` for `print_document`. Raises RuntimeError for a second document of a command."""
        if self._document is not _NO_DOCUMENT:
            raise RuntimeError("a command must print only one JSON document")
        self._document = document

    def set_exit_explanation(self, sentence: str) -> None:
        """Keeps a sentence that explains an exit status other than 0.

        `print_document` prints the sentence if the command has no document.
        """
        self._explanation = sentence

    def note_list_opened(self) -> None:
        """Records that the beginning of a JSON list has been printed."""
        self._list_is_open = True

    def note_list_closed(self) -> None:
        """Records that the JSON list has been printed completely."""
        self._list_is_open = False

    def print_document(self, status: int) -> None:
        """Prints the document of a command that ended without an exception. `status` is the exit status.

        If there is no document and `status` is not 0, prints the explanation of the status as an error.
        Raises OSError if standard output cannot be written.
        """
        if self._document is not _NO_DOCUMENT:
            _print_json(self._document)
        elif self.wanted and status:
            sentence = self._explanation or _DEFAULT_EXPLANATIONS.get(status, f"exit status {status}")
            self.print_error([Problem(sentence)], status)

    def print_error(self, problems: Sequence[Problem], status: int) -> None:
        """Prints an error with `problems` and the exit status as JSON, as a part of the document if possible.

        A document that is an object gets the key `error`. A document that is a list gets one more element, an
        object with the key `error`. Without `--json`, nothing is printed. Raises OSError if standard output
        cannot be written.
        """
        error = {"error": _error_document(problems, status)}
        if self._list_is_open:
            sys.stdout.write(f",\n {as_json_text(error)}\n]\n")
            sys.stdout.flush()
        elif isinstance(self._document, dict):
            _print_json({**self._document, **error})
        elif isinstance(self._document, list):
            _print_json([*self._document, error])
        elif self.wanted:
            _print_json(error)


_current: ContextVar[JsonOutput | None] = ContextVar("json_output", default=None)


@contextmanager
def use_json_output(*, wanted: bool) -> Iterator[JsonOutput]:
    """Yields the object to which the command in the `with` block gives its JSON document.

    `wanted` is True if `--json` was given.
    """
    output = JsonOutput(wanted=wanted)
    token = _current.set(output)
    try:
        yield output
    finally:
        _current.reset(token)


def as_json_text(document: Any, indent: int | None = None) -> str:
    """Returns `document` as JSON, with control characters and characters that cannot be encoded escaped.

    `indent` is the number of spaces for each level; with None, all JSON is on one line.
    """
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    text = HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent)
    return text


def emit_json(document: Any) -> None:
    """Keeps `document`, which is printed as the only output when the command ends."""
    output = _current.get()
    if output is None:
        _print_json(document)
    else:
        output.keep_document(document)


def emit_json_list(documents: Iterable[Any]) -> None:
    """Prints a JSON list as the only output, element by element: a whole list may exceed the memory."""
    output = _current.get() or JsonOutput(wanted=True)
    between = "["
    for document in documents:
        sys.stdout.write(f"{between}\n {as_json_text(document)}")
        between = ","
        output.note_list_opened()
    sys.stdout.write("[\n]\n" if between == "[" else "\n]\n")
    output.note_list_closed()
    sys.stdout.flush()


def set_exit_explanation(sentence: str) -> None:
    """Keeps a sentence that explains an exit status other than 0.

    The sentence is printed if the command has no JSON document. Without `--json` nothing is printed.
    """
    output = _current.get()
    if output is not None:
        output.set_exit_explanation(sentence)


def _error_document(problems: Sequence[Problem], status: int) -> dict[str, Any]:
    return {
        "message": without_control_characters("\n".join(map(str, problems))),
        "exit_status": status,
        "problems": [
            {
                "path": problem.path,
                "line": problem.line,
                "column": problem.column,
                "severity": problem.severity,
                "message": problem.message,
            }
            for problem in problems
        ],
    }


def _print_json(document: Any) -> None:
    sys.stdout.write(as_json_text(document, indent=2) + "\n")
    sys.stdout.flush()

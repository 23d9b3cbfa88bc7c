"""Prints the one JSON document of a command with `--json`, also where it ends with an error.

The document is kept until the command has ended, so that an error that comes later becomes a part of it.
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

__all__ = ["JsonOutput", "as_json_text", "emit_json", "emit_json_list", "explain_exit", "json_output"]

#: What is said of a command that ended without a word: what a shell says of a program that SIGINT ended.
_WITHOUT_A_WORD: Final = {130: "interrupted"}
_NO_DOCUMENT: Final = object()


class JsonOutput:
    """Holds a command's JSON document until it ends. `wanted` says that `--json` was given."""

    def __init__(self, *, wanted: bool) -> None:
        self.wanted = wanted
        self._document: Any = _NO_DOCUMENT
        self._list_is_open = False
        self._explanation = ""

    def keep(self, document: Any) -> None:
        """Keeps the command's document until the end. Raises RuntimeError for a second one."""
        if self._document is not _NO_DOCUMENT:
            raise RuntimeError("a command prints one JSON document")
        self._document = document

    def explain(self, sentence: str) -> None:
        """Keeps the sentence that explains an exit status other than 0 without a document."""
        self._explanation = sentence

    def list_opened(self) -> None:
        """Notes that the printing of a list has begun."""
        self._list_is_open = True

    def list_closed(self) -> None:
        """Notes that the list is complete."""
        self._list_is_open = False

    def end(self, status: int) -> None:
        """Prints the document of a command that ended by itself. Raises OSError where it cannot be."""
        if self._document is not _NO_DOCUMENT:
            _print(self._document)
        elif self.wanted and status:
            sentence = self._explanation or _WITHOUT_A_WORD.get(status, f"exit status {status}")
            self.fail([Problem(sentence)], status)

    def fail(self, problems: Sequence[Problem], status: int) -> None:
        """Prints the error, in the command's document where it has one. Raises OSError as `end` does.

        An object gets the key `error`; a list gets one more element, an object with this key.
        """
        error = {"error": _error(problems, status)}
        if self._list_is_open:
            sys.stdout.write(f",\n {as_json_text(error)}\n]\n")
            sys.stdout.flush()
        elif isinstance(self._document, dict):
            _print({**self._document, **error})
        elif isinstance(self._document, list):
            _print([*self._document, error])
        elif self.wanted:
            _print(error)


_current: ContextVar[JsonOutput | None] = ContextVar("json_output", default=None)


@contextmanager
def json_output(*, wanted: bool) -> Iterator[JsonOutput]:
    """Gives the JSON output of the command that runs in the `with` block."""
    output = JsonOutput(wanted=wanted)
    token = _current.set(output)
    try:
        yield output
    finally:
        _current.reset(token)


def as_json_text(document: Any, indent: int | None = None) -> str:
    """Returns `document` as JSON, with control and unencodable characters escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    text = HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent)
    return text


def emit_json(document: Any) -> None:
    """Keeps `document` until the command ends, and prints it then as the only output."""
    output = _current.get()
    if output is None:
        _print(document)
    else:
        output.keep(document)


def emit_json_list(documents: Iterable[Any]) -> None:
    """Prints a list element by element as the only output, because it may exceed the memory."""
    output = _current.get() or JsonOutput(wanted=True)
    between = "["
    for document in documents:
        sys.stdout.write(f"{between}\n {as_json_text(document)}")
        between = ","
        output.list_opened()
    sys.stdout.write("[\n]\n" if between == "[" else "\n]\n")
    output.list_closed()
    sys.stdout.flush()


def explain_exit(sentence: str) -> None:
    """Keeps a sentence for the JSON document of a command that ends without a document."""
    output = _current.get()
    if output is not None:
        output.explain(sentence)


def _error(problems: Sequence[Problem], status: int) -> dict[str, Any]:
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


def _print(document: Any) -> None:
    sys.stdout.write(as_json_text(document, indent=2) + "\n")
    sys.stdout.flush()

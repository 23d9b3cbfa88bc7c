"""Leaves out or fills in the faulty values of an issue, so that `check` can examine everything else.

A repaired issue is never sent, because an issue with an error is refused.
"""

from __future__ import annotations

import copy
from typing import Any

from pydantic import ValidationError

from mailer.config import Settings
from mailer.issue.model import Issue
from mailer.issue.problems import located_errors

__all__ = ["repaired_issue"]

_TEXT = "…"
_URL = "https://example.org/"
#: Of values that are wrong in several ways, one is found in each round.
_ROUNDS = 8


def repaired_issue(data: Any, error: ValidationError, settings: Settings) -> Issue | None:
    """Returns the issue with its faulty values replaced or left out, or None if that is not possible.

    `data` is the issue as lists and dicts, and `error` holds pydantic's errors about it. Lists keep their
    length.
    """
    value = copy.deepcopy(data)
    editions = tuple(settings.editions)
    for _ in range(_ROUNDS):
        for item in located_errors(error, value):
            _repair_value(value, item["loc"], editions, is_missing=item["type"] == "missing")
        try:
            return Issue.model_validate(value, context={"editions": editions})
        except ValidationError as again:
            error = again
    return None


def _repair_value(
    data: Any, keys: tuple[str | int, ...], editions: tuple[str, ...], *, is_missing: bool
) -> None:
    """Replaces the value under `keys` in `data` by a valid one, or removes it.

    If `is_missing`, there is no such value yet, and a valid one is added.
    """
    *above, last = keys or ("",)
    for key in above:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(last, int) and isinstance(data, list):
        if last < len(data):
            entries: dict[Any, Any] = {
                "tags": _TEXT,
                "links": {"text": _TEXT, "url": _URL},
                "notices": {"text": _TEXT},
                "image": {"src": _URL, "alt": _TEXT},
            }
            data[last] = entries.get(above[-1] if above else "", {"title": _TEXT})
    elif isinstance(data, dict) and is_missing:
        data[str(last)] = {
            "edition": editions[0] if editions else _TEXT,
            "date": "2000-01-01",
            "starts": "2000-01-01",
            "src": _URL,
            "url": _URL,
        }.get(str(last), _TEXT)
    elif isinstance(data, dict):
        data.pop(str(last), None)

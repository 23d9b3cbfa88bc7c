"""Leaves out or fills in the faulty values of an issue, so that `check` can look at all the rest.

Nothing of it is ever sent: an issue with an error is refused.
"""

from __future__ import annotations

import copy
from typing import Any

from pydantic import ValidationError

from mailer.config import Settings
from mailer.issue.model import Issue

__all__ = ["repaired"]

_TEXT = "…"
_URL = "https://example.org/"
#: Of values that are wrong in several ways, one is found in each round.
_ROUNDS = 8


def repaired(plain: Any, error: ValidationError, settings: Settings) -> Issue | None:
    """Returns the issue without its errors; None where that cannot be done. Lists keep their length."""
    value = copy.deepcopy(plain)
    editions = tuple(settings.editions)
    for _ in range(_ROUNDS):
        for item in error.errors(include_url=False, include_input=False):
            _repair(value, item["loc"], editions, missing=item["type"] == "missing")
        try:
            return Issue.model_validate(value, context={"editions": editions})
        except ValidationError as again:
            error = again
    return None


def _repair(value: Any, keys: tuple[str | int, ...], editions: tuple[str, ...], *, missing: bool) -> None:
    """Replaces a value by a valid one, or removes it."""
    *above, last = keys or ("",)
    for key in above:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(last, int) and isinstance(value, list):
        if last < len(value):
            entries: dict[Any, Any] = {"tags": _TEXT, "related": {"title": _TEXT, "url": _URL}}
            value[last] = entries.get(above[-1] if above else "", {"title": _TEXT})
    elif isinstance(value, dict) and missing:
        value[str(last)] = {
            "edition": editions[0] if editions else _TEXT,
            "date": "2000-01-01",
            "src": _URL,
            "url": _URL,
        }.get(str(last), _TEXT)
    elif isinstance(value, dict):
        value.pop(str(last), None)

"""Turns pydantic's errors about an issue into sentences with their positions in the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from mailer.display_text import nearest_word
from mailer.errors import Problem
from mailer.issue.include import LISTS
from mailer.issue.model import MISSING_TITLE, Issue, Item, Section
from mailer.issue.parts import (
    CallToAction,
    Column,
    Event,
    Image,
    Job,
    Link,
    Notice,
    Quote,
    Related,
    RelatedLink,
    Source,
)
from mailer.issue.yaml.keys import known_keys
from mailer.issue.yaml.tree import Node, SourcePosition

__all__ = ["located_errors", "sorted_problems", "validation_problems"]

#: Further problems are not shown, because nobody would read them all.
MAX_PROBLEMS = 100

_MODELS: dict[str, type[BaseModel]] = {
    "items": Item,
    "sections": Section,
    "related": Related,
    "source": Source,
    "image": Image,
    "column": Column,
    "call_to_action": CallToAction,
    "links": Link,
    "event": Event,
    "job": Job,
    "quote": Quote,
    "notices": Notice,
}
_KINDS = {"str": "a text", "list": "a list", "dict": "a mapping (key: value)", "NoneType": "nothing"}
#: Texts that YAML takes for something else.
_IN_QUOTES = {
    "a list": '; a text that begins with [ or "- " needs quotes',
    "a mapping (key: value)": '; a text with ": " in it, or that begins with {, needs quotes',
}


def located_errors(error: ValidationError, data: Any) -> list[Any]:
    """Returns pydantic's errors about `data`, each with the keys of the value as it is written.

    `data` is the issue as lists and dicts. A value that may be one mapping or a list of them has an index in
    pydantic's errors even if it is written as one.
    """
    found: list[Any] = []
    for each in error.errors(include_url=False):
        is_missing = each["type"] == MISSING_TITLE
        keys: list[str | int] = []
        value = data
        for key in each["loc"]:
            if isinstance(key, int) and isinstance(value, dict):
                continue
            keys.append(key)
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                value = None
        found.append({**each, "loc": tuple(keys), "type": "missing" if is_missing else each["type"]})
    return found


def validation_problems(error: ValidationError, tree: Node) -> list[Problem]:
    """Returns a problem for each of pydantic's errors, except in values that have a problem already."""
    # An unknown key comes before the missing one that it was meant to be.
    errors = located_errors(error, tree.as_plain_data())
    found = sorted(errors, key=lambda item: item["type"] != "extra_forbidden")
    return [_problem_of_error(item, tree) for item in found if _should_report_error_at(item["loc"], tree)]


def _should_report_error_at(keys: Sequence[str | int], tree: Node) -> bool:
    """Returns whether the error about the value or the missing key under `keys` is to be reported.

    It is not if YAML could not read the value, because that has been reported already. A missing key is not
    reported if a key beside it is unknown and unreadable, because that key is probably the missing one.
    """
    node, used = tree.find_deepest_node(keys)
    if used == len(keys) or not isinstance(node.value, Mapping):
        return node.is_readable
    return all(child.is_readable or key in known_keys() for key, child in node.value.items())


def _problem_of_error(error: Any, tree: Node) -> Problem:
    keys: tuple[str | int, ...] = error["loc"]
    kind: str = error["type"]
    name = str(keys[-1]) if keys else "the issue"
    if keys and isinstance(keys[-1], int):
        name = f"this entry of {keys[-2]}"
    node, used = tree.find_deepest_node(keys)
    mark: SourcePosition = node.position
    given = _KINDS.get(type(error.get("input")).__name__, "another kind of value")
    if kind == "missing":
        blank = used == len(keys)
        message = (
            f"{name} must not be empty" if blank else f"{_container_name(keys)} has no {name}; add {name}:"
        )
        mark = node.key_position or node.position if blank else node.position
    elif kind == "extra_forbidden":
        mark = node.key_position or node.position
        message = f'"{name[:40]}" is not a known key here{_key_suggestion(keys)}'
    elif kind == "string_type":
        message = f"{name} must be a text, not {given}{_IN_QUOTES.get(given, '')}"
    elif kind in ("tuple_type", "list_type") and name == "image":
        message = f"image must be a mapping (key: value), or a list of them, not {given}"
    elif kind in ("tuple_type", "list_type"):
        message = f'{name} must be a list, each entry on a line that begins with "- ", not {given}'
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        wanted = "a text or a mapping" if name in ("source", "quote") else "a mapping"
        message = f"{name} must be {wanted} (key: value), not {given}"
    elif kind == "string_too_long":
        message = f"{name} is longer than {error['ctx']['max_length']:,} characters; shorten it"
    elif kind == "string_too_short":
        message = f"{name} must not be empty"
    elif kind.startswith("date"):
        message = f"{name} must be a date such as 2026-11-21, not {given}"
    else:
        message = f"{name}: {error['msg'].removeprefix('Value error, ')}"
    return Problem(message, mark.path, mark.line, mark.column)


def _container_name(keys: Sequence[str | int]) -> str:
    named = [key for key in keys[:-1] if isinstance(key, str)]
    if not named:
        return "the issue"
    last = keys[-2]
    if isinstance(last, int):
        if "related" in named:
            return "this entry"
        return {
            "items": "this item",
            "sections": "this section",
            "links": "this link",
            "notices": "this notice",
            "image": "this image",
        }.get(named[-1], "this")
    return f"this {named[-1]}"


def _key_suggestion(keys: Sequence[str | int]) -> str:
    owner = next((key for key in reversed(keys[:-1]) if isinstance(key, str)), None)
    model = _MODELS.get(owner, Issue) if owner else Issue
    if owner == "items" and "related" in keys:
        model = RelatedLink
    wrong = str(keys[-1])
    if wrong == "include":
        return f'; "include" may only be an entry of {", ".join(LISTS[:-1])} or {LISTS[-1]}'
    best = nearest_word(wrong, model.model_fields)
    if best and best != wrong:
        return f'; did you mean "{best}"?'
    return f"; the known keys are {', '.join(model.model_fields)}"


def sorted_problems(problems: Sequence[Problem], issue_path: str) -> list[Problem]:
    """Returns the problems in reading order, without duplicates, and at most MAX_PROBLEMS of them.

    Problems in the file `issue_path` come before those in the files that it includes. Characters in the
    messages that a terminal would execute are replaced.
    """
    distinct = dict.fromkeys(
        replace(problem, message=_printable_message(problem.message)) for problem in problems
    )
    ordered = sorted(distinct, key=lambda p: (p.path != issue_path, p.path or "", p.line or 0, p.column or 0))
    if len(ordered) > MAX_PROBLEMS:
        more = len(ordered) - MAX_PROBLEMS
        return [
            *ordered[:MAX_PROBLEMS],
            Problem(f"{more:,} more problems are not shown; correct these first", issue_path),
        ]
    return ordered


def _printable_message(message: str) -> str:
    """Returns the message with U+FFFD in place of characters that a terminal would execute."""
    return message if message.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in message)

"""Converts single cells of a list that need more than `values.cells`. Pure."""

from __future__ import annotations

from functools import lru_cache

from mailer.audience.exchange.columns.cell_words import is_no, is_yes
from mailer.audience.values.cells import MAX_VALUE, clean_line, tags_of

__all__ = ["consent_method", "own_groups", "suppression_reason", "tags_in", "whole_name"]

#: Google Contacts writes groups so: its own begin with `* `.
_GROUPS, _OWN_GROUP = ":::", "* "


@lru_cache(maxsize=4096)
def tags_in(text: str) -> tuple[str, ...]:
    return tags_of((text,))


def own_groups(text: str) -> tuple[str, ...]:
    """Returns the groups of a Google Contacts cell that the person made, without Google's own."""
    groups = (group.strip() for group in text.split(_GROUPS))
    return tags_of(group for group in groups if group and not group.startswith(_OWN_GROUP))


def consent_method(text: str) -> str:
    """Returns how somebody consented; "" for a mere yes, which does not say it."""
    return "" if is_yes(text) or is_no(text) else clean_line(text, "consent")


def suppression_reason(text: str) -> str:
    return clean_line(text, "reason of the suppression", MAX_VALUE)


def whole_name(first: str, last: str) -> str:
    """Joins a first and a last name; Chinese names have the family name first and no space."""
    first, last = first.strip(), last.strip()
    if last and last in (first[: len(last)] if not last.isascii() else "", *first.split()[-1:]):
        return first  # which is the whole name
    if first and last and not (first.isascii() or last.isascii()) and "\u2e80" <= last[0] <= "\u9fff":
        return f"{last}{first}"
    return f"{first} {last}".strip()

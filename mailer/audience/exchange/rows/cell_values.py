"""Values out of single cells of a list, which `values.cells` does not know by themselves. Pure."""

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
    """The groups of Google Contacts that are the person's own."""
    groups = (group.strip() for group in text.split(_GROUPS))
    return tags_of(group for group in groups if group and not group.startswith(_OWN_GROUP))


def consent_method(text: str) -> str:
    """How somebody agreed; a mere yes does not say it."""
    return "" if is_yes(text) or is_no(text) else clean_line(text, "consent")


def suppression_reason(text: str) -> str:
    return clean_line(text, "reason of the suppression", MAX_VALUE)


def whole_name(first: str, last: str) -> str:
    """Western names put the given name first, Chinese ones the family name, without a space."""
    first, last = first.strip(), last.strip()
    if last and last in (first[: len(last)] if not last.isascii() else "", *first.split()[-1:]):
        return first  # which is the whole name
    if first and last and not (first.isascii() or last.isascii()) and "\u2e80" <= last[0] <= "\u9fff":
        return f"{last}{first}"
    return f"{first} {last}".strip()

"""Converts cells of a list to values, in ways that only imports need. Pure."""

from __future__ import annotations

from functools import lru_cache

from mailer.audience.exchange.columns.cell_words import is_no, is_yes
from mailer.audience.values.cells import MAX_VALUE, clean_line, clean_tags

__all__ = [
    "consent_method",
    "groups_of_google_contact",
    "suppression_reason",
    "tags_of_cell",
    "full_name",
]

#: Google Contacts writes groups so: its own begin with `* `.
_GROUPS, _OWN_GROUP = ":::", "* "


@lru_cache(maxsize=4096)
def tags_of_cell(text: str) -> tuple[str, ...]:
    return clean_tags((text,))


def groups_of_google_contact(text: str) -> tuple[str, ...]:
    """Returns the groups of a Google Contacts cell as tags, without the groups that Google made."""
    groups = (group.strip() for group in text.split(_GROUPS))
    return clean_tags(group for group in groups if group and not group.startswith(_OWN_GROUP))


def consent_method(text: str) -> str:
    """Returns how a person consented, as the cell says it. A mere yes or no gives ""."""
    return "" if is_yes(text) or is_no(text) else clean_line(text, "consent")


def suppression_reason(text: str) -> str:
    return clean_line(text, "reason of the suppression", MAX_VALUE)


def full_name(first_name: str, last_name: str) -> str:
    """Joins a first and a last name. Chinese names have the family name first and no space."""
    first_name, last_name = first_name.strip(), last_name.strip()
    if last_name and last_name in (
        first_name[: len(last_name)] if not last_name.isascii() else "",
        *first_name.split()[-1:],
    ):
        return first_name  # which is the whole name
    if (
        first_name
        and last_name
        and not (first_name.isascii() or last_name.isascii())
        and "\u2e80" <= last_name[0] <= "\u9fff"
    ):
        return f"{last_name}{first_name}"
    return f"{first_name} {last_name}".strip()

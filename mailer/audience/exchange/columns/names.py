"""Recognises names of columns in lists of any origin, in English, Chinese and some other languages. Pure.

More specific names come first: `Email Address` is the e-mail address even if there is a column `Address`,
which may be a street.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from mailer.audience.exchange.columns.cell_words import normalized_name
from mailer.audience.exchange.columns.vocabulary import vocabulary

__all__ = ["CHOICES", "FIELDS", "field_of_map_option", "field_and_rank", "suggested_field"]

#: The fields that a column may hold.
FIELDS = (
    "address", "name", "first_name", "last_name", "language", "timezone", "tags", "editions", "joined",
    "status", "consent_at", "consent_method", "consent_origin", "suppressed_at", "suppressed_reason",
)  # fmt: skip

_RANK_OF = {
    name: (field, rank)
    for field, groups in vocabulary()["fields"].items()
    for rank, names in enumerate(groups)
    for name in names.split()
}

#: Columns whose cells decide what they are: yes and no, words for a status, dates or something else. The
#: status that a no leads to, and the field of dates.
CHOICES: dict[str, tuple[str, str]] = {
    name: (choice["no"], choice["dates"])
    for choice in vocabulary()["choices"]
    for name in choice["names"].split()
}
_TYPED = [name for name in _RANK_OF if name.isascii() and len(name) > 3]
_HINTS = {"mail": "address", "邮": "address", "姓名": "name", "语言": "language", "标签": "tags"}


def field_and_rank(column_name: str) -> tuple[str, int] | None:
    """Returns the field that a column of this name holds, and how specific the name is (0: most), or None."""
    return _RANK_OF.get(normalized_name(column_name))


def field_of_map_option(word: str) -> str | None:
    """Returns the field that a word after --map means: the field's own name, or a usual name of its column.

    Returns None if the word means no field.
    """
    own = word.strip().replace("-", "_").casefold()
    if own in FIELDS:
        return own
    found = field_and_rank(word)
    return found[0] if found else None


def suggested_field(column_name: str, taken_fields: Iterable[str]) -> str:
    """Returns the field that a column may be intended for, or "". No field of `taken_fields` is returned."""
    word, taken = normalized_name(column_name), frozenset(taken_fields)
    for part, field in _HINTS.items():
        if part in word and field not in taken:
            return field
    if word.isascii():
        near = get_close_matches(word, _TYPED, n=1, cutoff=0.85)
        field = _RANK_OF[near[0]][0] if near else ""
        return "" if field in taken else field
    longest = sorted(
        (known for known in _RANK_OF if not known.isascii() and len(known) > 1), key=len, reverse=True
    )
    field = next((_RANK_OF[known][0] for known in longest if known in word), "")
    return "" if field in taken else field

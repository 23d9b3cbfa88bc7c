"""Keeps the data of Babel's locales apart, which Babel 2.18 mixes up (python-babel issue 1234).

Locales share the parts of their data that they inherit. Babel writes what an alias in such a part leads to
back into the part, so that dates in one language get the month names of another that was used before in the
same process. Modules that use Babel's locales import this module.
"""

from __future__ import annotations

from typing import Any

from babel.localedata import Alias, LocaleDataDict, merge

__all__ = ["keep_locales_apart"]


def _item_without_writing(self: LocaleDataDict, key: str | int | None) -> Any:
    """Returns the value of a key with its aliases resolved, and leaves the data as they are."""
    value: Any = self._data[key]
    if isinstance(value, Alias):
        value = value.resolve(self.base)
    if isinstance(value, tuple):  # an alias, and what differs from what it leads to
        alias, others = value
        value = alias.resolve(self.base).copy()
        merge(value, others)
    return LocaleDataDict(value, base=self.base) if isinstance(value, dict) else value


def keep_locales_apart() -> None:
    """Makes Babel read the data of locales without changing them."""
    LocaleDataDict.__getitem__ = _item_without_writing  # type: ignore[method-assign]


keep_locales_apart()

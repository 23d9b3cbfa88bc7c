"""Keeps Python's search for cyclic garbage out of a run.

A run makes objects by the million and no cycles of them, so nearly all of that search is in vain; it took a
fifth of a run's time. It is only made rarer, not turned off: exceptions do make cycles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["rare_collections"]

#: So many more containers made than dropped before the young ones are searched.
_YOUNG = 100_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """For as long as it lasts, what is there already is not searched, and the rest seldom."""
    young, *older = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(max(young, _YOUNG) if young else 0, *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
        gc.unfreeze()

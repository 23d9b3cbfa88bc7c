"""Makes Python's cyclic garbage collection rarer during a run.

A run creates millions of objects and hardly any cycles, so nearly all of that work is useless; it took a
fifth of a run's time. It is not turned off, because exceptions create cycles.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["reduced_gc"]

#: So many more containers made than dropped before the young ones are searched.
_YOUNG = 100_000

_lock = threading.Lock()
#: The collector's own settings, once for each run that is under way in this process.
_kept: list[tuple[int, int, int]] = []


@contextmanager
def reduced_gc() -> Iterator[None]:
    """Freezes the existing objects and raises the threshold of the collector inside the `with` block.

    The settings belong to the process. With several runs in threads, the first run changes them and the last
    one restores them.
    """
    with _lock:
        young, *older = before = _kept[0] if _kept else gc.get_threshold()
        if not _kept:
            gc.freeze()
            gc.set_threshold(max(young, _YOUNG) if young else 0, *older)
        _kept.append(before)
    try:
        yield
    finally:
        with _lock:
            _kept.pop()
            if not _kept:
                gc.set_threshold(*before)
                gc.unfreeze()

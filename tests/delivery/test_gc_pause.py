from __future__ import annotations

import gc

import pytest

from mailer.delivery.gc_pause import reduced_garbage_collection


def test_the_collector_is_as_it_was_whatever_happens() -> None:
    before = gc.get_threshold()
    frozen = gc.get_freeze_count()
    seen: list[int] = []

    def fail() -> None:
        with reduced_garbage_collection():
            seen.extend((gc.get_threshold()[0], gc.get_freeze_count()))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert seen[0] >= 100_000
    assert seen[1] > frozen
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_a_collector_that_is_off_stays_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with reduced_garbage_collection():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


def test_cycles_are_still_found() -> None:
    with reduced_garbage_collection():
        loop: list[object] = []
        loop.append(loop)
        del loop
        assert gc.collect() > 0


def test_of_two_runs_at_once_the_last_to_end_puts_the_settings_back() -> None:
    before = gc.get_threshold()
    first, second = reduced_garbage_collection(), reduced_garbage_collection()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] >= 100_000
    assert gc.get_freeze_count() > 0
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0

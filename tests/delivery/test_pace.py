"""A pace is kept overall and for each domain, without a clock of its own."""

from __future__ import annotations

import pytest

from mailer.config import Pace, Rate
from mailer.delivery.pace import Pacer


def rate(count: float, seconds: float) -> Rate:
    return Rate(count=count, seconds=seconds)


def test_without_limits_everything_leaves_at_once() -> None:
    pacer = Pacer(Pace())
    assert not pacer
    assert pacer.take("example.org", 0.0) == 0.0
    assert pacer.take("example.org", 0.0) == 0.0


def test_messages_are_spread_evenly() -> None:
    pacer = Pacer(Pace.model_construct(limit=rate(20, 1), domains={}))
    assert pacer
    assert pacer.take("a.test", 10.0) == 0.0
    assert pacer.take("b.test", 10.0) == pytest.approx(0.05)
    assert pacer.take("b.test", 10.03) == pytest.approx(0.02)
    assert pacer.take("b.test", 10.06) == 0.0


def test_a_slow_domain_does_not_hold_up_the_others() -> None:
    pacer = Pacer(Pace.model_construct(limit=None, domains={"Slow.test": rate(1, 60)}))
    assert pacer.take("slow.test", 0.0) == 0.0
    assert pacer.take("slow.test", 1.0) == pytest.approx(59)
    assert pacer.take("fast.test", 1.0) == 0.0


def test_a_turn_is_not_taken_while_the_domain_waits() -> None:
    pacer = Pacer(Pace.model_construct(limit=rate(1, 1), domains={"slow.test": rate(1, 60)}))
    assert pacer.take("slow.test", 0.0) == 0.0
    assert pacer.take("slow.test", 5.0) > 0
    assert pacer.take("fast.test", 5.0) == 0.0

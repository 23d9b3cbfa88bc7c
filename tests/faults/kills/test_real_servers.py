"""Commands killed at random moments while they send to Postfix and to Haraka; the servers' accounts decide.

There are a tenth of MAILER_TEST_KILLS kills over each, so 100 in `make faults`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.faults.kills.amount import KILLS
from tests.faults.kills.harness import Desk, Tally
from tests.faults.kills.operators import Operator
from tests.faults.kills.real_log import REAL

READERS = 300
_KILLS_A_TEST = 10
_WANTED = max(4, KILLS // 10)


@pytest.mark.parametrize("kind", REAL)
@pytest.mark.parametrize("seed", range(-(-_WANTED // _KILLS_A_TEST)))
def test_nobody_twice_nobody_lost_at_a_real_server(
    make_desk: Callable[..., Desk], tally: Tally, seed: int, kind: str
) -> None:
    chance = random.Random(1000 + seed)
    wanted = min(_KILLS_A_TEST, _WANTED - seed * _KILLS_A_TEST)
    while tally.kills < wanted:
        desk = make_desk(kind, readers=READERS)
        Operator(desk, chance, readers=READERS, wanted=wanted).see_it_through()

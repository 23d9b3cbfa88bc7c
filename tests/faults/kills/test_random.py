"""Commands killed at random instants over their whole life, until they are through; then both sides agree.

MAILER_TEST_KILLS is how many kills there are over both transports; `make faults` has 1,000. A kill counts
where it ended a process that was still at work. A fifth of them are SIGTERM. Beside the command that sends
and between the kills, `cancel`, `pause`, `resume`, `resolve`, `retry` and a second `send` run, and are killed
as well.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.kills.amount import KILLS, KILLS_A_TEST
from tests.faults.kills.harness import ISSUE, ROOT, Desk, Tally, compare
from tests.faults.kills.operators import Operator

READERS = 300
_TESTS = -(-KILLS // KILLS_A_TEST)


@pytest.mark.parametrize(
    ("seed", "kind"), [(number, ("smtp", "sendgrid")[number % 2]) for number in range(_TESTS)]
)
def test_nobody_twice_nobody_lost(make_desk: Callable[..., Desk], tally: Tally, seed: int, kind: str) -> None:
    chance = random.Random(seed)
    wanted = min(KILLS_A_TEST, KILLS - seed * KILLS_A_TEST)
    while tally.kills < wanted:
        desk = make_desk(kind, readers=READERS, imports=chance.random() < 0.8)
        refusals = [(chance.randrange(60), chance.random() < 0.3) for _ in range(chance.randrange(6))]
        desk.log.be_faulty(refusals)
        import_until_it_is_through(desk, chance, tally, wanted)
        Operator(desk, chance, readers=READERS, wanted=wanted).see_it_through()


def import_until_it_is_through(desk: Desk, chance: random.Random, tally: Tally, wanted: int) -> None:
    if (desk.root / "subscribers.db").exists():
        return
    while tally.kills < wanted:
        process = desk.start("subscribers", "import", "readers.csv")
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        if process.wait() == 0:
            return
        tally.kills += 1
    desk.run("subscribers", "import", "readers.csv")


def test_a_cold_start_is_killed_while_it_imports_plans_and_sends(
    make_desk: Callable[..., Desk], tally: Tally
) -> None:
    chance = random.Random(11)
    desk = make_desk("smtp", readers=READERS)
    words = [sys.executable, str(ROOT / "cli.py"), "send", ISSUE, "--yes", *desk.log.words]
    env = {**os.environ, "MAILER_DELIVERY_CONNECTIONS": str(desk.connections)}
    for until in (0.1, 0.5, 1.0, 1.5):
        process = subprocess.Popen(
            words, cwd=desk.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(chance.uniform(until / 2, until))
        process.kill()
        _, said = process.communicate(timeout=60)
        assert b"Traceback" not in said, said.decode()
        tally.kills += process.returncode == -signal.SIGKILL
    desk.finish()
    compare(desk, readers=READERS, bound=tally.kills * desk.log.most_at_once, tally=tally)


@pytest.mark.parametrize("kind", ["smtp", "sendgrid"])
def test_after_sigterm_nothing_is_in_doubt_and_nothing_is_held(
    make_desk: Callable[..., Desk], kind: str
) -> None:
    desk = make_desk(kind, readers=READERS)
    for part in (1, 2):
        process = desk.send()
        while len(desk.log) < part * 100 and not process.ended:
            time.sleep(0.0005)
        process.kill(signal.SIGTERM)
        assert process.wait() == 1
        got = desk.log.recipients()
        counts = desk.counts()
        assert counts == Counter(accepted=got.total(), pending=READERS - got.total())
        assert desk.status == "stopped"
    desk.finish()
    assert compare(desk, readers=READERS, bound=0) == Counter(accepted=READERS)

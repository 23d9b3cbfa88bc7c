"""Commands killed at random instants over their whole life, until they are through; then both sides agree.

MAILER_TEST_KILLS is how many kills there are over both transports (65; `make faults` has 380). A kill counts
where it ended a process that was still at work. A fifth of them are SIGTERM, so that 50 and 300 are SIGKILL.
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

from tests.faults.kills.harness import ISSUE, ROOT, SLUG, Desk, Process, Tally, compare

KILLS = int(os.environ.get("MAILER_TEST_KILLS", "65"))
KILLS_A_TEST = 5
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
        hard = kill_again_and_again(desk, chance, tally, wanted)
        desk.finish()
        compare(desk, readers=READERS, bound=hard * desk.log.most_at_once, tally=tally)


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


def kill_again_and_again(desk: Desk, chance: random.Random, tally: Tally, wanted: int) -> int:
    """Gives how many of the kills left no time to end well, so that messages may have been on the wire."""
    hard = 0
    while tally.kills < wanted:
        process = go_on(desk, chance)
        how = signal.SIGTERM if chance.random() < 0.2 else signal.SIGKILL
        if desk.status == "sending" and chance.random() < 0.2:
            other = desk.start("campaigns", "pause", SLUG)
            time.sleep(chance.uniform(0, 0.05))
            other.kill()
            tally.kills += other.wait() < 0
        kill_at_random(desk, process, chance, how)
        status = process.wait()
        if status == -how:
            tally.kills += 1
            hard += how is signal.SIGKILL
        elif how is signal.SIGTERM and desk.status == "stopped":
            tally.kills += 1
        elif desk.status == "sent":
            break  # it was through before the kill
    return hard


def go_on(desk: Desk, chance: random.Random) -> Process:
    """One of the commands that send what is left."""
    status = desk.status
    if status == "paused":
        return desk.start("campaigns", "resume", SLUG)
    if status and chance.random() < 0.4:
        return desk.start("campaigns", chance.choice(["resume", "retry"]), SLUG)
    return desk.send()


def kill_at_random(desk: Desk, process: Process, chance: random.Random, how: signal.Signals) -> None:
    """By time over its whole life, by the number of messages taken, or a moment after the last of them."""
    log = desk.log
    way = chance.random()
    if way < 0.3:
        time.sleep(chance.uniform(0, 0.4))
    else:
        left = READERS - len(log)
        goal = len(log) + (chance.randint(1, max(left, 1)) if way < 0.8 else max(left, 1))
        deadline = time.monotonic() + 60
        while len(log) < goal and not process.ended:
            assert time.monotonic() < deadline, process.said
            time.sleep(0.0005)
        if way >= 0.8:
            time.sleep(chance.uniform(0, 0.03))
    process.kill(how)


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

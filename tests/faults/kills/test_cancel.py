"""A campaign that is cancelled at a random moment of its run, living or killed, is over at once.

When the command has ended, nothing more is sent, no delivery is left `sending`, and `campaigns show` and the
manifest say what is so. A further campaign of the issue reaches exactly those who have nothing.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.kills import books
from tests.faults.kills.amount import CANCELS
from tests.faults.kills.audit import Audit
from tests.faults.kills.harness import SLUG, Desk, Process, Tally
from tests.faults.kills.moments import wait_for_messages

READERS = 300
MOMENTS_A_TEST = 2
EVERYBODY = ("--segment", 'name != "nobody"')
_TESTS = -(-CANCELS // MOMENTS_A_TEST)
SEEDS = pytest.mark.parametrize(
    ("seed", "kind"), [(number, ("smtp", "sendgrid")[number % 2]) for number in range(_TESTS)]
)


@SEEDS
def test_cancel_in_the_middle_of_a_living_run(
    make_desk: Callable[..., Desk], tally: Tally, seed: int, kind: str
) -> None:
    chance = random.Random(seed)
    while tally.cancels < moments(seed):
        desk = make_desk(kind, readers=READERS)
        audit = Audit(desk.root / "subscribers.db")
        run = desk.send()
        at_random(desk, run, chance)
        cancelled = desk.start("campaigns", "cancel", SLUG).wait() == 0
        taken = len(desk.log)
        shown = show(desk) if cancelled else None
        status = run.wait()
        if shown is not None:
            # Cancelled before the first message, `send` is refused: 2, as nothing was sent.
            assert status == (0 if shown["counts"]["accepted"] == READERS else 1) or (status, taken) == (2, 0)
            assert desk.log.recipients().total() == taken, "it was cancelled, and went on sending"
            is_over(desk, audit, shown, bound=0)
            tally.cancels += 1


@SEEDS
def test_cancel_after_a_sigkill_of_the_run(
    make_desk: Callable[..., Desk], tally: Tally, seed: int, kind: str
) -> None:
    chance = random.Random(seed)
    while tally.cancels < moments(seed):
        desk = make_desk(kind, readers=READERS)
        audit = Audit(desk.root / "subscribers.db")
        run = desk.send()
        at_random(desk, run, chance)
        run.kill()
        if run.wait() != -9 or not desk.campaigns() or desk.status == "sent":
            continue
        tally.kills += 1
        taken = desk.log.recipients().total()
        desk.run("campaigns", "cancel", SLUG)
        shown = show(desk)
        assert desk.log.recipients().total() == taken
        is_over(desk, audit, shown, bound=desk.log.most_at_once)
        tally.cancels += 1


def moments(seed: int) -> int:
    """Returns how many campaigns the test of that number cancels."""
    return min(MOMENTS_A_TEST, CANCELS - seed * MOMENTS_A_TEST)


def at_random(desk: Desk, run: Process, chance: random.Random) -> None:
    """Waits for a random moment of a run: before its first message, too, and seldom after its last one."""
    if chance.random() < 0.3:
        time.sleep(chance.uniform(0, 0.2))
    else:
        wait_for_messages(desk, run, chance.randint(1, READERS))


def show(desk: Desk) -> dict[str, Any]:
    """Returns what `campaigns show` says."""
    said: dict[str, Any] = json.loads(desk.run("campaigns", "show", SLUG, "--json"))
    return said


def is_over(desk: Desk, audit: Audit, shown: dict[str, Any], *, bound: int) -> None:
    """Asserts that a cancelled campaign has ended, and sends a further one of the same issue.

    `shown` is what `campaigns show` said right after the cancel.
    """
    counts = desk.counts()
    desk.tally.left_sending += counts["sending"]
    assert not counts["sending"], f"{counts['sending']} are left sending"
    assert shown["status"] == "cancelled"
    assert +Counter(shown["counts"]) == counts
    got = desk.log.recipients()
    for address, state, reason in desk.rows():
        has_it = address in got
        assert state == "uncertain" or (state == "accepted") is has_it, f"{address} {state}: {reason}"
    (campaign,) = desk.campaigns()
    books.compare_with_folder(desk, campaign)
    further = desk.send(*EVERYBODY)
    if further.wait() != 0:
        assert counts["accepted"] + counts["uncertain"] == READERS, further.said
    else:
        assert {a for a, *_ in desk.rows(f"{SLUG}-2")} == {
            a for a, state, _ in desk.rows() if state not in ("accepted", "uncertain")
        }
        assert desk.counts(f"{SLUG}-2") == Counter(
            accepted=READERS - counts["accepted"] - counts["uncertain"]
        )
    books.compare(desk, audit, readers=READERS, bound=bound)

"""A process killed right before and right after each named step, with the exact number of doubts.

One connection and twelve readers: at each step it is known who is on the wire.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.kills.harness import SLUG, Desk, Tally, compare
from tests.faults.kills.starter import COMMIT, THE_RENAME
from tests.faults.kills.steps import CALM, RECOVERY, STEPS, Step

READERS = 12
WHEN = ("before", "after")
_ROW = re.compile(r"^\| ([^|]+) \| `([^`|]+)` \| .+ \| .+ \| .+ \|$", re.MULTILINE)
_CLAIMS = "mailer.spool.sqlite.claims:ClaimOperations"
_DECISIONS = "mailer.spool.sqlite.decisions:OperatorDecisions"
_CAMPAIGN = "mailer.spool.sqlite.campaign_row:CampaignRow"
_RECOVERY = "mailer.services.sending.recovery:settle_claims"
_MANIFEST = "mailer.archive.manifest:put_file"

MakeDesk = Callable[..., Desk]


def calm(make_desk: MakeDesk, kind: str = "smtp") -> Desk:
    desk = make_desk(kind, readers=READERS, connections=1)
    desk.dials = dict(CALM)
    return desk


def killed(desk: Desk, step: Step, when: str, *words: str) -> None:
    """Runs a command (`send` where there are no words) that must be killed at that step."""
    more = {"kill": step.kill(when), "dials": step.dials}
    process = desk.start(*words, **more) if words else desk.send(**more)
    assert process.wait() == -9, f"it never came to {step.name}: {process.said}"


def test_the_table_in_the_docs_names_these_steps() -> None:
    page = Path(__file__).parents[3] / "docs" / "delivery.md"
    assert _ROW.findall(page.read_text("utf-8")) == [(step.name, step.code) for step in STEPS]


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_kill_at_this_step(make_desk: MakeDesk, tally: Tally, step: Step, when: str) -> None:
    desk = calm(make_desk, step.kind)
    killed(desk, step, when)
    tally.kills += 1
    desk.finish()
    expected = step.uncertain[WHEN.index(when)]
    counts = compare(desk, readers=READERS, bound=expected, tally=tally)
    assert counts == +Counter(accepted=READERS - expected, uncertain=expected)
    arrived = desk.log.recipients()
    assert len(arrived) == READERS - expected + step.arrived[WHEN.index(when)]
    if step.code in ("write_folder_atomically", "put_file", THE_RENAME):
        desk.run("campaigns", "verify", SLUG)


@pytest.mark.parametrize("step", RECOVERY, ids=lambda step: step.name)
@pytest.mark.parametrize("arrived", [True, False])
def test_two_kills_within_the_recovery_from_a_third(
    make_desk: MakeDesk, tally: Tally, step: Step, arrived: bool
) -> None:
    desk = calm(make_desk)
    killed(
        desk,
        Step("message", "mailer.transports.smtp.channel:SmtpSession.run_mail_transaction", call=4),
        WHEN[arrived],
    )
    killed(desk, step, "before")
    killed(desk, step, "after")
    tally.kills += 3
    desk.finish()
    counts = compare(desk, readers=READERS, bound=1, tally=tally)
    assert counts == Counter(accepted=READERS - 1, uncertain=1)
    assert len(desk.log.recipients()) == READERS - 1 + arrived


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("name", ["status: sent", "manifest: sent", "journal removed", "settle committed"])
def test_a_kill_in_the_finish_after_an_earlier_kill(
    make_desk: MakeDesk, tally: Tally, name: str, when: str
) -> None:
    desk = calm(make_desk)
    by_name = {step.name: step for step in STEPS}
    killed(desk, by_name["final dot"], "after")
    killed(desk, by_name[name], when)
    tally.kills += 2
    desk.finish()
    counts = compare(desk, readers=READERS, bound=1, tally=tally)
    assert counts == Counter(accepted=READERS - 1, uncertain=1)
    assert len(desk.log.recipients()) == READERS


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize(
    "step",
    [
        Step("retry", f"{_DECISIONS}.retry_refused_deliveries"),
        Step("committed", COMMIT, once=f"{_DECISIONS}.retry_refused_deliveries"),
        Step("recovery", _RECOVERY),
        Step("claim", f"{_CLAIMS}.claim"),
        Step("status", f"{_CAMPAIGN}.apply_event", call=2),
        Step("manifest", _MANIFEST, call=2),
    ],
    ids=lambda step: step.name,
)
def test_a_kill_of_campaigns_retry(make_desk: MakeDesk, tally: Tally, step: Step, when: str) -> None:
    desk = calm(make_desk)
    desk.log.be_faulty([(2, True), (3, True)])
    assert desk.send().wait() == 1
    assert desk.counts() == Counter(accepted=READERS - 2, rejected=2)
    killed(desk, step, when, "campaigns", "retry", SLUG)
    tally.kills += 1
    desk.run("campaigns", "retry", SLUG)
    assert compare(desk, readers=READERS, bound=0, tally=tally) == Counter(accepted=READERS)


RESOLVING = (
    Step("resolve", f"{_DECISIONS}.resolve_uncertain_deliveries"),
    Step("committed", COMMIT, once=f"{_DECISIONS}.resolve_uncertain_deliveries"),
    Step("manifest", _MANIFEST),
)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", RESOLVING, ids=lambda step: step.name)
@pytest.mark.parametrize("arrived", [True, False])
def test_a_kill_of_campaigns_resolve_assume_sent(
    make_desk: MakeDesk, step: Step, when: str, arrived: bool
) -> None:
    desk = calm(make_desk)
    killed(
        desk,
        Step("message", "mailer.transports.smtp.channel:SmtpSession.run_mail_transaction"),
        WHEN[arrived],
    )
    desk.finish()
    killed(desk, step, when, "campaigns", "resolve", SLUG, "--assume-sent")
    desk.run("campaigns", "resolve", SLUG, "--assume-sent")
    assert desk.counts() == Counter(accepted=READERS)
    assert +Counter(desk.manifest()["counts"]) == Counter(accepted=READERS)
    got = desk.log.recipients()
    assert got.total() == len(got) == READERS - 1 + arrived


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", [*RESOLVING, Step("claim", f"{_CLAIMS}.claim")], ids=lambda step: step.name)
@pytest.mark.parametrize("arrived", [True, False])
def test_a_kill_of_campaigns_resolve_resend(
    make_desk: MakeDesk, step: Step, when: str, arrived: bool
) -> None:
    desk = calm(make_desk)
    killed(
        desk,
        Step("message", "mailer.transports.smtp.channel:SmtpSession.run_mail_transaction"),
        WHEN[arrived],
    )
    desk.finish()
    doubted = [address for address, state, _ in desk.rows() if state == "uncertain"]
    killed(desk, step, when, "campaigns", "resolve", SLUG, "--resend")
    desk.run("campaigns", "resolve", SLUG, "--resend")
    desk.finish()
    assert desk.counts() == Counter(accepted=READERS)
    got = desk.log.recipients()
    assert len(got) == READERS
    # The one copy that the operator chose to risk, and no other.
    assert [address for address, times in got.items() if times > 1] == (doubted if arrived else [])
    assert got.total() == READERS + arrived


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize(
    "step",
    [Step("status", f"{_CAMPAIGN}.apply_event"), Step("committed", COMMIT, once=f"{_CAMPAIGN}.apply_event")],
    ids=lambda step: step.name,
)
def test_a_kill_of_campaigns_pause(make_desk: MakeDesk, tally: Tally, step: Step, when: str) -> None:
    desk = calm(make_desk)
    in_fours = {"mailer.delivery.intake:_CHUNK": 4}
    killed(
        desk,
        Step("journal", "mailer.spool.journal:Journal.note_begun_deliveries", call=2, dials=in_fours),
        "before",
    )
    killed(desk, step, when, "campaigns", "pause", SLUG)
    tally.kills += 2
    assert desk.status == ("paused" if when == "after" else "sending")
    desk.finish()
    assert compare(desk, readers=READERS, bound=0, tally=tally) == Counter(accepted=READERS)

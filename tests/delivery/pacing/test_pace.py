"""A pace is kept overall and for each domain, without a clock of its own, by all who share a ledger."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.config import Pace
from mailer.delivery.pacing.limits import CATCH_UP_SECONDS
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.pacing.windows import calendar_window_of
from mailer.spool.ledger import RateLimitLedger
from mailer.spool.sqlite.pace_budget import StoredRateLimitLedger
from mailer.store.database import open_store

#: 2026-11-21, 10:00 UTC: an hour and a minute begin.
TEN = datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str, zone: ZoneInfo) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def as_many_as_may(pacer: Pacer, now: float, domain: str = "", most: int = 10_000) -> int:
    number = 0
    while number < most and pacer.count_message_or_get_wait(domain, now) == 0.0:
        number += 1
    return number


def test_without_limits_everything_leaves_at_once() -> None:
    pacer = Pacer(Pace())
    assert not pacer
    assert as_many_as_may(pacer, TEN, "example.org", 100) == 100
    assert pacer.blocking_limit("", TEN) == (0.0, "")


# -- so many a second -----------------------------------------------------------------------


def test_messages_are_spread_evenly() -> None:
    pacer = Pacer(Pace(limit="20/s"))
    assert pacer
    assert pacer.count_message_or_get_wait("a.test", TEN) == 0.0
    assert pacer.count_message_or_get_wait("b.test", TEN) == pytest.approx(0.05, abs=1e-4)
    assert pacer.count_message_or_get_wait("b.test", TEN + 0.03) == pytest.approx(0.02, abs=1e-4)
    assert pacer.count_message_or_get_wait("b.test", TEN + 0.06) == 0.0


def test_a_slow_domain_does_not_hold_up_the_others() -> None:
    pacer = Pacer(Pace(domains={"Slow.test": "0.02/s"}))
    assert pacer.count_message_or_get_wait("slow.test", TEN) == 0.0
    assert pacer.count_message_or_get_wait("slow.test", TEN + 1) == pytest.approx(49)
    assert pacer.count_message_or_get_wait("fast.test", TEN + 1) == 0.0


def test_a_turn_is_not_taken_while_the_domain_waits() -> None:
    pacer = Pacer(Pace(limit="1/s", domains={"slow.test": "0.02/s"}))
    assert pacer.count_message_or_get_wait("slow.test", TEN) == 0.0
    assert pacer.count_message_or_get_wait("slow.test", TEN + 5) > 0
    assert pacer.count_message_or_get_wait("fast.test", TEN + 5) == 0.0


def test_a_slow_pace_survives_a_restart() -> None:
    ledger = RateLimitLedger()
    assert Pacer(Pace(limit="0.2/s"), ledger).count_message_or_get_wait("", TEN) == 0.0
    assert Pacer(Pace(limit="0.2/s"), ledger).count_message_or_get_wait("", TEN + 1) == pytest.approx(4)
    assert Pacer(Pace(limit="0.2/s"), ledger).count_message_or_get_wait("", TEN + 5.01) == 0.0


def test_a_clock_that_goes_back_does_not_stop_the_pace_for_hours() -> None:
    pacer = Pacer(Pace(limit="2/s"))
    assert pacer.count_message_or_get_wait("", TEN) == 0.0
    earlier = TEN - 3600
    assert 0 < pacer.count_message_or_get_wait("", earlier) <= 0.5
    assert pacer.count_message_or_get_wait("", earlier + 0.51) == 0.0


# -- so many in an hour or a day ------------------------------------------------------------


def test_a_budget_is_spent_at_once_and_opens_again_with_the_next_hour() -> None:
    pacer = Pacer(Pace(limit="300/h"))
    assert as_many_as_may(pacer, TEN + 600) == 300
    assert pacer.count_message_or_get_wait("", TEN + 601) == pytest.approx(2999)
    seconds, limit = pacer.blocking_limit("", TEN + 601)
    assert seconds == pytest.approx(2999)
    assert limit == "the limit of 300 an hour"
    assert as_many_as_may(pacer, TEN + 3600) == 300


def test_an_evening_and_the_next_morning_are_two_days_where_the_readers_live() -> None:
    pacer = Pacer(Pace(limit="10/d"), zone=SHANGHAI)
    assert as_many_as_may(pacer, at("2026-11-21T23:59:59", SHANGHAI)) == 10
    assert as_many_as_may(pacer, at("2026-11-22T00:00:00", SHANGHAI)) == 10
    assert as_many_as_may(pacer, at("2026-11-22T23:59:00", SHANGHAI)) == 0
    assert pacer.format_clock_time(at("2026-11-23T00:00", SHANGHAI), at("2026-11-22T23:59", SHANGHAI)) == (
        "2026-11-23 00:00"
    )
    assert (
        pacer.format_clock_time(at("2026-11-22T14:00", SHANGHAI), at("2026-11-22T13:20", SHANGHAI)) == "14:00"
    )


def test_several_limits_hold_together() -> None:
    pacer = Pacer(Pace(limit="100/s, 30/m", domains={"slow.test": "5/h"}))
    now, left = TEN, Counter[str]()
    while now < TEN + 59:
        for domain in ("slow.test", "fast.test"):
            left[domain] += pacer.count_message_or_get_wait(domain, now) == 0.0
        now += 0.01
    assert left == {"slow.test": 5, "fast.test": 25}


def test_what_was_not_handed_over_is_given_back() -> None:
    ledger = RateLimitLedger()
    pacer = Pacer(Pace(limit="300/h"), ledger)
    assert as_many_as_may(pacer, TEN, most=10) == 10
    pacer.refund_message("", TEN)
    pacer.refund_message("", TEN - 3600)  # of another hour: nobody's
    pacer.close()
    assert as_many_as_may(Pacer(Pace(limit="300/h"), ledger), TEN) == 291


def test_what_is_given_back_too_late_opens_nothing() -> None:
    ledger = RateLimitLedger()
    early, late = Pacer(Pace(limit="300/h"), ledger), Pacer(Pace(limit="300/h"), ledger)
    assert early.count_message_or_get_wait("", TEN) == 0.0
    assert as_many_as_may(late, TEN + 3600) == 300
    early.close()
    assert as_many_as_may(late, TEN + 3601) == 0


def test_a_clock_that_goes_back_opens_no_hour_twice() -> None:
    ledger = RateLimitLedger()
    assert as_many_as_may(Pacer(Pace(limit="10/h"), ledger), TEN + 10) == 10
    back = Pacer(Pace(limit="10/h"), ledger)
    assert as_many_as_may(back, TEN - 1800) == 0
    assert back.blocking_limit("", TEN - 1800)[0] == pytest.approx(5400)
    assert as_many_as_may(back, TEN + 3600) == 10


def test_a_used_up_limit_is_looked_at_again_because_others_give_back() -> None:
    ledger = RateLimitLedger()
    one, other = Pacer(Pace(limit="300/h"), ledger), Pacer(Pace(limit="300/h"), ledger)
    assert one.count_message_or_get_wait("", TEN) == 0.0
    assert as_many_as_may(other, TEN) == 297  # the first holds three, and has used one of them
    one.close()
    assert other.count_message_or_get_wait("", TEN + 0.5) > 0
    assert as_many_as_may(other, TEN + 1.1) == 2


# -- a warm-up ------------------------------------------------------------------------------


def test_a_warm_up_grows_by_the_day_and_ends() -> None:
    pace = Pace(warm_up=[5, 10, 20], warm_up_start="2026-11-21")
    pacer = Pacer(pace, zone=SHANGHAI)
    days = [f"2026-11-{day}T12:00" for day in (19, 21, 22, 23, 24)]
    assert [as_many_as_may(pacer, at(day, SHANGHAI), most=1000) for day in days] == [5, 5, 10, 20, 1000]


def test_a_warm_up_and_a_limit_a_day_are_spent_together() -> None:
    pace = Pace(limit="8/d", warm_up=[5, 10], warm_up_start="2026-11-21")
    pacer = Pacer(pace, now=TEN)
    assert as_many_as_may(pacer, TEN) == 5
    assert pacer.blocking_limit("", TEN)[1] == "the warm-up's limit of 5 on 2026-11-21"
    assert as_many_as_may(pacer, TEN + 86400) == 8
    assert Pacer(pace, now=TEN + 86400).blocking_limit("", TEN)[1] == "the limit of 8 a day"


# -- windows --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["UTC", "Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("unit", ["m", "h", "d"])
def test_windows_follow_each_other_without_gap_or_overlap(name: str, unit: str) -> None:
    zone, moments = ZoneInfo(name), (TEN, at("2026-10-25T00:10", ZoneInfo("Europe/Berlin")))
    for moment in (
        *moments,
        at("2026-04-04T20:00", ZoneInfo("UTC")),
        at("2026-10-03T20:00", ZoneInfo("UTC")),
    ):
        begins, ends = calendar_window_of(unit, moment, zone)
        for _ in range(30):
            assert begins < ends
            assert calendar_window_of(unit, ends - 1, zone) == (begins, ends)
            assert calendar_window_of(unit, ends, zone)[0] == ends
            begins, ends = calendar_window_of(unit, ends, zone)


def test_a_day_of_25_hours_is_one_day() -> None:
    begins, ends = calendar_window_of(
        "d", at("2026-10-25T12:00", berlin := ZoneInfo("Europe/Berlin")), berlin
    )
    assert timedelta(seconds=ends - begins) == timedelta(hours=25)


# -- shared ---------------------------------------------------------------------------------


def test_two_runs_share_a_budget_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    runs = [Pacer(Pace(limit="100/h"), StoredRateLimitLedger(open_store(path))) for _ in range(2)]
    assert sum(as_many_as_may(run, TEN, most=60) for run in runs) == 100
    assert as_many_as_may(Pacer(Pace(limit="100/h"), StoredRateLimitLedger(open_store(path))), TEN + 5) == 0


def test_a_crash_leaves_a_little_unused_and_overspends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    for _ in range(10):  # each takes one, and dies
        assert (
            Pacer(Pace(limit="1000/h"), StoredRateLimitLedger(open_store(path))).count_message_or_get_wait(
                "", TEN
            )
            == 0.0
        )
    assert as_many_as_may(Pacer(Pace(limit="1000/h"), StoredRateLimitLedger(open_store(path))), TEN) == 900


# -- any order of events --------------------------------------------------------------------

_STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which run
        st.sampled_from(["a.test", "b.test"]),
        st.floats(0, 40),  # seconds since the last step
        st.sampled_from(["take", "take", "take", "take", "burst", "restart", "give back", "clock goes back"]),
    ),
    max_size=120,
)


@settings(max_examples=200, deadline=None)
@given(_STEPS)
def test_no_window_ever_sees_more_than_its_number(steps: list[tuple[int, str, float, str]]) -> None:
    pace, ledger = Pace(limit="7/m", domains={"a.test": ["3/m", "8/h"]}), RateLimitLedger()
    runs = [Pacer(pace, ledger) for _ in range(3)]
    now = TEN
    kept: list[tuple[float, str]] = []
    own: list[list[tuple[float, str]]] = [[], [], []]
    minutes = set()
    for number, domain, later, what in steps:
        now += -10 * later if what == "clock goes back" else later
        minutes.add(int(now // 60))
        if what == "restart":
            runs[number] = Pacer(pace, ledger)
            own[number] = []
        elif what == "give back" and own[number]:
            taken, name = own[number].pop()
            kept.remove((taken, name))
            runs[number].refund_message(name, taken)
        else:
            for _ in range(10 if what == "burst" else 1):
                if runs[number].count_message_or_get_wait(domain, now) == 0.0:
                    own[number].append((now, domain))
                    kept.append((now, domain))
    mine = [moment for moment, domain in kept if domain == "a.test"]
    # A clock that went back still spends what belongs to the newest minute, so no more in all.
    assert len(kept) <= 7 * len(minutes)
    assert len(mine) <= min(3 * len(minutes), 8 * len({minute // 60 for minute in minutes}))
    if all(what != "clock goes back" for *_, what in steps):
        assert all(number <= 7 for number in Counter(int(at // 60) for at, _ in kept).values())
        assert all(number <= 3 for number in Counter(int(at // 60) for at in mine).values())
        assert all(number <= 8 for number in Counter(int(at // 3600) for at in mine).values())


@settings(max_examples=100, deadline=None)
@given(
    st.floats(0.3, 400),
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 0.4)), min_size=20, max_size=200),
)
def test_runs_that_share_a_pace_are_never_faster_together(
    a_second: float, steps: list[tuple[int, float]]
) -> None:
    pace, ledger = Pace(limit=f"{a_second:.3f}/s"), RateLimitLedger()
    runs = [Pacer(pace, ledger) for _ in range(3)]
    now, sent = TEN, []
    for number, later in steps:
        now += later
        while runs[number].count_message_or_get_wait("", now) == 0.0:
            sent.append(now)
    rate = float(f"{a_second:.3f}")
    for first, begin in enumerate(sent):
        for last in range(first, len(sent)):
            seconds = sent[last] - begin
            assert last - first + 1 <= (seconds + CATCH_UP_SECONDS) * rate + 1.01


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 500), st.integers(1, 200))
def test_whoever_waits_as_long_as_told_gets_a_turn(a_second: float, budget: int) -> None:
    pacer = Pacer(Pace(limit=f"{a_second:.3f}/s, {budget}/m"))
    now, taken = TEN, 0
    for _ in range(2000):
        wait = pacer.count_message_or_get_wait("", now)
        taken += wait == 0.0
        now += wait
        if taken >= 2 * budget:
            break
    assert taken >= min(2 * budget, 500)


# -- turns for those who wait outside -------------------------------------------------------


def test_turns_are_spread_over_the_time_that_they_will_take() -> None:
    pacer = Pacer(Pace(domains={"slow.test": "20/s"}))
    turns = [pacer.plan_send_time("slow.test", TEN, 40) for _ in range(1000)]
    assert turns == sorted(turns)
    assert turns[0] == pytest.approx(TEN + 2, abs=0.1)
    assert turns[-1] == pytest.approx(TEN + 52, abs=0.2)


def test_turns_of_a_budget_are_in_the_hours_in_which_they_fit() -> None:
    pacer = Pacer(Pace(domains={"slow.test": "5/h"}))
    assert as_many_as_may(pacer, TEN + 60, "slow.test") == 5
    turns = [pacer.plan_send_time("slow.test", TEN + 60, 0) for _ in range(12)]
    assert Counter(turns) == {TEN + 3600: 5, TEN + 7200: 5, TEN + 10800: 2}


def test_a_turn_in_a_thousand_years_is_looked_at_again_in_one() -> None:
    pacer = Pacer(Pace(domains={"slow.test": "1/d"}))
    turns = [pacer.plan_send_time("slow.test", TEN, 1) for _ in range(1000)]
    assert turns[-1] == pytest.approx(TEN + 366 * 86400)

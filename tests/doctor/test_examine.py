"""Checks run side by side, and none can spoil the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

from mailer.doctor.dns.zone_file import zone_file_line
from mailer.doctor.examine import Check, run_checks
from mailer.errors import StoreError
from mailer.transports.finding import Finding, Status, UnansweredQuery


def test_checks_run_at_once_and_answer_in_order() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def meet(name: str) -> Iterator[Finding]:
        meeting.wait()  # only passes when all three are there
        yield Finding(name, Status.OK, "met")

    found = run_checks([Check(name, partial(meet, name)) for name in "abc"])
    assert [finding.name for finding in found] == ["a", "b", "c"]
    assert {finding.status for finding in found} == {Status.OK}


def test_what_was_found_stays_when_a_check_cannot_go_on() -> None:
    def breaks(error: Exception) -> Iterator[Finding]:
        yield Finding("first", Status.ERROR, "seen")
        raise error

    def look(error: Exception) -> tuple[Status, str]:
        first, second = run_checks([Check("x", lambda: breaks(error))])
        assert first.name == "first"
        return second.status, second.message

    assert look(UnansweredQuery("nobody knows")) == (Status.UNKNOWN, "nobody knows")
    assert look(StoreError("it is broken")) == (Status.ERROR, "it is broken")
    assert look(KeyError("k")) == (Status.UNKNOWN, "this check failed (KeyError: 'k')")


def test_nobody_is_waited_for_longer_than_the_limit() -> None:
    stuck = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield Finding("slow", Status.OK, "half")
        stuck.wait(60)

    try:
        found = run_checks([Check("slow", hangs)], seconds=0.2)
    finally:
        stuck.set()
    assert [(finding.status, finding.message) for finding in found] == [
        (Status.OK, "half"),
        (Status.UNKNOWN, "this check did not end within 0.2 s"),
    ]


def test_a_long_txt_record_is_cut_into_strings() -> None:
    assert zone_file_line("x.alt", "A", "44.0.0.1") == "x.alt. A 44.0.0.1"
    assert zone_file_line("x.alt", "TXT", "a" * 300) == f'x.alt. TXT "{"a" * 255}" "{"a" * 45}"'

from __future__ import annotations

import threading

from mailer.transports.gate import Gate


def in_thread(*steps: object) -> None:
    """Does the steps in a thread of their own."""

    def run() -> None:
        for step in steps:
            step()  # type: ignore[operator]

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)


def test_who_has_not_passed_when_it_closes_never_will() -> None:
    gate: Gate[str] = Gate()
    answers: list[bool] = []
    waits, closed = threading.Event(), threading.Event()

    def hand_over() -> None:
        gate.approach(["a", "b"])
        waits.set()
        closed.wait(5)
        answers.append(gate.passes().granted)

    thread = threading.Thread(target=hand_over)
    thread.start()
    waits.wait(5)
    assert gate.close() == {"a", "b"}
    closed.set()
    thread.join(5)
    assert answers == [False]


def test_who_has_passed_is_not_given() -> None:
    gate: Gate[str] = Gate()
    answers: list[bool] = []
    in_thread(lambda: gate.approach(["a"]), lambda: answers.append(gate.passes().granted))
    assert answers == [True]
    assert gate.close() == set()


def test_who_is_done_is_not_given() -> None:
    gate: Gate[str] = Gate()
    in_thread(lambda: gate.approach(["a"]), gate.leave)
    assert gate.close() == set()


def test_each_thread_has_its_own() -> None:
    gate: Gate[str] = Gate()
    gate.approach(["mine"])
    in_thread(lambda: gate.approach(["theirs"]), gate.passes, gate.leave)
    assert gate.close() == {"mine"}


def test_leaving_without_having_come_is_nothing() -> None:
    gate: Gate[str] = Gate()
    gate.leave()
    assert gate.passes().granted


def test_nothing_is_granted_for_subscribers_who_have_left() -> None:
    left: dict[int, str] = {}
    gate: Gate[str] = Gate(left)
    gate.approach(["a"])
    left[7] = "unsubscribed"
    answer = gate.passes([6, 7])
    assert (answer.open, answer.granted, answer.leavers) == (True, False, {7: "unsubscribed"})
    assert gate.close() == {"a"}  # it is still before the gate


def test_others_pass_while_somebody_has_left() -> None:
    gate: Gate[str] = Gate({7: "unsubscribed"})
    gate.approach(["a"])
    assert gate.passes([6]).granted
    assert gate.close() == set()

from __future__ import annotations

import threading

from mailer.transports.gate import HandOverGate


def in_thread(*steps: object) -> None:
    """Does the steps in a thread of their own."""

    def run() -> None:
        for step in steps:
            step()  # type: ignore[operator]

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)


def test_who_has_not_passed_when_it_closes_never_will() -> None:
    gate: HandOverGate[str] = HandOverGate()
    answers: list[bool] = []
    waits, closed = threading.Event(), threading.Event()

    def hand_over() -> None:
        gate.note_waiting_messages(["a", "b"])
        waits.set()
        closed.wait(5)
        answers.append(gate.request_hand_over().is_granted)

    thread = threading.Thread(target=hand_over)
    thread.start()
    waits.wait(5)
    assert gate.close_and_get_waiting_keys() == {"a", "b"}
    closed.set()
    thread.join(5)
    assert answers == [False]


def test_who_has_passed_is_not_given() -> None:
    gate: HandOverGate[str] = HandOverGate()
    answers: list[bool] = []
    in_thread(
        lambda: gate.note_waiting_messages(["a"]), lambda: answers.append(gate.request_hand_over().is_granted)
    )
    assert answers == [True]
    assert gate.close_and_get_waiting_keys() == set()


def test_who_is_done_is_not_given() -> None:
    gate: HandOverGate[str] = HandOverGate()
    in_thread(lambda: gate.note_waiting_messages(["a"]), gate.note_outcome_known)
    assert gate.close_and_get_waiting_keys() == set()


def test_each_thread_has_its_own() -> None:
    gate: HandOverGate[str] = HandOverGate()
    gate.note_waiting_messages(["mine"])
    in_thread(lambda: gate.note_waiting_messages(["theirs"]), gate.request_hand_over, gate.note_outcome_known)
    assert gate.close_and_get_waiting_keys() == {"mine"}


def test_leaving_without_having_come_is_nothing() -> None:
    gate: HandOverGate[str] = HandOverGate()
    gate.note_outcome_known()
    assert gate.request_hand_over().is_granted


def test_nothing_is_granted_for_subscribers_who_have_left() -> None:
    left: dict[int, str] = {}
    gate: HandOverGate[str] = HandOverGate(left)
    gate.note_waiting_messages(["a"])
    left[7] = "unsubscribed"
    answer = gate.request_hand_over([6, 7])
    assert (answer.is_open, answer.is_granted, answer.leavers) == (True, False, {7: "unsubscribed"})
    assert gate.close_and_get_waiting_keys() == {"a"}  # it is still before the gate


def test_others_pass_while_somebody_has_left() -> None:
    gate: HandOverGate[str] = HandOverGate({7: "unsubscribed"})
    gate.note_waiting_messages(["a"])
    assert gate.request_hand_over([6]).is_granted
    assert gate.close_and_get_waiting_keys() == set()

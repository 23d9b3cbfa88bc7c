"""Which of two ways to send is quicker, found out in turns."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from mailer.transports.smtp.comparison import EarlyCommandsComparison


class Sender:
    """Sends over one connection by the way that is asked for; `seconds` is what a message takes by each."""

    def __init__(self, first: float, other: float, noise: float = 0.0, seed: int = 1) -> None:
        self.moment = 100.0
        self.seconds = {True: first, False: other}
        self.sent = {True: 0, False: 0}
        self._noise, self._random = noise, random.Random(seed)
        self.comparison = EarlyCommandsComparison(lambda: self.moment)

    def send(self, number: int) -> None:
        for _ in range(number):
            way = self.comparison.should_send_commands_early()
            took = self.seconds[way] * (1 + self._noise * self._random.uniform(-1, 1))
            self.moment += took
            self.sent[way] += 1
            self.comparison.note_message(way, took)


@pytest.mark.parametrize(("first", "other"), [(0.010, 0.012), (0.012, 0.010), (0.002, 0.042), (0.042, 0.002)])
def test_the_quicker_way_is_kept(first: float, other: float) -> None:
    sender = Sender(first, other, noise=0.2)
    sender.send(10_000)
    quicker = first < other
    assert sender.comparison.should_send_commands_early() is quicker
    assert sender.sent[quicker] > 0.9 * 10_000


def test_the_first_way_is_taken_at_the_beginning() -> None:
    sender = Sender(0.001, 0.001)
    sender.send(100)
    assert sender.sent[False] == 0


def test_it_is_measured_again_and_a_server_that_has_changed_is_noticed() -> None:
    sender = Sender(0.010, 0.015)
    sender.send(20_000)
    assert sender.comparison.should_send_commands_early() is True
    sender.seconds = {True: 0.020, False: 0.015}
    sender.send(60_000)
    assert sender.comparison.should_send_commands_early() is False


@pytest.mark.parametrize("seed", range(20))
def test_noise_does_not_make_a_slower_way_of_it(seed: int) -> None:
    sender = Sender(0.0085, 0.0100, noise=0.9, seed=seed)
    sender.send(4000)
    assert sender.comparison.should_send_commands_early() is True


@pytest.mark.parametrize("seed", range(20))
def test_where_there_is_hardly_a_difference_little_is_lost(seed: int) -> None:
    sender = Sender(0.0100, 0.0103, noise=0.5, seed=seed)
    began = sender.moment
    sender.send(20_000)
    assert sender.moment - began < 1.05 * 20_000 * 0.0100


def test_a_message_of_the_turn_before_does_not_count() -> None:
    sender = Sender(0.010, 0.020)
    for _ in range(8):
        sender.comparison.note_message(not sender.comparison.should_send_commands_early(), 5.0)
        sender.send(100)
    assert sender.comparison.should_send_commands_early() is True
    assert sender.sent[True] > 3 * sender.sent[False]


def test_each_way_is_the_first_of_every_other_pair() -> None:
    """A server that grows slower, or a connection that grows quicker, favours neither."""
    sender = Sender(0.01, 0.01, noise=0.5)
    ways = [sender.comparison.should_send_commands_early()]
    changed: list[int] = []
    for number in range(400):
        sender.send(1)
        if sender.comparison.should_send_commands_early() is not ways[-1]:
            changed.append(number)
            ways.append(sender.comparison.should_send_commands_early())
    turns = [after - before for before, after in pairwise(changed)]
    assert ways[:4] == [True, False, True, False]
    assert turns[0] > 1.5 * changed[0]  # False, False; then True, True
    assert turns[1] > 1.5 * changed[0]


def test_a_turn_lasts_for_some_messages_and_some_time() -> None:
    moment = 0.0
    comparison = EarlyCommandsComparison(lambda: moment)
    for _ in range(1000):
        comparison.note_message(True, 0.0001)
    assert comparison.should_send_commands_early() is True
    moment = 0.3
    comparison.note_message(True, 0.0001)
    assert comparison.should_send_commands_early() is False
    moment = 10.0
    comparison.note_message(False, 0.1)
    assert comparison.should_send_commands_early() is False


def test_three_pairs_are_enough_where_the_first_way_was_quicker_in_each() -> None:
    sender = Sender(0.010, 0.015)
    sender.send(2000)
    assert sender.sent[False] == 3 * 32

"""Measures whether sending is faster with early commands, which go out with the end of the previous message.

This depends on the server: early commands make smtp-sink a tenth faster, and Postfix slower on some machines.
So messages are sent in short turns, alternately with and without early commands, and two turns make a pair.
Early commands are kept unless sending without them was clearly faster in the median of the latest pairs.
After a while, another pair is measured. The turns are the same for all connections, because these share the
server.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["EarlyCommandsComparison"]

#: The least seconds and messages of one turn, in which one of the two ways is used.
_TURN_SECONDS: Final = 0.1
_TURN_MESSAGES: Final = 32
#: After so many pairs the first way is kept where it was quicker in each of them, and after so many where it
#: was not slower in their median. The other way needs so many as count at all.
_FEWEST_PAIRS: Final = 3
_SEVERAL_PAIRS: Final = 5
_MOST_PAIRS: Final = 9
#: By how much the other way has to be faster: on a busy machine, pairs differ by more than that.
_MARGIN: Final = 1.05
#: Seconds after which the way that is kept is compared with the other again.
_KEEP_SECONDS: Final = 20.0


class EarlyCommandsComparison:
    """Compares the speed of sending with early commands (True) and without them (False).

    `clock` returns monotonic time in seconds. Several threads may use it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ratios: deque[float] = deque(maxlen=_MOST_PAIRS)
        self._order = (True, False)
        self._turn = 0  # 0 and 1: a pair is under way; 2: a way is kept
        self._means = [0.0, 0.0]
        self._keeps_early = True
        self._begin_turn(clock())

    def should_send_commands_early(self) -> bool:
        """Returns whether to send the commands of the next message early."""
        return self._keeps_early if self._turn == 2 else self._order[self._turn]

    def note_message(self, was_sent_early: bool, seconds: float) -> None:
        """Notes how many seconds a message took, and whether its commands were sent early."""
        now = self._clock()
        if self._turn == 2:
            if now - self._began >= _KEEP_SECONDS:
                self._turn = 0
                self._begin_turn(now)
            return
        if was_sent_early is not self._order[self._turn]:
            return  # begun in the turn before
        self._number += 1
        self._sum += seconds
        if self._number >= _TURN_MESSAGES and now - self._began >= _TURN_SECONDS:
            self._end_turn(now)

    def _begin_turn(self, now: float) -> None:
        self._began, self._number, self._sum = now, 0, 0.0

    def _end_turn(self, now: float) -> None:
        turn, mean = self._turn, self._sum / self._number
        if turn == 2:
            return  # another thread has ended it
        self._means[self._order[turn]] = mean
        self._begin_turn(now)
        if turn == 0:
            self._turn = 1
            return
        other, first = self._means
        if first > 0 and other > 0:
            self._ratios.append(first / other)
        self._order = self._order[::-1]
        self._turn = 2 if self._try_to_decide() else 0

    def _try_to_decide(self) -> bool:
        """Decides from the measured pairs whether early commands are kept.

        Returns False if there are too few pairs for a decision.
        """
        if len(self._ratios) >= _FEWEST_PAIRS and max(self._ratios) < 1:
            self._keeps_early = True
            return True
        if len(self._ratios) < _SEVERAL_PAIRS:
            return False
        self._keeps_early = statistics.median(self._ratios) < _MARGIN
        return self._keeps_early or len(self._ratios) == _MOST_PAIRS

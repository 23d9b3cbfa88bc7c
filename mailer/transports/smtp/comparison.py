"""Measures which of two ways to send is faster, while messages are sent by both alternately.

The server decides whether announcing is faster: smtp-sink is a tenth faster with it, Postfix on some machines
slower. So short periods of the two ways alternate, and two of them make a pair. The first way is kept unless
the other was clearly faster in the median of the latest pairs, and after a while another pair is measured.
The periods are the same for all connections, because these share the server.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["Comparison"]

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


class Comparison:
    """Compares two ways to send: the first is True, the other False. Several threads may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ratios: deque[float] = deque(maxlen=_MOST_PAIRS)
        self._order = (True, False)
        self._turn = 0  # 0 and 1: a pair is under way; 2: a way is kept
        self._means = [0.0, 0.0]
        self._kept = True
        self._begin(clock())

    def choose(self) -> bool:
        """Returns the way to send the next message."""
        return self._kept if self._turn == 2 else self._order[self._turn]

    def note(self, way: bool, seconds: float) -> None:
        """Notes that a message was sent this way, and how long it took."""
        moment = self._clock()
        if self._turn == 2:
            if moment - self._began >= _KEEP_SECONDS:
                self._turn = 0
                self._begin(moment)
            return
        if way is not self._order[self._turn]:
            return  # begun in the turn before
        self._number += 1
        self._sum += seconds
        if self._number >= _TURN_MESSAGES and moment - self._began >= _TURN_SECONDS:
            self._end_turn(moment)

    def _begin(self, moment: float) -> None:
        self._began, self._number, self._sum = moment, 0, 0.0

    def _end_turn(self, moment: float) -> None:
        turn, mean = self._turn, self._sum / self._number
        if turn == 2:
            return  # another thread has ended it
        self._means[self._order[turn]] = mean
        self._begin(moment)
        if turn == 0:
            self._turn = 1
            return
        other, first = self._means
        if first > 0 and other > 0:
            self._ratios.append(first / other)
        self._order = self._order[::-1]
        self._turn = 2 if self._is_decided() else 0

    def _is_decided(self) -> bool:
        """Returns whether there are enough pairs, and then sets the way that is kept."""
        if len(self._ratios) >= _FEWEST_PAIRS and max(self._ratios) < 1:
            self._kept = True
            return True
        if len(self._ratios) < _SEVERAL_PAIRS:
            return False
        self._kept = statistics.median(self._ratios) < _MARGIN
        return self._kept or len(self._ratios) == _MOST_PAIRS

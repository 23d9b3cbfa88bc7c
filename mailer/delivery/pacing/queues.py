"""Queues messages for the rate limits: one queue for each domain with limits, and one for all others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mailer.delivery.pacing.pace import Pacer
from mailer.message.message import Message

__all__ = ["AHEAD_SECONDS", "PaceQueues"]

#: No more waits than may leave in this time, so that an unsubscribe is not overlooked.
AHEAD_SECONDS = 2.0
#: A pause is never longer (seconds), because there is more to look after.
_PAUSE = 0.1


class PaceQueues:
    """Holds the queues of one run. `clock` returns seconds since 1970."""

    def __init__(self, pacer: Pacer, clock: Callable[[], float]) -> None:
        self._pacer = pacer
        self._clock = clock
        self._queues: dict[str, deque[Message]] = {}
        self._taken: dict[tuple[int, int], tuple[str, float]] = {}

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def add(self, message: Message, domain: str) -> None:
        """Puts a message at the end of its queue."""
        self._queues.setdefault(self._pacer.queue_of(domain), deque()).append(message)

    def time_if_full(self, domain: str) -> tuple[str, float] | None:
        """Returns (queue, time at which the message may be sent) where the domain's queue is full, else
        None."""
        name = self._pacer.queue_of(domain)
        if not name:
            return None
        now = self._clock()
        capacity = self._pacer.capacity(AHEAD_SECONDS, name, now)
        if capacity is None or len(self._queues.get(name, ())) < capacity:
            return None
        return name, self._pacer.next_free_time(name, now, capacity)

    def capacity(self) -> int | None:
        """Returns how many messages may be queued by the overall limits; None means any number."""
        return self._pacer.capacity(AHEAD_SECONDS, "", self._clock())

    def take_excess(self) -> list[tuple[str, Message, float]]:
        """Removes from slow queues the messages that may not be sent soon. Returns (queue, message, time to
        send)."""
        out: list[tuple[str, Message, float]] = []
        now = self._clock()
        for name, queue in self._queues.items():
            capacity = self._pacer.capacity(AHEAD_SECONDS, name, now) if name else None
            if capacity is None or len(queue) <= capacity:
                continue
            kept = [queue.popleft() for _ in range(capacity)]
            out += [(name, message, self._pacer.next_free_time(name, now, capacity)) for message in queue]
            queue.clear()
            queue.extend(kept)
        return out

    def take_ready(self, most: int) -> tuple[list[Message], float]:
        """Removes up to `most` messages that may be sent now, from the queues in rotation. Returns them and
        the seconds until there may be more."""
        now = self._clock()
        leaving: list[Message] = []
        pause = _PAUSE
        names = [name for name, queue in self._queues.items() if queue]
        while names and len(leaving) < most:
            for name in tuple(names):
                wait = self._pacer.take(name, now)
                if wait > 0:
                    pause = min(pause, wait)
                    names.remove(name)
                    continue
                # Who has had a turn goes behind the other lines.
                queue = self._queues[name] = self._queues.pop(name)
                message = queue.popleft()
                self._taken[message.subscriber_id, message.attempt] = name, now
                leaving.append(message)
                if not queue:
                    names.remove(name)
                if len(leaving) >= most:
                    break
        return leaving, pause

    def finished(self, key: tuple[int, int], *, handed_over: bool) -> None:
        """Notes that a worker is done with a message. Refunds the limits if it was not handed over."""
        name, taken = self._taken.pop(key, ("", None))
        if taken is not None and not handed_over:
            self._pacer.refund(name, taken)

    def blocked(self, name: str, now: float) -> tuple[float, str]:
        """Returns the seconds until the limits of a queue ("": the overall ones) allow a message, and which
        one is used up."""
        return self._pacer.blocked(name, now)

    def clear(self) -> list[Message]:
        """Empties the queues, and returns their messages."""
        waiting = [message for queue in self._queues.values() for message in queue]
        self._queues.clear()
        return waiting

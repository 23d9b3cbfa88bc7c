"""Queues messages for the rate limits: one queue for each domain with limits, and one for all other
domains."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mailer.delivery.pacing.pace import Pacer
from mailer.message.message import Message

__all__ = ["AHEAD_SECONDS", "PaceQueues"]

#: A queue holds only what may be sent within this time (seconds), so that claims do not stay open for long.
AHEAD_SECONDS = 2.0
#: The longest pause (seconds): the loop has other work to do.
_PAUSE = 0.1


class PaceQueues:
    """Holds the messages of one run that wait for rate limits. `clock` returns seconds since 1970."""

    def __init__(self, pacer: Pacer, clock: Callable[[], float]) -> None:
        self._pacer = pacer
        self._clock = clock
        self._queues: dict[str, deque[Message]] = {}
        self._taken: dict[tuple[int, int], tuple[str, float]] = {}

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def add(self, message: Message, domain: str) -> None:
        """Puts a message to this domain at the end of the domain's queue."""
        self._queues.setdefault(self._pacer.queue_name_of(domain), deque()).append(message)

    def send_time_if_queue_full(self, domain: str) -> tuple[str, float] | None:
        """Returns None if the domain's queue has room; else the queue's name, and the time to send.

        The time to send (seconds since 1970) is when one more message to the domain may be sent.
        """
        name = self._pacer.queue_name_of(domain)
        if not name:
            return None
        now = self._clock()
        capacity = self._pacer.message_capacity(AHEAD_SECONDS, name, now)
        if capacity is None or len(self._queues.get(name, ())) < capacity:
            return None
        return name, self._pacer.plan_send_time(name, now, capacity)

    def message_capacity(self) -> int | None:
        """Returns how many messages may be queued because of the limits on all messages; None: any number."""
        return self._pacer.message_capacity(AHEAD_SECONDS, "", self._clock())

    def take_excess_messages(self) -> list[tuple[str, Message, float]]:
        """Removes messages that may not be sent soon from the queues of domains with limits.

        Returns (queue name, message, time to send) for each removed message; the time to send is in seconds
        since 1970.
        """
        out: list[tuple[str, Message, float]] = []
        now = self._clock()
        for name, queue in self._queues.items():
            capacity = self._pacer.message_capacity(AHEAD_SECONDS, name, now) if name else None
            if capacity is None or len(queue) <= capacity:
                continue
            kept = [queue.popleft() for _ in range(capacity)]
            out += [(name, message, self._pacer.plan_send_time(name, now, capacity)) for message in queue]
            queue.clear()
            queue.extend(kept)
        return out

    def take_ready_messages(self, max_messages: int) -> tuple[list[Message], float]:
        """Removes up to `max_messages` messages that may be sent now, from all queues in rotation.

        Returns the removed messages, and the seconds until more messages may be sent.
        """
        now = self._clock()
        leaving: list[Message] = []
        pause = _PAUSE
        names = [name for name, queue in self._queues.items() if queue]
        while names and len(leaving) < max_messages:
            for name in tuple(names):
                wait = self._pacer.count_message_or_get_wait(name, now)
                if wait > 0:
                    pause = min(pause, wait)
                    names.remove(name)
                    continue
                # A queue whose message was taken moves behind the other queues.
                queue = self._queues[name] = self._queues.pop(name)
                message = queue.popleft()
                self._taken[message.subscriber_id, message.attempt] = name, now
                leaving.append(message)
                if not queue:
                    names.remove(name)
                if len(leaving) >= max_messages:
                    break
        return leaving, pause

    def finish_message(self, key: tuple[int, int], *, was_handed_over: bool) -> None:
        """Notes that a worker is done with the message of this key (subscriber id, attempt).

        If the message was not handed over, it no longer counts against the limits.
        """
        name, taken = self._taken.pop(key, ("", None))
        if taken is not None and not was_handed_over:
            self._pacer.refund_message(name, taken)

    def blocking_limit(self, name: str, now: float) -> tuple[float, str]:
        """Returns the seconds until a message of this queue may be sent, and a description of the limit that
        is used up.

        `name` is a domain or, for the limits on all messages, "". The description is "" if no limit per
        minute, hour or day is used up.
        """
        return self._pacer.blocking_limit(name, now)

    def take_all_messages(self) -> list[Message]:
        """Empties all queues, and returns their messages."""
        waiting = [message for queue in self._queues.values() for message in queue]
        self._queues.clear()
        return waiting

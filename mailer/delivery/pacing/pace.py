"""Applies all rate limits of a workspace: limits on all messages, and limits for single receiving domains.

A limit per second spaces messages evenly. A limit per minute, hour or day lets messages leave as fast as the
other limits allow until it is used up. The caller passes the time, in seconds since 1970. See
`docs/decisions/008-pace.md` for the reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from mailer.config import Pace as PaceSettings
from mailer.config import Rate
from mailer.delivery.pacing.limits import Budget, RateLimit, Spacing
from mailer.delivery.pacing.windows import day_of
from mailer.spool.ledger import RateLimitLedger

__all__ = ["Pacer"]

#: No message is planned further ahead than this (seconds); it is planned again then.
_FURTHEST = 366 * 86_400.0


class Pacer:
    """Decides whether a message to a domain may be sent now. Only one thread may use it.

    `ledger` records the use of the limits; None means that no other run shares them. Hours and days begin by
    the clocks of `zone`.
    """

    def __init__(
        self,
        settings: PaceSettings,
        ledger: RateLimitLedger | None = None,
        zone: tzinfo = UTC,
        *,
        now: float = 0.0,
    ) -> None:
        self._ledger = ledger or RateLimitLedger()
        self._zone = zone
        self._settings = settings
        rates = {rate.unit: rate for rate in settings.limit}
        overall = [self._make_limit("", rate) for unit, rate in rates.items() if unit != "d"]
        if "d" in rates or settings.warm_up:
            overall.append(self._make_daily_limit(rates.get("d"), now))
        self._overall = overall
        self._domains = {
            domain: [self._make_limit(domain, rate) for rate in limits]
            for domain, limits in settings.domains.items()
            if limits
        }
        self._last_planned: dict[str, float] = {}
        self._planned: dict[int, tuple[float, float, int]] = {}

    def __bool__(self) -> bool:
        """Returns whether there is any rate limit."""
        return bool(self._overall or self._domains)

    def format_clock_time(self, moment: float, now: float) -> str:
        """Formats a time in the workspace's zone: `14:00`, or with the date if it is not today."""
        local = datetime.fromtimestamp(moment, self._zone)
        today = local.date() == day_of(now, self._zone)
        return f"{local:%H:%M}" if today else f"{local:%Y-%m-%d %H:%M}"

    def queue_name_of(self, domain: str) -> str:
        """Returns the name of the queue for messages to this domain.

        It is the domain if the domain has limits of its own, else "": the queue that all other domains share.
        """
        return domain if domain in self._domains else ""

    def take_or_wait_seconds(self, domain: str, now: float) -> float:
        """Counts one message to this domain against the limits and returns 0.0.

        If the limits do not allow it now, counts nothing and returns the seconds to wait.
        """
        limits = self._limits_on(domain)
        wait = max((limit.seconds_to_wait(now) for limit in limits), default=0.0)
        if wait > 0:
            return wait
        for limit in limits:
            if not limit.drop_expired(now):
                limit.reserve(now)
        missing = [limit for limit in limits if not limit.drop_expired(now)]
        if missing:
            return max(1e-3, *(limit.seconds_to_wait(now) for limit in missing))
        for limit in limits:
            limit.use_reserved()
        return 0.0

    def refund(self, domain: str, taken_at: float) -> None:
        """Refunds a message to this domain that was counted at the time `taken_at` and was not handed
        over."""
        for limit in self._limits_on(domain):
            limit.refund(taken_at)

    def close(self) -> None:
        """Returns all unused reserved messages to the ledger."""
        for limits in (self._overall, *self._domains.values()):
            for limit in limits:
                limit.close()

    def capacity(self, seconds: float, domain: str, now: float) -> int | None:
        """Returns about how many messages may be sent within this number of seconds; None means any number.

        Counts only the limits of this domain or, for "", the limits on all messages.
        """
        limits = self._domains.get(domain, ()) if domain else self._overall
        return min((limit.capacity(seconds, now) for limit in limits), default=None)

    def blocking_limit(self, domain: str, now: float) -> tuple[float, str]:
        """Returns the seconds until a message may be sent, and a description of the limit that is used up, or
        "".

        Counts only the limits of this domain or, for "", the limits on all messages.
        """
        limits = self._domains.get(domain, ()) if domain else self._overall
        wait, limit = max(
            ((limit.seconds_to_wait(now), limit) for limit in limits), key=_first_item, default=(0.0, None)
        )
        return wait, limit.sentence if limit is not None and isinstance(limit, Budget) else ""

    def next_free_time(self, domain: str, now: float, queued_messages: int) -> float:
        """Plans one more message to a domain with limits, and returns when it may be sent.

        The message is planned behind `queued_messages` messages and behind the messages of all earlier calls,
        so that many calls spread their messages over time.
        """
        moment = max(self._last_planned.get(domain, 0.0), now)
        for limit in self._domains.get(domain, ()):
            if isinstance(limit, Spacing):
                first = now + limit.seconds_to_wait(now) + queued_messages * limit.interval
                moment = max(moment + limit.interval, first)
        for limit in self._domains.get(domain, ()):
            if isinstance(limit, Budget):
                moment = self._plan_in_budget(limit, moment, now, queued_messages)
        moment = self._last_planned[domain] = min(moment, now + _FURTHEST)
        return moment

    def _plan_in_budget(self, limit: Budget, moment: float, now: float, queued_messages: int) -> float:
        begins, ends, planned = self._planned.get(id(limit), (0.0, 0.0, 0))
        if not begins <= moment < ends:
            begins, ends = limit.window_at(moment)
            here = begins <= now < ends
            planned = (
                limit.max_messages_in(begins) - limit.capacity(0.0, now) + queued_messages if here else 0
            )
            if limit.seconds_to_wait(now) > 0 and moment < now + limit.seconds_to_wait(now):
                begins, ends = limit.window_at(now)
                planned = limit.max_messages_in(begins)
        if planned >= limit.max_messages_in(begins):
            begins, ends = limit.window_at(ends)
            planned, moment = 0, begins
        self._planned[id(limit)] = (begins, ends, planned + 1)
        return moment

    def _limits_on(self, domain: str) -> list[RateLimit]:
        own = self._domains.get(domain)
        return [*self._overall, *own] if own else self._overall

    def _make_limit(self, domain: str, rate: Rate) -> RateLimit:
        name = f"{domain}/{rate.unit}"
        sentence = f"the limit of {rate.in_words}" + (f" for {domain}" if domain else "")
        if rate.unit == "s":
            return Spacing(name, rate.count, sentence, self._ledger)
        return Budget(name, rate.unit, lambda _: int(rate.count), sentence, self._ledger, self._zone)

    def _make_daily_limit(self, rate: Rate | None, now: float) -> Budget:
        """Returns one limit for both the daily limit and the warm-up, because they share an entry of the
        ledger."""
        maximum = self._make_daily_maximum(int(rate.count) if rate else None)
        today = maximum(now)
        if rate and today == int(rate.count):
            sentence = f"the limit of {rate.in_words}"
        else:
            sentence = f"the warm-up's limit of {today:,} on {day_of(now, self._zone)}"
        return Budget("/d", "d", maximum, sentence, self._ledger, self._zone)

    def _make_daily_maximum(self, daily_limit: int | None) -> Callable[[float], int]:
        days, start = self._settings.warm_up, self._settings.warm_up_start
        unlimited = daily_limit if daily_limit is not None else 10**12

        def maximum_on(window_start: float) -> int:
            if not days or start is None:
                return unlimited
            # Before the first day of the warm-up, the limit of the first day applies.
            day = max(0, (day_of(window_start, self._zone) - start).days)
            return min(unlimited, days[day]) if day < len(days) else unlimited

        return maximum_on


def _first_item(pair: tuple[float, object]) -> float:
    return pair[0]

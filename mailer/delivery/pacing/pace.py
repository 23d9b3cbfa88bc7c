"""Applies the pace: rate limits on all messages, and on those to each receiving domain.

A limit per second spaces messages evenly. A limit per minute, hour or day lets them leave as fast as the
other limits allow until it is used up. The caller passes the time, in seconds since 1970. See
`docs/decisions/008-pace.md` for the reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from mailer.config import Pace as PaceSettings
from mailer.config import Rate
from mailer.delivery.pacing.limits import Budget, Limit, Spacing
from mailer.delivery.pacing.windows import day_of
from mailer.spool.ledger import Ledger

__all__ = ["Pacer"]

#: No message is planned further ahead than this (seconds); it is planned again then.
_FURTHEST = 366 * 86_400.0


class Pacer:
    """Decides whether a message to a domain may be sent now. It is used from one thread.

    `ledger` records the use of the limits; hours and days begin by the clocks of `zone`.
    """

    def __init__(
        self, settings: PaceSettings, ledger: Ledger | None = None, zone: tzinfo = UTC, *, now: float = 0.0
    ) -> None:
        self._ledger = ledger or Ledger()
        self._zone = zone
        self._settings = settings
        rates = {rate.unit: rate for rate in settings.limit}
        overall = [self._limit("", rate) for unit, rate in rates.items() if unit != "d"]
        if "d" in rates or settings.warm_up:
            overall.append(self._daily(rates.get("d"), now))
        self._overall = overall
        self._domains = {
            domain: [self._limit(domain, rate) for rate in limits]
            for domain, limits in settings.domains.items()
            if limits
        }
        self._last_planned: dict[str, float] = {}
        self._planned: dict[int, tuple[float, float, int]] = {}

    def __bool__(self) -> bool:
        """Returns whether there is any limit at all."""
        return bool(self._overall or self._domains)

    def clock_time(self, moment: float, now: float) -> str:
        """Formats a moment in the workspace's zone: `14:00`, or with the date if it is not today."""
        local = datetime.fromtimestamp(moment, self._zone)
        today = local.date() == day_of(now, self._zone)
        return f"{local:%H:%M}" if today else f"{local:%Y-%m-%d %H:%M}"

    def queue_of(self, domain: str) -> str:
        """Returns the name of the queue for messages to this domain: its own where it has limits, else the
        shared one ("")."""
        return domain if domain in self._domains else ""

    def take(self, domain: str, now: float) -> float:
        """Takes one message from the limits and returns 0.0, or takes none and returns seconds to wait."""
        limits = self._of(domain)
        wait = max((limit.wait(now) for limit in limits), default=0.0)
        if wait > 0:
            return wait
        for limit in limits:
            if not limit.drop_expired(now):
                limit.reserve(now)
        missing = [limit for limit in limits if not limit.drop_expired(now)]
        if missing:
            return max(1e-3, *(limit.wait(now) for limit in missing))
        for limit in limits:
            limit.spend()
        return 0.0

    def refund(self, domain: str, taken: float) -> None:
        """Refunds the limits for a message that was taken at the time `taken` and was not handed over."""
        for limit in self._of(domain):
            limit.refund(taken)

    def close(self) -> None:
        """Returns all unused reserved messages to the ledger."""
        for limits in (self._overall, *self._domains.values()):
            for limit in limits:
                limit.close()

    def capacity(self, seconds: float, domain: str, now: float) -> int | None:
        """Returns about how many messages of a queue its own limits allow within `seconds`; None means any
        number."""
        limits = self._domains.get(domain, ()) if domain else self._overall
        return min((limit.capacity(seconds, now) for limit in limits), default=None)

    def blocked(self, domain: str, now: float) -> tuple[float, str]:
        """Returns the seconds until a queue's own limits allow a message, and the name of the limit that is
        used up."""
        limits = self._domains.get(domain, ()) if domain else self._overall
        wait, limit = max(((limit.wait(now), limit) for limit in limits), key=_first, default=(0.0, None))
        return wait, limit.sentence if limit is not None and isinstance(limit, Budget) else ""

    def next_free_time(self, domain: str, now: float, waiting: int) -> float:
        """Returns when one more message of a slow queue may be sent, after `waiting` others and all earlier
        calls.

        Each call plans one message, so that many calls spread their messages over the time that they need.
        """
        moment = max(self._last_planned.get(domain, 0.0), now)
        for limit in self._domains.get(domain, ()):
            if isinstance(limit, Spacing):
                first = now + limit.wait(now) + waiting * limit.interval
                moment = max(moment + limit.interval, first)
        for limit in self._domains.get(domain, ()):
            if isinstance(limit, Budget):
                moment = self._in_budget(limit, moment, now, waiting)
        moment = self._last_planned[domain] = min(moment, now + _FURTHEST)
        return moment

    def _in_budget(self, limit: Budget, moment: float, now: float, waiting: int) -> float:
        begins, ends, planned = self._planned.get(id(limit), (0.0, 0.0, 0))
        if not begins <= moment < ends:
            begins, ends = limit.window(moment)
            here = begins <= now < ends
            planned = limit.most(begins) - limit.capacity(0.0, now) + waiting if here else 0
            if limit.wait(now) > 0 and moment < now + limit.wait(now):
                begins, ends = limit.window(now)
                planned = limit.most(begins)
        if planned >= limit.most(begins):
            begins, ends = limit.window(ends)
            planned, moment = 0, begins
        self._planned[id(limit)] = (begins, ends, planned + 1)
        return moment

    def _of(self, domain: str) -> list[Limit]:
        own = self._domains.get(domain)
        return [*self._overall, *own] if own else self._overall

    def _limit(self, domain: str, rate: Rate) -> Limit:
        name = f"{domain}/{rate.unit}"
        sentence = f"the limit of {rate.in_words}" + (f" for {domain}" if domain else "")
        if rate.unit == "s":
            return Spacing(name, rate.count, sentence, self._ledger)
        return Budget(name, rate.unit, lambda _: int(rate.count), sentence, self._ledger, self._zone)

    def _daily(self, rate: Rate | None, now: float) -> Budget:
        """Returns one limit for the daily limit and the warm-up, which share a ledger entry."""
        most = self._warming(int(rate.count) if rate else None)
        today = most(now)
        if rate and today == int(rate.count):
            sentence = f"the limit of {rate.in_words}"
        else:
            sentence = f"the warm-up's limit of {today:,} on {day_of(now, self._zone)}"
        return Budget("/d", "d", most, sentence, self._ledger, self._zone)

    def _warming(self, daily: int | None) -> Callable[[float], int]:
        days, start = self._settings.warm_up, self._settings.warm_up_start
        unlimited = daily if daily is not None else 10**12

        def most(begins: float) -> int:
            if not days or start is None:
                return unlimited
            # Before the first day of the warm-up, the limit of the first day applies.
            day = max(0, (day_of(begins, self._zone) - start).days)
            return min(unlimited, days[day]) if day < len(days) else unlimited

        return most


def _first(pair: tuple[float, object]) -> float:
    return pair[0]

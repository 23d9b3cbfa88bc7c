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
from mailer.delivery.pacing.windows import date_in_zone
from mailer.spool.ledger import RateLimitLedger

__all__ = ["Pacer"]

#: No message is planned further ahead than this (seconds); it is planned again then.
_FURTHEST = 366 * 86_400.0


class Pacer:
    """Decides whether a message to a domain may be sent now. Only one thread may use it.

    `ledger` records the use of the limits; None means that no other run shares the limits. Hours and days
    begin as the clocks of `zone` show. `now` is the present time, in seconds since 1970.
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
        overall = [self._make_rate_limit("", rate) for unit, rate in rates.items() if unit != "d"]
        if "d" in rates or settings.warm_up:
            overall.append(self._make_daily_limit(rates.get("d"), now))
        self._overall = overall
        self._domains = {
            domain: [self._make_rate_limit(domain, rate) for rate in limits]
            for domain, limits in settings.domains.items()
            if limits
        }
        self._last_planned: dict[str, float] = {}
        self._planned: dict[int, tuple[float, float, int]] = {}

    def __bool__(self) -> bool:
        """Returns whether there is any rate limit."""
        return bool(self._overall or self._domains)

    def format_clock_time(self, moment: float, now: float) -> str:
        """Formats `moment` in the workspace's zone: `14:00`, or with the date if it is not the date of `now`.

        Both times are in seconds since 1970.
        """
        local = datetime.fromtimestamp(moment, self._zone)
        today = local.date() == date_in_zone(now, self._zone)
        return f"{local:%H:%M}" if today else f"{local:%Y-%m-%d %H:%M}"

    def queue_name_of(self, domain: str) -> str:
        """Returns the name of the queue for messages to this domain.

        This is the domain itself if it has limits of its own, else "": all other domains share one queue.
        """
        return domain if domain in self._domains else ""

    def count_message_or_get_wait(self, domain: str, now: float) -> float:
        """Counts one message to this domain against the limits and returns 0.0, if the limits allow it now.

        Otherwise counts nothing and returns the number of seconds to wait before the next try.
        """
        limits = self._limits_of_domain(domain)
        wait = max((limit.seconds_to_wait(now) for limit in limits), default=0.0)
        if wait > 0:
            return wait
        for limit in limits:
            if not limit.drop_expired_reservations(now):
                limit.reserve_messages(now)
        missing = [limit for limit in limits if not limit.drop_expired_reservations(now)]
        if missing:
            return max(1e-3, *(limit.seconds_to_wait(now) for limit in missing))
        for limit in limits:
            limit.use_reserved_message()
        return 0.0

    def refund_message(self, domain: str, taken_at: float) -> None:
        """Makes a message to this domain that was counted at the time `taken_at`, but not handed over, count
        no longer."""
        for limit in self._limits_of_domain(domain):
            limit.refund_message(taken_at)

    def close(self) -> None:
        """Returns all unused reserved messages to the ledger."""
        for limits in (self._overall, *self._domains.values()):
            for limit in limits:
                limit.close()

    def message_capacity(self, seconds: float, domain: str, now: float) -> int | None:
        """Returns about how many messages may be sent in the next `seconds` seconds; None means any number.

        Considers only the limits of this domain; if `domain` is "", only the limits on all messages.
        """
        limits = self._domains.get(domain, ()) if domain else self._overall
        return min((limit.message_capacity(seconds, now) for limit in limits), default=None)

    def blocking_limit(self, domain: str, now: float) -> tuple[float, str]:
        """Returns the seconds until a message may be sent, and a description of the limit that is used up.

        The description is "" if no limit per minute, hour or day is used up. Considers only the limits of
        this domain; if `domain` is "", only the limits on all messages.
        """
        limits = self._domains.get(domain, ()) if domain else self._overall
        wait, limit = max(
            ((limit.seconds_to_wait(now), limit) for limit in limits), key=_first_item, default=(0.0, None)
        )
        return wait, limit.sentence if limit is not None and isinstance(limit, Budget) else ""

    def plan_send_time(self, domain: str, now: float, queued_messages: int) -> float:
        """Plans one more message to a domain with limits, and returns the time at which it may be sent.

        The message is planned after `queued_messages` other messages to the domain and after the messages of
        all earlier calls, so that many calls spread their messages over time.
        """
        moment = max(self._last_planned.get(domain, 0.0), now)
        for limit in self._domains.get(domain, ()):
            if isinstance(limit, Spacing):
                first = now + limit.seconds_to_wait(now) + queued_messages * limit.interval
                moment = max(moment + limit.interval, first)
        for limit in self._domains.get(domain, ()):
            if isinstance(limit, Budget):
                moment = self._plan_message_in_budget(limit, moment, now, queued_messages)
        moment = self._last_planned[domain] = min(moment, now + _FURTHEST)
        return moment

    def _plan_message_in_budget(
        self, limit: Budget, earliest: float, now: float, queued_messages: int
    ) -> float:
        begins, ends, planned = self._planned.get(id(limit), (0.0, 0.0, 0))
        if not begins <= earliest < ends:
            begins, ends = limit.window_at(earliest)
            here = begins <= now < ends
            planned = (
                limit.max_messages_in(begins) - limit.message_capacity(0.0, now) + queued_messages
                if here
                else 0
            )
            if limit.seconds_to_wait(now) > 0 and earliest < now + limit.seconds_to_wait(now):
                begins, ends = limit.window_at(now)
                planned = limit.max_messages_in(begins)
        if planned >= limit.max_messages_in(begins):
            begins, ends = limit.window_at(ends)
            planned, earliest = 0, begins
        self._planned[id(limit)] = (begins, ends, planned + 1)
        return earliest

    def _limits_of_domain(self, domain: str) -> list[RateLimit]:
        own = self._domains.get(domain)
        return [*self._overall, *own] if own else self._overall

    def _make_rate_limit(self, domain: str, rate: Rate) -> RateLimit:
        name = f"{domain}/{rate.unit}"
        sentence = f"the limit of {rate.in_words}" + (f" for {domain}" if domain else "")
        if rate.unit == "s":
            return Spacing(name, rate.count, sentence, self._ledger)
        return Budget(name, rate.unit, lambda _: int(rate.count), sentence, self._ledger, self._zone)

    def _make_daily_limit(self, rate: Rate | None, now: float) -> Budget:
        """Returns a single limit that applies both the daily limit (`rate`, or None) and the warm-up.

        Both share one entry of the ledger.
        """
        maximum = self._daily_message_limit_function(int(rate.count) if rate else None)
        today = maximum(now)
        if rate and today == int(rate.count):
            sentence = f"the limit of {rate.in_words}"
        else:
            sentence = f"the warm-up's limit of {today:,} on {date_in_zone(now, self._zone)}"
        return Budget("/d", "d", maximum, sentence, self._ledger, self._zone)

    def _daily_message_limit_function(self, daily_limit: int | None) -> Callable[[float], int]:
        days, start = self._settings.warm_up, self._settings.warm_up_start
        unlimited = daily_limit if daily_limit is not None else 10**12

        def max_messages_on(window_start: float) -> int:
            if not days or start is None:
                return unlimited
            # Before the first day of the warm-up, the limit of the first day applies.
            day = max(0, (date_in_zone(window_start, self._zone) - start).days)
            return min(unlimited, days[day]) if day < len(days) else unlimited

        return max_messages_on


def _first_item(pair: tuple[float, object]) -> float:
    return pair[0]

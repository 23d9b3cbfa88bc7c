"""How fast messages may leave: overall, and for each receiving domain.

Messages are spread evenly: at 20/s one leaves every 50 ms, at 7200/h one every half second. Time comes from
outside, in seconds that never go back, so that this needs no clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailer.config import Pace as PaceSettings

__all__ = ["Pacer"]

_CATCH_UP_SECONDS = 0.1


class Pacer:
    """Says whether a message to a domain may leave now. Used from one thread."""

    def __init__(self, settings: PaceSettings) -> None:
        self._interval: Mapping[str, float] = {
            **({"": settings.limit.seconds / settings.limit.count} if settings.limit else {}),
            **{domain.lower(): rate.seconds / rate.count for domain, rate in settings.domains.items()},
        }
        self._free_at: dict[str, float] = {}

    def ahead(self, seconds: float, domain: str = "") -> int | None:
        """How many messages to `domain` (or overall) may leave within so many seconds; None: any number."""
        interval = self._interval.get(domain)
        return None if interval is None else max(1, int(seconds / interval))

    def __bool__(self) -> bool:
        """Whether there is any limit at all."""
        return bool(self._interval)

    def take(self, domain: str, now: float) -> float:
        """0.0 where the turn is taken; else the seconds until there may be one, and nothing is taken."""
        keys = [key for key in ("", domain) if key in self._interval]
        wait = max((self._free_at.get(key, now) - now for key in keys), default=0.0)
        if wait > 0:
            return wait
        for key in keys:
            # Who wakes up late may catch up a little, or the pace would never be reached.
            self._free_at[key] = (
                max(self._free_at.get(key, now), now - _CATCH_UP_SECONDS) + self._interval[key]
            )
        return 0.0

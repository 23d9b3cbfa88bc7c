"""`sendgrid:`: Twilio SendGrid's v3 API, up to a thousand recipients a request.

Decides what an answer means for each recipient. There is no idempotency key, so a request is repeated only
where it is known that it was not carried out: 429, 413 and 400, and what was cut off on its way.
What a request holds is `sendgrid_request`'s, how far it got `sendgrid_client`'s.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from mailer.config import Settings
from mailer.config.urls import split_url
from mailer.delivery.refusal import Cause
from mailer.delivery.transports.base import (
    PASSED,
    Outcome,
    Outgoing,
    Passage,
    Pause,
    Result,
    is_loopback,
    one_line,
)
from mailer.delivery.transports.sendgrid_answer import Refusal, seconds_to_wait, verdict_of
from mailer.delivery.transports.sendgrid_client import (
    Answer,
    Body,
    NoAnswer,
    NotSent,
    TooLarge,
    Unreachable,
    Wire,
    client,
)
from mailer.delivery.transports.sendgrid_request import MOST_RECIPIENTS, Form, Unfit, groups
from mailer.errors import ConfigError, TransportError

__all__ = ["SendGrid"]

_ANSWER_SECONDS: Final = 60.0
_TIMES_TOO_MANY: Final = 3  # how often a 429 is waited out before the rest is left for later
_TIMES_REFUSED: Final = 20  # how often the recipients that a 400 names are left out and the rest sent
_KEPT_FORMS: Final = 64
_PATH: Final = re.compile("[!-~]*")
_MAY_HAVE_IT: Final = (Result.ACCEPTED, Result.UNCERTAIN)


class SendGrid:
    """The transport."""

    batch = MOST_RECIPIENTS

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        concurrency: int = 1,
        pause: Pause = time.sleep,
        clock: Callable[[], float] = time.time,
        timeout: float = _ANSWER_SECONDS,
    ) -> None:
        self.base_url = base_url
        self.concurrency = concurrency
        self._api_key = api_key
        self._pause = pause
        self._clock = clock
        self._timeout = timeout
        # Composing keeps the interpreter busy: one at a time is as fast, and lets the ledger in between.
        self._composing = threading.Lock()

    @classmethod
    def from_settings(cls, url: str, settings: Settings, pause: Pause = time.sleep) -> SendGrid:
        """The transport for `sendgrid:`. Raises ConfigError where there is no key or nowhere to go."""
        if url.partition(":")[2]:
            raise ConfigError(
                f'"{url}" is not a transport; write sendgrid: and set MAILER_SENDGRID_URL for another address'
            )
        key = settings.sendgrid_key.get_secret_value().strip() if settings.sendgrid_key else ""
        if not key:
            raise ConfigError("SENDGRID_API_KEY is not set; put the key of your SendGrid account into .env")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError("SENDGRID_API_KEY is not a key; it has no spaces and only plain letters")
        return cls(_base(settings.sendgrid_url), key, concurrency=settings.delivery.connections, pause=pause)

    def channel(self) -> SendGridChannel:
        """A channel with one connection of its own."""
        wire = Wire(self.base_url, self._api_key, self._timeout)
        return SendGridChannel(self.base_url, self._api_key, wire, self._pause, self._clock, self._composing)


class SendGridChannel:
    """Requests one after the other, over one kept connection."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        wire: Wire,
        pause: Pause,
        clock: Callable[[], float],
        composing: threading.Lock,
    ) -> None:
        self._place = base_url
        self._api_key = api_key
        self._wire = wire
        self._client = client(base_url, wire)
        self._pause = pause
        self._clock = clock
        self._composing = composing
        self._forms: list[Form] = []
        self._worked = False  # whether there has ever been an answer
        self.gate: Callable[[Sequence[Outgoing]], Passage] = lambda _: PASSED

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """One request for each look and campaign in the batch.

        Raises TransportError where it turns out that nothing can be sent. Where that turns out after a
        part was handed over, what is left of the batch is deferred.
        """
        outcomes: list[Outcome | None] = [None] * len(batch)
        try:
            for places in groups(batch):
                self._send_alike(batch, places, outcomes)
        except TransportError as error:
            if any(outcome and outcome.result in _MAY_HAVE_IT for outcome in outcomes):
                left = Outcome(Result.DEFERRED, reason=one_line(str(error)))
                return [outcome or left for outcome in outcomes]
            raise
        return [outcome for outcome in outcomes if outcome is not None]

    def close(self) -> None:
        """Drops the connection; a request that is under way is never left."""
        self._wire.close()

    def _send_alike(
        self, batch: Sequence[Outgoing], places: Sequence[int], outcomes: list[Outcome | None]
    ) -> None:
        """Sends what may share a request, in fewer requests or more, and fills in its outcomes."""
        form = self._form(batch[places[0]])
        ready: list[tuple[int, str]] = []
        with self._composing:
            for place in places:
                try:
                    ready.append((place, form.personalization(batch[place])))
                except Unfit as reason:
                    outcomes[place] = Outcome(Result.REJECTED, reason=one_line(str(reason)), cause=Cause.US)
        waiting = [ready] if ready else []
        refusals = broken_off = 0
        while waiting:
            part = waiting.pop(0)
            verdict = self._post(
                Body(form.document([text for _, text in part])), [batch[place] for place, _ in part]
            )
            if isinstance(verdict, Passage):  # broken off: the request is built again without who has left
                for place, _ in part:
                    if (why := verdict.left.get(batch[place].subscriber_id)) is not None:
                        outcomes[place] = Outcome(Result.SKIPPED, reason=why)
                staying = [item for item in part if outcomes[item[0]] is None]
                broken_off += 1
                # A shorter request takes less time, so that fewer leave meanwhile and there is an end to it.
                size = len(staying) if broken_off == 1 else max(1, (len(staying) + 1) // 2)
                waiting[:0] = [staying[start : start + size] for start in range(0, len(staying), size or 1)]
            elif isinstance(verdict, Refusal) and verdict.too_large and len(part) > 1:
                half = len(part) // 2
                waiting[:0] = [part[:half], part[half:]]
            elif isinstance(verdict, Refusal) and (culprits := verdict.culprits(len(part))):
                for index, (words, cause) in culprits.items():
                    place = part[index][0]
                    if not batch[place].address.isascii():
                        cause = Cause.US  # such an address may be right, and SendGrid takes none
                    outcomes[place] = Outcome(Result.REJECTED, reason=words, cause=cause)
                rest = [item for index, item in enumerate(part) if index not in culprits]
                refusals += 1
                if refusals <= _TIMES_REFUSED:
                    waiting[:0] = [rest] if rest else []
                else:
                    for place, _ in rest:
                        outcomes[place] = Outcome(Result.DEFERRED, reason=verdict.words, cause=Cause.US)
            else:
                if isinstance(verdict, Refusal):
                    verdict = Outcome(Result.REJECTED, reason=verdict.words, cause=Cause.US)
                for place, _ in part:
                    outcomes[place] = verdict

    def _post(self, body: Body, messages: Sequence[Outgoing]) -> Outcome | Refusal | Passage:
        """Sends one request, repeated where that is safe: the outcome of all in it, or why it was refused.

        Gives a Passage where the request was broken off before its last byte because some in it have left.
        Raises TransportError where nothing can be sent at all.
        """
        lost = waits = unreachable = 0
        passage = PASSED

        def may_end() -> bool:
            nonlocal passage
            passage = self.gate(messages)
            return passage.granted

        self._wire.gate = may_end
        while True:
            try:
                answer: Answer = self._client.mail.send.post(request_body=body)
            except TooLarge as error:
                return Refusal(413, str(error))
            except Unreachable as error:
                # Where it was there a moment ago, it may be there again in a moment.
                unreachable += 1
                if not self._worked or unreachable > 2 or self._pause(float(unreachable)):
                    raise TransportError(
                        f"SendGrid cannot be reached at {self._place}: {error}; check the network and "
                        "MAILER_SENDGRID_URL, then run this again"
                    ) from None
                continue
            except NotSent as error:
                if passage.left:
                    return passage
                lost += 1
                if lost > 1:
                    return Outcome(Result.DEFERRED, reason=f"the request did not reach SendGrid: {error}")
                continue
            except NoAnswer as error:
                return Outcome(Result.UNCERTAIN, reason=f"no answer from SendGrid: {error}")
            self._worked = True
            if answer.status_code == 429 and waits < _TIMES_TOO_MANY:
                waits += 1
                if not self._pause(seconds_to_wait(answer, waits, self._clock())):
                    continue
            return verdict_of(answer, self._api_key)

    def _form(self, message: Outgoing) -> Form:
        for form in self._forms:
            if form.fits(message):
                return form
        form = Form(message)
        self._forms = [form, *self._forms[: _KEPT_FORMS - 1]]
        return form


def _base(url: str) -> str:
    """The API's address, checked: a key is never sent in the clear, but within this machine."""
    wrong = ConfigError("MAILER_SENDGRID_URL is not an address such as https://api.sendgrid.com")
    try:
        parts = split_url(url)
    except ValueError:
        raise wrong from None
    usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    if (
        not usable
        or not _PATH.fullmatch(parts.path)
        or parts.query
        or parts.fragment
        or parts.username is not None
    ):
        raise wrong
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"MAILER_SENDGRID_URL would send the API key to {parts.hostname} in the clear; use https://"
        )
    return url.rstrip("/")

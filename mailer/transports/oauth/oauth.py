"""Keeps the access token for a login at an SMTP server; one renewal serves all connections of a process.

A token is renewed before it expires, and once where the server refuses it. `token_endpoint` asks for it, and
`refresh_token` keeps a rotated refresh token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailer.config import OAuth, Settings
from mailer.errors import ConfigError, TransportError
from mailer.transports.base import Unavailable
from mailer.transports.oauth.assertion import GRANT_TYPE, read_key, signed_assertion
from mailer.transports.oauth.refresh_token import RefreshToken
from mailer.transports.oauth.token_endpoint import AccessToken, Client, request_token

__all__ = ["Tokens", "tokens_for"]

#: Seconds before its expiry that a token is renewed; a short-lived one after four fifths of its life.
_MARGIN_SECONDS: Final = 300.0
#: A server that refuses a new token too is not answered with another one sooner than this, and a provider
#: that refuses one is not asked again.
_RENEWAL_SECONDS: Final = 60.0


@dataclass(frozen=True)
class _Login:
    """Holds everything that an access token depends on. Secrets are never shown by repr."""

    oauth: OAuth
    user: str
    folder: Path
    secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    key_file: Path | None = None


class Tokens:
    """Keeps the access token of one user, shared by threads. `clock` is monotonic, in seconds."""

    def __init__(self, login: _Login, clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at: float | None = None  # by the clock; None where the end is not known
        self._requests = 0
        self._failure: TransportError | None = None
        self._failed_at = 0.0
        self._renewed_at: float | None = None

    def begin(self) -> None:
        """Notes that a run begins: a token that was refused in the run before may be requested again."""
        with self._lock:
            self._failure = None

    def current(self) -> str:
        """Returns a token that has not expired. Raises TransportError;

        Unavailable where a later attempt may succeed.
        """
        requests_before = self._requests
        with self._lock:
            if not self._token or (self._renew_at is not None and self._clock() >= self._renew_at):
                self._renew(requests_before)
            return self._token

    def renewed(self, refused: str) -> str:
        """Returns a new token in place of the `refused` one, or '' where a new one was refused, too.

        Raises as `current` does.
        """
        requests_before = self._requests
        with self._lock:
            if self._token and self._token != refused:
                return self._token
            now = self._clock()
            if self._renewed_at is not None and now - self._renewed_at < _RENEWAL_SECONDS:
                return ""
            self._token = ""
            self._renew(requests_before)
            self._renewed_at = now
            return self._token

    def accepted(self, token: str) -> None:
        """Notes that the server accepted `token`, so that it may be renewed again if it is refused later."""
        with self._lock:
            if token == self._token:
                self._renewed_at = None

    def _renew(self, requests_before: int) -> None:
        """Requests a token. A thread that waited while another one failed raises the same error.

        For a while after a refusal, all further calls raise the same error too: the same secrets would be
        refused again.
        """
        began = self._clock()
        if self._failure is not None and (
            self._requests != requests_before
            or (not isinstance(self._failure, Unavailable) and began - self._failed_at < _RENEWAL_SECONDS)
        ):
            raise type(self._failure)(str(self._failure))
        try:
            answer = _ask(self._login)
        except TransportError as error:
            self._failure, self._failed_at = error, self._clock()
            raise
        finally:
            self._requests += 1
        self._failure = None
        self._token, life = answer.token, answer.expires_in
        self._renew_at = None if life is None else began + life - min(_MARGIN_SECONDS, life / 5)


def tokens_for(settings: Settings, user: str, clock: Callable[[], float] = time.monotonic) -> Tokens | None:
    """Returns the tokens of `[delivery.oauth]` for a user, or None without it. Raises ConfigError."""
    oauth = settings.delivery.oauth
    if oauth is None:
        return None
    secret, refresh_token = settings.oauth_client_secret, settings.oauth_refresh_token
    login = _Login(
        oauth,
        user,
        settings.root / ".mailer",
        secret.get_secret_value() if secret else "",
        refresh_token.get_secret_value() if refresh_token else "",
        settings.oauth_key_file,
    )
    _check(login)
    with _shared_lock:
        tokens = _shared.setdefault(login, Tokens(login, clock))
    tokens.begin()
    return tokens


_shared: dict[_Login, Tokens] = {}
_shared_lock: Final = threading.Lock()


def _check(login: _Login) -> None:
    """Raises ConfigError where a secret is missing that the grant needs."""
    variable = {
        "client_credentials": "" if login.secret else "MAILER_OAUTH_CLIENT_SECRET",
        "refresh_token": "" if _kept(login).current() else "MAILER_OAUTH_REFRESH_TOKEN",
        "service_account": "" if login.key_file else "MAILER_OAUTH_KEY_FILE",
    }[login.oauth.grant]
    if variable:
        raise ConfigError(
            f'{variable} is not set, and [delivery.oauth] needs it for grant = "{login.oauth.grant}"; '
            "put it into .env"
        )
    if login.oauth.grant == "service_account" and login.key_file:
        read_key(login.key_file, login.oauth.client_id)


def _ask(login: _Login) -> AccessToken:
    oauth = login.oauth
    client = Client(
        oauth.token_endpoint, oauth.client_id, login.secret, tries_basic=oauth.provider == "custom"
    )
    scope = {"scope": oauth.requested_scope} if oauth.requested_scope else {}
    match oauth.grant:
        case "client_credentials":
            advice = "check [delivery.oauth] and MAILER_OAUTH_CLIENT_SECRET"
            return request_token(client, {"grant_type": "client_credentials", **scope}, advice)
        case "refresh_token":
            return _refreshed(login, client, scope)
    try:
        key = read_key(login.key_file or Path(), oauth.client_id)
    except ConfigError as error:  # it was in order when the transport was opened
        raise TransportError(str(error)) from None
    assertion = signed_assertion(key, login.user, oauth.token_endpoint, oauth.requested_scope)
    advice = (
        "check MAILER_OAUTH_KEY_FILE, this machine's clock, and whether the service account may act for "
        f"{login.user}"
    )
    if oauth.provider == "google":
        client, scope = Client(oauth.token_endpoint, ""), {}  # Google reads all from the assertion
    return request_token(client, {"grant_type": GRANT_TYPE, "assertion": assertion, **scope}, advice)


def _refreshed(login: _Login, client: Client, scope: dict[str, str]) -> AccessToken:
    advice = (
        "check [delivery.oauth] and MAILER_OAUTH_CLIENT_SECRET, and where the refresh token has ended, get "
        "a new one and set MAILER_OAUTH_REFRESH_TOKEN"
    )
    with _kept(login).renewal() as renewal:
        form = {"grant_type": "refresh_token", "refresh_token": renewal.token, **scope}
        answer = request_token(client, form, advice)
        renewal.keep(answer.refresh_token)
    return answer


def _kept(login: _Login) -> RefreshToken:
    owner = (login.oauth.client_id, login.user, login.oauth.token_endpoint)
    return RefreshToken(login.folder, owner, login.refresh_token)

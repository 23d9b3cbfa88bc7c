"""Caches the access token for logging in to an SMTP server, for all connections of a process.

A token is renewed before it expires, and once if the server refuses it. `token_endpoint` requests a token,
and `refresh_token` stores a refresh token that the provider has replaced.
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
from mailer.transports.base import ServerUnavailable
from mailer.transports.oauth.assertion import GRANT_TYPE, read_service_key, signed_assertion
from mailer.transports.oauth.refresh_token import RefreshToken
from mailer.transports.oauth.token_endpoint import AccessToken, OAuthClient, request_token

__all__ = ["AccessTokenCache", "token_cache_for"]

#: Seconds before its expiry that a token is renewed; a short-lived one after four fifths of its life.
_MARGIN_SECONDS: Final = 300.0
#: A server that refuses a new token too is not answered with another one sooner than this, and a provider
#: that refuses one is not asked again.
_RENEWAL_SECONDS: Final = 60.0


@dataclass(frozen=True)
class _OAuthLogin:
    """Holds everything that an access token depends on. Secrets are never shown by repr.

    `folder` is the folder `.mailer` of the workspace; `secret` and `refresh_token` are '' if they are not
    set.
    """

    oauth: OAuth
    user: str
    folder: Path
    secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    key_file: Path | None = None


class AccessTokenCache:
    """Caches the access token of one user for all threads. `clock` returns monotonic time in seconds."""

    def __init__(self, login: _OAuthLogin, clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at: float | None = None  # by the clock; None where the end is not known
        self._requests = 0
        self._failure: TransportError | None = None
        self._failed_at = 0.0
        self._renewed_at: float | None = None

    def note_run_began(self) -> None:
        """Notes that a run has begun, so that a token may be requested again after an earlier refusal."""
        with self._lock:
            self._failure = None

    def current_token(self) -> str:
        """Returns a token that has not expired; requests a new token if necessary.

        Raises TransportError; it is a ServerUnavailable if a later attempt may succeed.
        """
        requests_before_lock = self._requests
        with self._lock:
            if not self._token or (self._renew_at is not None and self._clock() >= self._renew_at):
                self._request_new_token(requests_before_lock)
            return self._token

    def renewed_token(self, refused_token: str) -> str:
        """Returns a new token in place of `refused_token`, which the mail server refused.

        Returns '' if the token was renewed less than a minute ago. Raises TransportError like
        `current_token`.
        """
        requests_before_lock = self._requests
        with self._lock:
            if self._token and self._token != refused_token:
                return self._token
            now = self._clock()
            if self._renewed_at is not None and now - self._renewed_at < _RENEWAL_SECONDS:
                return ""
            self._token = ""
            self._request_new_token(requests_before_lock)
            self._renewed_at = now
            return self._token

    def note_token_accepted(self, token: str) -> None:
        """Notes that the mail server accepted `token`: if the token is refused later, it may be renewed
        again."""
        with self._lock:
            if token == self._token:
                self._renewed_at = None

    def _request_new_token(self, requests_before_lock: int) -> None:
        """Requests a new token. The lock must be held.

        `requests_before_lock` is the number of requests before the thread waited for the lock. If another
        thread's request failed meanwhile, the same error is raised without a request. For a minute after a
        refusal, the same error is raised too, because the same secrets would be refused again.
        """
        began = self._clock()
        if self._failure is not None and (
            self._requests != requests_before_lock
            or (
                not isinstance(self._failure, ServerUnavailable)
                and began - self._failed_at < _RENEWAL_SECONDS
            )
        ):
            raise type(self._failure)(str(self._failure))
        try:
            answer = _request_access_token(self._login)
        except TransportError as error:
            self._failure, self._failed_at = error, self._clock()
            raise
        finally:
            self._requests += 1
        self._failure = None
        self._token, life = answer.token, answer.expires_in
        self._renew_at = None if life is None else began + life - min(_MARGIN_SECONDS, life / 5)


def token_cache_for(
    settings: Settings, user: str, clock: Callable[[], float] = time.monotonic
) -> AccessTokenCache | None:
    """Returns the access token cache for a user, shared by all transports with the same settings.

    Returns None if there is no `[delivery.oauth]`. Raises ConfigError if a secret is missing.
    """
    oauth = settings.delivery.oauth
    if oauth is None:
        return None
    secret, refresh_token = settings.oauth_client_secret, settings.oauth_refresh_token
    login = _OAuthLogin(
        oauth,
        user,
        settings.root / ".mailer",
        secret.get_secret_value() if secret else "",
        refresh_token.get_secret_value() if refresh_token else "",
        settings.oauth_key_file,
    )
    _check_secrets_are_set(login)
    with _shared_lock:
        tokens = _shared.setdefault(login, AccessTokenCache(login, clock))
    tokens.note_run_began()
    return tokens


_shared: dict[_OAuthLogin, AccessTokenCache] = {}
_shared_lock: Final = threading.Lock()


def _check_secrets_are_set(login: _OAuthLogin) -> None:
    """Raises ConfigError if a secret that the configured grant type needs is missing."""
    variable = {
        "client_credentials": "" if login.secret else "MAILER_OAUTH_CLIENT_SECRET",
        "refresh_token": "" if _stored_refresh_token(login).current_token() else "MAILER_OAUTH_REFRESH_TOKEN",
        "service_account": "" if login.key_file else "MAILER_OAUTH_KEY_FILE",
    }[login.oauth.grant]
    if variable:
        raise ConfigError(
            f'{variable} is not set, and [delivery.oauth] needs it for grant = "{login.oauth.grant}"; '
            "put it into .env"
        )
    if login.oauth.grant == "service_account" and login.key_file:
        read_service_key(login.key_file, login.oauth.client_id)


def _request_access_token(login: _OAuthLogin) -> AccessToken:
    oauth = login.oauth
    client = OAuthClient(
        oauth.token_endpoint, oauth.client_id, login.secret, may_use_http_basic=oauth.provider == "custom"
    )
    scope = {"scope": oauth.requested_scope} if oauth.requested_scope else {}
    match oauth.grant:
        case "client_credentials":
            advice = "check [delivery.oauth] and MAILER_OAUTH_CLIENT_SECRET"
            return request_token(client, {"grant_type": "client_credentials", **scope}, advice)
        case "refresh_token":
            return _request_by_refresh_token(login, client, scope)
    try:
        key = read_service_key(login.key_file or Path(), oauth.client_id)
    except ConfigError as error:  # it was in order when the transport was opened
        raise TransportError(str(error)) from None
    assertion = signed_assertion(key, login.user, oauth.token_endpoint, oauth.requested_scope)
    advice = (
        "check MAILER_OAUTH_KEY_FILE, this machine's clock, and whether the service account may act for "
        f"{login.user}"
    )
    if oauth.provider == "google":
        client, scope = OAuthClient(oauth.token_endpoint, ""), {}  # Google reads all from the assertion
    return request_token(client, {"grant_type": GRANT_TYPE, "assertion": assertion, **scope}, advice)


def _request_by_refresh_token(login: _OAuthLogin, client: OAuthClient, scope: dict[str, str]) -> AccessToken:
    advice = (
        "check [delivery.oauth] and MAILER_OAUTH_CLIENT_SECRET, and if the refresh token has expired, "
        "get a new token and set MAILER_OAUTH_REFRESH_TOKEN"
    )
    with _stored_refresh_token(login).locked_for_renewal() as renewal:
        form = {"grant_type": "refresh_token", "refresh_token": renewal.token, **scope}
        answer = request_token(client, form, advice)
        renewal.store_next_token(answer.refresh_token)
    return answer


def _stored_refresh_token(login: _OAuthLogin) -> RefreshToken:
    owner = (login.oauth.client_id, login.user, login.oauth.token_endpoint)
    return RefreshToken(login.folder, owner, login.refresh_token)

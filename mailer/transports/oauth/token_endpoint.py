"""Requests an access token from an OAuth 2 token endpoint (RFC 6749), with authlib.

authlib is imported only when a token is requested. No error message contains a secret, even if the provider
repeats a secret in its answer. Redirects are not followed, because they would carry the secrets elsewhere.
HTTPS_PROXY and REQUESTS_CA_BUNDLE apply, except to an endpoint on this machine.
"""

from __future__ import annotations

import base64
import json
import math
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit

from mailer.config.urls import is_loopback
from mailer.errors import TransportError
from mailer.transports.base import ServerUnavailable, one_line

__all__ = ["AccessToken", "OAuthClient", "request_token"]

_SECONDS: Final = (10.0, 30.0)  # to connect, and for the answer
_LATER: Final = ("temporarily_unavailable", "server_error", "slow_down")
_LONGEST_REASON: Final = 300
_LONGEST_ANSWER: Final = 1_000_000  # octets
_WHERE: Final = {
    "ProxyError": "the proxy refused the connection",
    "InvalidURL": "the URL cannot be used",
    "InvalidProxyURL": "the proxy's URL cannot be used",
    "InvalidSchema": "the proxy's URL cannot be used",
}
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """Describes an OAuth client. `secret` may be '' and is never shown by repr.

    The secret is sent in the form of the request. If `may_use_http_basic` is True and the endpoint refuses
    the secret there, the secret is sent by HTTP Basic.
    """

    endpoint: str
    client_id: str
    secret: str = field(default="", repr=False)
    may_use_http_basic: bool = False


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Holds an access token.

    `expires_in` is the lifetime of the token in seconds, None if the endpoint did not tell it.
    `refresh_token` is the new refresh token, or '' if the endpoint sent none.
    """

    token: str = field(repr=False)
    expires_in: float | None = None
    refresh_token: str = field(default="", repr=False)


def request_token(client: OAuthClient, form: Mapping[str, str], advice: str) -> AccessToken:
    """Requests an access token. `form` holds the parameters of the request, `grant_type` among them.

    `advice` is appended to the text of an error. Raises ServerUnavailable if the endpoint cannot be reached
    or fails, and TransportError if it refuses the request.
    """
    # The secret goes in the form: HTTP Basic has no rule for what is not ASCII, and some take the form alone.
    methods = ["client_secret_post" if client.secret else "none"]
    if client.secret and client.may_use_http_basic and client.secret.isascii():
        methods.append("client_secret_basic")
    for last, method in enumerate(methods, 1 - len(methods)):
        refused, status, answer = _fetch_token(client, form, method)
        if refused is None:
            return _parse_access_token(client, status, answer)
        if refused.error == "invalid_client" and last:
            continue
        break
    reply = _without_secrets(_oauth_error_text(refused), (*form.values(), client.secret))
    sentence = f"{_endpoint_name(client)} gives no access token: {one_line(reply, _LONGEST_REASON)}"
    if refused.error in _LATER or status == 429 or status >= 500:
        raise ServerUnavailable(f"{sentence}; run this again later")
    raise TransportError(f"{sentence}; {advice}")


class _AnswerRecorder:
    """Records the status and the original `expires_in` of an answer before authlib reads the answer."""

    status = 0
    original_expires_in: object = None

    def __call__(self, response: Any) -> Any:
        self.status = response.status_code
        response._content = _read_body(response)
        with suppress(ValueError, RecursionError):
            document = json.loads(response._content)
            if isinstance(document, dict):
                # authlib refuses the whole answer where it cannot reckon with its times.
                self.original_expires_in = document.pop("expires_in", None)
                document.pop("expires_at", None)
            response._content = json.dumps(document).encode()
            return response
        response._content = b""
        return response


def _fetch_token(
    client: OAuthClient, form: Mapping[str, str], method: str
) -> tuple[Any, int, Mapping[str, Any]]:
    """Returns the OAuthError or None, the HTTP status, and the answer with its original `expires_in`.

    `method` is the method of client authentication, in the words of RFC 7591.
    """
    import requests
    from authlib.integrations.requests_client import OAuth2Session, OAuthError

    recorder = _AnswerRecorder()
    with OAuth2Session(
        client.client_id or None, client.secret or None, token_endpoint_auth_method=method
    ) as session:
        session.trust_env = not is_loopback(urlsplit(client.endpoint).hostname or "")
        session.register_compliance_hook("access_token_response", recorder)
        try:
            auth = None if client.client_id else _add_no_client_auth
            answer = session.fetch_token(
                client.endpoint, auth=auth, timeout=_SECONDS, allow_redirects=False, stream=True, **form
            )
        except OAuthError as error:
            return error, recorder.status, {}
        except requests.exceptions.RequestException as error:
            raise _request_error(client, error, recorder.status) from None
        except (ValueError, TypeError, UnicodeError):
            raise TransportError(_unexpected_answer_text(client, recorder.status)) from None
    return None, recorder.status, {**answer, "expires_in": recorder.original_expires_in}


def _request_error(client: OAuthClient, error: Exception, status: int) -> TransportError:
    """Returns the error to raise if a request failed, or if its answer is not one of a token endpoint."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return TransportError(
            f"the certificate of {_endpoint_name(client)} cannot be trusted: {_innermost_cause_text(error)}; "
            "set REQUESTS_CA_BUNDLE to a private authority's certificate file, and check this machine's clock"
        )
    if isinstance(error, requests.exceptions.HTTPError):
        kind = ServerUnavailable if status == 429 or status >= 500 else TransportError
        return kind(
            f"{_endpoint_name(client)} answers with HTTP {status} and no access token; run this again "
            "later, or check [delivery.oauth] token_url"
        )
    return ServerUnavailable(
        f"{_endpoint_name(client)} cannot be asked for an access token: {_innermost_cause_text(error)}; "
        "check the network, HTTPS_PROXY and [delivery.oauth]"
    )


def _read_body(response: Any) -> bytes:
    """Returns the body of an answer; b"" if it is too long. Raises ReadTimeout if it takes too long."""
    import requests

    ends = time.monotonic() + _SECONDS[1]
    content = b""
    with response:
        for piece in response.iter_content(4096):
            content += piece
            if len(content) > _LONGEST_ANSWER:
                return b""
            if time.monotonic() > ends:
                raise requests.exceptions.ReadTimeout from TimeoutError()
    return content


def _add_no_client_auth(request: Any) -> Any:
    """Leaves a request without client authentication, because its assertion identifies the client."""
    return request


def _parse_access_token(client: OAuthClient, status: int, answer: Mapping[str, Any]) -> AccessToken:
    token, kind = answer.get("access_token"), answer.get("token_type", "bearer")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(kind).lower() != "bearer":
        raise (ServerUnavailable if status == 429 else TransportError)(
            _unexpected_answer_text(client, status)
        )
    refresh_token = answer.get("refresh_token")
    return AccessToken(
        token,
        _parse_expires_in(answer.get("expires_in")),
        refresh_token if isinstance(refresh_token, str) else "",
    )


def _parse_expires_in(value: object) -> float | None:
    """Returns `expires_in` in seconds, even if it was sent as text; None if it is not a positive number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < math.inf else None


def _unexpected_answer_text(client: OAuthClient, status: int) -> str:
    return (
        f"{_endpoint_name(client)} does not answer as a token endpoint does (HTTP {status}); "
        "check [delivery.oauth] token_url"
    )


def _endpoint_name(client: OAuthClient) -> str:
    return f"the token endpoint {urlsplit(client.endpoint).netloc}"


def _oauth_error_text(error: Any) -> str:
    words = [one_line(str(word), 20_000) for word in (error.error, error.description) if word]
    return ": ".join(words) or "without a reason"


def _without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Returns `text` with the secrets replaced by "[secret]", in any encoding in which they occur."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= 4:
            encoded = base64.b64encode(secret.encode()).decode("ascii")
            forms |= {
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                encoded,
                one_line(secret, len(secret)),
            }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "[secret]")
    return text


def _innermost_cause_text(error: BaseException) -> str:
    """Returns a text for the innermost cause of a failed request; the library's own text is unreadable."""
    words, seen = _WHERE.get(type(error).__name__, "the answer cannot be read"), 0
    cause: BaseException | None = error
    while cause is not None and seen < 20:
        if isinstance(cause, TimeoutError):
            words = "no answer came in time"
        elif isinstance(cause, ConnectionResetError):
            words = "the connection was closed"
        elif isinstance(cause, OSError) and cause.strerror:
            words = getattr(cause, "verify_message", "") or cause.strerror
        cause, seen = cause.__cause__ or cause.__context__, seen + 1
    return one_line(words, 200)

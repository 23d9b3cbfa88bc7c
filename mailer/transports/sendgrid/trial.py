"""Checks for `mailer doctor` whether SendGrid accepts the API key and the key may send (`GET /v3/scopes`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from mailer.config import Settings
from mailer.errors import ConfigError
from mailer.transports.finding import Finding, Status, check_resolver_answers
from mailer.transports.http.connection import ApiUnreachable, RequestNotSent, RequestUnanswered
from mailer.transports.sendgrid.client import api_client, api_connection
from mailer.transports.sendgrid.transport import SendGrid

__all__ = ["try_api_key"]

_SECONDS: Final = 8.0
_NEEDED: Final = "mail.send"
_ADVICE: Final = "make a key with the Mail Send permission at SendGrid, and put it into SENDGRID_API_KEY"


def try_api_key(settings: Settings, *, seconds: float = _SECONDS) -> Iterator[Finding]:
    """Checks whether SendGrid accepts the API key, and whether the key has the permission mail.send.

    `seconds` limits each wait. Raises UnansweredQuery.
    """
    name = "sendgrid key"
    try:
        transport = SendGrid.from_settings(settings.delivery.transport, settings)
    except ConfigError:
        return  # the check of the transport says why
    base_url, key = transport.base_url, transport.api_key
    check_resolver_answers(urlsplit(base_url).hostname or "")
    connection = api_connection(base_url, key, seconds)
    try:
        answer = api_client(base_url, connection).scopes.get()
    except ApiUnreachable as error:
        yield Finding(
            name,
            Status.ERROR,
            f"{base_url} cannot be reached: {error}",
            "check the network and MAILER_SENDGRID_URL",
        )
        return
    except (RequestUnanswered, RequestNotSent) as error:
        yield Finding(name, Status.UNKNOWN, f"{base_url} gave no answer: {error}", "run this again later")
        return
    finally:
        connection.close()
    status = answer.status_code
    if status in (401, 403):
        yield Finding(name, Status.ERROR, f"SendGrid does not accept SENDGRID_API_KEY ({status})", _ADVICE)
    elif status != 200:
        serious = Status.UNKNOWN if status == 429 or status >= 500 else Status.ERROR
        yield Finding(
            name,
            serious,
            f"{base_url} answers {status}",
            "run this again later" if serious is Status.UNKNOWN else "check MAILER_SENDGRID_URL",
        )
    elif _NEEDED not in _parse_scopes(answer.body):
        yield Finding(name, Status.ERROR, "the key has no permission to send", _ADVICE)
    else:
        yield Finding(name, Status.OK, "SendGrid accepts the key, and it may send")


def _parse_scopes(body: bytes) -> list[str]:
    try:
        scopes = json.loads(body)["scopes"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [scope for scope in scopes if isinstance(scope, str)] if isinstance(scopes, list) else []

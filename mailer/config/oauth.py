"""Defines `[delivery.oauth]`: how to get the access token that replaces the SMTP password."""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mailer.config.fields import FrozenModel, Line
from mailer.config.urls import is_loopback, split_url

__all__ = ["OAuth", "OAuthTable"]

Grant = Literal["client_credentials", "refresh_token", "service_account"]

_MICROSOFT_TOKENS = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
_SCOPES: dict[tuple[str, str], str] = {
    ("microsoft", "client_credentials"): "https://outlook.office365.com/.default",
    ("microsoft", "refresh_token"): "https://outlook.office.com/SMTP.Send offline_access",
    ("google", "service_account"): "https://mail.google.com/",
    ("google", "refresh_token"): "https://mail.google.com/",
}
_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def _check_token_url(value: str) -> str:
    """Returns `value`. Raises ValueError if secrets must not be sent to the URL, as without https."""
    if not value:
        return value
    try:
        parts = split_url(value)
    except ValueError as error:
        raise ValueError(f"is not the URL of a token endpoint: {error}") from None
    host = parts.hostname or ""
    if not host or parts.fragment or not value.isascii() or re.search(r"\s", value):
        raise ValueError("is not a URL such as https://login.example.org/oauth2/token")
    if parts.username is not None or parts.password is not None:
        raise ValueError("contains a user or a password; remove it and set the MAILER_OAUTH_ variables")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https://, because secrets are sent there")
    return value


def _check_tenant(value: str) -> str:
    if value and not _TENANT.fullmatch(value):
        raise ValueError(f'"{value[:80]}" is not a tenant; write its id, or its domain such as example.org')
    return value


class OAuth(FrozenModel):
    """Holds `[delivery.oauth]`: the settings of a login by XOAUTH2 or OAUTHBEARER, without the secrets.

    If `token_url` or `scope` is empty, the provider's usual one is used. `tenant` is the Microsoft directory.
    """

    provider: Annotated[
        Literal["microsoft", "google", "custom"],
        Field(description="The provider, whose usual URLs and scope are known."),
    ]
    grant: Annotated[Grant, Field(description="How an access token is obtained.")]
    client_id: Annotated[Line, Field(description="The id that the provider gave the application.")] = ""
    tenant: Annotated[
        Line,
        AfterValidator(_check_tenant),
        Field(description="Microsoft's directory: its id, or its domain."),
    ] = ""
    token_url: Annotated[
        Line,
        AfterValidator(_check_token_url),
        Field(description="The URL of the token endpoint; otherwise the provider's."),
    ] = ""
    scope: Annotated[Line, Field(description="The scope to request; otherwise the usual one.")] = ""

    @model_validator(mode="after")
    def _check_provider_and_grant(self) -> Self:
        if self.provider == "google" and self.grant == "client_credentials":
            raise ValueError(
                "the SMTP servers of Google do not accept client credentials; write "
                'grant = "service_account" or "refresh_token"'
            )
        if self.provider == "microsoft" and self.grant == "service_account":
            raise ValueError(
                "the SMTP servers of Microsoft do not accept service accounts; write "
                'grant = "client_credentials" or "refresh_token"'
            )
        if not self.client_id and self.grant != "service_account":
            raise ValueError("client_id is missing; write the id that the provider gave the application")
        if self.provider == "microsoft" and not self.token_url and not self.tenant:
            raise ValueError("tenant is missing; write the id of your directory, or its domain")
        if self.provider != "microsoft" and self.tenant:
            raise ValueError(
                'tenant is only for provider = "microsoft"; remove it, and write token_url if needed'
            )
        if self.provider == "custom" and not self.token_url:
            raise ValueError("token_url is missing; write the URL of the provider's token endpoint")
        return self

    @property
    def token_endpoint(self) -> str:
        """Returns the URL of the token endpoint: `token_url`, or else the provider's."""
        if self.token_url:
            return self.token_url
        return (
            _MICROSOFT_TOKENS.format(tenant=self.tenant) if self.provider == "microsoft" else _GOOGLE_TOKENS
        )

    @property
    def requested_scope(self) -> str:
        """Returns the scope to request, or '' if the provider chooses the scope."""
        return self.scope or _SCOPES.get((self.provider, self.grant), "")


def _parse_oauth_table(value: object) -> object:
    """Returns `value` if it is a table, or the table in a text such as `{provider = "microsoft", …}`."""
    if isinstance(value, str):
        try:
            value = tomllib.loads(f"table = {value}")["table"]
        except (tomllib.TOMLDecodeError, RecursionError, ValueError):
            value = None
    if not isinstance(value, dict):
        raise ValueError('is not a table such as {provider = "microsoft", grant = "client_credentials"}')
    return value


OAuthTable = Annotated[OAuth | None, BeforeValidator(_parse_oauth_table)]

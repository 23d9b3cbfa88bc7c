"""A campaign that logs in by access tokens, and what is left of it where a provider or a server refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailer.transports.oauth import oauth
from tests.faults.conftest import Desk
from tests.servers.login import LoginServer
from tests.servers.oauth import OAuthServer

SECRET, REFRESH = "client-s3cret", "refresh-1-of-many"


@pytest.fixture
def provider() -> Iterator[OAuthServer]:
    oauth._shared.clear()
    with OAuthServer(secret=SECRET, refresh=REFRESH, rotates=True) as server:
        yield server


@pytest.fixture
def server(desk: Desk, provider: OAuthServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoginServer]:
    with LoginServer("AUTH XOAUTH2") as server:
        server.tokens = provider.tokens  # type: ignore[assignment]
        path = desk.root / "mailer.toml"
        path.write_text(
            f'{path.read_text()}\n[delivery.oauth]\nprovider = "custom"\ngrant = "refresh_token"\n'
            f'client_id = "app-1"\ntoken_url = "{provider.url}"\n'
        )
        monkeypatch.setenv("MAILER_OAUTH_CLIENT_SECRET", SECRET)
        monkeypatch.setenv("MAILER_OAUTH_REFRESH_TOKEN", REFRESH)
        desk.transport = f"smtp://desk@127.0.0.1:{server.port}"
        monkeypatch.setenv("MAILER_DELIVERY_CONNECTIONS", "4")
        yield server


def nowhere(desk: Desk, *secrets: str) -> None:
    """No file of the workspace but `.mailer/oauth` holds one of these."""
    for path in desk.root.rglob("*"):
        if path.is_file() and path != desk.root / ".mailer/oauth":
            data = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in data], path


def test_one_renewal_is_enough_for_all_connections(
    desk: Desk, server: LoginServer, provider: OAuthServer
) -> None:
    ran = desk.send()
    assert ran.status == 0, ran.err
    assert desk.states == ["accepted"] * 4
    assert len(provider.forms) == 1
    nowhere(desk, SECRET, REFRESH, provider.refresh, *provider.tokens)


def test_a_provider_that_refuses_stops_the_run_before_anything_is_sent(
    desk: Desk, server: LoginServer, provider: OAuthServer
) -> None:
    provider.answers = [(400, {"error": "invalid_grant", "error_description": f"{REFRESH} has ended"})] * 20
    ran = desk.send()
    assert ran.status == 1
    assert "gives no access token: invalid_grant: [secret] has ended; check [delivery.oauth]" in ran.err
    assert desk.states == ["pending"] * 4
    assert server.connections == 0
    nowhere(desk, SECRET, REFRESH)
    provider.answers = []
    assert desk.send().status == 0
    assert desk.states == ["accepted"] * 4


def test_a_server_that_refuses_the_token_stops_the_run(
    desk: Desk, server: LoginServer, provider: OAuthServer
) -> None:
    server.user = "somebody else"
    ran = desk.send()
    assert ran.status == 1
    assert "refused the user desk: 535 5.7.8 Error: authentication failed (status 401, " in ran.err
    assert desk.states == ["pending"] * 4
    assert len(provider.forms) == 2
    assert not [secret for secret in (SECRET, REFRESH, *provider.tokens) if secret in ran.err + ran.out]
    nowhere(desk, SECRET, REFRESH, provider.refresh, *provider.tokens)


def test_a_secret_that_is_missing_changes_nothing(
    desk: Desk, server: LoginServer, provider: OAuthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILER_OAUTH_REFRESH_TOKEN")
    ran = desk.send()
    assert ran.status == 2
    assert "MAILER_OAUTH_REFRESH_TOKEN is not set, and [delivery.oauth] needs it" in ran.err
    assert provider.forms == []

"""Postfix with Dovecot's SASL takes every login: passwords by three mechanisms, access tokens by two.

The tokens come from a provider's stand-in, which Dovecot asks about each of them (RFC 7662).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.errors import TransportError
from mailer.transports.oauth import oauth
from mailer.transports.smtp.server import open_session
from mailer.transports.smtp.session import auth
from mailer.transports.smtp.transport import Smtp
from tests.conftest import CONFIG
from tests.servers.oauth import OAuthServer
from tests.servers.real.base import Manners
from tests.servers.real.dovecot import Dovecot
from tests.servers.real.postfix import Submission

SECRET = "client-s3cret"
REFRESH = "refresh-1-of-many"
PASSWORD = "pässwörd 密码"
RAW = b"From: desk@example.org\r\nSubject: Hi\r\nMessage-ID: <1@example.org>\r\n\r\nHi\r\n"

#: After refusals Dovecot waits, longer each time (anvil), which here would be time for nothing.
_MORE = """\
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""
_OAUTH2 = """\
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
"""


class OAuthDovecot(Dovecot):
    """Asks a provider about access tokens, besides knowing a password."""

    def __init__(self, provider: OAuthServer) -> None:
        super().__init__("desk", PASSWORD, mechanisms="plain login cram-md5 xoauth2 oauthbearer")
        self._provider = provider

    def configure(self) -> None:
        self._more = _MORE.format(folder=self.folder)
        super().configure()
        (self.folder / "oauth2.conf").write_text(_OAUTH2.format(url=self._provider.introspection))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Submission, OAuthServer]]:
    """One server for all tests, because its start takes seconds."""
    with (
        OAuthServer(secret=SECRET, rotates=True) as provider,
        Submission(Manners(user="desk", password=PASSWORD), OAuthDovecot(provider)) as server,
    ):
        yield server, provider


@pytest.fixture
def server(running: tuple[Submission, OAuthServer]) -> Submission:
    return running[0]


@pytest.fixture
def provider(running: tuple[Submission, OAuthServer]) -> OAuthServer:
    oauth._shared.clear()
    provider = running[1]
    provider.user, provider.refresh = "desk", REFRESH
    for seen in (provider.forms, provider.introspected, provider.tokens):
        seen.clear()
    return provider


def only(mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client knows this mechanism alone."""
    kind = "WITH_PASSWORD" if mechanism in auth.WITH_PASSWORD else "WITH_TOKEN"
    monkeypatch.setattr(auth, kind, (mechanism,))


def transport(server: Submission, workspace: Path, table: str = "", **environ: str) -> Smtp:
    (workspace / "mailer.toml").write_text(CONFIG + table, encoding="utf-8")
    return Smtp.from_url(server.url, load_settings(workspace, environ))


def by_token(
    server: Submission, workspace: Path, provider: OAuthServer, grant: str = "client_credentials"
) -> Smtp:
    table = (
        f'\n[delivery.oauth]\nprovider = "custom"\ngrant = "{grant}"\nclient_id = "app-1"\n'
        f'token_url = "{provider.url}"\n'
    )
    return transport(
        server, workspace, table, MAILER_OAUTH_CLIENT_SECRET=SECRET, MAILER_OAUTH_REFRESH_TOKEN=REFRESH
    )


def hand_over(way: Smtp) -> None:
    """One message after a login, which Postfix takes from nobody else."""
    session = open_session(way.server)
    assert session.run_mail_transaction("desk@example.org", "reader1@d1.example.org", RAW)[0] == 250
    session.end_session()


@pytest.mark.parametrize("mechanism", auth.WITH_PASSWORD)
def test_a_password_logs_in(
    mechanism: str, server: Submission, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(mechanism, monkeypatch)
    hand_over(transport(server, workspace, MAILER_SMTP_PASSWORD=PASSWORD))
    server.says(f"sasl_method={mechanism}, sasl_username=desk")
    with pytest.raises(TransportError, match=r"refused the user desk: 535 5\.7\.8"):
        open_session(transport(server, workspace, MAILER_SMTP_PASSWORD="letmein").server)


@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token"])
@pytest.mark.parametrize("mechanism", auth.WITH_TOKEN)
def test_a_token_logs_in(
    mechanism: str,
    grant: str,
    server: Submission,
    provider: OAuthServer,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(mechanism, monkeypatch)
    hand_over(by_token(server, workspace, provider, grant))
    server.says(f"sasl_method={mechanism}, sasl_username=desk")
    assert provider.introspected == list(provider.tokens)


@pytest.mark.parametrize("mechanism", auth.WITH_TOKEN)
def test_a_token_that_was_withdrawn_is_renewed(
    mechanism: str,
    server: Submission,
    provider: OAuthServer,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(mechanism, monkeypatch)
    way = by_token(server, workspace, provider)
    hand_over(way)
    provider.tokens.clear()
    hand_over(way)
    assert len(provider.forms) == 2


@pytest.mark.parametrize("mechanism", auth.WITH_TOKEN)
def test_a_token_that_is_refused_is_told(
    mechanism: str,
    server: Submission,
    provider: OAuthServer,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(mechanism, monkeypatch)
    way = by_token(server, workspace, provider)
    provider.answers = [(200, {"access_token": f"never-heard-of-{n}"}) for n in range(2)]
    with pytest.raises(TransportError) as caught:
        open_session(way.server)
    assert "refused the user desk: 535 5.7.8" in str(caught.value)
    assert "[delivery.oauth]" in str(caught.value)
    assert "never-heard-of" not in str(caught.value)


@pytest.mark.parametrize("mechanism", auth.WITH_TOKEN)
@pytest.mark.parametrize("length", [300, 1500, 4000])
def test_a_token_of_any_length_logs_in(
    length: int,
    mechanism: str,
    server: Submission,
    provider: OAuthServer,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Microsoft's have some 2,000 characters; Postfix takes no command of more than 2,048."""
    only(mechanism, monkeypatch)
    token = "t" * length
    provider.tokens[token] = "desk"
    provider.answers = [(200, {"access_token": token, "token_type": "Bearer"})]
    hand_over(by_token(server, workspace, provider))

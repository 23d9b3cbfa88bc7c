"""Access tokens: how they are got, renewed, kept and used, and what is said where there is none."""

from __future__ import annotations

import base64
import errno
import io
import json
import math
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from mailer.config import load_settings
from mailer.errors import ConfigError, TransportError
from mailer.files import NewFile
from mailer.transports.base import ServerUnavailable
from mailer.transports.oauth import oauth, refresh_token, token_endpoint
from mailer.transports.smtp.server import open_session
from mailer.transports.smtp.session.session import SmtpSession
from mailer.transports.smtp.transport import Smtp
from tests.conftest import CONFIG
from tests.servers.certificates import authority_file, server_tls
from tests.servers.login import LoginServer
from tests.servers.oauth import OAuthServer

SECRET = "cl1ent-s3cret/+ä"
REFRESH = "refresh-1-of-many"
NO_TOKEN = "does not answer as a token endpoint does (HTTP 200)"
OFFERS = {"XOAUTH2": "AUTH LOGIN XOAUTH2", "OAUTHBEARER": "AUTH OAUTHBEARER"}


class Place:
    """A workspace with [delivery.oauth], a provider, and an SMTP server that takes the provider's tokens."""

    def __init__(self, workspace: Path, provider: OAuthServer, smtp: LoginServer) -> None:
        self.workspace, self.provider, self.smtp = workspace, provider, smtp
        self.environ: dict[str, str] = {}
        self.clock: Callable[[], float] = time.monotonic
        self.configure("client_credentials", MAILER_OAUTH_CLIENT_SECRET=SECRET)

    def configure(self, grant: str, *, more: str = "", **environ: str) -> None:
        table = (
            f'\n[delivery.oauth]\nprovider = "custom"\ngrant = "{grant}"\nclient_id = "app-1"\n'
            f'token_url = "{self.provider.url}"\n{more}\n'
        )
        (self.workspace / "mailer.toml").write_text(CONFIG + table, encoding="utf-8")
        self.environ = environ

    def transport(self) -> Smtp:
        settings = load_settings(self.workspace, self.environ)
        return Smtp.from_url(f"smtp://desk@127.0.0.1:{self.smtp.port}", settings, clock=lambda: self.clock())

    def session(self) -> SmtpSession:
        return open_session(self.transport().server)

    def log_in(self, times: int = 1) -> None:
        for _ in range(times):
            self.session().end_session()

    def why_not(self, kind: type[TransportError] = TransportError) -> str:
        with pytest.raises(kind) as caught:
            self.session()
        told = str(caught.value)
        assert "\n" not in told
        for secret in (SECRET, REFRESH, self.provider.refresh, *self.provider.tokens):
            assert not secret or secret not in told
        return told

    @property
    def kept(self) -> Path:
        return self.workspace / ".mailer" / "oauth"

    def forget(self) -> None:
        """As a new process does."""
        oauth._shared.clear()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    oauth._shared.clear()


@pytest.fixture
def provider() -> Iterator[OAuthServer]:
    with OAuthServer(secret=SECRET, refresh=REFRESH) as server:
        yield server


@pytest.fixture
def place(workspace: Path, provider: OAuthServer) -> Iterator[Place]:
    with LoginServer(OFFERS["XOAUTH2"]) as smtp:
        smtp.tokens = provider.tokens  # type: ignore[assignment]
        yield Place(workspace, provider, smtp)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_logs_in_by_either_mechanism(mechanism: str, place: Place) -> None:
    place.smtp.offers = (OFFERS[mechanism],)
    place.log_in()
    assert place.smtp.logins == [(mechanism, "desk")]
    (form,) = place.provider.forms
    assert form == {
        "grant_type": "client_credentials",
        "client_id": "app-1",
        "client_secret": SECRET,
        "by": "form",
    }


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_long_token_waits_for_the_server_to_ask(mechanism: str, place: Place) -> None:
    """RFC 4954 section 4; Postfix takes no command of more than 2,048 octets."""
    token = "t" * 3000
    place.provider.answers = [(200, {"access_token": token, "token_type": "Bearer"})]
    place.smtp.tokens = {token}
    place.smtp.offers = (OFFERS[mechanism],)
    place.log_in()
    assert place.smtp.lines[1] == f"AUTH {mechanism}"


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_server_that_wants_no_initial_response_gets_none(mechanism: str, place: Place) -> None:
    place.smtp.initial, place.smtp.offers = "501 5.5.4 no initial response", (OFFERS[mechanism],)
    place.log_in()
    assert place.smtp.logins == [(mechanism, "desk")]


def test_one_token_serves_all_connections(place: Place) -> None:
    place.log_in(3)
    transport = place.transport()
    place.provider.go.clear()
    threads = [
        threading.Thread(target=lambda: open_session(transport.server).end_session()) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    place.provider.go.set()
    for thread in threads:
        thread.join(10)
    assert len(place.smtp.logins) == 9
    assert len(place.provider.forms) == 1


def test_connections_that_begin_at_once_ask_once(place: Place) -> None:
    server = place.transport().server
    place.provider.go.clear()
    threads = [threading.Thread(target=lambda: open_session(server).end_session()) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert place.provider.busy.wait(10)
    place.provider.go.set()
    for thread in threads:
        thread.join(10)
    assert len(place.smtp.logins) == 6
    assert len(place.provider.forms) == 1


def test_connections_that_waited_for_a_failure_do_not_fail_again(place: Place) -> None:
    place.provider.answers = [(401, {"error": "invalid_client"})]
    tokens = place.transport().server.tokens
    assert tokens is not None
    told: list[str] = []

    def ask() -> None:
        try:
            tokens.current_token()
        except TransportError as error:
            told.append(str(error))

    place.provider.go.clear()
    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert place.provider.busy.wait(10)
    for thread in threads[1:]:
        thread.start()
    for thread in threads[1:]:
        thread.join(0.05)  # it waits for the first
    place.provider.go.set()
    for thread in threads:
        thread.join(10)
    assert len(told) == 4
    assert len(place.provider.forms) == 1
    place.forget()
    place.log_in()  # and another time is another time


def test_a_token_is_renewed_before_it_expires(place: Place) -> None:
    now = 1000.0
    place.clock = lambda: now
    place.log_in(2)
    assert len(place.provider.forms) == 1
    now += 3600 - 301
    place.log_in()
    assert len(place.provider.forms) == 1
    now += 2
    place.log_in()
    assert len(place.provider.forms) == 2


@pytest.mark.parametrize(
    "expires_in",
    [None, "soon", [], [60], True, 0, -5, math.inf, math.nan, 10**400],
    ids=lambda v: repr(v)[:8],
)
def test_a_life_that_is_not_told_or_not_readable_stops_nobody(expires_in: object, place: Place) -> None:
    place.provider.expires_in = expires_in
    place.log_in(2)
    assert len(place.provider.forms) == 1


@pytest.mark.parametrize("expires_in", [3600, "3600", "3599.5"])
def test_a_life_may_be_text(expires_in: object, place: Place) -> None:
    place.provider.expires_in = expires_in
    place.clock = lambda: now
    now = 1000.0
    place.log_in()
    now += 3302
    place.log_in()
    assert len(place.provider.forms) == 2


def test_a_token_that_the_server_refuses_is_renewed_once(place: Place) -> None:
    place.log_in()
    place.provider.tokens.clear()  # as where the provider has withdrawn it
    place.log_in()
    assert len(place.provider.forms) == 2
    assert place.smtp.logins == [("XOAUTH2", "desk")] * 2


def test_a_user_that_is_refused_is_told_with_the_servers_words_and_asked_for_no_more_than_twice(
    place: Place,
) -> None:
    place.smtp.tokens = set()
    told = [place.why_not() for _ in range(3)]
    assert told[0] == (
        f"127.0.0.1:{place.smtp.port} refused the user desk: 535 5.7.8 Error: authentication failed "
        "(status 401, schemes bearer, scope mail); check the user in the transport's URL and "
        "[delivery.oauth], and whether this mailbox and this application may send by SMTP "
        "(docs/smtp.md)"
    )
    assert told[1] == told[0]
    assert len(place.provider.forms) == 2
    assert "" in place.smtp.lines  # the empty answer to the challenge


def test_oauthbearer_answers_the_error_challenge_as_it_must(place: Place) -> None:
    place.smtp.tokens, place.smtp.offers = set(), (OFFERS["OAUTHBEARER"],)
    assert "(status invalid_token, scope mail)" in place.why_not()
    assert "AQ==" in place.smtp.lines


def test_a_server_that_repeats_the_token_does_not_get_it_shown(place: Place) -> None:
    token = "very-secret-token"
    place.provider.answers = [(200, {"access_token": token, "expires_in": 60})] * 2
    encoded = base64.b64encode(f"user=desk\1auth=Bearer {token}\1\1".encode()).decode()
    place.smtp.tokens, place.smtp.wrong = set(), f"535 5.7.8 {token} {encoded} is no good"
    told = place.why_not()
    assert "535 5.7.8 [password] [password] is no good" in told
    assert token not in repr(place.transport().server) + repr(place.transport().server.tokens)


@pytest.mark.parametrize("offers", ["AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN"])
def test_a_server_without_tokens_says_so(offers: str, place: Place) -> None:
    place.smtp.offers = (offers,)
    assert place.why_not() == (
        f"127.0.0.1:{place.smtp.port} offers only PLAIN and LOGIN for logging in, which take a password and "
        "no access token; remove [delivery.oauth] and set MAILER_SMTP_PASSWORD"
    )


# What the token endpoint says


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, {"error": "invalid_client", "error_description": "AADSTS7: Invalid\r\n secret"},
         "invalid_client: AADSTS7: Invalid secret; check [delivery.oauth] and MAILER_OAUTH_CLIENT_SECRET"),
        (400, {"error": "invalid_scope"}, "gives no access token: invalid_scope; check [delivery.oauth]"),
        (400, {"error": {"code": 400, "message": "no"}}, "no access token: {'code': 400, 'message': 'no'}"),
        (400, {"error": "überhaupt", "error_description": "nö 🙈"}, "überhaupt: nö 🙈"),
        (404, "<html>no such page</html>", "answers with HTTP 404 and no access token"),
        (302, "", NO_TOKEN.replace("200", "302")),
        (200, "<html>log in here</html>", NO_TOKEN),
        (200, {"token_type": "Bearer"}, NO_TOKEN),
        (200, {"access_token": "a b"}, NO_TOKEN),
        (200, {"access_token": "a\r\nMAIL FROM:<x>"}, NO_TOKEN),
        (200, {"access_token": 7}, NO_TOKEN),
        (200, {"access_token": "t", "token_type": "pop"}, NO_TOKEN),
        (200, {}, NO_TOKEN),
        (400, {}, NO_TOKEN.replace("200", "400")),
        (200, "[" * 200_000, NO_TOKEN),
        (200, {"access_token": "t", "padding": "x" * 1_000_000}, NO_TOKEN),
        (401, {"error": "invalid_client", "error_description": "not " + SECRET}, "not [secret]; "),
    ],
)  # fmt: skip
def test_a_refusal_of_the_provider_is_one_sentence(status: int, body: Any, told: str, place: Place) -> None:
    place.provider.answers = [(status, body)] * 2
    sentence = place.why_not()
    assert sentence.startswith(f"the token endpoint 127.0.0.1:{place.provider.port} ")
    assert told in sentence
    assert place.smtp.connections == 0
    assert {form["client_secret"] for form in place.provider.forms} == {SECRET}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, "<html>down</html>"),
        (500, {"error": "server_error"}),
        (429, {"error": "too_many"}),
        (429, "slow"),
        (400, {"error": "temporarily_unavailable"}),
    ],
)
def test_trouble_of_the_provider_is_for_another_time(status: int, body: Any, place: Place) -> None:
    place.provider.answers = [(status, body)]
    assert "run this again later" in place.why_not(ServerUnavailable)
    place.log_in()


def test_a_provider_that_refuses_is_asked_once_a_run(place: Place) -> None:
    place.clock = lambda: now
    now = 1000.0
    place.provider.answers = [(400, {"error": "invalid_grant"})] * 3
    transport = place.transport()
    for _ in range(3):
        with pytest.raises(TransportError, match="invalid_grant"):
            open_session(transport.server)
    assert len(place.provider.forms) == 1
    now += 61
    with pytest.raises(TransportError, match="invalid_grant"):
        open_session(transport.server)
    assert len(place.provider.forms) == 2
    place.why_not()  # another run
    assert len(place.provider.forms) == 3


def test_an_answer_that_does_not_end_is_not_read_to_its_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_endpoint, "_SECONDS", (1.0, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
                while True:
                    connection.sendall(b" " * 4096)
                    time.sleep(0.05)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        place.provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}/token"
        place.configure("client_credentials", MAILER_OAUTH_CLIENT_SECRET=SECRET)
        assert "no answer came in time" in place.why_not(ServerUnavailable)
        thread.join(5)


def test_a_provider_that_is_not_there_is_for_another_time(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place.provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}/token"
    place.configure("client_credentials", MAILER_OAUTH_CLIENT_SECRET=SECRET)
    told = place.why_not(ServerUnavailable)
    assert "cannot be asked for an access token: Connection refused; check the network, HTTPS_PROXY" in told


def test_a_provider_that_does_not_answer_is_for_another_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_endpoint, "_SECONDS", (1.0, 0.1))
    place.provider.go.clear()
    assert "cannot be asked for an access token: no answer came in time" in place.why_not(ServerUnavailable)


def test_a_client_that_must_use_basic_does(place: Place) -> None:
    place.provider.basic_only = True
    place.provider.secret = place.environ["MAILER_OAUTH_CLIENT_SECRET"] = "ascii-s3cret"
    place.log_in()
    assert [form["by"] for form in place.provider.forms] == ["form", "basic"]


def test_over_tls_the_certificate_is_verified(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OAuthServer(secret=SECRET, tls=server_tls()) as provider, LoginServer("AUTH XOAUTH2") as smtp:
        smtp.tokens = provider.tokens  # type: ignore[assignment]
        place = Place(workspace, provider, smtp)
        told = place.why_not()
        assert "the certificate of the token endpoint 127.0.0.1:" in told
        assert "cannot be trusted: " in told
        assert "; set REQUESTS_CA_BUNDLE" in told
        monkeypatch.setattr(token_endpoint, "is_loopback", lambda host: False)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority_file(tmp_path)))
        place.forget()
        place.log_in()


def test_a_proxy_is_not_asked_for_this_machine(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    place.log_in()


def test_a_proxy_is_used_for_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{place.smtp.port}")
    text = (
        (place.workspace / "mailer.toml")
        .read_text()
        .replace(place.provider.url, "https://login.example.test/t")
    )
    (place.workspace / "mailer.toml").write_text(text)
    place.why_not(ServerUnavailable)
    assert place.smtp.connections == 1


# Refresh tokens


@pytest.fixture
def refreshing(place: Place) -> Place:
    place.provider.rotates = True
    place.configure("refresh_token", MAILER_OAUTH_CLIENT_SECRET=SECRET, MAILER_OAUTH_REFRESH_TOKEN=REFRESH)
    return place


def test_a_rotated_refresh_token_is_kept_and_used(refreshing: Place) -> None:
    for _ in range(3):
        refreshing.log_in()
        refreshing.forget()
    used = [form["refresh_token"] for form in refreshing.provider.forms]
    assert used == [REFRESH, "refresh-2-of-many", "refresh-3-of-many"]
    assert stat.S_IMODE(refreshing.kept.stat().st_mode) == 0o600
    kept = refreshing.kept.read_text()
    assert "refresh-4-of-many" in kept
    assert REFRESH not in kept
    assert SECRET not in kept
    assert sorted(path.name for path in refreshing.kept.parent.iterdir()) == [".oauth.lock", "oauth"]


def test_a_rotated_refresh_token_is_kept_also_where_the_life_of_the_token_cannot_be_read(
    refreshing: Place,
) -> None:
    refreshing.provider.expires_in = "soon"
    refreshing.log_in()
    assert "refresh-2-of-many" in refreshing.kept.read_text()


def test_where_there_is_no_room_for_the_next_one_the_provider_is_not_asked(
    refreshing: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoRoom(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    class Full(NewFile):
        def __init__(self, path: Path, **rest: Any) -> None:
            super().__init__(path, **rest)
            self.file.close()
            self.file = NoRoom()

    monkeypatch.setattr(refresh_token, "NewFile", Full)
    told = refreshing.why_not()
    assert ".mailer/oauth, which keeps the refresh token, cannot be written: No space left on device" in told
    assert not refreshing.provider.forms


def test_the_umask_does_not_open_the_file_and_another_file_is_replaced(refreshing: Place) -> None:
    refreshing.kept.parent.mkdir()
    refreshing.kept.write_text("not json")
    refreshing.kept.chmod(0o644)
    refreshing.log_in()
    assert stat.S_IMODE(refreshing.kept.stat().st_mode) == 0o600


def test_without_rotation_nothing_is_kept(refreshing: Place) -> None:
    refreshing.provider.rotates = False
    refreshing.log_in()
    assert [path.name for path in refreshing.kept.parent.iterdir()] == [".oauth.lock"]


def test_a_token_that_is_set_anew_goes_before_the_kept_one(refreshing: Place) -> None:
    refreshing.log_in()
    refreshing.forget()
    refreshing.provider.refresh = refreshing.environ["MAILER_OAUTH_REFRESH_TOKEN"] = "granted-anew"
    refreshing.log_in()
    assert refreshing.provider.forms[-1]["refresh_token"] == "granted-anew"
    refreshing.forget()
    refreshing.log_in()
    assert refreshing.provider.forms[-1]["refresh_token"] == "refresh-3-of-many"


def test_the_kept_one_is_enough_where_the_variable_was_removed(refreshing: Place) -> None:
    refreshing.log_in()
    del refreshing.environ["MAILER_OAUTH_REFRESH_TOKEN"]
    for number in (2, 3):
        refreshing.forget()
        refreshing.log_in()
        assert refreshing.provider.forms[-1]["refresh_token"] == f"refresh-{number}-of-many"


@pytest.mark.parametrize("change", ["client", "user", "endpoint"])
def test_another_configuration_does_not_use_the_kept_one(refreshing: Place, change: str) -> None:
    refreshing.log_in()
    del refreshing.environ["MAILER_OAUTH_REFRESH_TOKEN"]
    path = refreshing.workspace / "mailer.toml"
    url = f"smtp://desk@127.0.0.1:{refreshing.smtp.port}"
    if change == "client":
        path.write_text(path.read_text().replace("app-1", "app-2"))
    elif change == "endpoint":
        path.write_text(path.read_text().replace("/token", "/tokens"))
    else:
        url = url.replace("desk", "somebody")
    with pytest.raises(ConfigError, match="MAILER_OAUTH_REFRESH_TOKEN is not set, and"):
        Smtp.from_url(url, load_settings(refreshing.workspace, refreshing.environ))


def test_a_refresh_token_that_has_ended_is_told(refreshing: Place) -> None:
    refreshing.provider.refresh = "another"
    told = refreshing.why_not()
    assert (
        "gives no access token: invalid_grant: the refresh token has ended; check [delivery.oauth] and"
        in told
    )
    assert told.endswith("get a new token and set MAILER_OAUTH_REFRESH_TOKEN")
    assert not refreshing.kept.exists()


def test_a_place_that_cannot_be_written_is_told_before_the_old_token_ends(refreshing: Place) -> None:
    refreshing.kept.parent.write_text("a file where a folder should be")
    told = refreshing_error(refreshing)
    assert told.startswith(".mailer/oauth, which keeps the refresh token, cannot be ")
    assert refreshing.provider.forms == []


def refreshing_error(place: Place) -> str:
    with pytest.raises(TransportError) as caught:
        place.session()
    return str(caught.value)


def test_two_processes_do_not_renew_at_the_same_time(refreshing: Place) -> None:
    """Each asks with what the other was given: neither uses a token that has ended."""
    tokens = [oauth.AccessTokenCache(oauth._OAuthLogin(*fields)) for fields in [login_of(refreshing)] * 4]
    threads = [threading.Thread(target=one.current_token) for one in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert all(one._token for one in tokens)
    used = [form["refresh_token"] for form in refreshing.provider.forms]
    assert used == [REFRESH, *(f"refresh-{number}-of-many" for number in (2, 3, 4))]


def login_of(place: Place) -> tuple[Any, ...]:
    settings = load_settings(place.workspace, place.environ)
    return settings.delivery.oauth, "desk", place.kept.parent, SECRET, REFRESH


# Service accounts


def pem(key: Any) -> str:
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(*kinds).decode())


def claims_of(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, body, signature = assertion.split(".")
    parts = [base64.urlsafe_b64decode(part + "==") for part in (head, body, signature)]
    return json.loads(parts[0]), json.loads(parts[1]), f"{head}.{body}".encode(), parts[2]


@pytest.mark.parametrize("provider_name", ["google", "custom"])
def test_a_service_account_signs_for_the_mailbox(place: Place, provider_name: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    account = {"client_email": "desk@project.example", "private_key": pem(key), "private_key_id": "k1"}
    (place.workspace / "account.json").write_text(json.dumps(account))
    place.configure(
        "service_account", more='scope = "https://mail.example/"', MAILER_OAUTH_KEY_FILE="account.json"
    )
    path = place.workspace / "mailer.toml"
    path.write_text(path.read_text().replace('provider = "custom"', f'provider = "{provider_name}"'))
    place.provider.secret = ""
    place.log_in()
    (form,) = place.provider.forms
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert ("client_id" in form) is (provider_name == "custom")
    header, claims, signed, signature = claims_of(form["assertion"])
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert claims["iss"] == "desk@project.example"
    assert claims["sub"] == "desk"
    assert claims["aud"] == place.provider.url
    assert claims["scope"] == "https://mail.example/"
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    key.public_key().verify(signature, signed, padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    "make", [lambda: rsa.generate_private_key(65537, 2048), lambda: ec.generate_private_key(ec.SECP256R1())]
)
def test_a_pem_file_signs_for_the_client(place: Place, make: Callable[[], Any]) -> None:
    (place.workspace / "key.pem").write_text(pem(make()))
    place.configure("service_account", MAILER_OAUTH_KEY_FILE="key.pem")
    place.provider.secret = ""
    place.log_in()
    header, claims, *_ = claims_of(place.provider.forms[0]["assertion"])
    assert header["alg"] in ("RS256", "ES256")
    assert claims["iss"] == "app-1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read: No such file or directory; name the JSON file"),
        ("{}", "holds no key of a service account; name the JSON file"),
        ('["a"]', "holds no key of a service account"),
        ("\udcff", "is neither JSON nor PEM"),
        ('{"client_email": 1, "private_key": "x"}', "holds no key of a service account"),
    ],
)
def test_a_key_file_that_is_none_is_told_before_anything_is_sent(
    place: Place, text: str | None, told: str
) -> None:
    if text is not None:
        (place.workspace / "account.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    place.configure("service_account", MAILER_OAUTH_KEY_FILE="account.json")
    with pytest.raises(ConfigError) as caught:
        place.transport()
    assert "MAILER_OAUTH_KEY_FILE " in str(caught.value)
    assert told in str(caught.value)


def test_a_key_that_cannot_sign_is_told_without_it(place: Place) -> None:
    (place.workspace / "key.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nabcd1234\n-----END PRIVATE KEY-----\n"
    )
    place.configure("service_account", MAILER_OAUTH_KEY_FILE="key.pem")
    told = place.why_not()
    assert told.startswith("the private key in MAILER_OAUTH_KEY_FILE cannot be used to sign; ")
    assert "abcd1234" not in told


# What has to be set


@pytest.mark.parametrize(
    ("grant", "variable"),
    [
        ("client_credentials", "MAILER_OAUTH_CLIENT_SECRET"),
        ("refresh_token", "MAILER_OAUTH_REFRESH_TOKEN"),
        ("service_account", "MAILER_OAUTH_KEY_FILE"),
    ],
)
def test_a_secret_that_is_not_set_is_named(place: Place, grant: str, variable: str) -> None:
    place.configure(grant)
    with pytest.raises(
        ConfigError, match=f'^{variable} is not set, and .* needs it for grant = "{grant}"; put it'
    ):
        place.transport()


def test_authlib_is_imported_only_where_it_is_used(place: Place) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from mailer.config import load_settings\nfrom mailer.transports.smtp.transport import Smtp\n"
        "settings = load_settings(Path(sys.argv[1]), {'MAILER_OAUTH_CLIENT_SECRET': 'x'})\n"
        "Smtp.from_url('smtp://desk@127.0.0.1:25', settings)\n"
        "print([name for name in sys.modules if name.startswith(('authlib', 'requests'))])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(place.workspace)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"

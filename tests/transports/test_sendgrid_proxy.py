"""HTTPS_PROXY: a tunnel to SendGrid, and nothing in the clear."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.errors import ConfigError, TransportError
from mailer.transports.base import OutcomeKind
from mailer.transports.sendgrid.transport import SendGrid
from tests.servers.certificates import authority_file, server_tls
from tests.servers.proxy import Proxy
from tests.servers.sendgrid import KEY, SendGridApi
from tests.transports.outgoing import messages
from tests.transports.variables import with_variables

NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendGridApi]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file(tmp_path)))
    with SendGridApi(tls=server_tls()) as api:
        yield api


def send(api: SendGridApi, number: int = 3) -> list[OutcomeKind]:
    channel = SendGrid(api.url, KEY, timeout=5.0).channel()
    try:
        return [outcome.result for outcome in channel.send(messages(number))]
    finally:
        channel.close()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_requests_go_by_the_proxy(
    name: str, scheme: str, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv(name, scheme + proxy.place)
        assert send(api) == [OutcomeKind.ACCEPTED] * 3
    assert proxy.tunnels == [api.url.removeprefix("https://")]
    assert KEY.encode() not in proxy.seen + proxy.heads[0]
    assert b"reader1@example.org" not in proxy.seen
    assert len(api.delivered) == 3


def test_a_tunnel_is_kept(api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.place}/")
        assert send(api, 2500) == [OutcomeKind.ACCEPTED] * 2500
    assert len(proxy.tunnels) == 1


def test_the_login_of_a_proxy_is_given_to_the_proxy_alone(
    api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(login="desk:p@ss:wörd") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://desk:p%40ss%3Aw%C3%B6rd@{proxy.place}")
        assert send(api) == [OutcomeKind.ACCEPTED] * 3
    assert base64.b64encode("desk:p@ss:wörd".encode()) in proxy.heads[0]


@pytest.mark.parametrize("names", ["127.0.0.1", "other.example.org, 127.0.0.1", "*"])
def test_no_proxy_is_honoured(names: str, api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.place}")
        monkeypatch.setenv("NO_PROXY", names)
        assert send(api) == [OutcomeKind.ACCEPTED] * 3
    assert proxy.heads == []


def test_no_proxy_with_the_port_is_honoured(api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.place}")
        monkeypatch.setenv("NO_PROXY", api.url.removeprefix("https://"))
        assert send(api) == [OutcomeKind.ACCEPTED] * 3
    assert proxy.heads == []


def test_within_this_machine_http_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy, SendGridApi() as api:
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.place}")
        assert send(api) == [OutcomeKind.ACCEPTED] * 3
    assert proxy.heads == []


@pytest.mark.parametrize(
    ("login", "answer", "words"),
    [
        ("a:b", b"", "Tunnel connection failed: 407 Proxy Authentication Required"),
        ("", b"HTTP/1.1 503 No way\r\n\r\n", "Tunnel connection failed: 503 No way"),
        ("", b"SSH-2.0-x\r\n\r\n", "SSH-2.0-x"),
    ],
)
def test_a_proxy_that_makes_no_tunnel_is_told_and_its_password_is_not(
    login: str, answer: bytes, words: str, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(login=login, answer=answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://desk:secret@{proxy.place}")
        with pytest.raises(TransportError) as caught:
            send(api)
    said = str(caught.value)
    assert f"SendGrid cannot be reached at {api.url}: the proxy at {proxy.place} (HTTPS_PROXY): " in said
    assert words in said
    assert "secret" not in said
    assert api.paths == []


def test_a_proxy_that_is_not_there_is_told(api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with pytest.raises(
        TransportError, match=rf"the proxy at 127.0.0.1:{port} \(HTTPS_PROXY\): Connection refused"
    ):
        send(api)


def test_a_certificate_is_verified_behind_the_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy, SendGridApi(tls=server_tls()) as api:
        monkeypatch.setenv("HTTPS_PROXY", proxy.place)
        with pytest.raises(TransportError, match="the certificate cannot be trusted"):
            send(api)
    assert api.paths == []


@pytest.mark.parametrize(
    "named", ["socks5://127.0.0.1:1", "http://127.0.0.1:99999", "http://", "https://p:1"]
)
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_sent(
    named: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    ready = with_variables(settings, SENDGRID_API_KEY=KEY)
    with pytest.raises(ConfigError, match="HTTPS_PROXY is not the URL of an HTTP proxy such as") as caught:
        SendGrid.from_settings("sendgrid:", ready)
    assert named not in str(caught.value) or named == "http://"

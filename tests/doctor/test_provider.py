"""SendGrid's key is tried without sending anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from mailer.transports.sendgrid.trial import try_api_key
from tests.doctor.conftest import World
from tests.servers.web import WebServer

KEY = "SG.key.of-the-tests"


@pytest.fixture
def api(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with WebServer({"/v3/scopes": (200, '{"scopes": ["mail.send", "alerts.read"]}')}) as web:
        world.configure("^transport = .*", 'transport = "sendgrid:"')
        monkeypatch.setenv("MAILER_SENDGRID_URL", f"http://127.0.0.1:{web.port}")
        monkeypatch.setenv("SENDGRID_API_KEY", KEY)
        yield web


def told(world: World) -> tuple[str, str]:
    (check,) = world.found("sendgrid key")
    assert KEY not in check["message"] + check["advice"]
    return check["status"], check["message"]


def test_one_get_of_the_scopes(world: World, api: WebServer) -> None:
    assert told(world) == ("ok", "SendGrid accepts the key, and it may send")
    ((method, path, headers),) = api.requests
    assert (method, path, headers["Authorization"]) == ("GET", "/v3/scopes", f"Bearer {KEY}")


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ((401, "{}"), "error", "does not accept SENDGRID_API_KEY (401)"),
        ((403, "{}"), "error", "does not accept SENDGRID_API_KEY (403)"),
        ((404, "{}"), "error", "answers 404"),
        ((302, "", ("Location", "http://127.0.0.1:9/")), "error", "answers 302"),
        ((429, "{}"), "unknown", "answers 429"),
        ((500, "{}"), "unknown", "answers 500"),
        ((200, '{"scopes": ["alerts.read"]}'), "error", "the key has no permission"),
        ((200, "<html>"), "error", "the key has no permission"),
        ((200, '{"scopes": 1}'), "error", "the key has no permission"),
        (None, "unknown", "gave no answer"),
    ],
)
def test_other_answers(
    world: World, api: WebServer, answer: tuple[int, str] | None, status: str, words: str
) -> None:
    api.answers["/v3/scopes"] = answer
    found = told(world)
    assert found[0] == status
    assert words in found[1]
    assert len(api.requests) == 1


def test_no_key_is_the_transports_error(
    world: World, api: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENDGRID_API_KEY")
    assert world.found("sendgrid key") == []
    assert world.found("transport")[0]["message"] == "SENDGRID_API_KEY is not set"
    assert api.requests == []


def test_nobody_there_and_nobody_answering(
    world: World, api: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("MAILER_SENDGRID_URL", f"http://127.0.0.1:{port}")
        (finding,) = try_api_key(world.settings, seconds=0.1)
        assert finding.status == "unknown"
    status, message = told(world)
    assert status == "error"
    assert "cannot be reached" in message

"""What readers open: the host of base_url, its certificate, and what answers there."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path
from unittest import mock

import pytest
import trustme

from tests.doctor.conftest import DOMAIN, World
from tests.servers.certificates import server_tls
from tests.servers.web import WebServer


def told(world: World, name: str) -> tuple[str, str]:
    (check,) = world.found(name)
    return check["status"], check["message"]


def move(world: World, web: WebServer, scheme: str = "https") -> None:
    world.configure("^base_url = .*", f'base_url = "{scheme}://{DOMAIN}:{web.port}"')


def test_only_one_get_is_made_and_it_names_the_host(world: World) -> None:
    assert told(world, "web") == ("ok", "GET /healthz answers ok")
    ((method, path, headers),) = world.web.requests
    assert (method, path, headers["Host"]) == ("GET", "/healthz", f"{DOMAIN}:{world.web.port}")


def test_a_base_url_with_a_path_is_asked_below_it(world: World) -> None:
    world.configure("^base_url = .*", f'base_url = "https://{DOMAIN}:{world.web.port}/news/"')
    world.web.answers["/news/healthz"] = (200, "ok\n")
    del world.web.answers["/healthz"]
    assert told(world, "web") == ("ok", "GET /news/healthz answers ok")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (301, "", ("Location", "https://www.harbour.alt/healthz")),
            "redirects to https://www.harbour.alt/healthz",
        ),
        ((503, "later"), "cannot use its database"),
        ((404, "what?"), "answers 404"),
        ((200, "<h1>Welcome to nginx</h1>"), "answers 200, but not as `mailer serve` does"),
        (None, "healthz failed"),
    ],
)
def test_what_else_may_answer(world: World, answer: tuple[int, str] | None, words: str) -> None:
    world.web.answers["/healthz"] = answer
    status, message = told(world, "web")
    assert status == "error"
    assert words in message


def test_a_host_that_is_not_in_the_dns(world: World) -> None:
    del world.zones[DOMAIN]["A"]
    assert told(world, f"host {DOMAIN}") == (
        "error",
        f"{DOMAIN} is not in the DNS, so no unsubscribe link can be opened",
    )
    assert told(world, "web") == ("unknown", f"{DOMAIN} has no IP address to connect to")


def test_a_host_that_only_we_can_reach(world: World) -> None:
    world.zones[DOMAIN]["A"] = ["127.0.0.1"]
    assert told(world, f"host {DOMAIN}") == ("error", "127.0.0.1 cannot be reached from the internet")


def test_a_closed_port_is_an_error_and_no_way_is_unknown(world: World) -> None:
    web = WebServer({})
    move(world, web)
    web._server.server_close()
    assert told(world, "web") == ("error", f"no server listens at {DOMAIN} port {web.port}")
    with mock.patch("mailer.doctor.website._connect_to_any_address", side_effect=TimeoutError):
        status, message = told(world, "web")
    assert status == "unknown"
    assert message.endswith("cannot be reached from here: no answer in time")


def test_the_certificate_of_another_host(world: World) -> None:
    with WebServer({}, tls=server_tls("other.harbour.alt")) as web:
        move(world, web)
        status, message = told(world, "tls")
        assert status == "error"
        assert "Hostname mismatch" in message
        assert world.found("web") == []


def test_an_authority_that_nobody_knows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    status, message = told(world, "tls")
    assert status == "error"
    assert "cannot be trusted" in message


def test_a_certificate_that_ends_soon(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=5, hours=1)
    authority.issue_cert(DOMAIN, not_after=ends).configure_cert(tls)
    with WebServer({"/healthz": (200, "ok")}, tls=tls) as web:
        move(world, web)
        status, message = told(world, "tls")
        assert status == "warning"
        assert message.endswith("is valid for 5 more days")
        assert told(world, "web")[0] == "ok"


def test_only_old_tls(world: World) -> None:
    with WebServer({}) as web:  # no TLS at all looks the same
        move(world, web)
        status, message = told(world, "tls")
    assert status == "error"
    assert "does not speak TLS 1.2 or newer" in message


def test_without_https_the_base_url_is_wrong_and_still_looked_at(world: World) -> None:
    with WebServer({"/healthz": (200, "ok\n")}) as web:
        move(world, web, "http")
        assert told(world, "base_url")[0] == "error"
        assert told(world, "web") == ("ok", "GET /healthz answers ok")
        assert world.found("tls") == []


def test_a_server_that_never_answers_is_unknown(world: World) -> None:
    import socket

    from mailer.doctor.website import check_website

    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.configure("^base_url = .*", f'base_url = "https://{DOMAIN}:{silent.getsockname()[1]}"')
        (finding,) = check_website(world.settings, world.resolver, seconds=0.1)
    assert (finding.status, finding.name) == ("unknown", "tls")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.configure("^base_url = .*", f'base_url = "http://{DOMAIN}:{silent.getsockname()[1]}"')
        (finding,) = check_website(world.settings, world.resolver, seconds=0.1)
    assert (finding.status, finding.message) == ("unknown", "GET /healthz was not answered in time")

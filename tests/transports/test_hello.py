"""The name that EHLO says: what it is, and what is said where a server wants another."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.errors import ConfigError, TransportError
from mailer.transports.smtp.server import ServerSettings, open_session
from mailer.transports.smtp.session import hello
from mailer.transports.smtp.session.hello import (
    helo_advice,
    is_about_helo,
    is_full_host_name,
    own_full_host_name,
)
from mailer.transports.smtp.transport import Smtp
from tests.conftest import CONFIG
from tests.servers.login import LoginServer


@pytest.fixture(autouse=True)
def forget_names() -> None:
    hello._look_up_full_host_name.cache_clear()


def named(monkeypatch: pytest.MonkeyPatch, host: str, full: str = "") -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    monkeypatch.setattr(socket, "getfqdn", lambda name="": full or name)


def greeting(server: LoginServer, helo: str = "") -> list[str]:
    open_session(ServerSettings("127.0.0.1", server.port, connect_seconds=5, helo=helo)).end_session()
    return [line for line in server.lines if line.lower()[:4] in ("ehlo", "helo")]


def why_not(server: LoginServer, helo: str = "") -> str:
    with pytest.raises(TransportError) as caught:
        greeting(server, helo)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def configure(workspace: Path, helo: str) -> None:
    text = CONFIG.replace("[delivery]", f'[delivery]\nhelo = "{helo}"')
    (workspace / "mailer.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("host", "full", "said"),
    [
        ("mail.example.org", "", "mail.example.org"),
        ("mail.example.org.", "", "mail.example.org"),
        ("mail", "mail.example.org", "mail.example.org"),
        ("mail", "mail", "[127.0.0.1]"),
        ("localhost", "localhost", "[127.0.0.1]"),
        ("localhost", "localhost.localdomain", "[127.0.0.1]"),
        ("localhost.localdomain", "localhost.localdomain", "[127.0.0.1]"),
        ("desk.localdomain", "desk.localdomain", "[127.0.0.1]"),
        ("desk", "1.0.0.127.in-addr.arpa", "[127.0.0.1]"),
        ("my_host.example.org", "my_host.example.org", "[127.0.0.1]"),
        ("192.0.2.7", "192.0.2.7", "[127.0.0.1]"),
        ("书.example", "书.example", "[127.0.0.1]"),
    ],
)
def test_ehlo_says_the_full_name_and_else_the_address(
    host: str, full: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, host, full)
    with LoginServer() as server:
        assert greeting(server) == [f"ehlo {said}"]


def test_a_name_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "gethostname", lambda: "mail")
    monkeypatch.setattr(socket, "getfqdn", lambda name="": answered.wait(30) and "")
    monkeypatch.setattr(hello, "_LOOK_UP_SECONDS", 0.01)
    assert own_full_host_name() == ""
    assert own_full_host_name() == ""  # and it is not asked again
    answered.set()


def test_the_setting_goes_before_all(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "desk.example.org")
    with LoginServer() as server:
        assert greeting(server, "mail.example.org") == ["ehlo mail.example.org"]


@pytest.mark.parametrize(
    ("value", "helo"),
    [
        ("mail.example.org", "mail.example.org"),
        ("Mail.Example.org.", "mail.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("", ""),
    ],
)
def test_the_setting_is_read_from_the_file_and_the_environment(
    value: str, helo: str, workspace: Path
) -> None:
    configure(workspace, value)
    settings = load_settings(workspace, {})
    assert Smtp.from_url("smtp://127.0.0.1:25", settings).server.helo == helo
    settings = load_settings(workspace, {"MAILER_DELIVERY_HELO": value})
    assert settings.delivery.helo == helo


@pytest.mark.parametrize(
    ("value", "literal"), [("192.0.2.1", "[192.0.2.1]"), ("2001:db8::1", "[IPv6:2001:db8::1]")]
)
def test_an_address_without_brackets_is_told_with_them(value: str, literal: str, workspace: Path) -> None:
    configure(workspace, value)
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace, {})
    assert f'delivery.helo: "{value}" is an IP address, which must be in brackets: write "{literal}"' in str(
        caught.value
    )


@pytest.mark.parametrize(
    "value",
    [
        "localhost",
        "a b.example",
        "mail_1.example.org",
        "[192.0.2.1",
        "[2001:db8::1]",
        "[IPv6:192.0.2.1]",
        "[x]",
    ],
)
def test_a_setting_that_is_no_name_is_told_at_its_line(value: str, workspace: Path) -> None:
    configure(workspace, value)
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace, {})
    assert f'delivery.helo: "{value}" is not ' in str(caught.value)
    assert str(caught.value).startswith("mailer.toml:")


@pytest.mark.parametrize(
    "refusal",
    [
        "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname",
        "550 5.7.1 who are you?",
        "501 5.5.4 Invalid domain name",
        "501 Syntactically invalid EHLO argument(s)",
        "554 5.7.1 no",
        "421 4.7.0 Try again later, closing connection. (EHLO)",
    ],
)
def test_a_server_that_wants_a_full_name_leads_to_the_setting(
    refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, "laptop")

    def particular(name: str) -> str:
        return "" if is_full_host_name(name) else refusal

    with LoginServer(hello=particular) as server:
        told = why_not(server)
        assert told == (
            f"127.0.0.1:{server.port} refused us at EHLO: {refusal}; EHLO said [127.0.0.1]: set [delivery] "
            "helo in mailer.toml to this machine's full public name, such as mail.example.org"
        )
        assert greeting(server, "mail.example.org")[-1] == "ehlo mail.example.org"


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (
            "554 5.7.1 you are on a list",
            "ask its operator, or set [delivery] helo to another name than a.example.org",
        ),
        (
            "421 4.3.2 too many connections",
            "run this again later, and if that does not help, set [delivery] helo",
        ),
        (
            "450 4.7.1 <a.example.org>: Helo command rejected: Host not found",
            "EHLO said a.example.org: set [delivery]",
        ),
    ],
)
def test_a_refusal_of_a_full_name_names_the_setting_too(refusal: str, told: str) -> None:
    with LoginServer(hello=lambda name: refusal) as server:
        sentence = why_not(server, "a.example.org")
    assert refusal in sentence
    assert told in sentence


@pytest.mark.parametrize("refusal", ["502 5.5.1 Command not implemented", "500 what?"])
def test_a_server_that_knows_no_ehlo_is_greeted_with_helo(refusal: str) -> None:
    with LoginServer(ehlo=refusal) as server:
        assert greeting(server, "a.example.org") == ["ehlo a.example.org", "helo a.example.org"]


def test_a_server_without_ehlo_that_wants_a_full_name_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "laptop")
    with LoginServer(ehlo="502 5.5.1 what?", hello=lambda name: "504 5.5.2 need FQDN") as server:
        assert "refused us at EHLO: 504 5.5.2 need FQDN; EHLO said [127.0.0.1]: set" in why_not(server)


@pytest.mark.parametrize(
    ("code", "said", "is_it"),
    [
        (504, "5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname", True),
        (450, "4.7.1 <laptop>: Helo command rejected: Host not found", True),
        (550, "Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", True),
        (550, "5.7.1 <x>: Helo command rejected: Access denied", True),
        (501, "5.5.4 Invalid domain name", True),
        (421, "4.7.0 Try again later, closing connection. (EHLO)", True),
        (504, "5.5.2 <desk>: Sender address rejected: need fully-qualified address", False),
        (503, "5.5.1 Error: send HELO/EHLO first", False),
        (550, "5.1.1 no such user", False),
        (250, "HELO again", False),
    ],
)
def test_a_later_refusal_is_told_apart_by_its_words(code: int, said: str, is_it: bool) -> None:
    assert is_about_helo(code, said) is is_it


def test_the_advice_names_the_setting() -> None:
    assert helo_advice("[127.0.0.1]").startswith("EHLO said [127.0.0.1]: set [delivery] helo in mailer.toml")

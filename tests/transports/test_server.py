"""Getting a session: TLS, logging in, and a sentence for everything that may be in the way."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.errors import ConfigError, TransportError
from mailer.transports.base import is_loopback
from mailer.transports.smtp import server as server_module
from mailer.transports.smtp.server import ServerSettings, open_session
from mailer.transports.smtp.session.session import SmtpSession
from mailer.transports.smtp.transport import Smtp
from tests.servers.certificates import authority_file, server_tls
from tests.servers.smtp import SmtpServer
from tests.transports.variables import with_variables


def where(server: SmtpServer, **more: object) -> ServerSettings:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": server.port,
        "implicit_tls": server.implicit,
        "connect_seconds": 2.0,
        **more,
    }
    return ServerSettings(**values)  # type: ignore[arg-type]


def why_not(place: ServerSettings) -> str:
    with pytest.raises(TransportError) as caught:
        open_session(place)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def private_authority(tmp_path: Path) -> Path:
    return authority_file(tmp_path)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 counts as a host far away."""
    monkeypatch.setattr(server_module, "is_loopback", lambda host: False)


def test_starttls_is_used_where_it_is_offered_and_the_certificate_is_verified(
    far: None, private_authority: Path
) -> None:
    with SmtpServer(tls=server_tls()) as server:
        session = open_session(where(server, ca_file=private_authority))
        assert isinstance(session.sock, ssl.SSLSocket)
        assert not session.has_extn("starttls")
        session.end_session()


@pytest.mark.parametrize("implicit", [False, True])
def test_a_certificate_of_an_unknown_authority_is_refused(far: None, implicit: bool) -> None:
    with SmtpServer(tls=server_tls(), implicit=implicit) as server:
        sentence = why_not(where(server))
    assert sentence.startswith(f"the certificate of 127.0.0.1:{server.port} cannot be trusted: ")
    assert "MAILER_SMTP_CA_FILE" in sentence


def test_a_certificate_for_another_host_is_refused(private_authority: Path) -> None:
    with SmtpServer(tls=server_tls("mail.example.org")) as server:
        sentence = why_not(where(server, ca_file=private_authority))
    assert "cannot be trusted: IP address mismatch" in sentence
    assert "use the host name that the certificate names" in sentence


def test_within_this_machine_any_certificate_will_do() -> None:
    with SmtpServer(tls=server_tls("somebody.else.example")) as server:
        session = open_session(where(server))
        assert isinstance(session.sock, ssl.SSLSocket)
        session.end_session()


def test_a_password_is_never_sent_in_the_clear(far: None) -> None:
    with SmtpServer(login=("desk", "s3cret")) as server:
        sentence = why_not(where(server, user="desk", password="s3cret"))
        assert "offers no STARTTLS, and a password is never sent in the clear; use smtps://" in sentence
        assert not [command for command in server.commands if command.startswith("AUTH")]


def test_within_this_machine_a_password_may_go_in_the_clear() -> None:
    with SmtpServer(login=("desk", "s3cret")) as server:
        open_session(where(server, user="desk", password="s3cret")).end_session()
        assert any(command.startswith("AUTH") for command in server.commands)


def test_without_a_user_a_server_without_tls_is_used_as_it_is(far: None) -> None:
    with SmtpServer() as server:
        open_session(where(server)).end_session()


@pytest.mark.parametrize("password", ["s3cret", "pässwörd", "密码"])
def test_any_password_logs_in(password: str) -> None:
    with SmtpServer(tls=server_tls(), login=("desk@example.org", password)) as server:
        open_session(where(server, user="desk@example.org", password=password)).end_session()


@pytest.mark.parametrize("password", ["letmein", "létmein"])
def test_a_wrong_password_is_one_sentence_without_it(password: str) -> None:
    with SmtpServer(tls=server_tls(), login=("desk", "s3cret")) as server:
        sentence = why_not(where(server, user="desk", password=password))
    assert sentence.startswith(f"127.0.0.1:{server.port} refused the user desk: 535 5.7.8 Authentication")
    assert sentence.endswith("check the user in the transport's URL and MAILER_SMTP_PASSWORD")
    assert password not in sentence


@pytest.mark.parametrize("password", ["s3cret", "密码"])
def test_a_server_without_logins_is_one_sentence(password: str) -> None:
    with SmtpServer() as server:
        sentence = why_not(where(server, user="desk", password=password))
    assert "does not let desk log in" in sentence
    assert "587 or 465" in sentence


def test_a_busy_server_is_one_sentence() -> None:
    with SmtpServer() as server:
        server.fail("CONNECT", "reply", "421 4.3.2 too many connections")
        sentence = why_not(where(server))
    assert sentence == (
        f"127.0.0.1:{server.port} accepts no mail at the moment: 421 4.3.2 too many connections; "
        "run this again later"
    )


def test_a_server_that_refuses_us_is_one_sentence() -> None:
    with SmtpServer() as server:
        server.fail("CONNECT", "reply", "554 5.7.1 you are on a list")
        sentence = why_not(where(server))
    assert "refused us: 554 5.7.1 you are on a list; ask its operator" in sentence


@pytest.mark.parametrize(
    ("action", "words"),
    [("close", "broke off: the connection was closed"), ("hang", "did not answer in time")],
)
def test_a_server_that_says_nothing_is_one_sentence(action: str, words: str) -> None:
    with SmtpServer() as server:
        server.fail("CONNECT", action)  # type: ignore[arg-type]
        assert words in why_not(where(server, connect_seconds=0.2))


def test_starttls_that_fails_is_one_sentence() -> None:
    with SmtpServer(tls=server_tls()) as server:
        server.fail("STARTTLS", "reply", "454 4.7.0 TLS not available")
        assert "accepts no mail at the moment: 454 4.7.0 TLS not available" in why_not(where(server))


def test_words_in_the_clear_after_starttls_are_not_believed() -> None:
    with SmtpServer(tls=server_tls()) as server:
        server.fail("STARTTLS", "add", "250-evil.example.org\r\n250 AUTH PLAIN")
        sentence = why_not(where(server))
    assert "TLS" in sentence


def test_plain_smtp_on_a_tls_port_and_tls_on_a_plain_port_are_told_apart() -> None:
    with SmtpServer() as server:
        sentence = why_not(where(server, implicit_tls=True))
    assert sentence.startswith(f"TLS with 127.0.0.1:{server.port} failed: ")
    assert (
        "use smtps:// for a port that begins with TLS (465), and smtp:// for a port with STARTTLS (587)"
        in sentence
    )


def test_a_host_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*args: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", nobody)
    sentence = why_not(ServerSettings("mail.example.test", 25))
    assert sentence == (
        "there is no host called mail.example.test: Name or service not known; check the transport's URL"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError("timed out"), "mail.example.test:25 did not answer in time"),
        (OSError(113, "No route to host"), "mail.example.test:25 cannot be reached: No route to host"),
        (socket.gaierror(socket.EAI_AGAIN, "Try again"), "mail.example.test:25 cannot be reached: Try again"),
    ],
)
def test_a_host_out_of_reach_is_one_sentence(
    error: OSError, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    sentence = why_not(ServerSettings("mail.example.test", 25))
    assert sentence == f"{words}; check that the server runs and that the transport's URL is right"


def test_tls_that_talks_to_itself_is_not_mistaken_for_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    class Always:
        def register(self, *args: object) -> None: ...

        def poll(self, timeout: float) -> list[int]:
            return [1]

    with SmtpServer(tls=server_tls(), implicit=True) as server:
        session = open_session(where(server))
        monkeypatch.setattr("select.poll", Always)
        assert session.is_alive()
        assert session.run_mail_transaction("a@example.org", "b@example.org", b"Hi\r\n")[0] == 250
        session.end_session()


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("127.9.9.9", True),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
    ],
)
def test_this_machine_is_known_by_its_name_and_its_numbers(host: str, is_here: bool) -> None:
    assert is_loopback(host) is is_here


def test_an_old_server_is_greeted_in_the_old_way() -> None:
    with SmtpServer() as server:
        server.fail("EHLO", "reply", "502 5.5.1 what?")
        session = open_session(where(server))
        assert session.esmtp_features == {}
        assert session.run_mail_transaction("a@example.org", "b@example.org", b"Hi\r\n")[0] == 250
        session.end_session()


@pytest.mark.parametrize(
    ("name", "greeting"), [("mail.example.org", "mail.example.org"), ("laptop", "[127.0.0.1]")]
)
def test_ehlo_says_the_full_name_or_the_address(
    name: str, greeting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    with SmtpServer() as server:
        open_session(where(server)).end_session()
        assert server.hellos == [greeting]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_server_is_greeted_and_named_by_its_address() -> None:
    assert str(ServerSettings("::1", 25)) == "[::1]:25"
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        connection.sendall(b"220 hello\r\n")
        heard.append(connection.recv(100))
        connection.sendall(b"250 hello\r\n")
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    open_session(ServerSettings("::1", listener.getsockname()[1])).close()
    thread.join()
    listener.close()
    assert heard == [b"ehlo [IPv6:::1]\r\n"]


@pytest.mark.parametrize("text", [None, "not a certificate"])
def test_an_authority_file_that_cannot_be_used_is_one_sentence(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    sentence = why_not(ServerSettings("127.0.0.1", 1, ca_file=path))
    assert f"the file {path} of MAILER_SMTP_CA_FILE cannot be used: " in sentence
    assert "name a PEM file" in sentence


def test_the_password_is_in_no_repr() -> None:
    assert "s3cret" not in repr(ServerSettings("host", 25, user="desk", password="s3cret"))


@pytest.fixture
def with_password(settings: Settings) -> Settings:
    return with_variables(settings, MAILER_SMTP_PASSWORD="s3cret")


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "implicit"),
    [
        ("smtp://relay.example.org", "relay.example.org", 25, "", False),
        ("smtp://desk@relay.example.org", "relay.example.org", 587, "desk", False),
        (
            "smtp://desk%40example.org@relay.example.org:2525/",
            "relay.example.org",
            2525,
            "desk@example.org",
            False,
        ),
        ("smtps://desk@relay.example.org", "relay.example.org", 465, "desk", True),
        ("smtp://[::1]:2525", "::1", 2525, "", False),
    ],
)
def test_a_url_says_where_and_how(
    url: str, host: str, port: int, user: str, implicit: bool, with_password: Settings
) -> None:
    server = Smtp.from_url(url, with_password).server
    assert (server.host, server.port, server.user, server.implicit_tls) == (host, port, user, implicit)
    assert server.password == ("s3cret" if user else "")


def test_a_url_that_cannot_be_read_is_a_sentence(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="is not a transport"):
        Smtp.from_url("smtp://[::1", settings)


def test_a_server_that_says_goodbye_between_messages_is_not_alive() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        connection.sendall(b"220 hello\r\n")
        connection.recv(100)
        connection.sendall(b"250 hello\r\n")
        go.wait(5)
        connection.sendall(b"421 4.4.2 you are too quiet\r\n")
        connection.close()

    go = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    session = open_session(ServerSettings("127.0.0.1", listener.getsockname()[1]))
    assert session.is_alive()
    go.set()
    thread.join()
    assert not session.is_alive()
    session.end_session()
    listener.close()


def test_a_session_can_be_left_after_it_was_lost() -> None:
    with SmtpServer() as server:
        session = open_session(where(server))
        session.close()
        session.end_session()
        assert not session.is_alive()
        assert isinstance(session, SmtpSession)


@pytest.mark.parametrize(
    "echo", ["s3cret", base64.b64encode(b"s3cret").decode(), base64.b64encode(b"\0desk\0s3cret").decode()]
)
@pytest.mark.parametrize("reply", ["535 5.7.8 no: AUTH PLAIN {}", "454 4.7.0 later: {}", "501 what is {}?"])
def test_a_password_that_the_server_repeats_is_not_shown(echo: str, reply: str) -> None:
    with SmtpServer(tls=server_tls(), login=("desk", "s3cret")) as server:
        server.fail("AUTH", "reply", reply.format(echo), times=9)
        sentence = why_not(where(server, user="desk", password="s3cret"))
    assert echo not in sentence
    assert "[password]" in sentence


@pytest.mark.parametrize("challenge", ["334 a", "334 !!!a", "334 \x1b[31m"])
def test_a_challenge_that_is_none_is_one_sentence(challenge: str) -> None:
    with SmtpServer(tls=server_tls(), login=("desk", "s3cret")) as server:
        server.fail("AUTH", "reply", challenge, times=9)
        sentence = why_not(where(server, user="desk", password="s3cret"))
    assert "broke off: the answer to AUTH cannot be read" in sentence


@pytest.mark.parametrize(("size", "largest"), [("9" * 5000, 0), ("1000", 1000), ("x", 0), ("²", 0)])
def test_a_size_that_is_no_number_is_no_limit(size: str, largest: int) -> None:
    with SmtpServer() as server:
        session = open_session(where(server))
        session.esmtp_features["size"] = size
        assert session.max_message_size == largest
        session.end_session()

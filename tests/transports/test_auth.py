"""AUTH with a password: every mechanism, every manner of asking for it, and what is said where none fits."""

from __future__ import annotations

import base64

import pytest

from mailer.errors import TransportError
from mailer.transports.smtp.server import ServerSettings, open_session
from mailer.transports.smtp.transport import Smtp
from tests.servers.certificates import server_tls
from tests.servers.login import LoginServer
from tests.transports.outgoing import messages

USERS = ["desk", "desk@bücher.example", "编辑"]
PASSWORDS = ["s3cret", "pässwörd", "密 码"]


def log_in(server: LoginServer, password: str = "s3cret", **more: object) -> None:
    values: dict[str, object] = {"connect_seconds": 5.0, "user": server.user, "password": password, **more}
    open_session(ServerSettings("127.0.0.1", server.port, **values)).end_session()  # type: ignore[arg-type]


def why_not(server: LoginServer, password: str = "s3cret") -> str:
    with pytest.raises(TransportError) as caught:
        log_in(server, password)
    told = str(caught.value)
    assert "\n" not in told
    assert told.startswith(f"127.0.0.1:{server.port} ")
    return told.removeprefix(f"127.0.0.1:{server.port} ")


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize(
    "manner",
    [{}, {"initial": "501 5.5.4 no initial response"}, {"initial": "504 5.5.4 not so"}, {"initial": "334"}],
    ids=["any", "501", "504", "asks"],
)
def test_every_password_goes_by_every_mechanism_however_it_is_asked_for(
    mechanism: str, manner: dict[str, str], user: str, password: str
) -> None:
    with LoginServer(f"AUTH {mechanism}", user=user, password=password, **manner) as server:  # type: ignore[arg-type]
        log_in(server, password)
    assert server.logins == [(mechanism, user)]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_server_that_takes_only_an_initial_response_gets_it(mechanism: str) -> None:
    refusal = "501 5.5.4 an initial response is wanted"
    with LoginServer(f"AUTH {mechanism}", password="s3cret", only_initial=refusal) as server:
        log_in(server)
    assert server.logins == [(mechanism, "desk")]


@pytest.mark.parametrize(
    "prompts", [("Username:", "Password:"), ("User Name\0", "Password\0"), ("用户", "密码"), ("", "")]
)
def test_login_understands_prompts_or_goes_by_turns(prompts: tuple[str, str]) -> None:
    with LoginServer("AUTH LOGIN", password="s3cret", prompts=prompts) as server:
        log_in(server)
    assert server.logins == [("LOGIN", "desk")]


@pytest.mark.parametrize(
    ("offers", "mechanism"),
    [
        (["AUTH CRAM-MD5 LOGIN PLAIN"], "PLAIN"),
        (["AUTH CRAM-MD5 LOGIN"], "LOGIN"),
        (["AUTH NTLM GSSAPI CRAM-MD5"], "CRAM-MD5"),
        (["AUTH=LOGIN PLAIN"], "PLAIN"),
        (["AUTH=LOGIN"], "LOGIN"),
        (["auth login plain"], "PLAIN"),
        (["AUTH GSSAPI", "AUTH=LOGIN"], "LOGIN"),
    ],
)
def test_the_best_supported_mechanism_is_taken_also_by_the_old_syntax(
    offers: list[str], mechanism: str
) -> None:
    with LoginServer(*offers, password="s3cret") as server:
        log_in(server)
    assert server.logins == [(mechanism, "desk")]


@pytest.mark.parametrize(
    "refusal",
    [
        "504 5.5.4 Unrecognized authentication type",
        "502 5.5.1 not implemented",
        "538 5.7.11 Encryption required for requested authentication mechanism",
        "534 5.7.9 Authentication mechanism is too weak",
        "535 5.7.8 Error: authentication failed: no mechanism available",
    ],
)
def test_another_mechanism_is_tried_where_the_refusal_is_about_the_mechanism(refusal: str) -> None:
    with LoginServer("AUTH PLAIN LOGIN", password="s3cret", refuses={"PLAIN": refusal}) as server:
        log_in(server)
    assert server.logins == [("LOGIN", "desk")]


@pytest.mark.parametrize(
    "wrong",
    [
        "535 5.7.8 Error: authentication failed",
        "534 5.7.14 Please log in",
        "501 5.5.4 Authentication failed: bad password",
        "500 Login incorrect",
        "504 5.7.0 Invalid credentials",
    ],
)
@pytest.mark.parametrize("offers", ["PLAIN LOGIN CRAM-MD5", "LOGIN CRAM-MD5", "CRAM-MD5"])
def test_a_wrong_password_is_sent_once(offers: str, wrong: str) -> None:
    with LoginServer(f"AUTH {offers}", password="s3cret", wrong=wrong) as server:
        told = why_not(server, "letmein")
    assert told.startswith(f"refused the user desk: {wrong}; ")
    assert len(server.auths) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "535 5.7.8 Error: authentication failed",
        "454 4.7.0 Too many login attempts",
        "421 4.7.0 Too many bad auth attempts",
    ],
)
def test_a_refused_login_is_tried_by_one_connection_for_all(wrong: str) -> None:
    with LoginServer("AUTH PLAIN", password="s3cret", wrong=wrong) as server:
        place = ServerSettings("127.0.0.1", server.port, connect_seconds=5.0, user="desk", password="letmein")
        smtp = Smtp(place, concurrency=8)
        for _ in range(8):
            channel = smtp.channel()
            with pytest.raises(TransportError, match=wrong):
                channel.send(messages(1))
            channel.close()
    assert len(server.auths) == 1


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("535 5.7.8 authentication failed", "check the user in the transport's URL and MAILER_SMTP_PASSWORD"),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            "set [delivery.oauth]",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            "switch on SMTP AUTH for this mailbox",
        ),
        ("550 5.7.30 Basic authentication is not supported for Client Submission.", "set [delivery.oauth]"),
        (
            "534 5.7.9 Application-specific password required.",
            "put an app password into MAILER_SMTP_PASSWORD",
        ),
        (
            "530 5.7.0 Must issue a STARTTLS command first",
            "use smtps://, or the server's port for submission",
        ),
    ],
)
def test_a_refused_login_says_what_to_do_by_the_servers_words(words: str, advice: str) -> None:
    with LoginServer("AUTH PLAIN", refuses={"PLAIN": words}) as server:
        told = why_not(server)
    assert told.startswith(f"refused the user desk: {words}; ")
    assert advice in told.rpartition("; ")[2]


@pytest.mark.parametrize(
    ("offers", "told"),
    [
        (
            "AUTH XOAUTH2",
            "offers only XOAUTH2 for logging in, which wants an access token and no password; set",
        ),
        (
            "AUTH=XOAUTH2",
            "offers only XOAUTH2 for logging in, which wants an access token and no password; set",
        ),
        ("AUTH XOAUTH2 OAUTHBEARER", "offers only XOAUTH2 and OAUTHBEARER for logging in"),
        ("AUTH NTLM GSSAPI XOAUTH2", "offers only NTLM, GSSAPI and XOAUTH2 for logging in"),
    ],
)
def test_a_server_that_wants_a_token_is_named_as_that(offers: str, told: str) -> None:
    with LoginServer(offers) as server:
        sentence = why_not(server)
    assert sentence.startswith(told)
    assert sentence.endswith("set [delivery.oauth] in mailer.toml, as docs/smtp.md describes")
    assert server.auths == []


def test_a_server_with_other_mechanisms_alone_is_named_as_that() -> None:
    with LoginServer("AUTH GSSAPI NTLM") as server:
        told = why_not(server)
    assert told.startswith(
        "offers only GSSAPI and NTLM for logging in, and mailer can use PLAIN, LOGIN and CRAM-MD5 "
    )
    assert "587" not in told


@pytest.mark.parametrize("offers", [[], ["AUTH"], ["SIZE 1000"]])
def test_a_server_without_logins_is_named_as_that(offers: list[str]) -> None:
    with LoginServer(*offers) as server:
        told = why_not(server)
    assert told.startswith("does not let desk log in: it offers no AUTH here; use the server's port")


def test_over_tls_it_is_the_same() -> None:
    with LoginServer("AUTH LOGIN", password="密码", initial="501 no", tls=server_tls()) as server:
        log_in(server, "密码", implicit_tls=True)
    assert server.logins == [("LOGIN", "desk")]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_password_that_is_repeated_is_not_shown(mechanism: str) -> None:
    secret = base64.b64encode("密码".encode()).decode()
    wrong = (
        f"535 5.7.8 no: {secret} 密码 {base64.b64encode(chr(0).join(['', 'desk', '密码']).encode()).decode()}"
    )
    with LoginServer(f"AUTH {mechanism}", password="x", wrong=wrong) as server:
        told = why_not(server, "密码")
    assert "535 5.7.8 no: [password] [password] [password]; " in told


def test_a_server_that_asks_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tests.servers.login._Dialogue.auth_cram_md5", lambda self, response: [self.ask() for _ in range(99)]
    )
    with LoginServer("AUTH CRAM-MD5", password="s3cret") as server:
        told = why_not(server)
    assert told.startswith("broke off: the answer to AUTH cannot be read; ")
    assert len(server.lines) < 20

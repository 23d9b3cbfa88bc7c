"""The SMTP server lets us in, and its address has a name that leads back to it."""

from __future__ import annotations

import pytest

from mailer.transports.smtp.trial import try_login
from tests.doctor.conftest import DOMAIN, HOST, World, lines
from tests.servers.certificates import server_tls
from tests.servers.login import LoginServer
from tests.servers.oauth import OAuthServer
from tests.servers.smtp import SmtpServer


def told(world: World, name: str) -> tuple[str, str]:
    (check,) = world.found(name)
    return check["status"], check["message"]


def smtp(world: World) -> tuple[str, str]:
    return told(world, f"smtp {HOST}:{world.smtp.port}")


def move(world: World, server: SmtpServer, host: str = HOST, user: str = "") -> str:
    world.configure("^transport = .*", f'transport = "smtp://{user}{host}:{server.port}"')
    return f"smtp {host}:{server.port}"


def test_it_logs_in_and_sends_nothing(world: World) -> None:
    assert smtp(world) == ("ok", "answers with TLSv1.3 and accepts the login of desk")
    said = [command.split()[0] for command in world.smtp.commands]
    assert said == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"]


def test_a_wrong_password(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "wrong")
    status, message = smtp(world)
    assert status == "error"
    assert "refused the user desk" in message
    assert "wrong" not in message


@pytest.mark.parametrize("secret", ["s3cret", "another"])
def test_an_access_token(secret: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        OAuthServer(secret="s3cret") as provider,
        LoginServer("AUTH XOAUTH2", tls=server_tls(HOST)) as server,
    ):
        server.tokens = provider.tokens  # type: ignore[assignment]
        monkeypatch.setenv("MAILER_OAUTH_CLIENT_SECRET", secret)
        world.configure("^transport = .*", f'transport = "smtps://desk@{HOST}:{server.port}"')
        world.configure(
            r"^\[dkim\]",
            '[delivery.oauth]\nprovider = "custom"\ngrant = "client_credentials"\nclient_id = "app-1"\n'
            f'token_url = "{provider.url}"\n[dkim]',
        )
        assert told(world, "transport")[0] == "ok"
        status, message = told(world, f"smtp {HOST}:{server.port}")
        if secret == "s3cret":
            assert (status, message) == (
                "ok",
                "answers with TLSv1.3 and accepts the login of desk with an access token",
            )
        else:
            assert status == "error"
            assert message.endswith("gives no access token: invalid_client: the secret is wrong")


def test_a_password_that_is_not_set_is_the_transports_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILER_SMTP_PASSWORD")
    assert told(world, "transport") == (
        "error",
        f"MAILER_SMTP_PASSWORD is not set, and {HOST} requires a password for desk",
    )
    assert world.found(f"smtp {HOST}:{world.smtp.port}") == []


def test_a_server_that_refuses_or_is_not_there(world: World) -> None:
    world.smtp.fail("CONNECT", "reply", "554 5.7.1 go away")
    assert smtp(world)[0] == "error"
    with SmtpServer() as gone:
        pass
    name = move(world, gone)
    status, message = told(world, name)
    assert status == "error"
    assert "cannot be reached" in message


def test_a_certificate_of_another_host(world: World) -> None:
    with SmtpServer(tls=server_tls("other.alt")) as server:
        status, message = told(world, move(world, server))
    assert status == "error"
    assert "cannot be trusted" in message


def test_no_starttls(world: World) -> None:
    with SmtpServer() as server:
        status, message = told(world, move(world, server))
        assert (status, message.partition(":")[0]) == (
            "warning",
            "answers without STARTTLS and asks for no login",
        )
        assert told(world, move(world, server, "127.0.0.1"))[0] == "ok"


def test_a_name_that_cannot_be_looked_up_just_now_is_unknown(world: World) -> None:
    with SmtpServer() as server:
        move(world, server, "away.harbour.alt")
        (found,) = world.found("smtp")
    assert found["status"] == "unknown"
    assert "at the moment" in found["message"]


def test_a_server_that_says_nothing(world: World) -> None:
    world.smtp.fail("EHLO", "hang")
    (finding,) = try_login(world.settings, seconds=0.2)
    assert finding.status == "error"
    assert "did not answer in time" in finding.message


def test_forward_confirmed(world: World) -> None:
    assert told(world, f"ptr {HOST}") == ("ok", f"44.0.0.2 has the name {HOST}, which resolves to 44.0.0.2")


def test_no_reverse_name(world: World) -> None:
    del world.zones["2.0.0.44.in-addr.arpa"]
    status, message = told(world, f"ptr {HOST}")
    assert (status, message) == (
        "error",
        "44.0.0.2 has no PTR record, and large receivers refuse mail from it",
    )


def test_a_reverse_name_that_does_not_lead_back(world: World) -> None:
    world.zones["2.0.0.44.in-addr.arpa"]["PTR"] = ["host-2.isp.alt."]
    status, message = told(world, f"ptr {HOST}")
    assert status == "error"
    assert message == "44.0.0.2 has the name host-2.isp.alt, which does not resolve to 44.0.0.2"


def test_every_address_counts(world: World) -> None:
    world.zones[HOST]["AAAA"] = ["2a00::5"]
    found = world.found(f"ptr {HOST}")
    assert [(check["status"], check["message"].split()[0]) for check in found] == [
        ("ok", "44.0.0.2"),
        ("error", "2a00::5"),
    ]


def test_what_cannot_be_seen_from_here_is_said(world: World) -> None:
    world.zones[HOST]["A"] = ["10.0.0.5"]
    status, message = told(world, f"ptr {HOST}")
    assert status == "unknown"
    assert "cannot be checked from here" in message
    with SmtpServer() as server:
        move(world, server, "127.0.0.1")
        assert told(world, "ptr 127.0.0.1")[0] == "unknown"


def test_a_providers_reverse_name_is_the_providers(world: World) -> None:
    from mailer.doctor.dns.ptr import check_reverse_dns

    world.configure("^transport = .*", 'transport = "smtp://relay.provider.alt:25"')
    assert lines(check_reverse_dns(world.settings, world.resolver, "relay.provider.alt")) == [
        "ok relay.provider.alt belongs to a provider, who also names the sending addresses"
    ]
    world.configure("^transport = .*", 'transport = "smtp://44.0.0.2:25"')
    assert lines(check_reverse_dns(world.settings, world.resolver, "44.0.0.2")) == [
        f"ok 44.0.0.2 has the name {HOST}, which resolves to 44.0.0.2"
    ]
    assert DOMAIN in world.zones

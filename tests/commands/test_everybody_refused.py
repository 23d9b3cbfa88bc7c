"""A server that refuses everybody, or us by name: the program says what to do, and nobody is struck off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import run
from tests.clock import Clock
from tests.desk import ISSUE, SLUG
from tests.servers.sendgrid import KEY, SendGridApi
from tests.servers.smtp import SmtpServer

READERS = 60

pytestmark = pytest.mark.desk(
    readers="email\n" + "".join(f"reader{i}@example.{'net' if i % 2 else 'org'}\n" for i in range(READERS)),
    MAILER_DELIVERY_CONNECTIONS="2",
)


def shown(desk: Path) -> tuple[str, dict[str, int]]:
    document = run(desk, "campaigns", "show", SLUG, "--json").json
    return document["status"], {state: number for state, number in document["counts"].items() if number}


def statuses(desk: Path) -> set[str]:
    return {person["status"] for person in run(desk, "subscribers", "list", "--json").json}


@pytest.mark.parametrize(
    "reply", ["550 Invalid recipient", "454 4.7.1 <reader@example.org>: Relay access denied"]
)
def test_a_server_without_our_login_refuses_everybody(desk: Path, reply: str) -> None:
    with SmtpServer() as server:
        server.fail("RCPT", "reply", reply, times=1000)
        for _ in range(2):  # trying again without a repair strikes nobody off either
            ran = run(desk, "send", ISSUE, "--yes", "--transport", server.url)
            assert ran.status == 1
            assert f"127.0.0.1:{server.port} accepts no mail from us: {reply[:9]}" in ran.err
            assert "check the user in the transport's URL and MAILER_SMTP_PASSWORD" in ran.err
            assert f"`mailer send {ISSUE}` sends the {READERS} that are left" in ran.err
            assert shown(desk) == ("stopped", {"pending": READERS})
            assert statuses(desk) == {"active"}
    with SmtpServer() as server:
        assert run(desk, "send", ISSUE, "--yes", "--transport", server.url).status == 0
        assert len(set(server.recipients)) == len(server.recipients) == READERS
    assert shown(desk) == ("sent", {"accepted": READERS})


def test_the_first_few_of_a_canary_are_all_refused(desk: Path) -> None:
    with SmtpServer() as server:
        server.fail("RCPT", "reply", "550 Invalid recipient", times=1000)
        ran = run(desk, "send", ISSUE, "--yes", "--transport", server.url, "--canary", "30%", "--hold", "ask")
        assert ran.status == 1
        assert "accepts no mail from us" in ran.err
        assert shown(desk) == ("stopped", {"pending": READERS})
    with SmtpServer() as server:
        run(desk, "send", ISSUE, "--yes", "--transport", server.url)
        assert 15 <= len(server.recipients) <= 20  # the first few go first, as planned
    assert statuses(desk) == {"active"}


def test_what_is_about_us_pauses_it_and_a_resume_reaches_everybody(desk: Path) -> None:
    with SmtpServer() as server:
        server.fail("DOT", "reply", "550 5.7.26 This mail is unauthenticated - gsmtp", after=10, times=5)
        ran = run(desk, "send", ISSUE, "--yes", "--transport", server.url)
        assert ran.status == 1
        assert (
            "The campaign paused itself: the refusal is about us, not about the readers: 550 5.7.26"
            in ran.out
        )
        assert "publish SPF and DKIM" in ran.out
        assert f"`mailer campaigns resume {SLUG}` continues it." in ran.out
        status, counts = shown(desk)
        assert status == "paused"
        assert set(counts) == {"accepted", "pending"}
        assert "publish SPF and DKIM" in run(desk, "campaigns", "show", SLUG).out
        server._faults.clear()  # the repair
        assert run(desk, "campaigns", "resume", SLUG).status == 0
        assert len(set(server.recipients)) == len(server.recipients) == READERS
    assert shown(desk) == ("sent", {"accepted": READERS})
    assert statuses(desk) == {"active"}


def test_a_campaign_whose_time_has_come_waits_for_the_operator(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock("2026-11-20T00:00")
    with SmtpServer() as server:
        server.fail("RCPT", "reply", "550 Invalid recipient", times=1000)
        monkeypatch.setenv("MAILER_DELIVERY_TRANSPORT", server.url)
        assert run(desk, "send", ISSUE, "--yes", "--at", "2026-11-21T08:00").status == 0
        clock.set("2026-11-21T00:01")
        ran = run(desk, "run-due")
        assert ran.status == 1
        assert "accepts no mail from us: 550 Invalid recipient" in ran.out + ran.err
    assert shown(desk) == ("stopped", {"pending": READERS})


def test_sendgrid_refuses_the_request(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    with SendGridApi() as api:
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        api.answer(400, {"errors": [{"message": "The from address is bad.", "field": "from.email"}]})
        ran = run(desk, "send", ISSUE, "--yes", "--transport", "sendgrid:")
        assert ran.status == 1
        assert "SendGrid accepts no mail from us: 400 The from address is bad. (from.email)" in ran.err
        assert shown(desk) == ("stopped", {"pending": READERS})
        assert run(desk, "send", ISSUE, "--yes", "--transport", "sendgrid:").status == 0
    assert len(api.delivered) == READERS

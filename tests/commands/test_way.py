"""By which transport a campaign goes: one that can be used, and the same one to the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.errors import TransportError
from mailer.services.sending import run as sending
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from tests.cli import run
from tests.desk import ISSUE, SLUG
from tests.spooled import Scripted

MAIL = "smtp://mail.example.org:587"

pytestmark = pytest.mark.desk(readers="email\na@example.org\nb@example.org\n")


class Ways(Scripted):
    """Notes by which URL it was opened."""

    def __init__(self) -> None:
        super().__init__(concurrency=1)
        self.opened: list[str] = []

    def open(self, url: str, *_: object, **__: object) -> Scripted:
        self.opened.append(url)
        return self


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    found = Ways()
    monkeypatch.setattr(sending, "open_transport", found.open)
    return found


def first_one_only() -> Callable[[OutgoingMessage], Outcome]:
    """The first is accepted, and then nothing more can be handed over."""
    told: list[str] = []

    def decide(message: OutgoingMessage) -> Outcome:
        told.append(message.address)
        if len(told) > 1:
            raise TransportError("nobody is there")
        return Outcome(OutcomeKind.ACCEPTED, "ok")

    return decide


def begun(desk: Path, ways: Ways, *words: str) -> None:
    """A campaign of which one has it, and the other one waits."""
    ways.decide = first_one_only()
    assert run(desk, "send", ISSUE, "--yes", *words).status == 1
    counts = run(desk, "campaigns", "show", SLUG, "--json").json["counts"]
    assert (counts["accepted"], counts["pending"]) == (1, 1)
    ways.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")
    ways.opened.clear()


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("ftp://x", "is not a transport"),
        ("", "is not a transport"),
        ("outbox:", "names no folder"),
        ("sendgrid:", "SENDGRID_API_KEY is not set"),
        ("smtp://desk@mail.example.org", "MAILER_SMTP_PASSWORD is not set"),
        ("smtp://desk:secret@mail.example.org", "holds a password"),
    ],
)
@pytest.mark.parametrize("when", [[], ["--at", "23:59"], ["--canary", "50%"]])
def test_a_transport_of_no_use_makes_no_campaign(desk: Path, way: str, why: str, when: list[str]) -> None:
    ran = run(desk, "send", ISSUE, "--yes", "--transport", way, *when)
    assert (ran.status, ran.out) == (2, "")
    assert why in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not (desk / "campaigns" / SLUG).exists()
    assert run(desk, "campaigns", "list", "--json").json == []


def test_the_plan_warns_of_a_transport_of_no_use(desk: Path) -> None:
    ran = run(desk, "plan", ISSUE, "--transport", "sendgrid:")
    assert ran.status == 0
    warning = "Warning    the plan cannot be sent with these settings: SENDGRID_API_KEY is not set; put"
    assert warning in ran.out


def test_a_campaign_that_is_mailed_does_not_end_in_a_folder(desk: Path, ways: Ways) -> None:
    begun(desk, ways, "--transport", MAIL)
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 0
    assert ways.opened == [MAIL]
    assert f"By         {MAIL}" in ran.out
    assert f"1 message was handed to {MAIL}" in ran.out


def test_a_campaign_that_began_in_a_folder_is_mailed_to_all_by_a_server(
    desk: Path, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(desk, ways)
    monkeypatch.setenv("MAILER_DELIVERY_TRANSPORT", MAIL)
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 0
    assert "Left       2 of 2 readers\n" in ran.out
    assert "Tried out  1 got the issue in outbox/ only\n" in ran.out
    assert f"2 messages were handed to {MAIL}" in ran.out
    assert run(desk, "campaigns", "show", SLUG, "--json").json["transport"] == MAIL


def test_another_server_of_the_settings_is_used(
    desk: Path, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(desk, ways, "--transport", MAIL)
    monkeypatch.setenv("MAILER_DELIVERY_TRANSPORT", "smtp://other.example.org")
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert ways.opened == ["smtp://other.example.org"]


def test_resume_goes_by_the_transport_of_the_last_run(desk: Path, ways: Ways) -> None:
    begun(desk, ways)
    ways.decide = lambda _: Outcome(OutcomeKind.REJECTED, "550 5.7.1 no")
    assert run(desk, "send", ISSUE, "--yes", "--transport", MAIL).status == 1
    ways.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")
    assert run(desk, "campaigns", "retry", SLUG).status == 0
    assert ways.opened == [MAIL, MAIL]


def test_a_test_copy_takes_no_plan(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "me@example.org", "--plan", "0" * 16)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "mailer: --test sends one copy without a plan; leave --plan out\n"


def test_a_plan_of_what_was_sent_says_what_is_left(desk: Path) -> None:
    assert "left" not in run(desk, "plan", ISSUE, "--json").json
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert "Left       0 of 2 readers" in run(desk, "plan", ISSUE).out
    assert run(desk, "plan", ISSUE, "--json").json["left"] == 0
    ran = run(desk, "plan", ISSUE, "--at", "23:59")
    assert (ran.status, ran.out) == (2, "")
    assert "is already sent, so it cannot be scheduled" in ran.err

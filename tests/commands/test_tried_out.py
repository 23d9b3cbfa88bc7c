"""From a try-out in a folder to the real thing: what went into a folder reached nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.delivery.transports.base import Outcome, Outgoing, Result
from mailer.delivery.transports.outbox import Outbox
from tests.cli import Ran, run
from tests.delivery.conftest import Scripted
from tests.desk import ISSUE, SLUG, fill

READERS = 12
MAIL = "smtp://mx.example.org"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The mail server; a folder stays a folder."""
    transport = Scripted()

    def opened(url: str, settings: object, **_: object) -> object:
        folder = url.partition(":")[2]
        root = settings.root  # type: ignore[attr-defined]
        return Outbox(root / folder, folder) if url.startswith("outbox:") else transport

    monkeypatch.setattr("mailer.publish.send.open_transport", opened)
    return transport


@pytest.fixture
def desk(workspace: Path, wire: Scripted) -> Path:
    return fill(workspace, READERS)


def send(desk: Path, *words: str) -> Ran:
    return run(desk, "send", ISSUE, "--yes", *words)


def mail(desk: Path, *words: str) -> Ran:
    return send(desk, "--transport", MAIL, *words)


def status(desk: Path, slug: str = SLUG) -> tuple[str, dict[str, int]]:
    shown = run(desk, "campaigns", "show", slug, "--json").json
    return shown["status"], {state: n for state, n in shown["counts"].items() if n}


def edit(desk: Path) -> None:
    path = desk / ISSUE
    path.write_text(path.read_text("utf-8").replace("stand still", "move again"), "utf-8")


def test_after_a_try_out_the_same_people_are_left_to_send_to(desk: Path, wire: Scripted) -> None:
    assert send(desk).status == 0
    ran = run(desk, "plan", ISSUE, "--transport", MAIL)
    assert f"Left       {READERS} of {READERS} readers\n" in ran.out
    assert f"Tried out  {READERS} had it in outbox/ only\n" in ran.out
    plan = run(desk, "plan", ISSUE, "--transport", MAIL, "--json").json
    assert (plan["slug"], plan["left"], plan["status"]) == (SLUG, READERS, "sent")
    assert plan["tried_out"] == {"slug": SLUG, "transport": "outbox:outbox", "readers": READERS}
    assert mail(desk).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == READERS
    assert status(desk) == ("sent", {"accepted": READERS})
    assert mail(desk).out.startswith("There is nothing to do")
    assert send(desk).out.startswith("There is nothing to do")  # nor into the folder again
    assert len(wire.sent) == READERS


def test_a_try_out_is_no_reason_to_send_to_the_folder_again(desk: Path) -> None:
    send(desk)
    assert "Left       0 of 12 readers" in run(desk, "plan", ISSUE).out
    assert send(desk).out.startswith("There is nothing to do")


def test_the_settings_may_name_the_server_after_the_try_out(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(desk)
    monkeypatch.setenv("MAILER_DELIVERY_TRANSPORT", MAIL)
    assert send(desk).status == 0
    assert len(wire.sent) == READERS


def test_an_issue_that_was_corrected_after_the_try_out_is_sent_as_it_is_now(
    desk: Path, wire: Scripted
) -> None:
    subjects: list[bytes] = []
    wire.decide = lambda m: subjects.append(m.raw()) or Outcome(Result.ACCEPTED)  # type: ignore[func-returns-value]
    send(desk)
    edit(desk)
    ran = run(desk, "plan", ISSUE, "--transport", MAIL)
    assert f"Campaign   {SLUG}-2 (new)" in ran.out
    assert f"Readers    {READERS} will get it\n" in ran.out
    assert f"Tried out  {READERS} had it in outbox/ only\n" in ran.out
    assert mail(desk).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == READERS
    assert all(b"move again" in raw for raw in subjects)
    assert status(desk, f"{SLUG}-2") == ("sent", {"accepted": READERS})
    assert mail(desk).out.startswith("There is nothing to do")
    edit(desk)
    assert len(wire.sent) == READERS


def test_readers_who_came_after_the_try_out_get_it_too(desk: Path, wire: Scripted) -> None:
    send(desk)
    (desk / "more.csv").write_text("email\nlate@example.org\n")
    run(desk, "subscribers", "import", "more.csv")
    assert mail(desk).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == READERS + 1


def test_a_sender_that_was_corrected_after_the_try_out_is_used(desk: Path, wire: Scripted) -> None:
    senders: set[str] = set()

    def decide(message: Outgoing) -> Outcome:
        senders.add(message.envelope.sender.address)
        return Outcome(Result.ACCEPTED)

    wire.decide = decide
    send(desk)
    config = desk / "mailer.toml"
    config.write_text(config.read_text("utf-8").replace("desk@news.example.org", "new@news.example.org"))
    assert mail(desk).status == 0
    assert senders == {"new@news.example.org"}


def test_a_campaign_that_was_partly_mailed_is_finished_for_those_with_a_copy_in_a_folder(
    desk: Path, wire: Scripted
) -> None:
    wire.decide = lambda m: (
        Outcome(Result.ACCEPTED) if m.subscriber_id <= 4 else Outcome(Result.DEFERRED, reason="451 later")
    )
    assert mail(desk).status == 1
    assert send(desk, "--transport", "outbox:outbox").status == 0
    assert status(desk) == ("sent", {"accepted": READERS})
    edit(desk)  # too late: some have it as it was
    ran = run(desk, "plan", ISSUE, "--transport", MAIL)
    assert f"Left       {READERS - 4} of {READERS} readers\n" in ran.out
    assert f"Tried out  {READERS - 4} had it in outbox/ only\n" in ran.out
    wire.decide = lambda _: Outcome(Result.ACCEPTED)
    before = len(wire.sent)
    assert mail(desk).status == 0
    assert sorted(wire.sent[before:]) == sorted(f"reader{n}@example.org" for n in range(4, READERS))


def test_show_and_deliveries_tell_what_is_in_a_folder_only(desk: Path) -> None:
    send(desk)
    shown = run(desk, "campaigns", "show", SLUG)
    assert f"  {READERS} had it in outbox:outbox only, which reached nobody\n" in shown.out
    assert run(desk, "campaigns", "show", SLUG, "--json").json["in_folder"] == READERS
    assert "  in a folder only" in run(desk, "campaigns", "deliveries", SLUG).out


def test_a_try_out_that_was_cut_short_leaves_everybody_to_be_mailed(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mailer.delivery.transports.outbox.OutboxChannel._write", full_after(5))
        assert send(desk).status == 1
    assert mail(desk).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == READERS


def full_after(number: int) -> object:
    """Writes that fail after so many, as on a full disk."""
    left = iter(range(number))

    def write(*_: object) -> None:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")

    return write


def test_a_cancelled_try_out_can_be_mailed_but_not_repeated(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mailer.delivery.transports.outbox.OutboxChannel._write", full_after(5))
        send(desk)
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert send(desk).status == 2
    assert mail(desk).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == READERS
    assert status(desk, f"{SLUG}-2") == ("sent", {"accepted": READERS})


def test_a_folder_uses_up_no_limit_and_meets_none(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = desk / "mailer.toml"
    text = config.read_text("utf-8")
    config.write_text(
        text + f'\n[pace]\nlimit = ["1000/s", "{READERS}/h"]\nwarm_up = [{READERS}]\n'
        'warm_up_start = 2026-11-01\ndomains = {"example.org" = "10/d"}\n'
    )
    assert send(desk).status == 0
    assert status(desk) == ("sent", {"accepted": READERS})
    config.write_text(text + f'\n[pace]\nlimit = ["1000/s", "{READERS}/h"]\n')
    assert mail(desk).status == 0
    assert len(wire.sent) == READERS

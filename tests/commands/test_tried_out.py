"""From a try-out in a folder to the real thing: what went into a folder reached nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.outbox.transport import Outbox
from tests.cli import Ran, run
from tests.clock import Clock
from tests.desk import ISSUE, MAIL, SLUG
from tests.spooled import Scripted

READERS = 12

pytestmark = pytest.mark.desk(readers=READERS)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The mail server; a folder stays a folder."""
    transport = Scripted()

    def opened(url: str, settings: object, **_: object) -> object:
        folder = url.partition(":")[2]
        root = settings.root  # type: ignore[attr-defined]
        return Outbox(root / folder, folder) if url.startswith("outbox:") else transport

    monkeypatch.setattr("mailer.services.sending.run.open_transport", opened)
    return transport


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
    assert f"Tried out  {READERS} got the issue in outbox/ only\n" in ran.out
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
    wire.decide = lambda m: subjects.append(m.raw()) or Outcome(OutcomeKind.ACCEPTED)  # type: ignore[func-returns-value]
    send(desk)
    edit(desk)
    ran = run(desk, "plan", ISSUE, "--transport", MAIL)
    assert f"Campaign   {SLUG}-2 (new)" in ran.out
    assert f"Readers    {READERS} will get it\n" in ran.out
    assert f"Tried out  {READERS} got the issue in outbox/ only\n" in ran.out
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

    def decide(message: OutgoingMessage) -> Outcome:
        senders.add(message.envelope.sender.address)
        return Outcome(OutcomeKind.ACCEPTED)

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
        Outcome(OutcomeKind.ACCEPTED)
        if m.subscriber_id <= 4
        else Outcome(OutcomeKind.DEFERRED, reason="451 later")
    )
    assert mail(desk).status == 1
    assert send(desk, "--transport", "outbox:outbox").status == 0
    assert status(desk) == ("sent", {"accepted": READERS})
    edit(desk)  # too late: some have it as it was
    ran = run(desk, "plan", ISSUE, "--transport", MAIL)
    assert f"Left       {READERS - 4} of {READERS} readers\n" in ran.out
    assert f"Tried out  {READERS - 4} got the issue in outbox/ only\n" in ran.out
    wire.decide = lambda _: Outcome(OutcomeKind.ACCEPTED)
    before = len(wire.sent)
    assert mail(desk).status == 0
    assert sorted(wire.sent[before:]) == sorted(f"reader{n}@example.org" for n in range(4, READERS))


def test_show_and_deliveries_tell_what_is_in_a_folder_only(desk: Path) -> None:
    send(desk)
    shown = run(desk, "campaigns", "show", SLUG)
    assert f"  {READERS} got the issue in outbox:outbox only, which reached nobody\n" in shown.out
    assert run(desk, "campaigns", "show", SLUG, "--json").json["in_folder"] == READERS
    assert "  in a folder only" in run(desk, "campaigns", "deliveries", SLUG).out
    assert "[in outbox:outbox only, which reached nobody]" in run(desk, "campaigns", "list").out
    assert run(desk, "explain", "reader1@example.org", ISSUE).out.endswith(" (in a folder only)\n")


def test_a_try_out_that_was_cut_short_leaves_everybody_to_be_mailed(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mailer.transports.outbox.transport.OutboxChannel._write_message_file", full_after(5))
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
        patch.setattr("mailer.transports.outbox.transport.OutboxChannel._write_message_file", full_after(5))
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


# -- beside other campaigns of the issue ----------------------------------------------------

EVENS = "name != 'odd'"


@pytest.fixture
def halves(desk: Path) -> Path:
    """Every second reader is called odd."""
    rows = "".join(f"reader{n}@example.org,{'odd' if n % 2 else 'even'}\n" for n in range(READERS))
    (desk / "names.csv").write_text("email,name\n" + rows)
    assert run(desk, "subscribers", "import", "names.csv").status == 0
    return desk


def twice(wire: Scripted) -> set[str]:
    return {address for address in wire.sent if wire.sent.count(address) > 1}


def test_a_try_out_without_any_copy_and_then_a_segment_reaches_nobody_twice(
    halves: Path, wire: Scripted
) -> None:
    (halves / "outbox").touch()  # it is a file, so that no copy can be made
    assert send(halves).status == 1
    assert mail(halves, "--segment", EVENS.replace("'", '"')).status == 0
    assert len(wire.sent) == READERS / 2
    assert mail(halves).status == 0
    assert twice(wire) == set()
    assert len(wire.sent) == READERS


def test_a_segment_that_is_mailed_while_the_operator_thinks_is_left_out(
    halves: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(halves)

    def meanwhile(*_: object, **__: object) -> None:
        monkeypatch.setattr("mailer.commands.sending.send.ask_for_confirmation", lambda *_, **__: None)
        assert mail(halves, "--segment", EVENS.replace("'", '"')).status == 0

    monkeypatch.setattr("mailer.commands.sending.send.ask_for_confirmation", meanwhile)
    ran = run(halves, "send", ISSUE, "--transport", MAIL, answer="y\n")
    assert ran.status == 0, ran.err
    assert twice(wire) == set()
    assert len(wire.sent) == READERS
    skipped = run(halves, "campaigns", "deliveries", SLUG, "--state", "skipped", "--json").json
    assert {delivery["reason"] for delivery in skipped} == {"received"}


def test_a_campaign_that_went_partly_into_a_folder_leaves_out_who_got_it_by_a_segment(
    halves: Path, wire: Scripted
) -> None:
    wire.decide = lambda m: (
        Outcome(OutcomeKind.ACCEPTED)
        if m.subscriber_id <= 4
        else Outcome(OutcomeKind.DEFERRED, reason="451 later")
    )
    mail(halves)
    wire.sent = wire.sent[:4]
    wire.decide = lambda _: Outcome(OutcomeKind.ACCEPTED)
    send(halves, "--transport", "outbox:outbox")
    first = [f"reader{n}@example.org" for n in range(4)]
    wire.sent = []
    assert mail(halves, "--segment", EVENS.replace("'", '"')).status == 0
    assert mail(halves).status == 0
    assert twice(wire) == set()
    assert not set(wire.sent) & set(first)
    assert len(wire.sent) == READERS - 4


def test_a_reader_who_left_during_the_try_out_and_came_back_gets_it(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(desk, "--at", "2026-11-21T08:00").status in (0, 2)
    run(desk, "campaigns", "cancel", SLUG)
    real = Outbox.channel

    def leaving(self: Outbox) -> object:
        run(desk, "subscribers", "unsubscribe", "reader9@example.org")
        return real(self)

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "channel", leaving)
        send(desk)
    assert run(desk, "subscribers", "add", "reader9@example.org", "--consent", "by phone").status == 0
    assert mail(desk).status == 0
    assert sorted(wire.sent) == sorted(f"reader{n}@example.org" for n in range(READERS))


def test_a_try_out_that_made_no_copy_freezes_no_text(desk: Path, wire: Scripted) -> None:
    raws: list[bytes] = []
    wire.decide = lambda m: raws.append(m.raw()) or Outcome(OutcomeKind.ACCEPTED)  # type: ignore[func-returns-value]
    (desk / "outbox").touch()
    assert send(desk).status == 1
    edit(desk)
    (desk / "more.csv").write_text("email\nlate@example.org\n")
    run(desk, "subscribers", "import", "more.csv")
    assert mail(desk).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == READERS + 1
    assert all(b"move again" in raw for raw in raws)


def test_after_a_try_out_the_issue_can_be_scheduled_given_a_canary_or_dropped(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock("2026-11-20T00:00")
    send(desk)
    plan = run(desk, "plan", ISSUE, "--transport", MAIL, "--at", "2026-11-21T08:00")
    assert plan.status == 0, plan.err
    assert mail(desk, "--at", "2026-11-21T08:00").status == 0
    assert status(desk, f"{SLUG}-2")[0] == "scheduled"
    assert run(desk, "campaigns", "cancel", f"{SLUG}-2").status == 0
    assert mail(desk, "--canary", "50%", "--hold", "ask").status == 1
    assert len(wire.sent) == READERS / 2
    assert run(desk, "campaigns", "cancel", SLUG).status == 0


def test_a_plan_from_before_the_try_out_can_be_sent_though_somebody_left(desk: Path, wire: Scripted) -> None:
    plan = run(desk, "plan", ISSUE, "--transport", MAIL, "--json").json["hash"]
    send(desk)
    run(desk, "subscribers", "unsubscribe", "reader3@example.org")
    ran = run(desk, "send", ISSUE, "--plan", plan, "--transport", MAIL)
    assert ran.status == 0, ran.err
    assert len(wire.sent) == READERS - 1


def test_a_plan_whose_name_was_taken_is_refused_with_the_reason(halves: Path) -> None:
    first = run(halves, "plan", ISSUE, "--segment", 'name == "odd"', "--json").json["hash"]
    second = run(halves, "plan", ISSUE, "--segment", 'name == "even"', "--json").json["hash"]
    assert run(halves, "send", ISSUE, "--segment", 'name == "odd"', "--plan", first).status == 0
    ran = run(halves, "send", ISSUE, "--segment", 'name == "even"', "--plan", second)
    assert ran.status == 2
    assert f"campaign {SLUG} was made since plan {second}" in ran.err
    assert "changed" not in ran.err

"""`send --test`: marked copies to whom it is told, as the readers of a segment get them, and no campaign."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.errors import TransportError
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.web.app import create_app
from tests.cli import run
from tests.spooled import Scripted
from tests.web.conftest import Browser

ISSUE = "issues/2026-11-21-morning.yaml"
TEXT = """\
edition: morning
date: 2026-11-21
language: en
items:
  - title: Cranes stand still
  - title: A berth for members
    only: '"vip" in tags'
"""
READERS = """\
email,name,language,tags
anna@example.org,Anna,en,vip
bob@example.org,Bob,en,
chen@example.org,陈,zh,vip
dora@example.org,Dora,de,
eve@example.org,Eve,de,
"""
VIP = '"vip" in tags'

pytestmark = pytest.mark.desk(readers=READERS, text=TEXT)


def copies(desk: Path) -> dict[str, EmailMessage]:
    """What is in the outbox, by its recipient."""
    found = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (desk / "outbox").glob("*.eml")
    ]
    assert len({message["To"] for message in found}) == len(found)
    return {str(message["To"].addresses[0].addr_spec): message for message in found}


def for_members(message: EmailMessage) -> bool:
    body = message.get_body(("plain",))
    assert body is not None
    return "A berth for members" in body.get_content()


def test_each_address_gets_one_copy_of_its_own(desk: Path) -> None:
    words = ["--test", "me@example.test", "--test", "you@example.test", "--test", "ME@Example.test"]
    ran = run(desk, "send", ISSUE, *words)
    assert (ran.status, ran.err) == (0, "")
    found = copies(desk)
    assert set(found) == {"me@example.test", "you@example.test"}
    assert len({str(message["Message-ID"]) for message in found.values()}) == 2
    assert all(str(message["Subject"]).startswith("[Test] ") for message in found.values())
    assert ran.out == (
        "A test copy was sent to me@example.test by outbox:outbox.\n"
        "A test copy was sent to you@example.test by outbox:outbox.\n"
        "No campaign was made.\n"
    )
    assert run(desk, "campaigns", "list", "--json").json == []


def test_json_tells_of_each_copy(desk: Path) -> None:
    one = run(desk, "send", ISSUE, "--test", "me@example.test", "--json").json
    assert (one["test"], one["result"]) == ("me@example.test", "accepted")
    two = run(desk, "send", ISSUE, "--test", "a@example.test", "--test", "b@example.test", "--json").json
    assert [(copy["test"], copy["result"]) for copy in two["copies"]] == [
        ("a@example.test", "accepted"),
        ("b@example.test", "accepted"),
    ]


def test_nothing_is_sent_where_one_of_the_addresses_is_wrong(desk: Path) -> None:
    run(desk, "subscribers", "suppress", "gone@example.test")
    words = ["--test", "me@example.test", "--test", "gone@example.test", "--test", "nonsense"]
    ran = run(desk, "send", ISSUE, *words)
    assert ran.status == 2
    assert "gone@example.test is on the suppression list" in ran.err
    assert "nonsense" in ran.err
    assert not (desk / "outbox").exists()


Decide = Callable[[OutgoingMessage], Outcome]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Decide], Scripted]:
    def make(decide: Decide) -> Scripted:
        transport = Scripted(decide)
        monkeypatch.setattr("mailer.services.planning.test_copy.open_transport", lambda *_, **__: transport)
        return transport

    return make


def test_a_copy_that_is_refused_is_told_and_the_others_go(
    desk: Path, scripted: Callable[[Decide], Scripted]
) -> None:
    def decide(message: OutgoingMessage) -> Outcome:
        refused = message.address.startswith("b@")
        return (
            Outcome(OutcomeKind.REJECTED, "", "550 no")
            if refused
            else Outcome(OutcomeKind.ACCEPTED, "1", "ok")
        )

    transport = scripted(decide)
    words = [word for name in "abc" for word in ("--test", f"{name}@example.test")]
    ran = run(desk, "send", ISSUE, *words)
    assert ran.status == 1
    assert transport.sent == ["a@example.test", "b@example.test", "c@example.test"]
    assert ran.err == "mailer: the test copy to b@example.test was rejected: 550 no\n"
    assert "A test copy was sent to c@example.test" in ran.out


def test_a_transport_that_breaks_in_the_middle_says_who_has_a_copy(
    desk: Path, scripted: Callable[[Decide], Scripted]
) -> None:
    def decide(message: OutgoingMessage) -> Outcome:
        if message.address.startswith("b@"):
            raise TransportError("the server is gone")
        return Outcome(OutcomeKind.ACCEPTED, "1", "ok")

    scripted(decide)
    ran = run(desk, "send", ISSUE, "--test", "a@example.test", "--test", "b@example.test")
    assert ran.status == 1
    assert ran.err == "mailer: the server is gone (a test copy was already sent to a@example.test)\n"
    ran = run(desk, "send", ISSUE, "--test", "b@example.test")
    assert ran.err == "mailer: the server is gone\n"


# -- as the readers of a segment get it -----------------------------------------------------


def test_without_a_segment_a_copy_is_what_most_readers_get(desk: Path) -> None:
    run(desk, "send", ISSUE, "--test", "me@example.test")
    assert not for_members(copies(desk)["me@example.test"])


def test_a_segment_chooses_what_its_readers_get(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "me@example.test", "--segment", VIP)
    assert (ran.status, ran.err) == (0, "")
    assert for_members(copies(desk)["me@example.test"])
    assert "The copy is what 2 of the 2 readers in the segment get." in ran.out
    ran = run(desk, "send", ISSUE, "--test", "you@example.test", "--segment", 'language != "zh"')
    assert not for_members(copies(desk)["you@example.test"])
    assert "The copy is what 3 of the 4 readers in the segment get." in ran.out


def test_a_segment_chooses_so_also_after_the_issue_was_sent(desk: Path) -> None:
    assert run(desk, "send", ISSUE, "--yes", "--transport", "outbox:sent").status == 0
    ran = run(desk, "send", ISSUE, "--test", "me@example.test", "--segment", VIP)
    assert (ran.status, ran.err) == (0, "")
    assert for_members(copies(desk)["me@example.test"])


def test_a_segment_without_readers_has_no_copy(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "me@example.test", "--segment", 'language == "fr"')
    assert ran.status == 2
    assert ran.err == (
        "mailer: no reader of morning is in the segment, so no reader gets this copy; choose another "
        "segment, or leave --segment out\n"
    )
    assert not (desk / "outbox").exists()


def test_without_any_reader_a_copy_is_what_is_for_everybody(workspace: Path) -> None:
    (workspace / ISSUE).write_text(TEXT, encoding="utf-8")
    assert run(workspace, "send", ISSUE, "--test", "me@example.test").status == 0
    assert not for_members(copies(workspace)["me@example.test"])


def test_a_transport_of_its_own_takes_the_copy(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "me@example.test", "--transport", "outbox:elsewhere")
    assert ran.status == 0
    assert len(list((desk / "elsewhere").glob("*.eml"))) == 1
    assert not (desk / "outbox").exists()


def test_the_links_of_a_copy_take_nobody_off_and_say_so(desk: Path) -> None:
    address = run(desk, "subscribers", "list", "--json").json[0]["address"]
    before = run(desk, "subscribers", "list", "--json").json
    assert run(desk, "send", ISSUE, "--test", address).status == 0
    (message,) = copies(desk).values()
    link = str(message["List-Unsubscribe"]).strip("<>").removeprefix("https://news.example.org")
    browser = Browser(create_app(load_settings(desk)))
    for path in (link, f"{link}.", link.upper()):
        for answer in (browser.get(path), browser.post(path, data={"List-Unsubscribe": "One-Click"})):
            assert (answer.status_code, "This is a test copy" in answer.text) == (200, True)
            assert "You are unsubscribed" not in answer.text
    assert run(desk, "subscribers", "list", "--json").json == before


# -- to a reader of the list ------------------------------------------------------------------


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_reader_of_the_list_gets_their_own_variant(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "ANNA@example.org", "--test", "dora@example.org")
    assert (ran.status, ran.err) == (0, "")
    found = copies(desk)
    assert for_members(found["anna@example.org"])
    assert not for_members(found["dora@example.org"])
    assert [header for header in found if str(found[header]["To"]).startswith("Anna ")] == [
        "anna@example.org"
    ]
    for address, variant in (("anna@example.org", 1), ("dora@example.org", 0)):
        assert (
            f"{address} is on the list: the copy has this reader's name, language and attributes, and the "
            f"items for this reader (variant {variant}).\n"
        ) in ran.out


def test_what_is_in_a_copy_is_told_as_json(desk: Path) -> None:
    words = [word for who in ("anna@example.org", "me@example.test") for word in ("--test", who)]
    told = run(desk, "send", ISSUE, *words, "--json").json["copies"]
    assert [(copy["values"], copy["variant"], copy["own"]) for copy in told] == [
        ("reader", 1, True),
        ("nobody", 0, False),
    ]


@pytest.fixture
def greeting(desk: Path) -> Path:
    """A theme whose text says who somebody is."""
    words = ("--attribute", "city=Porto", "--attribute", "seats=3")
    assert run(desk, "subscribers", "add", "chen@example.org", *words).status == 0
    text = Path(__file__).parents[2] / "templates" / "text" / "issue.txt"
    mine = desk / "templates" / "text" / "issue.txt"
    mine.parent.mkdir(parents=True)
    paths = ("name", "language", "attributes.city", "attributes.seats", "email")
    line = "/".join(f"{{{{ subscriber.{path} }}}}" for path in paths)
    mine.write_text(f"{line}\n{text.read_text('utf-8')}", encoding="utf-8")
    return desk


def test_a_reader_of_the_list_gets_their_own_values_and_nobodys_links(greeting: Path) -> None:
    ran = run(greeting, "send", ISSUE, "--test", "chen@example.org", "--test", "me@example.test")
    assert (ran.status, ran.err) == (0, "")
    found = copies(greeting)
    assert "陈/zh/Porto/3/chen@example.org" in plain(found["chen@example.org"])
    assert "///" in plain(found["me@example.test"])
    links = [str(message["List-Unsubscribe"]) for message in found.values()]
    assert len(set(links)) == 1
    sent = run(greeting, "send", ISSUE, "--yes", "--transport", "outbox:sent")
    assert sent.status == 0
    assert not [p for p in (greeting / "sent").glob("*.eml") if links[0].encode() in p.read_bytes()]


@pytest.mark.parametrize("state", ["unsubscribe", "another edition"])
def test_who_is_on_the_list_and_gets_no_issue_sees_what_it_would_be(desk: Path, state: str) -> None:
    """Nobody else reads that variant, so that the plan has not rendered it."""
    if state == "unsubscribe":
        for who in ("anna", "chen"):
            assert run(desk, "subscribers", "unsubscribe", f"{who}@example.org").status == 0
    else:
        for who in ("anna", "chen"):
            words = ("subscribers", "unsubscribe", f"{who}@example.org", "--edition", "morning")
            assert run(desk, *words).status == 0
    assert run(desk, "plan", ISSUE, "--json").json["variants"] == {"0": 3}
    ran = run(desk, "send", ISSUE, "--test", "anna@example.org")
    assert (ran.status, ran.err) == (0, "")
    assert for_members(copies(desk)["anna@example.org"])


def test_a_reader_within_the_segment_gets_their_own_copy(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "chen@example.org", "--segment", 'language != "en"')
    assert for_members(copies(desk)["chen@example.org"])
    assert "chen@example.org is on the list" in ran.out
    assert "The copy is what 1 of the 3 readers in the segment get." in ran.out


def test_a_reader_outside_of_the_segment_gets_what_most_in_it_get(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "bob@example.org", "--segment", VIP)
    assert (ran.status, ran.err) == (0, "")
    assert for_members(copies(desk)["bob@example.org"])
    assert "bob@example.org is on the list and not in the segment" in ran.out
    assert "The copy is what 2 of the 2 readers in the segment get." in ran.out

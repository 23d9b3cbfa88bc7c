"""The public archive shows what is for everybody, whoever the readers are; the plan tells what it shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mailer.config import load_settings
from mailer.store.database import open_store
from mailer.web.app import create_app
from tests.cli import Ran, run
from tests.desk import ISSUE, SLUG
from tests.web.conftest import Browser

ONLY = '"member" in tags'
TEXT = f"""\
edition: morning
date: 2026-11-21
language: en
items:
  - title: Cranes stand still
    body: The harbour rests today.
  - title: Prices of members
    body: "Only those who pay see this: ![A chart](chart.png)"
    only: '{ONLY}'
"""
MEMBERS = "email,tags\n" + "".join(f"reader{n}@example.org,member\n" for n in range(3))

pytestmark = pytest.mark.desk(readers=MEMBERS, text=TEXT)


@pytest.fixture
def desk(desk: Path) -> Path:
    """A workspace whose readers are members, all three of them, and an issue with a picture."""
    Image.new("RGB", (40, 20), "navy").save(desk / "issues/chart.png")
    return desk


def set_archive(desk: Path, value: str) -> None:
    config = (desk / "mailer.toml").read_text("utf-8")
    text = config.replace('time = "08:00"\n', f'time = "08:00"\narchive = {value}\n')
    assert text != config
    (desk / "mailer.toml").write_text(text, encoding="utf-8")


def sent(desk: Path, *words: str) -> Ran:
    ran = run(desk, "send", ISSUE, "--yes", *words)
    assert ran.status == 0, ran.err
    return ran


def public(desk: Path, slug: str = SLUG) -> tuple[int, str]:
    """The status and text of a campaign's public page."""
    answer = Browser(create_app(load_settings(desk))).get(f"/archive/{slug}/")
    return answer.status_code, answer.text


def mails(desk: Path) -> list[str]:
    return [path.read_text("utf-8", "replace") for path in (desk / "outbox").glob("*.eml")]


def test_what_is_for_members_is_in_their_mail_and_not_on_the_page(desk: Path) -> None:
    told = sent(desk)
    assert f"Archive    the public page leaves out the parts that are only for {ONLY}\n" in told.out
    status, page = public(desk)
    assert status == 200
    assert "Cranes stand still" in page
    assert "members" not in page
    assert "chart" not in page
    assert "Prices of members" in (desk / "campaigns" / SLUG / "email.html").read_text("utf-8")
    assert len(mails(desk)) == 3
    assert all("Prices of members" in mail for mail in mails(desk))
    assert run(desk, "campaigns", "verify", SLUG).status == 0
    assert "Cranes" in Browser(create_app(load_settings(desk))).get("/archive/").text


def test_the_edition_may_show_what_most_readers_get(desk: Path) -> None:
    set_archive(desk, '"variant"')
    plan = run(desk, "plan", ISSUE, "--json").json
    assert plan["archive"] == "variant"
    told = sent(desk)
    assert 'Archive    the public page shows what most readers get: archive = "variant"\n' in told.out
    assert "Prices of members" in public(desk)[1]
    assert run(desk, "campaigns", "verify", SLUG).status == 0


def test_the_edition_may_have_no_public_page(desk: Path) -> None:
    set_archive(desk, "false")
    assert run(desk, "plan", ISSUE, "--json").json["archive"] == "none"
    told = sent(desk)
    assert "Archive    there is no public page: archive = false\n" in told.out
    assert public(desk)[0] == 404
    assert not (desk / "campaigns" / SLUG / "web.html").exists()
    browser = Browser(create_app(load_settings(desk)))
    assert "Cranes" not in browser.get("/archive/").text
    (picture,) = (desk / "campaigns" / SLUG / "images").iterdir()
    assert browser.get(f"/archive/{SLUG}/images/{picture.name}").status_code == 200
    for mail in mails(desk):
        assert "View in browser" not in mail
        assert f'archive/{SLUG}/"' not in mail
    assert run(desk, "campaigns", "verify", SLUG).status == 0


@pytest.mark.parametrize("value", ["0", '"members"', "[]", '""'])
def test_another_value_is_one_sentence(desk: Path, value: str) -> None:
    set_archive(desk, value)
    ran = run(desk, "plan", ISSUE)
    assert ran.status == 2
    assert "editions.morning.archive: " in ran.err
    assert 'is not one of true, false and "variant"' in ran.err
    assert ran.err.count("\n") == 1


def test_the_environment_may_say_it_too(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, archive in (("false", "none"), ("variant", "variant"), ("true", "everybody")):
        monkeypatch.setenv("MAILER_EDITIONS_MORNING_ARCHIVE", text)
        assert run(desk, "plan", ISSUE, "--json").json["archive"] == archive


def test_nothing_is_told_where_all_get_the_same(desk: Path) -> None:
    (desk / ISSUE).write_text(TEXT.replace(f"    only: '{ONLY}'\n", ""), encoding="utf-8")
    assert "Archive " not in run(desk, "plan", ISSUE).out


def test_a_segment_does_not_close_the_page_and_the_plan_says_so(desk: Path) -> None:
    told = run(desk, "plan", ISSUE, "--segment", ONLY)
    assert (
        f"Archive    the public page leaves out the parts that are only for {ONLY} and is open to "
        "all, and not to the "
        "segment alone\n"
    ) in told.out
    set_archive(desk, "false")
    assert "open to all" not in run(desk, "plan", ISSUE, "--segment", ONLY).out


def test_an_issue_that_is_for_some_alone_is_told(desk: Path) -> None:
    head, items, rest = TEXT.partition("items:\n")
    (desk / ISSUE).write_text(head + items + rest[rest.index("  - title: Prices") :], encoding="utf-8")
    warning = (
        "Warning    no part of the issue is for everybody, so its public page is empty; set archive = "
        "false in "
        "[editions.morning] to make no page\n"
    )
    assert warning in sent(desk).out
    status, page = public(desk)
    assert status == 200
    assert "Prices" not in page


@pytest.mark.parametrize("value", ["false", '"variant"'])
def test_an_issue_that_is_for_some_alone_is_no_wonder_where_the_edition_says_so(
    desk: Path, value: str
) -> None:
    set_archive(desk, value)
    head, items, rest = TEXT.partition("items:\n")
    (desk / ISSUE).write_text(head + items + rest[rest.index("  - title: Prices") :], encoding="utf-8")
    assert "no part of the issue" not in run(desk, "plan", ISSUE).out


def test_a_plan_is_for_the_page_that_it_told(desk: Path) -> None:
    first = run(desk, "plan", ISSUE, "--json").json
    set_archive(desk, '"variant"')
    assert run(desk, "plan", ISSUE, "--json").json["hash"] != first["hash"]
    ran = run(desk, "send", ISSUE, "--yes", "--plan", first["hash"])
    assert ran.status == 2
    assert f"the public page changed since plan {first['hash']}; nothing was sent" in ran.err


def test_a_change_of_what_is_for_everybody_is_another_content(desk: Path) -> None:
    """Whoever reads the issue is a member, but the page is for all."""
    first = run(desk, "plan", ISSUE, "--json").json
    run(desk, "subscribers", "unsubscribe", "reader0@example.org")
    assert run(desk, "plan", ISSUE, "--json").json["content_hash"] == first["content_hash"]
    ran = run(desk, "send", ISSUE, "--yes", "--plan", first["hash"])
    assert ran.status == 0, ran.err
    assert "members" not in public(desk)[1]


def test_a_plan_that_was_kept_by_an_earlier_version_says_nothing_of_the_page(desk: Path) -> None:
    first = run(desk, "plan", ISSUE, "--json").json
    db = open_store(desk / "subscribers.db")
    (plan, content) = db.conn.execute("SELECT plan, content FROM plans").fetchone()
    older = [json.loads(plan), json.loads(content)]
    assert older[0].pop("archive") == "everybody"
    assert older[1].pop("public")
    db.conn.execute("UPDATE plans SET plan = ?, content = ?", [json.dumps(one) for one in older])
    db.close()
    ran = run(desk, "send", ISSUE, "--yes", "--plan", first["hash"])
    assert ran.status == 0, ran.err
    assert "members" not in public(desk)[1]


def test_a_campaign_of_an_earlier_version_keeps_its_page(desk: Path) -> None:
    set_archive(desk, '"variant"')
    sent(desk)
    manifest = desk / "campaigns" / SLUG / "manifest.json"
    older = {key: value for key, value in json.loads(manifest.read_text("utf-8")).items() if key != "public"}
    del older["settings"]["edition"]["archive"], older["plan"]["archive"]
    manifest.write_text(json.dumps(older), encoding="utf-8")
    db = open_store(desk / "subscribers.db")
    (plan,) = db.conn.execute("SELECT plan FROM campaigns").fetchone()
    plan = {key: value for key, value in json.loads(plan).items() if key != "archive"}
    db.conn.execute("UPDATE campaigns SET plan = ?", [json.dumps(plan)])
    db.close()
    config = (desk / "mailer.toml").read_text("utf-8").replace('archive = "variant"\n', "")
    (desk / "mailer.toml").write_text(config, encoding="utf-8")
    assert "Prices of members" in public(desk)[1]
    assert "shows what most readers get" in run(desk, "plan", ISSUE).out
    assert run(desk, "campaigns", "verify", SLUG).status == 0


@pytest.mark.desk(
    readers=MEMBERS,
    text=TEXT.replace(
        "items:", "title: A day for {{ subscriber.name or 'you' }}\npreheader: Two lines.\nitems:"
    ),
)
def test_the_list_has_the_title_that_the_editor_wrote_and_the_preheader(desk: Path) -> None:
    sent(desk)
    manifest = json.loads((desk / "campaigns" / SLUG / "manifest.json").read_text("utf-8"))
    assert (manifest["title"], manifest["preheader"]) == ("A day for you", "Two lines.")
    page = Browser(create_app(load_settings(desk))).get("/archive/").text
    assert f'<a href="{SLUG}/">A day for you</a>' in page
    assert "Two lines." in page


def test_an_issue_without_a_title_is_listed_by_its_subject(desk: Path) -> None:
    sent(desk)
    manifest = json.loads((desk / "campaigns" / SLUG / "manifest.json").read_text("utf-8"))
    assert manifest["title"] == ""
    assert f'/">{manifest["subject"]}</a>' in Browser(create_app(load_settings(desk))).get("/archive/").text

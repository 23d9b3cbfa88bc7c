"""The calendar file of an event goes the way of a picture: rendered, published, kept, verified, served."""

from __future__ import annotations

import re
from pathlib import Path

import icalendar
import pytest

from mailer.config import load_settings
from mailer.web.app import create_app
from tests.cli import run
from tests.desk import ISSUE, SLUG
from tests.web.conftest import Browser

TITLE = "Tea; cake, and \\ ../../etc: a <b>talk</b>"
TEXT = f"""\
edition: morning
date: 2026-11-21
language: en
items:
  - title: Cranes stand still
    body: The harbour rests today.
  - title: '{TITLE}'
    event: {{starts: 2026-12-20T18:00, ends: 2026-12-20T21:00, venue: Hall 2}}
  - title: A fair of several days
    event: {{starts: 2026-12-20, ends: 2026-12-22}}
"""

pytestmark = pytest.mark.desk(readers=1, text=TEXT)


def calendars(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "images").glob("*.ics"))}


def titles(files: dict[str, bytes]) -> set[str]:
    return {str(icalendar.Calendar.from_ical(data).walk("VEVENT")[0]["summary"]) for data in files.values()}


def test_render_writes_it_beside_the_pictures(desk: Path) -> None:
    ran = run(desk, "render", ISSUE, "-o", "out")
    assert ran.status == 0, ran.err
    found = calendars(desk / "out")
    assert titles(found) == {TITLE, "A fair of several days"}
    text = (desk / "out/email.txt").read_text("utf-8")
    for name in found:
        assert re.fullmatch(r"[0-9a-f]{20}\.ics", name)
        assert f"images/{name}" in text
    first = dict(found)
    assert run(desk, "render", ISSUE, "-o", "out").status == 0
    assert calendars(desk / "out") == first


def test_a_campaign_keeps_it_and_serves_it(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 0, ran.err
    found = calendars(desk / "campaigns" / SLUG)
    assert titles(found) == {TITLE, "A fair of several days"}
    ran = run(desk, "campaigns", "verify", SLUG)
    assert ran.status == 0, ran.err
    browser = Browser(create_app(load_settings(desk)))
    (mail,) = (desk / "outbox").rglob("*.eml")
    for name, data in found.items():
        answer = browser.get(f"/archive/{SLUG}/images/{name}")
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert f"https://news.example.org/archive/{SLUG}/images/{name}".encode() in re.sub(
            rb"=\r?\n", b"", mail.read_bytes()
        )


def test_a_calendar_file_that_was_changed_is_found_and_not_served(desk: Path) -> None:
    assert run(desk, "send", ISSUE, "--yes").status == 0
    path = sorted((desk / "campaigns" / SLUG / "images").glob("*.ics"))[0]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"SUMMARY:", b"SUMMARY:x"))
    ran = run(desk, "campaigns", "verify", SLUG)
    assert ran.status != 0
    assert path.name in ran.out + ran.err
    browser = Browser(create_app(load_settings(desk)))
    assert browser.get(f"/archive/{SLUG}/images/{path.name}").status_code != 200
    assert browser.get(f"/archive/{SLUG}/images/other.ics").status_code == 404

"""Leaving: what GET shows, what POST does, and what a token that is none gets."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.audience.consent.record import Consent
from mailer.audience.events import Event, record
from mailer.audience.subscribers import Subscriber, set_editions
from mailer.links.urls import Purpose, TokenCodec
from mailer.services.readers.reader_actions import ReaderActions
from mailer.web import app as web_app
from tests.web.conftest import NOW, Browser, Site, a_reader

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def test_a_look_shows_one_button_and_changes_nothing(site: Site, reader: Subscriber) -> None:
    before = site.contents()
    for _ in range(3):
        answer = site.browser.get(site.link(reader))
        assert answer.status_code == 200
        assert answer.text.count("<button") == 1
        assert '<form method="post">' in answer.text
        assert "<script" not in answer.text
        assert site.browser.request("HEAD", site.link(reader)).status_code == 200
    assert site.contents() == before


@pytest.mark.parametrize("path", ["/u/x", "/p/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_no_method_but_post_changes_anything(site: Site, reader: Subscriber, method: str, path: str) -> None:
    before = site.contents()
    answer = site.browser.request(method, site.link(reader, path[1]))
    assert answer.status_code == (200 if method in ("GET", "HEAD") else 405)
    assert site.contents() == before


def test_one_click_unsubscribes_and_is_recorded_with_its_campaign(site: Site, reader: Subscriber) -> None:
    campaign = site.campaign()
    answer = site.browser.post(site.link(reader, campaign=campaign), data=ONE_CLICK)
    assert answer.status_code == 200
    assert site.now(reader).status == "unsubscribed"
    assert site.events() == [("unsubscribe", reader.id, campaign, "", "", "one-click")]


def test_a_link_of_a_campaign_that_the_database_lacks_still_unsubscribes(
    site: Site, reader: Subscriber
) -> None:
    answer = site.browser.post(site.link(reader, campaign=4711), data=ONE_CLICK)
    assert answer.status_code == 200
    assert site.now(reader).status == "unsubscribed"
    assert site.events() == [("unsubscribe", reader.id, None, "", "", "one-click")]


def _multipart(charset: str, reason: bytes) -> dict[str, object]:
    parts = [(b"step", b"page"), (b"reason", reason)]
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part for part in parts
    )
    kind = f"multipart/form-data; boundary=B{charset}"
    return {"content": body + b"--B--\r\n", "headers": {"Content-Type": kind}}


@pytest.mark.parametrize(
    ("charset", "kept"),
    [
        ("", "caf\u00e9"),
        ("; charset=UTF-8", "caf\u00e9"),
        ('; charset="utf8"; x=y', "caf\u00e9"),
        ("; charset=unicode_escape", ""),
        ("; CharSet = punycode", ""),
        ("; charset=idna", ""),
        ('; charset="utf-7"', ""),
        ("; charset=hex", ""),
        ("; charset=", ""),
    ],
)
def test_a_form_in_a_strange_charset_has_no_fields(
    site: Site, reader: Subscriber, charset: str, kept: str
) -> None:
    answer = site.browser.post(site.link(reader), **_multipart(charset, "caf\u00e9".encode()))
    assert answer.status_code == 200
    assert site.now(reader).status == "unsubscribed"
    assert [event[4] for event in site.events()] == [kept]


@pytest.mark.parametrize("charset", ["", "; charset=unicode_escape", "; charset=raw_unicode_escape"])
def test_a_reason_commands_no_terminal_and_is_always_kept(
    site: Site, reader: Subscriber, charset: str
) -> None:
    evil = "too\r\nmuch\x1b]0;owned\x07\x9b\u202e".encode() + rb"\ud800"
    answer = site.browser.post(site.link(reader), **_multipart(charset, evil))
    assert answer.status_code == 200
    assert site.now(reader).status == "unsubscribed"
    reason = site.events()[0][4]
    assert reason in ("", "too\nmuch\ufffd]0;owned\ufffd\ufffd\ufffd\\ud800")


def test_one_click_works_as_multipart_too(site: Site, reader: Subscriber) -> None:
    answer = site.browser.post(site.link(reader), files={"List-Unsubscribe": (None, "One-Click")})
    assert answer.request.headers["content-type"].startswith("multipart/form-data")
    assert answer.status_code == 200
    assert site.now(reader).status == "unsubscribed"
    assert site.events()[0][-1] == "one-click"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", None),
        (b"List-Unsubscribe=One-Click", None),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"{}", "application/json"),
        (b"\xff\xfe\x00%%%=&&&", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(1000)), "application/x-www-form-urlencoded"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"anything", "multipart/form-data"),
        (b"anything", "multipart/form-data; boundary="),
        (b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n1\r\n--x--\r\n',
         "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n', "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
         "multipart/form-data; boundary=x; charset=no-such-thing"),
        (b"x", "\x80\x81/;;;="),
    ],
)  # fmt: skip
def test_whatever_a_mail_program_posts_unsubscribes(
    site: Site, reader: Subscriber, body: bytes, kind: str | None
) -> None:
    headers = {} if kind is None else {b"Content-Type": kind.encode("latin-1")}
    answer = site.browser.post(site.link(reader), content=body, headers=headers)
    assert answer.status_code == 200
    assert site.now(reader).status == "unsubscribed"


def test_the_answer_is_no_redirect_and_sets_no_cookie(site: Site, reader: Subscriber) -> None:
    for answer in (
        site.browser.get(site.link(reader)),
        site.browser.post(site.link(reader), data=ONE_CLICK),
        site.browser.get("/nothing"),
    ):
        assert not answer.is_redirect
        assert "set-cookie" not in answer.headers


def test_leaving_twice_is_leaving_once(site: Site, reader: Subscriber) -> None:
    first = site.browser.post(site.link(reader), data=ONE_CLICK)
    before = site.contents()
    second = site.browser.post(site.link(reader), data=ONE_CLICK)
    assert (second.status_code, second.text) == (first.status_code, first.text)
    assert site.contents() == before


def test_the_button_unsubscribes_and_a_reason_may_follow(site: Site, reader: Subscriber) -> None:
    page = site.browser.get(site.link(reader)).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', page))
    done = site.browser.post(site.link(reader), data=fields).text
    assert "You are unsubscribed" in done
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', done))
    thanks = site.browser.post(site.link(reader), data={**fields, "reason": " Too many <b>\r\nmails "})
    assert thanks.status_code == 200
    assert "Thank you" in thanks.text
    assert "<textarea" not in thanks.text
    assert site.events() == [("unsubscribe", reader.id, None, "", "Too many <b>\nmails", "page")]


def test_a_reason_is_cut_to_500_characters(site: Site, reader: Subscriber) -> None:
    site.browser.post(site.link(reader), data={"step": "page", "reason": "好" * 5000})
    assert site.events()[0][4] == "好" * 500


def test_the_reason_of_a_reader_who_complained_is_kept(site: Site, reader: Subscriber) -> None:
    site.db.conn.execute("UPDATE subscribers SET status = 'complained' WHERE id = ?", (reader.id,))
    record(site.db, Event(NOW, "complaint", reader.id, "provider"))
    site.db.conn.commit()
    answer = site.browser.post(site.link(reader), data={"step": "reason", "reason": "never asked"})
    assert "Thank you" in answer.text
    assert site.now(reader).status == "complained"
    assert "never asked" in [event[4] for event in site.events()]


def test_a_reason_from_an_old_page_does_not_unsubscribe_somebody_who_came_back(
    site: Site, reader: Subscriber
) -> None:
    site.browser.post(site.link(reader), data={"step": "page"})
    set_editions(site.db, reader.id, ["morning"], consent=Consent(NOW, "preferences"))
    answer = site.browser.post(site.link(reader), data={"step": "reason", "reason": "late"})
    assert site.now(reader).status == "active"
    assert answer.status_code == 200
    assert "You are unsubscribed" not in answer.text
    assert "Thank you" not in answer.text
    assert '<form method="post">' in answer.text  # the button again


def test_the_page_is_in_the_readers_language_and_else_in_the_publications(site: Site) -> None:
    for language, title in [
        ("zh", "退订"),
        ("zh-CN", "退订"),
        ("zh_TW", "退訂"),
        ("zh-HK", "退訂"),
        ("en-GB", "Unsubscribe"),
        ("fr", "Unsubscribe"),
        ("", "Unsubscribe"),
        ("\x00nonsense", "Unsubscribe"),
        ("x" * 500, "Unsubscribe"),
    ]:
        person = a_reader(site, f"a{len(language)}{language[:2].strip(chr(0))}@example.org", language)
        page = site.browser.get(site.link(person))
        assert f"<title>{title}" in page.text
        assert f'<html lang="{page.headers["content-language"]}"' in page.text


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    token=st.text(min_size=1, max_size=60)
    | st.binary(min_size=8, max_size=8).map(lambda raw: TokenCodec(("other",)).make(Purpose.UNSUBSCRIBE, raw))
)
def test_no_token_that_we_did_not_make_does_anything(site: Site, token: str) -> None:
    if site.db.conn.execute("SELECT count(*) FROM subscribers").fetchone() == (0,):
        a_reader(site)
    before = site.contents()
    from urllib.parse import quote

    path = f"/u/{quote(token, safe='')}"
    looked, posted = site.browser.get(path), site.browser.post(path, data=ONE_CLICK)
    assert looked.status_code == posted.status_code
    assert looked.status_code in (307, 404)  # httpx takes `..` for another address
    assert "unsubscribed" not in posted.text
    assert site.contents() == before


def test_many_posts_at_once_are_all_recorded_once(site: Site) -> None:
    people = [a_reader(site, f"reader{n}@example.org") for n in range(12)]
    links = [site.link(person) for person in people] * 3
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda link: site.browser.post(link, data=ONE_CLICK).status_code, links))
    assert set(answers) == {200}
    assert {site.now(person).status for person in people} == {"unsubscribed"}
    assert len(site.events()) == len(people)


def test_a_busy_database_is_waited_for(
    site: Site, reader: Subscriber, locked: Callable[[], sqlite3.Connection]
) -> None:
    holder = locked()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(site.browser.post, site.link(reader), data=ONE_CLICK)
        assert site.browser.get(site.link(reader)).status_code == 200  # readers do not wait for writers
        assert not answer.done()
        holder.execute("ROLLBACK")
        assert answer.result(timeout=20).status_code == 200
    assert site.now(reader).status == "unsubscribed"


def test_what_cannot_be_recorded_is_not_said_to_be_done(
    site: Site,
    reader: Subscriber,
    locked: Callable[[], sqlite3.Connection],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(web_app, "ReaderActions", lambda settings: ReaderActions(settings, busy_seconds=0.05))
    browser = Browser(web_app.create_app(site.settings))
    holder = locked()
    answer = browser.post(site.link(reader), data=ONE_CLICK)
    assert answer.status_code == 503
    assert "Please try again in a minute" in answer.text
    assert answer.headers["retry-after"]
    assert answer.headers["cache-control"] == "no-store"
    assert "another process is writing" in caplog.text
    assert site.link(reader)[3:] not in caplog.text
    assert "anna" not in caplog.text
    holder.execute("ROLLBACK")
    assert site.now(reader).status == "active"
    assert browser.post(site.link(reader), data=ONE_CLICK).status_code == 200


def test_a_missing_database_is_not_taken_for_an_empty_one(site: Site, reader: Subscriber) -> None:
    link = site.link(reader)
    site.db.conn.close()
    moved = site.settings.database.rename(site.settings.root / "moved.db")
    assert site.browser.post(link, data=ONE_CLICK).status_code == 503
    assert site.browser.get("/healthz").status_code == 503
    assert not site.settings.database.exists()
    moved.rename(site.settings.database)
    assert site.browser.post(link, data=ONE_CLICK).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(site: Site, reader: Subscriber) -> None:
    answer = site.browser.post(site.link(reader), content=b"x" * 70_000)
    assert answer.status_code == 413
    assert "Nothing has changed" in answer.text
    assert site.now(reader).status == "active"


def test_token_pages_are_kept_by_nobody_and_tell_nobody_where_they_are(
    site: Site, reader: Subscriber
) -> None:
    for purpose in "up":
        headers = site.browser.get(site.link(reader, purpose)).headers
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "style-src 'sha256-" in policy


def test_no_address_stands_on_any_page(site: Site, reader: Subscriber) -> None:
    pages = [site.browser.get(site.link(reader, purpose)).text for purpose in "up"]
    pages.append(site.browser.post(site.link(reader), data=ONE_CLICK).text)
    assert "anna@" not in json.dumps(pages)

"""Links that name nobody here: what is said, in which language, by GET, POST and /p/ alike; the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailer.audience.subscribers import Subscriber, erase
from mailer.clock import set_clock
from mailer.config import load_settings
from mailer.language.reader_language import accepted_languages
from mailer.links.urls import NOBODY, Purpose, TokenCodec
from mailer.services.readers.reader_actions import ReaderActions
from mailer.site.pages import ReaderPages
from mailer.web.app import create_app
from mailer.web.responses import page_response
from tests.numbered import numbered
from tests.web.conftest import BASE, Browser, Site, a_reader
from tests.web.test_own_pages import own_page

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
SAVE = {"step": "save", "edition": "morning"}
INCOMPLETE, UNKNOWN = (404, "This link is incomplete"), (404, "We could not find you")
ERASED, COPY = (200, "Nothing is sent to you any more"), (200, "This is a test copy")
STRANGER = b"stranger"
RESTORED = (
    "names somebody who is not in subscribers.db; perhaps an old backup was restored (unknown "
    "person: 1 today)"
)
OTHER_KEY = (
    "is signed with a key that neither MAILER_SECRET_KEY nor MAILER_SECRET_KEY_OLD held when this "
    "program started "
    "(unknown key: 1 today)"
)


def links(site: Site, reader: Subscriber, purpose: str) -> dict[str, tuple[str, tuple[int, str]]]:
    """Links of every kind, each with what has to be answered."""
    (key, *_), kind = site.settings.signing_keys(), purpose.encode()
    gone = a_reader(site, f"gone-{purpose}@example.org")
    erased = site.link(gone, purpose)
    erase(site.db, gone.id)
    other = TokenCodec(("other",)).make(Purpose(kind), STRANGER, 0)
    return {
        "cut": (site.link(reader, purpose)[:25], INCOMPLETE),
        "nothing": (f"/{purpose}/", INCOMPLETE),
        "nothing, no slash": (f"/{purpose}", INCOMPLETE),
        "a word": (f"/{purpose}/x", INCOMPLETE),
        "bytes": (f"/{purpose}/%00%ff", INCOMPLETE),
        "other key": (f"/{purpose}/{other}", INCOMPLETE),
        "other purpose": (f"/{purpose}/" + site.link(reader, "p" if purpose == "u" else "u")[3:], INCOMPLETE),
        "unknown person": (site.link(STRANGER, purpose), UNKNOWN),
        "an old number": (f"/{purpose}/{numbered(key, kind, reader.id, 3)}", UNKNOWN),
        "an old number, other key": (f"/{purpose}/{numbered('other', kind, reader.id, 3)}", INCOMPLETE),
        "erased": (erased, ERASED),
        "test copy": (site.link(NOBODY, purpose), COPY),
        "an old test copy": (f"/{purpose}/{numbered(key, kind, 0)}", COPY),
    }


KINDS = [
    *("cut", "nothing", "nothing, no slash", "a word", "bytes", "other key", "other purpose"),
    *(
        "unknown person",
        "an old number",
        "an old number, other key",
        "erased",
        "test copy",
        "an old test copy",
    ),
]


@pytest.mark.parametrize("purpose", ["u", "p"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_so_is_said_and_nothing_is_changed(
    site: Site, reader: Subscriber, kind: str, purpose: str
) -> None:
    path, (status, title) = links(site, reader, purpose)[kind]
    before = site.contents()
    answers = [site.browser.get(path)]
    bodies = [ONE_CLICK, {}, {"step": "page"}, {"step": "reason", "reason": "x"}, SAVE, {"step": "save"}]
    answers += [site.browser.post(path, data=body) for body in bodies]
    for answer in answers:
        assert (answer.status_code, f"<h1>{title}</h1>" in answer.text) == (status, True), answer.text
        assert "You are unsubscribed" not in answer.text
        assert "saved" not in answer.text
        assert "<form" not in answer.text
        assert "<input" not in answer.text
        assert ("editors@news.example.org" in answer.text) == (title != COPY[1])
        assert ("Nothing was changed." in answer.text) == (title != ERASED[1])
    assert site.browser.request("HEAD", path).status_code == status
    assert site.contents() == before


def test_the_language_is_what_the_browser_asks_for(site: Site) -> None:
    for header, title in (
        ("zh-CN,zh;q=0.9,en;q=0.8", "这个链接不完整"),
        ("fr,zh;q=0.5,en;q=0.4", "这个链接不完整"),
        ("en;q=0.5,zh;q=0.9", "这个链接不完整"),
        ("en-GB,zh;q=0.9", "This link is incomplete"),
        ("fr", "This link is incomplete"),
        ("", "This link is incomplete"),
        ("zh;q=0, *", "This link is incomplete"),
        ("\xff;q=a,,;;zh" + "," * 900, "This link is incomplete"),
    ):
        for path in ("/u/x", "/p/x"):
            for answer in (
                site.browser.get(path, headers={b"Accept-Language": header.encode("latin-1")}),
                site.browser.post(path, headers={b"Accept-Language": header.encode("latin-1")}),
            ):
                assert f"<h1>{title}</h1>" in answer.text, header
    chinese = {"Accept-Language": "zh"}
    assert "<h1>页面不存在</h1>" in site.browser.get("/nothing", headers=chinese).text


def test_a_known_readers_own_language_comes_first(site: Site) -> None:
    reader = a_reader(site, language="zh")
    answer = site.browser.get(site.link(reader), headers={"Accept-Language": "en"})
    assert 'lang="zh"' in answer.text


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("zh-CN, zh;q=0.9, en;q=0.8", ("zh-CN", "zh", "en")),
        ("en;q=0.1,de", ("de", "en")),
        ("en ; Q=0.700 , *;q=0.1", ("en",)),
        ("en;q=0,de;q=2,fr;q=x,a,en-toolongsubtag", ()),
    ],
)
def test_accept_language_is_read(header: str, tags: tuple[str, ...]) -> None:
    assert accepted_languages(header) == tags


@pytest.mark.parametrize("name", ["incomplete", "unknown", "erased", "copy"])
def test_without_any_template_the_plain_page_says_the_same(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = ReaderPages(site.settings)
    monkeypatch.setattr(ReaderPages, "_render_from_theme", lambda *_: 1 / 0)
    page = pages.render_page(name, ("zh",)).body.decode()
    assert page_response(pages.render_page(name, ""), 404).status_code == 404
    assert ("未作任何更改。" in page) == (name != "erased")
    assert ("editors@news.example.org" in page) == (name != "copy")
    own_page(site.settings, f"{name}.html", b"{{ nonsense }}")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cut", "cannot be read: it was cut or changed on its way (unreadable: 1 today)"),
        ("other key", OTHER_KEY),
        ("an old number, other key", OTHER_KEY),
        ("unknown person", RESTORED),
        ("an old number", RESTORED),
        ("erased", ""),
        ("test copy", ""),
    ],
)
def test_the_log_has_the_beginning_the_kind_and_a_count(
    site: Site, reader: Subscriber, kind: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = links(site, reader, "u")[kind]
    site.browser.post(path, data=ONE_CLICK)
    told = [record.getMessage() for record in caplog.records if record.name == "mailer.web"]
    assert told == ([f"a link ({path[3:9]}…) {words}"] if words else [])


def test_the_log_has_no_address_that_somebody_put_behind_u(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    assert site.browser.post("/u/anna@example.org", data=ONE_CLICK).status_code == 404
    assert "anna" not in caplog.text
    assert "(unreadable: 1 today)" in caplog.text


def test_the_log_stays_small_however_many_links_are_no_good(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    day = datetime(2026, 11, 21, tzinfo=UTC)
    set_clock(lambda: day)
    desk = ReaderActions(site.settings)
    for _ in range(1234):
        desk.identify_reader("\x1b[31m\nevil", Purpose.UNSUBSCRIBE)
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition("unreadable: ")[2] for line in told] == [
        f"{n} today)" for n in (*range(1, 11), 100, 1000)
    ]
    assert all(line.isprintable() for line in told)
    assert all("evil" not in line for line in told)
    day += timedelta(days=1)
    desk.identify_reader("x", Purpose.UNSUBSCRIBE)
    told = [record.getMessage() for record in caplog.records][len(told) :]
    assert told[0] == "requests with an invalid link on 2026-11-21 (unreadable): 1234"
    assert told[1].endswith("(unreadable: 1 today)")


def test_a_link_of_an_earlier_key_holds_where_the_key_is_kept(
    site: Site, reader: Subscriber, workspace: Path
) -> None:
    link = site.link(reader)
    (key,) = site.settings.signing_keys()
    lost = Browser(create_app(load_settings(workspace, {"MAILER_SECRET_KEY": "new"})))
    assert lost.post(link, data=ONE_CLICK).status_code == 404
    assert site.now(reader).status == "active"
    kept = {"MAILER_SECRET_KEY": "new", "MAILER_SECRET_KEY_OLD": key}
    assert Browser(create_app(load_settings(workspace, kept))).post(link, data=ONE_CLICK).status_code == 200
    assert site.now(reader).status == "unsubscribed"


@pytest.mark.parametrize("path", ["{}/", "{}//", "/{}", "{}%2F", "{}/utm/", "/U/{0}", "//u//{0}"])
def test_the_pages_lead_to_each_other_also_where_slashes_were_added(
    site: Site, reader: Subscriber, path: str
) -> None:
    link = site.link(reader)
    path = path.format(link[3:]) if "{0}" in path else path.format(link)
    page = site.browser.get(BASE + path)
    assert page.status_code == 200
    depth = path.lstrip("/").count("/")  # those behind the u
    assert f'href="{"../" * depth}p/' in page.text
    assert site.browser.post(BASE + path, data=ONE_CLICK).status_code == 200
    assert site.now(reader).status == "unsubscribed"

"""Pages of a workspace that fail: the reader gets the built-in one, and what was recorded is never a 500."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mailer.audience.subscribers import Subscriber, get
from mailer.config import Settings
from mailer.services.readers import reader_actions as web_desk
from mailer.services.readers.reader_actions import ReaderActions
from mailer.site import pages as web_pages
from mailer.site.pages import LARGEST_PAGE, ReaderPages
from mailer.web.app import create_app
from tests.web.conftest import Browser, Site, a_reader

SAVE = {"step": "save"}
FAILING = {
    "syntax": b"<p>\n{% if %}",
    "undefined": b"{{ nonsense }}",
    "division": b"{{ 1/0 }}",
    "type": b"{{ (1, 2) | join(1, 2, 3, 4, 5) }}",
    "attribute": b"{{ publication.name.nope() }}",
    "itself": b'{% include "done.html" %}{% include "preferences.html" %}',
    "missing": b'{% include "not-there.html" %}',
    "bytes": b"\xff\xfe\x00",
    "surrogate": rb"{{ '\ud800' }}",
    "style": rb"<style>{{ '\udfff' }}</style>",
    "long": b"{% for a in range(9999) %}{% for b in range(9999) %}0123456789{% endfor %}{% endfor %}",
    "product": b"{{ 'x' * 9999999999 }}",
    "product of a list": b"{{ ([1] * 9999999999) | length }}",
    "power": b"{{ 9 ** 999999999 }}",
    "range": b"{% for a in range(99999999) %}{% endfor %}",
    "sandbox": b"{{ ''.__class__.__mro__ }}",
    "silent loops": b"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "silent macros": b"{% macro m(n) %}{% if n %}{% set a = m(n - 1) ~ m(n - 1) %}{% endif %}{% endmacro %}"
    b"{{ m(99) }}",
    "silent blocks": b"{% for a in range(9999) %}{% set b %}{% for c in range(9999) %}{{ c }}{% endfor %}"
    b"{% endset %}{% endfor %}",
    "silent includes": b"{% set depth = depth | default(0) + 1 %}{% if depth < 99 %}"
    b"{% include 'done.html' %}{% include 'done.html' %}{% endif %}",
}


def own_page(settings: Settings, name: str, text: bytes) -> Path:
    path = settings.root / "templates/web/pages" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path


@pytest.fixture(params=[False, True], ids=["found later", "there at the start"])
def browser_with(site: Site, request: pytest.FixtureRequest) -> Any:
    """A function that puts pages into the workspace and gives an application that has them."""

    def make(**pages: bytes) -> Browser:
        app = None
        if not request.param:
            for name in pages:
                path = own_page(site.settings, f"{name}.html", b"<p>Ours</p>")
                os.utime(path, (0, 0))
            app = create_app(site.settings)
        for name, text in pages.items():
            own_page(site.settings, f"{name}.html", text)
        return Browser(app or create_app(site.settings), raises=False)

    return make


@pytest.mark.parametrize("kind", list(FAILING))
def test_a_page_that_fails_is_replaced_and_told_to_the_operator(
    site: Site, reader: Subscriber, browser_with: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_with(done=FAILING[kind], preferences=FAILING[kind], unsubscribe=FAILING[kind])
    looked = browser.get(site.link(reader))
    assert (looked.status_code, "<button" in looked.text) == (200, True)
    assert "style-src 'sha256-" in looked.headers["content-security-policy"]
    saved = browser.post(site.link(reader, "p"), data={**SAVE, "edition": "feature"})
    assert (saved.status_code, "Your choice is saved" in saved.text) == (200, True)
    assert site.now(reader).editions == ("feature",)
    left = browser.post(site.link(reader))
    assert (left.status_code, "You are unsubscribed" in left.text) == (200, True)
    assert site.now(reader).status == "unsubscribed"
    told = [record.getMessage() for record in caplog.records if record.name == "mailer.web"]
    assert any(line.startswith("templates/web/pages/done.html") for line in told)
    assert all(line.endswith("; the built-in page is shown instead") for line in told)
    assert all(len(line) < 400 and line.isprintable() for line in told)
    assert "reader" not in caplog.text
    assert site.link(reader)[3:] not in caplog.text


def test_a_page_that_fails_at_the_start_does_not_keep_the_others_from_being_served(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    own_page(site.settings, "done.html", b"<p>\n{% if %}")
    own_page(site.settings, "archive.html", b"<p>Ours</p>")
    browser = Browser(create_app(site.settings))
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("templates/web/pages/done.html:2: ")
    assert browser.get("/archive/").text == "<p>Ours</p>"


def test_a_page_that_is_large_and_not_too_large_is_shown(site: Site, reader: Subscriber) -> None:
    own_page(site.settings, "done.html", b"{{ 'x' * %d }}" % LARGEST_PAGE)
    own_page(site.settings, "unsubscribe.html", b"{{ 3 * 4 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2.5 * 2 }}")
    browser = Browser(create_app(site.settings))
    assert browser.get(site.link(reader)).text == "12 1024 0.5 5.0"
    assert browser.post(site.link(reader)).text == "x" * LARGEST_PAGE


def own_words(settings: Settings, text: bytes, language: str = "zh") -> None:
    folder = settings.root / f"templates/locale/{language}/LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "web.po").write_bytes(
        b'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' + text
    )


BROKEN_WORDS = {
    "bytes": b'msgid "a"\nmsgstr "\xff\xfe"\n',
    "placeholder": b'msgid "You are unsubscribed"\nmsgstr "{"\n\n'
    b'msgid "You will get no more newsletters from {name}. One that is already on its way may still arrive; '
    b'if another one does, reply to it and we will look into it."\nmsgstr "{nobody}"\n',
}


@pytest.mark.parametrize("kind", list(BROKEN_WORDS))
def test_words_that_fail_are_replaced_by_the_built_in_ones(
    site: Site, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    person = a_reader(site, language="zh")
    own_words(site.settings, BROKEN_WORDS[kind])
    answer = Browser(create_app(site.settings), raises=False).post(site.link(person))
    assert (answer.status_code, "已退订" in answer.text) == (200, True)
    assert answer.headers["content-language"] == "zh"
    assert site.now(person).status == "unsubscribed"
    assert "the built-in page is shown instead" in caplog.text


def test_words_that_cannot_be_read_are_told_at_the_start(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    own_words(settings, BROKEN_WORDS["bytes"])
    publication = settings.publication.model_copy(update={"language": "zh"})
    create_app(settings.model_copy(update={"publication": publication}))
    assert "cannot be read as a gettext catalogue" in caplog.text


def test_words_of_a_language_of_their_own_that_fail_give_the_page_in_the_publications(site: Site) -> None:
    person = a_reader(site, language="fr")
    own_words(site.settings, BROKEN_WORDS["bytes"], "fr")
    answer = Browser(create_app(site.settings), raises=False).post(site.link(person))
    assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
    assert answer.headers["content-language"] == "en"


# -- the last resort ------------------------------------------------------------------------


@pytest.fixture
def nothing_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    """No template can be rendered, as while the program is being upgraded."""

    def fail(*_: Any, **__: Any) -> str:
        raise FileNotFoundError(2, "No such file or directory", "base.html")

    monkeypatch.setattr(web_pages, "_render_with_size_limit", fail)


@pytest.mark.usefixtures("nothing_renders")
@pytest.mark.parametrize(
    ("language", "left", "saved"),
    [
        ("en", "You are unsubscribed", "Your choice is saved."),
        ("zh", "已退订", "已保存您的选择。"),
    ],
)
def test_where_no_page_can_be_made_there_is_a_plain_one_in_the_readers_language(
    site: Site, language: str, left: str, saved: str, caplog: pytest.LogCaptureFixture
) -> None:
    person = a_reader(site, language=language)
    browser = Browser(create_app(site.settings), raises=False)
    answer = browser.post(site.link(person, "p"), data={**SAVE, "edition": "feature"})
    assert (answer.status_code, saved in answer.text) == (200, True)
    answer = browser.post(site.link(person))
    assert (answer.status_code, left in answer.text) == (200, True)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == language
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert site.now(person).status == "unsubscribed"
    assert "; a plain text is shown instead" in caplog.text


@pytest.mark.usefixtures("nothing_renders")
def test_the_plain_page_still_has_the_button(site: Site, reader: Subscriber) -> None:
    browser = Browser(create_app(site.settings), raises=False)
    answer = browser.get(site.link(reader))
    assert answer.status_code == 200
    assert '<form method="post"><input type="hidden" name="step" value="page">' in answer.text
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert site.now(reader).status == "active"
    answer = browser.post(site.link(reader), data={"step": "reason", "reason": "too many"})
    assert (answer.status_code, "Thank you for telling us." in answer.text) == (200, True)


@pytest.mark.usefixtures("nothing_renders")
def test_the_plain_page_says_nothing_that_was_not_done(site: Site, reader: Subscriber) -> None:
    browser = Browser(create_app(site.settings), raises=False)
    for answer in (
        browser.get(site.link(reader, "p")),
        browser.post(site.link(reader, "p"), data={"edition": "feature"}),
        browser.get("/archive/"),
    ):
        assert (answer.status_code, "Please try again in a minute" in answer.text) == (503, True)
    assert browser.get("/nothing").status_code == 404
    answer = browser.post(site.link(reader, "p"), data=SAVE)
    assert (answer.status_code, "You will get no more newsletters" in answer.text) == (200, True)
    site.db.conn.execute("UPDATE subscribers SET status = 'complained'")
    answer = browser.post(site.link(reader, "p"), data={**SAVE, "edition": "morning"})
    assert "We cannot write to this address again. Please write to editors@news.example.org" in answer.text
    assert answer.status_code == 200


def test_without_any_words_the_plain_page_is_in_english(
    site: Site, nothing_renders: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = a_reader(site, language="zh")

    def fail(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    browser = Browser(create_app(site.settings), raises=False)
    monkeypatch.setattr(web_pages, "page_translations", fail)
    assert "You are unsubscribed" in browser.post(site.link(person)).text
    monkeypatch.setattr(web_pages, "choose_language", fail)
    answer = browser.post(site.link(person))
    assert (answer.status_code, answer.headers["content-language"]) == (200, "en")
    assert "You are unsubscribed" in answer.text


def test_an_error_whose_words_are_none_is_told_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fail(*_: Any, **__: Any) -> str:
        raise Mute

    monkeypatch.setattr(web_pages, "_render_with_size_limit", fail)
    assert ReaderPages(site.settings).render_page("done", "").complete


# -- 200 where it is recorded, and nowhere else ---------------------------------------------


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize(("purpose", "data"), [("u", {}), ("p", SAVE), ("p", {**SAVE, "edition": "feature"})])
def test_a_database_that_fails_at_any_look_is_not_said_to_have_recorded_anything(
    site: Site,
    reader: Subscriber,
    monkeypatch: pytest.MonkeyPatch,
    purpose: str,
    data: dict[str, str],
    number: int,
) -> None:
    real, before = get, site.contents()
    calls = 0

    def failing(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise sqlite3.OperationalError("disk I/O error")
        return real(*arguments)

    monkeypatch.setattr(web_desk, "get", failing)
    answer = Browser(create_app(site.settings)).post(site.link(reader, purpose), data=data)
    assert answer.status_code in (200, 503)
    assert (site.contents() != before) == (answer.status_code == 200)
    assert (answer.status_code == 503) == (calls >= number)


def test_the_desk_gives_the_person_as_they_are_afterwards(site: Site, reader: Subscriber) -> None:
    desk = ReaderActions(site.settings)
    left = desk.unsubscribe_from_all(site.link(reader)[3:], reason="", source="page")
    assert left.person is not None
    assert left.person.status == "unsubscribed"

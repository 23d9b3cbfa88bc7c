"""Names of publication and editions on the pages: in the language of the page, or of the listed issue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.store.database import open_store
from mailer.web.app import create_app
from tests.web.conftest import Browser, Site, a_reader
from tests.web.test_archive_pages import archive


@pytest.fixture
def named(workspace: Path) -> Iterator[Site]:
    """A site whose publication and whose morning edition have names by language."""
    path = workspace / "mailer.toml"
    text = path.read_text("utf-8")
    text = text.replace(
        'name = "Harbour Brief"',
        'name = {zh = "港口早报", en = "Harbour Brief"}\n'
        'description = {zh = "港口的新闻。", en = "News of the port."}',
        1,
    )
    text = text.replace(
        'name = "Morning Brief"',
        'name = {zh = "晨间快讯", en = "Morning Watch"}\ndescription = {zh = "每天早上。", en = "At eight."}',
    )
    path.write_text(text, "utf-8")
    settings = load_settings(workspace)
    db = open_store(settings.database)
    yield Site(settings, db, Browser(create_app(settings)))
    db.conn.close()


def test_the_page_to_unsubscribe_has_the_readers_names(named: Site) -> None:
    chinese = a_reader(named, "li@example.org", "zh-CN")
    english = a_reader(named, "anna@example.org", "en")
    french = a_reader(named, "anne@example.org", "fr")
    page = named.browser.get(named.link(chinese)).text
    assert "<title>退订 · 港口早报</title>" in page
    assert "退订《<span>港口早报</span>》？" in page
    assert "港口的新闻。" in page
    assert "News of the port" not in page
    assert (
        named.browser.post(named.link(chinese), data={"step": "page"}).text.count("《<span>港口早报</span>》")
        == 1
    )
    for person in (english, french):
        page = named.browser.get(named.link(person)).text
        assert "<title>Unsubscribe · Harbour Brief</title>" in page
        assert 'Unsubscribe from <span class="wordmark">Harbour Brief</span>?' in page
        assert "News of the port." in page
        assert "港" not in page


def choices(page: str) -> list[tuple[str, str]]:
    """Returns (attributes, name) of each edition that can be chosen."""
    found = re.findall(
        r'<label class="choice"([^>]*)>.*?<strong><span[^>]*>(.*?)</span></strong>', page, re.S
    )
    return [(attributes.strip(), name) for attributes, name in found]


def test_the_page_to_choose_editions_has_the_readers_names(named: Site) -> None:
    chinese, english = a_reader(named, "li@example.org", "zh_TW"), a_reader(named, "anna@example.org", "en")
    page = named.browser.get(named.link(chinese, "p")).text
    assert choices(page)[0] == ('lang="zh"', "晨间快讯")  # on a page in Traditional Chinese
    assert choices(page)[1] == ('lang="en"', "Evening Brief")
    assert "每天早上。" in page
    page = named.browser.get(named.link(english, "p")).text
    assert choices(page)[0] == ("", "Morning Watch")  # although the edition is in Chinese
    assert "At eight." in page


def test_a_listed_issue_has_the_names_of_its_language(named: Site) -> None:
    archive(named, "2026-11-21-morning", edition="morning", language="zh", title="起重机停了")
    archive(named, "2026-11-20-morning", edition="morning", language="en", title="Cranes")
    archive(named, "2026-11-19-evening", edition="evening", language="en", title="Quays")
    archive(named, "2026-11-18-noon", edition="noon", language="", title="Gone")
    page = named.browser.get("/archive/").text
    rows = re.findall(r'<p class="small"><span[^>]*>(.*?)</span>', page)
    assert rows == ["晨间快讯", "Morning Watch", "Evening Brief", "noon"]
    filters = re.search(r'<nav class="filter".*?</nav>', page, re.S)
    assert filters is not None
    assert re.findall(r"<span[^>]*>(.*?)</span>", filters[0]) == ["Morning Watch", "Evening Brief"]
    assert "lang=" not in filters[0]  # the page is in English, and so is the name
    assert "<title>All issues · Harbour Brief</title>" in page


def test_names_on_a_page_of_the_workspaces_own_are_plain_texts(named: Site) -> None:
    own = named.settings.root / "templates/web/pages/unsubscribe.html"
    own.parent.mkdir(parents=True)
    own.write_text(
        "{{ publication.name }}|{% for edition in editions.values() %}{{ edition.name }} {% endfor %}"
    )
    browser = Browser(create_app(named.settings))
    person = a_reader(named, "li@example.org", "zh")
    assert browser.get(named.link(person)).text == "港口早报|晨间快讯 Evening Brief The Long Read "

"""Issues as different desks write them: each word reaches the reader, and none of the mails is heavy."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.issue.load import LoadedIssue, load_issue
from mailer.language.event_times import event_times
from mailer.render.check import check_rendition
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from tests.render.test_same_words import Attributes, Words, words_of_text
from tests.sent_html import elements
from tests.typed import tokens
from tests.written import Written, contains, written_in
from tools.clients.documents import DESK, desk_names, settings_with_all_layouts
from tools.screenshots import READER

NAMES = [name.removeprefix("desk-") for name in desk_names()]
#: The most bytes of the HTML part of each.
LIMITS = {"weekly": 80_000, "morning-lines": 26_000}
#: What is weighed: a list of so many links, with and without numbers.
LINKS = 100


@cache
def desk_settings() -> Settings:
    return settings_with_all_layouts()


@cache
def loaded(name: str) -> LoadedIssue:
    return load_issue(DESK / f"{name}.yaml", desk_settings())


@cache
def rendition(name: str) -> Rendition:
    return render_variants(loaded(name), desk_settings(), slug=name, variants=[0])[0]


class Medium:
    """The words, alternative texts and addresses of one medium of a rendition."""

    def __init__(self, shown: Rendition, medium: str) -> None:
        self.is_text = medium == "text"
        page = shown.web if medium == "web" else getattr(shown, medium).fill(READER)
        self.words = tokens(words_of_text(page) if self.is_text else Words(page).text)
        self.page = page
        attributes = [dict(each) for each in Attributes(page).found] if not self.is_text else []
        self.alts = [tokens(each.get("alt") or "") for each in attributes]
        self.links = {each.get("href") for each in attributes}

    def has(self, written: Written) -> bool:
        """Returns whether this piece of the issue is shown."""
        if written.kind == "url" and self.is_text:
            return written.value.removeprefix("mailto:") in self.page
        if written.kind == "url":
            return written.value in self.links
        if written.kind == "alt" and not self.is_text:
            return written.tokens in self.alts
        if written.kind == "day":
            return str(int(written.value[8:10])) in self.words
        if written.cell and self.is_text:
            return set(written.tokens) <= set(self.words)
        return contains(self.words, written.tokens)


@pytest.mark.parametrize("medium", ["html", "text", "web"])
@pytest.mark.parametrize("name", NAMES)
def test_all_that_was_written_is_shown(name: str, medium: str) -> None:
    shown = Medium(rendition(name), medium)
    written = written_in(DESK / f"{name}.yaml")
    missing = [each for each in written if not shown.has(each)]
    assert missing == []
    assert len(written) > 15


def test_the_issues_have_every_key() -> None:
    """A key that no desk uses would not be tried: the nine together have each key of the model."""
    found = {each.key.rpartition(".")[2] for name in NAMES for each in written_in(DESK / f"{name}.yaml")}
    assert found >= {
        *("number", "kicker", "standfirst", "byline", "credit", "caption", "label", "text", "by"),
        *("starts", "ends", "venue", "address", "organisation", "salary", "place", "condition"),
        *("kind", "date", "url", "notice"),
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_the_mail(name: str) -> None:
    assert loaded(name).findings == ()
    assert check_rendition(loaded(name), rendition(name), desk_settings()) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_is_light(name: str) -> None:
    assert len(rendition(name).html.fill(READER).encode()) < LIMITS.get(name, 60_000)


@pytest.mark.parametrize("name", ["weekly", "repositories"])
def test_an_advertisement_is_nowhere_but_in_its_place(name: str) -> None:
    shown = rendition(name)
    issue = loaded(name).issue
    (advertisement,) = [item for item in issue.all_items if item.is_advertisement]
    html = shown.html.fill(READER)
    assert advertisement.title not in shown.subject.fill(READER)
    assert advertisement.title not in issue.preheader
    contents = [each.text for each in elements(html) if each.attributes.get("href", "").startswith("#")]
    assert advertisement.title not in contents
    words = " ".join(Words(html).text.split())
    assert words.count(advertisement.title) == 1
    box = next(each for each in elements(html) if "box" in each.attributes.get("class", "").split())
    assert advertisement.title in box.text
    sponsored = [each for each in elements(html) if each.attributes.get("rel") == "sponsored"]
    assert {each.attributes["href"] for each in sponsored} >= {str(advertisement.url)}


def test_events_have_their_day_and_hours() -> None:
    shown = " ".join(Words(rendition("club").html.fill(READER)).text.split())
    for item in loaded("club").issue.all_items:
        if item.event:
            times = event_times(item.event.starts, item.event.ends, "en")
            assert f"{times.month} {times.day} {times.weekday} {item.title}" in shown
            assert " ".join(times.hours.split()) in shown


def test_numbers_of_a_section_begin_anew() -> None:
    html = rendition("bilingual").html.fill(READER)
    numbers = [each.text for each in elements(html) if each.attributes.get("class") == "n"]
    assert numbers == ["1", "2", "3", "1", "2", "3"]


def links_issue(root: Path, more: str = "") -> LoadedIssue:
    items = "".join(
        f"  - title: A link with an ordinary headline, number {number}\n"
        f"    url: https://blog.example.org/2026/11/post-{number}-with-a-slug\n"
        for number in range(LINKS)
    )
    path = root / "links.yaml"
    path.write_text(
        f"edition: links\ndate: 2026-11-25\ntitle: A hundred links\n{more}items:\n{items}", encoding="utf-8"
    )
    return load_issue(path, desk_settings().model_copy(update={"root": root}))


@pytest.mark.parametrize("numbering", ["none", "through"])
def test_a_hundred_links_fit_into_sixty_kilobytes(tmp_path: Path, numbering: str) -> None:
    issue = links_issue(tmp_path, f"numbering: {numbering}\n")
    html = render_variants(issue, desk_settings(), slug="x", variants=[0])[0].html.fill(READER)
    assert len(html.encode()) < 60_000
    assert html.count("https://blog.example.org/") == LINKS
    assert len(re.findall(r'<td class="n"', html)) == (LINKS if numbering == "through" else 0)

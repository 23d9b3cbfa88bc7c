"""Choosing editions, leaving by choosing none, and the way back."""

from __future__ import annotations

import re

import pytest

from mailer.audience.consent.record import consents_of
from mailer.audience.consent.suppression import suppress
from mailer.audience.subscribers import Subscriber, unsubscribe
from mailer.audience.values.address import normalize_address
from tests.web.conftest import Site

SAVE = {"step": "save"}


def ticked(page: str) -> set[str]:
    return set(re.findall(r'name="edition" value="(\w+)" checked', page))


def test_the_page_shows_every_edition_and_ticks_the_readers_own(site: Site, reader: Subscriber) -> None:
    before = site.contents()
    page = site.browser.get(site.link(reader, "p")).text
    assert re.findall(r'name="edition" value="(\w+)"', page) == ["morning", "evening", "feature"]
    assert ticked(page) == {"morning", "evening"}
    assert "The Long Read" in page
    assert site.contents() == before


def test_a_choice_is_saved_and_shown(site: Site, reader: Subscriber) -> None:
    answer = site.browser.post(site.link(reader, "p"), data={**SAVE, "edition": ["feature", "morning"]})
    assert answer.status_code == 200
    assert "Your choice is saved" in answer.text
    assert ticked(answer.text) == {"morning", "feature"}
    assert site.now(reader).editions == ("feature", "morning")
    assert consents_of(site.db, reader.id)[-1].method == "preferences"


def test_an_edition_that_is_none_is_ignored(site: Site, reader: Subscriber) -> None:
    site.browser.post(site.link(reader, "p"), data={**SAVE, "edition": ["morning", "nonsense", "'; --"]})
    assert site.now(reader).editions == ("morning",)


def test_an_edition_that_is_not_configured_any_more_is_not_lost_by_saving(
    site: Site, reader: Subscriber
) -> None:
    site.db.conn.execute("INSERT INTO subscriptions VALUES ('weekly', ?, '')", (reader.id,))
    site.browser.post(site.link(reader, "p"), data={**SAVE, "edition": ["morning"]})
    assert site.now(reader).editions == ("morning", "weekly")


@pytest.mark.parametrize("data", [{}, {"edition": "feature"}, {"List-Unsubscribe": "One-Click"}])
def test_a_post_that_is_not_of_our_form_saves_nothing(
    site: Site, reader: Subscriber, data: dict[str, str]
) -> None:
    before = site.contents()
    assert site.browser.post(site.link(reader, "p"), data=data).status_code == 200
    assert site.contents() == before


def test_choosing_nothing_is_leaving(site: Site, reader: Subscriber) -> None:
    campaign = site.campaign()
    answer = site.browser.post(site.link(reader, "p", campaign), data=SAVE)
    assert "You will get no more newsletters" in answer.text
    assert site.now(reader).status == "unsubscribed"
    assert site.events() == [("unsubscribe", reader.id, campaign, "", "", "preferences")]


def test_somebody_who_left_may_come_back_by_their_own_act(site: Site, reader: Subscriber) -> None:
    unsubscribe(site.db, reader.id)
    page = site.browser.get(site.link(reader, "p", 5)).text
    assert "You get no newsletters from us at the moment" in page
    assert ticked(page) == set()  # nobody agrees to what was ticked for them
    answer = site.browser.post(site.link(reader, "p", 5), data={**SAVE, "edition": "morning"})
    assert ticked(answer.text) == {"morning"}
    person = site.now(reader)
    assert (person.status, person.editions) == ("active", ("morning",))
    consent = consents_of(site.db, reader.id)[-1]
    assert (consent.method, consent.origin) == ("preferences", "preferences page, campaign 5")


def test_somebody_who_complained_does_not_come_back(site: Site, reader: Subscriber) -> None:
    site.db.conn.execute("UPDATE subscribers SET status = 'complained'")
    before = site.contents()
    answer = site.browser.post(site.link(reader, "p"), data={**SAVE, "edition": "morning"})
    assert answer.status_code == 200
    assert "We cannot write to this address again" in answer.text
    assert "editors@news.example.org" in answer.text
    assert site.contents() == before


def test_a_suppressed_address_does_not_come_back(site: Site, reader: Subscriber) -> None:
    unsubscribe(site.db, reader.id)
    suppress(site.db, normalize_address(str(reader.address)).key, "complaint")
    before = site.contents()
    answer = site.browser.post(site.link(reader, "p"), data={**SAVE, "edition": "morning"})
    assert "We cannot write to this address again" in answer.text
    assert site.contents() == before


def test_somebody_who_left_and_saves_nothing_stays_away(site: Site, reader: Subscriber) -> None:
    unsubscribe(site.db, reader.id)
    before = site.contents()
    assert "no more newsletters" in site.browser.post(site.link(reader, "p"), data=SAVE).text
    assert site.contents() == before


def test_somebody_who_reads_on_a_suppressed_address_is_not_told_that_a_choice_was_saved(
    site: Site, reader: Subscriber
) -> None:
    suppress(site.db, normalize_address(str(reader.address)).key, "complaint")
    before = site.contents()
    answer = site.browser.post(site.link(reader, "p"), data={**SAVE, "edition": ["morning", "feature"]})
    assert answer.status_code == 200
    assert "saved" not in answer.text
    assert "We cannot write to this address again" in answer.text
    assert ticked(answer.text) == {"morning", "evening"}
    assert site.contents() == before
    assert "no more newsletters" in site.browser.post(site.link(reader, "p"), data=SAVE).text
    assert site.now(reader).status == "unsubscribed"


def test_the_two_pages_lead_to_each_other(site: Site, reader: Subscriber) -> None:
    page = site.browser.get(site.link(reader, "p", 3)).text
    assert f'href="..{site.link(reader, "u", 3)}"' in page
    page = site.browser.get(site.link(reader, "u", 3)).text
    assert f'href="..{site.link(reader, "p", 3)}"' in page

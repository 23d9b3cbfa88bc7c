# ruff: noqa: E501 (a table reads better than its folded lines)
"""Which items are advertisements, and what is never told of them: subject, preheader, the number of stories."""

from __future__ import annotations

import pytest

from mailer.issue.defaults import headlines_for_all_readers
from mailer.issue.model import Item, issue_for_variant
from tests.issue.conftest import Load


@pytest.mark.parametrize(
    "title",
    [
        "Sponsor: Acme",
        "SPONSORED: Acme",
        "Sponsored by: Acme",
        "Sponsored post: how Acme does it",
        "sponsored content : Acme",
        "Advertisement: Acme",
        "Advert：Acme",
        "[Ad] Acme",
        "(Sponsored) Acme",
        "[sponsor] Acme",
        "Anzeige: Acme",
        "Publicité : Acme",
        "Publicidad: Acme",
        "广告：某某",
        "赞助: 某某",
        "推广：某某",
        "【广告】某某",
        "（推广）某某",
        "廣告：某某",
        "贊助：某某",
        "推廣：某某",
        "【贊助】某某",
    ],
)
def test_a_title_may_say_that_an_item_is_an_advertisement(title: str) -> None:
    item = Item(title=title)
    assert item.is_advertisement
    assert not item.is_story
    told = Item.model_validate({"title": title, "sponsored": "no"})
    assert not told.is_advertisement
    assert told.is_story


@pytest.mark.parametrize(
    "title",
    [
        "Sponsors leave the league",
        "Sponsored runs are back",
        "Advertising: what is left of it",
        "Adverts on buses",
        "An advertisement: how it was made",
        "Ad: a short history",
        "[Address] Acme",
        "Acme (ad)",
        "广告业：一年回顾",
        "广告收入回落",
        "【广告业】回落",
        "推广普通话",
        "A sponsor: who is it",
    ],
)
def test_other_titles_are_those_of_stories(title: str) -> None:
    item = Item(title=title)
    assert item.is_story
    assert Item(title=title, sponsored=True).is_advertisement


def test_a_quote_without_a_headline_is_no_story() -> None:
    assert not Item.model_validate({"quote": "Words."}).is_story
    assert Item.model_validate({"title": "a", "quote": "Words."}).is_story


ITEMS = """\
title: Brief
items:
  - {title: 'Sponsor: Acme', body: Buy it.}
  - {title: First of all}
  - {title: Paid, sponsored: yes, body: Buy more.}
  - {quote: Words of a quote.}
  - {title: The lead, lead: yes}
  - {title: 'Advert: a history', sponsored: no}
"""


def test_headlines_begin_with_the_lead_and_tell_no_advertisement(load: Load, head: str) -> None:
    issue = load(head + ITEMS).issue
    assert headlines_for_all_readers(issue) == ["The lead", "First of all", "Advert: a history"]
    assert issue.subject == "Brief · The lead; First of all; Advert: a history"
    assert "Buy" not in issue.preheader
    assert "Acme" not in issue.subject + issue.preheader
    assert "Paid" not in issue.subject + issue.preheader


def test_a_preheader_is_made_of_section_texts_too(load: Load, head: str) -> None:
    issue = load(
        head
        + "title: Brief\nsubject: Brief\nstandfirst: It is said above.\nsections:\n"
        + "  - title: One\n    body: The body of one.\n"
        + "  - title: Two\n    intro: The intro of two.\n    items: [{title: Ad, sponsored: yes, body: Buy.}]\n"
    ).issue
    assert issue.preheader == "One · Two · It is said above. · The body of one. · The intro of two."


def test_a_column_without_a_title_is_not_told(load: Load, head: str) -> None:
    issue = load(head + "title: Brief\nitems: [{title: Fog}]\ncolumn: {body: Tea.}\n").issue
    assert headlines_for_all_readers(issue) == ["Fog"]


def test_a_section_with_a_text_stays_when_its_items_are_hidden(load: Load, head: str) -> None:
    hidden = "items: [{title: x, only: '\"vip\" in tags'}]"
    issue = load(
        f"{head}sections:\n  - {{title: a, body: b, {hidden}}}\n  - {{title: c, intro: d, {hidden}}}\n"
        f"  - {{title: h, image: {{src: 'https://e.test/a.png', alt: a}}, {hidden}}}\n"
        f"  - {{title: e, {hidden}}}\n  - {{title: f, only: '\"vip\" in tags', body: g}}\n"
    ).issue
    assert [section.title for section in issue_for_variant(issue, 0).sections] == ["a", "c", "h"]
    assert [section.title for section in issue_for_variant(issue, 1).sections] == ["a", "c", "h", "e", "f"]

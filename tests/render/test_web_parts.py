"""The web page of an issue shows every part that an issue can have, in each layout, and invents none."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from mailer.config import Settings
from tests.render.test_layouts import Page
from tests.render.test_same_words import Words
from tests.render.test_web_layouts import EARLIER_MACROS, web_page

LAYOUTS = ("morning", "evening", "feature", "digest", "brief")

ISSUE = """\
number: 528
kicker: Kickerword
title: Titleword
standfirst: Standfirstword
byline: Bylineword
intro: Introword
contents: false
image: {src: "https://example.org/cover.png", alt: Coveralt, caption: Covercaption, credit: Covercredit}
notices:
  - {text: Beforeword, place: before}
  - {text: Afterword, place: after}
  - {text: Footerword, place: footer}
sections:
  - title: Firstsection
    intro: Firstintro
    body: Firstbody
    image:
      {src: "https://example.org/section.png", alt: Sectionalt, caption: Sectioncaption,
       credit: Sectioncredit}
    items:
      - title: Storytitle
        byline: Storybyline
        body: Storybody
        source: Storysource
        url: https://example.org/story
        label: Storylabel
        links: [{text: Storylinkone, url: "https://example.org/l1"}, {text: Storylinktwo, url: "https://example.org/l2"}]
        image:
          - {src: "https://example.org/a.png", alt: Abovealt, caption: Abovecaption, credit: Abovecredit}
          - {src: "https://example.org/b.png", alt: Belowalt, place: below, credit: Belowcredit}
          - {src: "https://example.org/c.png", alt: Afteralt, place: after, caption: Aftercaption}
        comment: Storycomment
      - quote: {text: Quotetext, by: Quoteby, url: "https://example.org/quote"}
        comment: Quotecomment
      - title: Quotedtitle
        quote: Quotedtext
        body: Quotedbody
      - title: Adtitle
        sponsored: true
        byline: Adbyline
        body: Adbody
        source: Adsource
        url: https://example.org/ad
        label: Adlabel
        image: {src: "https://example.org/ad.png", alt: Adalt}
      - title: Eventtitle
        byline: Eventbyline
        body: Eventbody
        source: Eventsource
        label: Eventlabel
        links: [{text: Eventlink, url: "https://example.org/el"}]
        event: {starts: "2026-12-20T18:00", venue: Eventvenue, address: Eventaddress, url: "https://example.org/event"}
        image: {src: "https://example.org/e.png", alt: Eventalt, caption: Eventcaption}
      - title: Jobtitle
        label: Joblabel
        body: Jobbody
        job: {organisation: Joborganisation, place: Jobplace, salary: Jobsalary, url: "https://example.org/job"}
      - title: Adevent
        sponsored: true
        event: {starts: "2027-01-20T18:00", venue: Adeventvenue, url: "https://example.org/adevent"}
  - title: Secondsection
    style: list
    items:
      - {title: Entrytitle, url: "https://example.org/entry", body: Entrybody, source: Entrysource}
      - title: Fullentry
        url: https://example.org/full
        label: Fullentrylabel
        byline: Fullentrybyline
        body: "Fullentrybody\\n\\n- Fullentryitem"
        comment: Fullentrycomment
        links: [{text: Fullentrylink, url: "https://example.org/fl"}]
        image: {src: "https://example.org/fe.png", alt: Fullentryalt, caption: Fullentrycaption}
      - {title: Plainentry}
column: {label: Columnlabel, title: Columntitle, byline: Columnbyline, body: Columnbody}
call_to_action:
  text: Calltext
  label: Calllabel
  url: https://example.org/call
  condition: Conditionword
  links: [{text: Calllink, url: "https://example.org/cl"}]
related:
  - {title: Alonetitle, url: "https://example.org/alone", kind: Alonekind, date: Alonedate}
  - title: Grouptitle
    url: https://example.org/group
    items:
      - {title: Groupedtitle, url: "https://example.org/grouped", kind: Groupedkind}
      - {title: Unlinkedtitle}
tags: [tagword]
notice: Noticeword
"""
#: Everything that an editor typed for readers.
TYPED = {*re.findall(r"\b[A-Z][a-z]{5,}\b", ISSUE), "tagword"}
#: In which order they stand.
ORDER = """
528 Kickerword Titleword Standfirstword Bylineword Introword Covercaption Covercredit Beforeword
Firstsection Sectioncaption Sectioncredit Firstintro Firstbody Abovecaption Abovecredit Storytitle
Storybyline Belowcredit Storybody Aftercaption Storysource Storylabel Storylinkone Storylinktwo
Storycomment Quotetext Quoteby Quotecomment Quotedtitle Quotedbody Quotedtext Adsource Adtitle
Adbody Adlabel Eventtitle Eventvenue Eventaddress Eventbody Eventlabel Jobtitle Joborganisation
Jobplace Jobsalary Jobbody Joblabel Secondsection Entrytitle Entrybody Entrysource Plainentry
Afterword Columnlabel Columntitle Columnbyline Columnbody Calltext Calllabel Conditionword Calllink
Alonetitle Alonekind Alonedate Grouptitle Groupedtitle Groupedkind Unlinkedtitle tagword Noticeword
Footerword
"""
#: In a brief, a paragraph is followed by what does not belong to it.
ORDER_OF_A_BRIEF = (
    ("Storytitle Storybyline Belowcredit Storybody Aftercaption", "Belowcredit Storytitle Storybody"),
    ("Storylinktwo", "Storylinktwo Storybyline Aftercaption"),
    (
        "Joborganisation Jobplace Jobsalary Jobbody Joblabel",
        "Jobbody Joblabel Joborganisation Jobplace Jobsalary",
    ),
)
ALTS = {word for word in TYPED if word.endswith("alt")}
FLAT = """\
items:
  - {title: One, body: First.}
  - {title: Paid, sponsored: true, body: Bought.}
  - {quote: {text: Said, by: Ann}}
  - {title: Two, body: Second.}
  - {title: Evening, event: {starts: 2026-12-20}}
  - {title: Three, body: Third.}
"""
GROUPS = """\
sections:
  - title: News
    items:
      - {title: One, body: First.}
      - {title: Two, body: Second., comment: A}
      - {title: Paid, sponsored: true}
  - title: More
    items: [{title: Three, body: Third.}, {title: Four, body: Fourth., comment: A}]
  - title: Links
    items: [{title: Five, url: "https://example.org/5"}, {title: Six, url: "https://example.org/6"}]
  - title: Essay
    body: Words.
"""


def body_of(page: str) -> str:
    return page[page.index("<body") :]


def words(html: str) -> str:
    return " ".join(Words(html).text.split())


def contents_of(page: str) -> str:
    start = page.find('<nav class="contents"')
    return page[start : page.index("</nav>", start)] if start >= 0 else ""


def headings(page: str) -> list[int]:
    return [int(level) for level in re.findall(r"<h([1-6])[ >]", body_of(page))]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_word_that_was_typed_stands_once(workspace: Path, settings: Settings, layout: str) -> None:
    page = body_of(web_page(workspace, settings, layout, ISSUE))
    shown = words(page)
    for word in TYPED - ALTS:
        assert len(re.findall(rf"\b{word}\b", shown)) == 1, word
    for word in ALTS:
        assert page.count(f'alt="{word}"') == 1, word
    assert "No. 528" in shown


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_address_that_was_typed_is_a_link(workspace: Path, settings: Settings, layout: str) -> None:
    page = body_of(web_page(workspace, settings, layout, ISSUE))
    linked = {link.get("href", "") for link in Page(page).all("a")}
    addresses = set(re.findall(r"url: \"?(https://[^\s\"},]+)", ISSUE))
    assert len(addresses) == 17
    assert addresses - linked == set()
    assert {address for address in linked if address.startswith("https://example.org")} == addresses


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_parts_follow_each_other_as_they_should(workspace: Path, settings: Settings, layout: str) -> None:
    page = web_page(workspace, settings, layout, ISSUE)
    shown = words(body_of(page))
    told = " ".join(ORDER.split())
    for one, other in ORDER_OF_A_BRIEF if layout == "brief" else ():
        assert one in told
        told = told.replace(one, other)
    order = told.split()
    places = [re.search(rf"\b{word}\b", shown) for word in order]
    assert [word for word, place in zip(order, places, strict=True) if place is None] == []
    starts = [place.start() for place in places if place]
    assert starts == sorted(starts)
    levels = headings(page)
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    footer = page[page.index('<footer class="foot">') : page.index("</footer>")]
    assert footer.index("Port Example") < footer.index("Footerword")


def test_a_number_that_is_no_number_stands_as_it_was_typed(workspace: Path, settings: Settings) -> None:
    page = web_page(workspace, settings, "morning", "number: Winter 3\n" + FLAT)
    assert "<span>Winter 3</span></div>" in page
    assert "No. " not in page
    assert (
        "<span>"
        not in re.findall(r'<div class="about">.*', web_page(workspace, settings, "morning", FLAT))[0]
    )


def test_the_first_picture_for_previews_is_the_cover(workspace: Path, settings: Settings) -> None:
    page = web_page(workspace, settings, "morning", ISSUE)
    assert '<meta property="og:image" content="https://example.org/cover.png">' in page
    assert '<meta property="og:image:alt" content="Coveralt">' in page
    page = web_page(
        workspace,
        settings,
        "morning",
        'items: [{title: Paid, sponsored: true, image: {src: "https://example.org/ad.png", alt: Ad}}]\n',
    )
    assert "og:image" not in page


def test_advertisements_and_quotes_are_neither_numbered_nor_in_the_contents(
    workspace: Path, settings: Settings
) -> None:
    contents = contents_of(web_page(workspace, settings, "morning", FLAT))
    assert words(contents) == "4 stories in this issue 1 One 2 Two Evening 3 Three"
    assert re.findall(r'href="#([^"]+)"', contents) == ["item-1", "item-2", "event-1", "item-3"]
    assert '<a class="bare" href="#event-1">' in contents


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("numbering", ["", "through", "by-section", "none"])
def test_numbers_are_those_of_the_numbering_or_else_of_the_layout(
    workspace: Path, settings: Settings, layout: str, numbering: str
) -> None:
    text = GROUPS + (f"numbering: {numbering}\n" if numbering else "")
    page = body_of(web_page(workspace, settings, layout, text))
    without = page.replace(contents_of(page), "")
    found = re.findall(r'<b(?: class="number")?>([0-9]+)</b>', without)
    if numbering == "none" or (not numbering and layout != "morning"):
        assert found == []
    elif numbering == "by-section":
        assert found == ["1", "2", "1", "2", "1", "2"]
    else:
        assert found == ["1", "2", "3", "4", "5", "6"]


def test_numbered_contents_are_grouped_by_section(workspace: Path, settings: Settings) -> None:
    contents = contents_of(web_page(workspace, settings, "morning", GROUPS))
    assert words(contents) == (
        "In this issue News 2 stories 1 One 2 Two More 2 stories 3 Three 4 Four Links 2 Essay"
    )
    contents = contents_of(web_page(workspace, settings, "morning", GROUPS + "numbering: by-section\n"))
    assert "1 Three 2 Four Links 2" in words(contents)
    contents = contents_of(web_page(workspace, settings, "evening", GROUPS))
    assert words(contents) == "In this issue News 2 stories More 2 stories Links 2 Essay"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_editor_decides_on_contents(workspace: Path, settings: Settings, layout: str) -> None:
    for text in (FLAT, GROUPS):
        by_layout = contents_of(web_page(workspace, settings, layout, text))
        assert bool(by_layout) == (layout not in ("brief", "digest"))
        assert contents_of(web_page(workspace, settings, layout, text + "contents: true\n"))
        assert not contents_of(web_page(workspace, settings, layout, text + "contents: false\n"))
    few = web_page(workspace, settings, layout, "contents: true\nitems: [{title: One, body: A}]\n")
    assert words(contents_of(few)).endswith("One")
    none = web_page(workspace, settings, layout, 'contents: true\nitems: [{quote: "Words"}]\n')
    assert not contents_of(none)


def test_a_list_has_no_second_copy_in_the_contents(workspace: Path, settings: Settings) -> None:
    entries = (
        "items: [{title: One}, {title: Two}, {title: Three}, {title: Paid, sponsored: true}, {title: Four}]\n"
    )
    page = web_page(workspace, settings, "morning", entries)
    assert not contents_of(page)
    assert page.count('<ul class="list">') == 2
    assert page.count("</li>") == page.count('<li class="entry"') == 4
    linked = web_page(
        workspace,
        settings,
        "evening",
        entries.replace("title: One", "title: One, url: 'mailto:a@example.org'"),
    )
    assert linked.count('<ul class="list linked">') == 2
    assert '<p class="name"><a href="mailto:a@example.org">One</a></p>' in linked


def test_the_words_of_a_link_are_its_label_or_where_it_leads(workspace: Path, settings: Settings) -> None:
    items = (
        "items:\n"
        '  - {title: One, body: A, url: "https://www.example.org/one"}\n'
        '  - {title: Two, body: A, url: "mailto:ann@example.org"}\n'
        '  - {title: Three, body: A, url: "tel:+123", label: Call us}\n'
        '  - {title: Four, body: A, job: {url: "mailto:jobs@example.org"}}\n'
        '  - {title: Five, body: A, url: "https://example.org/five", label: Send, job: {url: "https://example.net/jobs"}}\n'
        '  - {title: Six, url: "https://example.org/six", label: Come, event: {starts: 2026-12-20}}\n'
        '  - {title: Seven, event: {starts: 2026-12-20, url: "mailto:six@example.org"}}\n'
    )
    page = web_page(workspace, settings, "morning", items)
    found = re.findall(r'<a class="(?:go|button second)" href="([^"]*)">([^<]*)</a>', page)
    assert found == [
        ("https://www.example.org/one", "Read in full at example.org"),
        ("mailto:ann@example.org", "ann@example.org"),
        ("tel:+123", "Call us"),
        ("mailto:jobs@example.org", "Apply"),
        ("https://example.net/jobs", "Send"),
        ("https://example.org/five", "Read in full at example.org"),
        ("https://example.org/six", "Come"),
        ("mailto:six@example.org", "Details"),
    ]


def test_links_of_an_advertisement_say_that_they_are_paid_for(workspace: Path, settings: Settings) -> None:
    page = web_page(
        workspace,
        settings,
        "morning",
        "items:\n  - title: Paid\n    sponsored: true\n    url: https://example.org/ad\n"
        "    body: '[In the text](https://example.org/in), and code: `<a rel=\"noopener\">`'\n"
        "    source: {name: A & B, url: 'https://example.org/by'}\n"
        "    links: [{text: Also, url: 'https://example.org/also'}]\n"
        "    image: {src: 'https://example.org/ad.png', alt: Ad, url: 'https://example.org/picture'}\n",
    )
    start = page.index('<article class="sponsor" id="sponsor-1">')
    box = page[start : page.index("</article>", start)]
    links = Page(box).all("a")
    assert len(links) == 6
    assert {link.get("rel") for link in links} == {"sponsored noopener"}
    assert "Sponsored by A &amp; B" in re.sub(r"</?a[^>]*>", "", box)
    assert '&lt;a rel="noopener"&gt;' in box
    nobody = web_page(workspace, settings, "morning", "items: [{title: Paid, sponsored: true}]\n")
    assert '<p class="count by">Sponsored</p>' in nobody


@pytest.mark.parametrize(
    ("language", "dash"), [("en", "— "), ("zh", "——"), ("zh-Hant", "——"), ("ko", "— "), ("de", "— ")]
)
def test_the_name_below_a_quote_has_the_dash_of_its_language(
    workspace: Path, settings: Settings, language: str, dash: str
) -> None:
    quote = f'{{quote: {{text: Words, by: Ann, url: "https://example.org/"}}, language: {language}}}'
    text = f"items: [{{title: One}}, {quote}]\n"
    page = web_page(workspace, settings, "morning", text)
    assert f'<figcaption>{dash}<a href="https://example.org/">Ann</a></figcaption>' in page
    assert '<figure class="quote large">' in page
    long = web_page(workspace, settings, "morning", f'items: [{{quote: "{"word " * 41}"}}]\n')
    assert '<figure class="quote">' in long
    assert "<figcaption>" not in long


def test_a_column_without_a_title_is_headed_by_its_label(workspace: Path, settings: Settings) -> None:
    page = web_page(workspace, settings, "evening", "column: {body: Words}\n")
    assert '<h2 class="label" id="column">The editor’s column</h2>' in page
    assert words(body_of(page)).count("The editor’s column") == 1


def test_a_call_to_action_without_an_address_has_no_button(workspace: Path, settings: Settings) -> None:
    page = web_page(workspace, settings, "morning", FLAT + "call_to_action: {label: Join us}\n")
    assert "<p><b>Join us</b></p>" in page
    assert 'class="button"' not in page


def test_each_group_of_further_reading_has_its_heading(workspace: Path, settings: Settings) -> None:
    many = ", ".join(f'{{title: M{n}, url: "https://example.org/{n}"}}' for n in range(9))
    text = (
        f'{FLAT}related:\n  - {{title: Alone}}\n  - {{title: Few, items: [{{title: A, url: "https://example.org/a"}}]}}\n'
        f"  - {{title: Many, items: [{many}]}}\n"
    )
    page = web_page(workspace, settings, "morning", text)
    assert re.findall(r'<(nav|section) class="(related[^"]*)" aria-labelledby="([^"]+)"', page) == [
        ("section", "related", "related"),
        ("nav", "related", "related-2"),
        ("nav", "related many", "related-3"),
    ]
    assert re.findall(r'<h2 id="related[^"]*">([^<]*)<', page) == ["Further reading", "Few", "Many"]
    assert '<li><span class="named">Alone</span></li>' in page


@pytest.mark.parametrize("layout", LAYOUTS)
def test_macros_of_an_earlier_version_take_an_issue_with_every_part(
    workspace: Path, settings: Settings, layout: str
) -> None:
    (workspace / "templates/web").mkdir(parents=True)
    (workspace / "templates/web/macros.html").write_text(EARLIER_MACROS, "utf-8")
    page = web_page(workspace, settings, layout, ISSUE)
    assert "Mine: Storytitle" in page
    for word in ('alt="Coveralt"', "Covercaption", "Covercredit", 'alt="Sectionalt"'):
        assert word in page


def test_a_template_of_an_earlier_version_shows_every_kind_of_item(
    workspace: Path, settings: Settings
) -> None:
    (workspace / "templates/web").mkdir(parents=True)
    (workspace / "templates/web/issue.html").write_text(
        '{% from "web/macros.html" import story %}<!doctype html><html lang="en"><title>x</title><body>'
        '{% for item in issue.all_items %}{{ story(item, "h2", true) }}{% endfor %}'
        '{% for link in issue.related %}<a href="{{ link.url }}">{{ link.title }}</a> {% endfor %}'
        "</body></html>",
        "utf-8",
    )
    page = web_page(workspace, settings, "morning", ISSUE)
    assert 'href=""' not in page
    shown = words(page)
    for word in (
        "Storytitle",
        "Quotetext",
        "Adsource",
        "Eventvenue",
        "Jobsalary",
        "Entrytitle",
        "Groupedtitle",
    ):
        assert word in shown

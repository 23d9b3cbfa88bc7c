"""Details of mails and issue pages in a real browser: colours, faces, and distances between blocks."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tools.clients.documents import documents
from tools.screenshots import Scheme, opened

pytestmark = pytest.mark.browser

STYLES = """
([at, name]) => [...document.querySelectorAll(at)].map((each) => getComputedStyle(each)[name])
"""
BOXES = """
(at) => [...document.querySelectorAll(at)].map((each) => {
  const box = each.getBoundingClientRect();
  return {top: box.top, bottom: box.bottom, left: box.left, right: box.right};
})
"""


def asked(
    browser: Browser,
    name: str,
    medium: str,
    script: str,
    about: Any,
    width: int = 375,
    scheme: Scheme = "light",
) -> list[Any]:
    """Returns the answer of a script about the mail or the web page of a sample or fixture."""
    document = documents()[name]
    html = document.mail if medium == "mail" else document.web
    with opened(browser, html, document.pictures, width=width, scheme=scheme) as page:
        return list(page.evaluate(script, about))


def test_the_source_of_a_brief_is_small_print_in_both_schemes(browser: Browser) -> None:
    colours: dict[Scheme, str] = {"light": "rgb(87, 96, 103)", "dark": "rgb(170, 177, 182)"}
    for scheme, soft in colours.items():
        for medium, at in (("mail", ".from a"), ("web", ".item .small a")):
            found = asked(browser, "brief", medium, STYLES, [at, "color"], scheme=scheme)
            assert found == [soft] * 3, (scheme, medium)


def test_the_source_of_a_brief_is_the_same_in_the_mail_and_on_the_web(browser: Browser) -> None:
    texts = "(at) => [...document.querySelectorAll(at)].map((each) => each.textContent.trim())"
    mail = asked(browser, "brief", "mail", texts, ".from")
    assert mail == asked(browser, "brief", "web", texts, ".item .small")
    assert "example.org" in mail


def test_the_links_of_the_footer_stand_side_by_side_on_a_small_phone(browser: Browser) -> None:
    boxes = asked(browser, "2026-11-21-evening", "mail", BOXES, ".foot a", width=320)
    assert len(boxes) == 3
    assert len({box["top"] for box in boxes}) == 1


def test_the_head_of_a_table_has_one_rule(browser: Browser) -> None:
    for medium in ("mail", "web"):
        found = asked(
            browser, "2026-11-22-feature", medium, STYLES, ["thead :is(th, td)", "borderBottomColor"]
        )
        assert found == ["rgb(22, 34, 44)"] * 3, medium


def test_a_break_between_paragraphs_is_centred(browser: Browser) -> None:
    for medium in ("mail", "web"):
        for box in asked(browser, "2026-11-22-feature", medium, BOXES, "hr"):
            assert (box["left"] + box["right"]) / 2 == pytest.approx(375 / 2, abs=0.6), medium


def test_a_part_in_chinese_has_chinese_faces_and_upright_quotations(browser: Browser) -> None:
    for medium, at in (("mail", ".in-zh"), ("web", ".section[lang='zh']")):
        faces = asked(browser, "mixed", medium, STYLES, [f"{at} .md > p:not(.caption)", "fontFamily"])
        assert faces
        assert all(face.startswith('"PingFang SC"') for face in faces), medium
        assert set(asked(browser, "mixed", medium, STYLES, [f"{at} blockquote", "fontStyle"])) == {"normal"}
        labels = asked(browser, "mixed", medium, STYLES, [f"{at} .note span[lang='en']", "fontFamily"])
        assert labels
        assert all(face.startswith("Georgia") for face in labels), medium


def test_quotations_in_arabic_are_upright(browser: Browser) -> None:
    for medium in ("mail", "web"):
        assert asked(browser, "arabic", medium, STYLES, ["blockquote", "fontStyle"]) == ["normal"]


def test_no_hair_follows_the_name_of_a_section(browser: Browser) -> None:
    for medium in ("mail", "web"):
        ids = ["#item-4", "#item-4 td", "#item-5", "#item-5 td"]
        rules = [asked(browser, "digest", medium, STYLES, [each, "borderTopWidth"]) for each in ids]
        assert "1px" not in rules[0] + rules[1], medium
        assert "1px" in rules[2] + rules[3], medium


def test_the_issue_page_keeps_the_distances_of_a_mail(browser: Browser) -> None:
    (story,) = asked(browser, "digest", "web", BOXES, "#item-1")
    (line,) = asked(browser, "digest", "web", BOXES, "#item-2")
    assert line["top"] - story["bottom"] == 40
    (last,) = asked(browser, "digest", "web", BOXES, "#item-3 .small")
    (opener,) = asked(browser, "digest", "web", BOXES, "#section-2 .opener")
    assert opener["top"] - last["bottom"] == pytest.approx(40, abs=0.6)


def test_headlines_of_compact_lines_are_equally_far_from_their_text(browser: Browser) -> None:
    ends = """() => [...document.querySelectorAll(".less")].map((each) => {
      const range = document.createRange();
      range.selectNodeContents(each.querySelector("a") || each);
      const small = each.nextElementSibling;
      const bottom = range.getBoundingClientRect().bottom;
      return small ? Math.round(small.getBoundingClientRect().top - bottom) : null;
    }).filter((each) => each !== null)"""
    assert len(set(asked(browser, "many", "mail", ends, None))) == 1


def test_the_publication_has_the_face_of_wordmarks_in_the_footer(browser: Browser) -> None:
    for name in ("brief", "2026-11-21-evening"):
        (face,) = asked(browser, name, "mail", STYLES, [".foot .latin", "fontFamily"])
        assert face.startswith("Georgia")


def test_the_cells_of_a_wide_table_have_the_colour_of_text(browser: Browser) -> None:
    schemes: dict[Scheme, str] = {"light": "rgb(22, 34, 44)", "dark": "rgb(233, 230, 223)"}
    for scheme, ink in schemes.items():
        found = asked(browser, "wide", "mail", STYLES, [".data td", "color"], width=680, scheme=scheme)
        assert set(found) == {ink}, scheme


def test_an_issue_without_a_title_begins_below_its_header(browser: Browser) -> None:
    (header,) = asked(browser, "bare", "web", BOXES, ".masthead")
    (story,) = asked(browser, "bare", "web", BOXES, "#item-1")
    assert story["top"] - header["bottom"] == 32


def test_no_hair_stands_between_the_text_of_a_section_and_its_first_story(browser: Browser) -> None:
    (story,) = asked(browser, "desk-club", "web", STYLES, ["#section-2 .text + .story", "borderTopWidth"])
    assert story == "0px"


def test_footnotes_keep_their_distance_from_the_text(browser: Browser) -> None:
    assert asked(browser, "desk-essay", "web", STYLES, [".footnotes", "marginTop"]) == ["20px"]


def test_lines_of_a_list_are_equally_far_apart_in_the_mail_and_on_the_web(browser: Browser) -> None:
    pitches = []
    for medium, at in (("mail", ".list td.n"), ("web", ".entry > b")):
        boxes = asked(browser, "desk-morning-lines", medium, BOXES, at)
        pitches.append(boxes[1]["top"] - boxes[0]["top"])
    assert pitches == [38, 38]

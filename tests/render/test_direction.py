"""A part in another language says so, and what is written from right to left is set so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import html as parser

from mailer.config import Settings, load_settings
from mailer.errors import IssueError
from mailer.issue.load import load_issue
from mailer.language_tags import direction_of
from mailer.render.slots.markers import Markers
from mailer.render.theme.direction import set_direction
from tests.tongues import ARABIC, ENGLISH, MIXED, READER, rendered, written

LAYOUTS = ("morning", "evening", "feature")
MEDIA = ("mail", "web")
TO_THE_LEFT = ("ar", "he", "fa", "ur", "yi", "ps", "sd", "ckb", "ug", "dv", "ku-Arab", "az-Arab", "pa-PK")


def page(root: Path, text: str, medium: str, edition: str = "morning") -> parser.HtmlElement:
    rendition = rendered(root, text, edition)
    return parser.fromstring(rendition.html.fill(READER) if medium == "mail" else rendition.web)


def nearest(element: parser.HtmlElement, name: str) -> str:
    """The attribute of the element, or of what is around it."""
    return next(each.get(name) for each in (element, *element.iterancestors()) if each.get(name))


def words(tree: parser.HtmlElement, text: str) -> list[parser.HtmlElement]:
    """The elements in whose own text these words stand, but for the preheader, which is plain text."""
    shown = (each for each in tree.find("body").iter() if isinstance(each.tag, str))
    return [each for each in shown if text in own(each) and "display:none" not in each.get("style", "")]


def own(element: parser.HtmlElement) -> str:
    return (element.text or "") + "".join(child.tail or "" for child in element)


@pytest.mark.parametrize("edition", LAYOUTS)
@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("issue", ["en", "ar"])
def test_all_words_of_a_part_are_in_its_language(
    workspace: Path, issue: str, medium: str, edition: str
) -> None:
    tree = page(workspace, MIXED[issue], medium, edition)
    part = {"en": "الرافعات هادئة", "ar": "Cranes rest"}[issue]
    language = {"en": "ar", "ar": "en"}[issue]
    found = words(tree, part)
    assert len(found) >= (7 if medium == "mail" and edition == "evening" else 8)  # its contents are sections
    for element in found:
        assert nearest(element, "lang") == language, element.tag
        assert nearest(element, "dir") in (direction_of(language), "auto") or element.tag == "bdi"
    for word in {"en": ["كلمة", "ميم", "نص"], "ar": ["A word", "Mei", "Text"]}[issue]:
        found = [each for each in words(tree, word) if own(each).strip() == word]
        assert [nearest(each, "lang") for each in found] == [language], word
    others = words(tree, {"en": "The market opens", "ar": "السوق مفتوح"}[issue])
    assert others
    assert {nearest(each, "lang") for each in others} == {issue}


@pytest.mark.parametrize("medium", MEDIA)
def test_words_of_the_theme_in_a_part_stay_in_the_language_of_the_issue(workspace: Path, medium: str) -> None:
    tree = page(workspace, MIXED["en"], medium)
    for ours in ("Source:", "Editor’s comment", "Read in full at example.org", "The editor’s column"):
        for element in words(tree, ours):
            assert nearest(element, "lang") == "en", ours
            assert nearest(element, "dir") == "ltr", ours
    assert "Source: </span>" not in parser.tostring(tree, encoding="unicode")  # the space is not turned round


@pytest.mark.parametrize("medium", MEDIA)
def test_words_that_have_no_translation_are_english_and_say_so(workspace: Path, medium: str) -> None:
    tree = page(workspace, ARABIC.replace("language: ar", "language: ckb"), medium)
    for ours in ("Source:", "Editor’s comment", "Filed under:", "Further reading"):
        found = words(tree, ours)
        assert found, ours
        assert {(nearest(each, "lang"), nearest(each, "dir")) for each in found} == {("en", "ltr")}, ours


def test_an_item_is_in_the_language_of_its_section(workspace: Path) -> None:
    text = (
        "language: en\nsections:\n- title: Titre\n  language: fr\n  items:\n  - {title: Un, comment: Oui}\n"
        "  - {title: Eins, language: de}\n- title: Plain\n  items: [{title: One}]\n"
    )
    for medium in MEDIA:
        tree = page(workspace, text, medium, "evening")
        for word, language in {
            "Titre": "fr",
            "Un": "fr",
            "Oui": "fr",
            "Eins": "de",
            "Plain": "en",
            "One": "en",
        }.items():
            found = [each for each in words(tree, word) if own(each).strip() == word]
            assert found, word
            assert {nearest(each, "lang") for each in found} == {language}, word
        assert {nearest(each, "lang") for each in words(tree, "Editor’s comment")} == {"en"}


@pytest.mark.parametrize(
    "text", [ENGLISH, "language: zh\nitems: [{title: 一, source: 某报}, {title: 二, language: zh}]\n"]
)
def test_nothing_is_added_where_all_is_in_one_language(workspace: Path, text: str) -> None:
    rendition = rendered(workspace, text.replace("هادئة", ""))
    for html in (rendition.html.fill(READER), rendition.web):
        body = html[html.index("<body") :]
        assert "<bdi" not in body
        assert re.findall(r'\sdir="[a-z]*"', body) in ([], [' dir="ltr"'])  # MRML's wrapper
        assert "<span" not in body or "<span lang" not in body


@pytest.mark.parametrize("tag", TO_THE_LEFT)
@pytest.mark.parametrize("edition", LAYOUTS)
def test_a_mail_is_set_from_right_to_left(workspace: Path, tag: str, edition: str) -> None:
    tree = page(workspace, ARABIC.replace("language: ar", f"language: {tag}"), "mail", edition)
    assert tree.get("dir") == "rtl"
    assert tree.find("body").get("dir") == "rtl"
    html = parser.tostring(tree, encoding="unicode")
    assert "direction:ltr" not in html.replace(" ", "")
    assert not re.search(r"<!--\[if mso \| IE\]><table (?!dir=\"rtl\")", html)
    for table in tree.iter("table"):
        assert nearest(table, "dir") == table.get("dir") == "rtl"
    for cell in tree.xpath("//td[@class='c']"):
        assert cell.get("align") == "right"
    [button] = tree.xpath("//*[contains(@class, 'button')]")
    assert button.get("align") == "right"


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("text", [ARABIC, MIXED["en"]])
def test_code_and_addresses_stay_from_left_to_right(workspace: Path, medium: str, text: str) -> None:
    tree = page(workspace, text, medium)
    for element in (*tree.iter("pre", "code"), *tree.xpath("//a[. = 'https://www.example.org/a/']")):
        assert nearest(element, "dir") == "ltr", element.tag
    assert {each.tag for each in words(tree, "Harbour Wire!")} == {"bdi"} or text != ARABIC
    assert words(tree, "ports" if medium == "web" else "#ports")[0].tag == "bdi"


def test_what_is_filled_in_for_a_reader_is_set_apart(workspace: Path) -> None:
    rendition = rendered(workspace, ARABIC)
    html = rendition.html.fill(READER)
    assert "<bdi>Ann!</bdi>" in html
    assert re.search(r'<bdi dir="ltr">ann@example\.org</bdi>', html)
    assert "<bdi>قارئنا</bdi>" in rendition.web
    assert "bdi" not in html[: html.index("<body")]


def test_the_text_part_and_the_subject_hold_no_marks_of_direction(workspace: Path) -> None:
    rendition = rendered(workspace, MIXED["ar"])
    for text in (rendition.text.fill(READER), rendition.subject.fill(READER)):
        assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]", text)
        assert "<" not in text
    assert "\nhttps://www.example.org/full\n" in rendition.text.fill(READER)


@pytest.mark.parametrize("tag", ["tlh", "zh-Hant-XX", "en-CN", "ku-Arab", "ar-Latn", "sl-rozaj", "de-1996"])
def test_any_language_is_rendered(workspace: Path, tag: str) -> None:
    rendition = rendered(workspace, ENGLISH.replace("language: en", f"language: {tag}"))
    assert f'<html lang="{tag}" dir="{direction_of(tag)}"' in rendition.web
    part = rendered(
        workspace, ENGLISH.replace("items:\n", f"items:\n  - {{title: Part, language: {tag}}}\n", 1)
    )
    assert f'lang="{tag}"' in part.html.fill(READER)


@pytest.mark.parametrize("where", ["item", "section", "column"])
def test_what_is_no_language_is_told_at_its_line(workspace: Path, settings: Settings, where: str) -> None:
    text = {
        "item": "items:\n- title: One\n  language: english\n",
        "section": "sections:\n- title: One\n  language: english\n  items: [{title: a}]\n",
        "column": "column:\n  title: One\n  language: english\n  body: a\n",
    }[where]
    with pytest.raises(IssueError) as caught:
        load_issue(written(workspace, text, "morning"), load_settings(workspace))
    assert re.search(r"tongues\.yaml:5:\d+: .*is not a language tag", str(caught.value))


def test_the_faces_of_a_part_are_those_of_its_language(workspace: Path) -> None:
    items = "{title: 港口, language: ja, body: 静か}, {title: 항구, language: ko}, {title: One}"
    text = f"language: en\nitems: [{items}]\n"
    rendition = rendered(workspace, text)
    for html in (rendition.html.fill(READER), rendition.web):
        assert "Hiragino Sans" in html
        assert "Apple SD Gothic Neo" in html
    traditional = rendered(workspace, "language: zh-TW\nitems: [{title: 港口}]\n").html.fill(READER)
    assert "PingFang TC" in traditional
    assert "PingFang SC" not in traditional


def test_only_the_words_of_a_page_are_touched() -> None:
    markers = Markers("seed")
    slot = markers.make_marker(("subscriber.name",), "", ("a", 1))
    html = (
        f'<title>{slot}</title><style>a>b {{}}</style><body title="{slot} <pre>"><!-- <pre> -->'
        f'<p title="a > b">{slot}</p><div dir="ltr"><table><tr><td>x</td></tr></table></div>'
        '<br><pre dir="rtl">y</pre></body>'
    )
    turned = set_direction(html, markers, "rtl")
    assert turned == (
        f'<title>{slot}</title><style>a>b {{}}</style><body dir="rtl" title="{slot} <pre>"><!-- <pre> -->'
        f'<p title="a > b"><bdi>{slot}</bdi></p><div dir="ltr"><table dir="ltr"><tr><td>x</td></tr>'
        "</table></div>"
        '<br><pre dir="rtl">y</pre></body>'
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("الهبوط −12.5% اليوم", "−12.5%"),
        ("السعر 1 204,50 € اليوم", "1 204,50"),
        ("هاتف +49 30 1234567 مساء", "+49 30 1234567"),
        ("التغير +3.4%", "+3.4%"),
    ],
)
def test_numbers_of_a_text_from_right_to_left_are_not_turned_round(text: str, kept: str) -> None:
    html = f"<body><p>{text}</p><p>في عام 2026 و 12:30 و 10–12</p><p dir=ltr>−5 and 1 204</p></body>"
    turned = set_direction(html, Markers("seed"), "rtl")
    assert f'<bdi dir="ltr">{kept}</bdi>' in turned
    assert turned.count("<bdi") == 1

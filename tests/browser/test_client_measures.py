"""What the measures of simulated clients find in small pages, and what the simulations do to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser

from tools.clients.documents import documents
from tools.clients.facts import Simulation, load_facts
from tools.clients.html_check import check_html, read_support, score
from tools.clients.simulate import Client, clients, faults_of
from tools.screenshots import Shown

pytestmark = pytest.mark.browser

SIMULATIONS = load_facts().simulations
PAGE = (
    '<!doctype html><html lang="en"><head>{head}</head>'
    '<body style="margin:0;font-size:16px">{body}</body></html>'
)
DOT = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E"
KINDS = ("overflow", "size", "contrast", "overlap", "targets", "words", "clauses")


@pytest.fixture(scope="module")
def client(browser: Browser) -> Iterator[Client]:
    with clients(browser) as opened:
        yield opened


def measured(
    client: Client, body: str, simulation: str = "plain", width: int = 320, head: str = ""
) -> dict[str, Any]:
    page = Shown("page", PAGE.format(head=head, body=body), "", {})
    client.show(page, SIMULATIONS[simulation], width)
    return client.measure(width)


def faults(client: Client, body: str, *arguments: Any, **options: Any) -> list[str]:
    return faults_of(measured(client, body, *arguments, **options), KINDS)


def style_of(client: Client, selector: str, name: str) -> str:
    return str(client.page.locator(selector).evaluate(f"(each) => getComputedStyle(each)['{name}']"))


def test_a_sound_page_has_no_fault(client: Client) -> None:
    assert (
        faults(client, '<p>Some words, and <a href="https://example.org/">a link</a> within them.</p>') == []
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<div style="width:400px">text</div>', r"overflow 400: the page"),
        ('<p style="font-size:12px">small</p>', r"size 12: small"),
        ('<p style="color:#888">grey</p>', r"contrast 3.54: grey"),
        ('<table bgcolor="#333333"><tr><td style="color:#000">ink</td></tr></table>', r"contrast 1.66: ink"),
        ('<p style="color:rgba(0,0,0,.4)">pale</p>', r"contrast 2.85: pale"),
        ('<p>one</p><p style="margin-top:-30px">two</p>', r"overlap \d+: one \| two"),
        (f'<p>one</p><img src="{DOT}" alt="two" width="9" height="40" style="display:block;margin-top:-2em">',
         r"overlap \d+: picture: two \| one|overlap \d+: one \| picture: two"),
        ('<p style="width:60px;overflow-wrap:anywhere">gatekeepers</p>', r"words \d+: gatekeepers"),
        ('<h2 style="width:110px;font-size:20px">港口，明天恢复</h2>', r"clauses 80: 明天恢复"),
        ('<p><a href="https://example.org/">Read on</a></p>', r"targets \d+: row: Read on"),
        ('<h2 style="font-size:14px;line-height:18px;margin:0"><a href="https://example.org/">One</a></h2>',
         r"targets 18: headline: One"),
        ('<p style="line-height:30px"><a href="#one">One</a></p>', r"targets 30: contents: One"),
        ('<a href="https://example.org/u/x" style="display:block;height:39px">Leave</a>',
         r"targets 39: footer: Leave"),
        ('<a href="https://example.org/" style="display:block;width:90px;padding:12px;line-height:19px;'
         'background:#ad3a1b;color:#fff">Go</a>', r"targets 43: button: Go"),
    ],
)  # fmt: skip
def test_a_fault_is_found(client: Client, body: str, found: str) -> None:
    assert any(re.fullmatch(found, fault) for fault in faults(client, body)), faults(client, body)


@pytest.mark.parametrize(
    "body",
    [
        '<p style="display:none;font-size:1px;color:#fff">hidden</p>',
        '<div style="overflow-x:auto"><div style="width:400px">it scrolls</div></div>',
        '<p style="width:90px;overflow-wrap:anywhere">https://example.org/gatekeepers</p>',
        '<pre style="width:60px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:16px">gatekeeper</pre>',
        '<h2 style="width:110px;font-size:20px;word-break:keep-all">港口，明天恢复</h2>',
        '<p style="width:60px">平常的句子可以在任何地方换行。</p>',
        '<table><tr><td style="padding:12px 0"><a href="https://example.org/">Read on</a></td></tr></table>',
        '<p style="line-height:40px"><a href="https://example.org/u/x" style="display:inline-block">Go</a> '
        '<a href="https://example.org/w" style="display:inline-block">On the web</a></p>',
    ],
)
def test_what_is_no_fault(client: Client, body: str) -> None:
    assert faults(client, body) == []


def test_words_that_are_wider_than_their_line_may_break_where_that_is_allowed(client: Client) -> None:
    found = measured(client, '<p style="width:60px;overflow-wrap:anywhere">gatekeepers</p>')
    assert (len(found["words"]), len(found["long-words"])) == (1, 0)


# --- Simulations ---


def test_style_elements_and_media_queries_are_removed(client: Client) -> None:
    head = "<style>p{color:#010101} @media screen{p{color:#020202}}</style>"
    for simulation, colour in (("plain", 2), ("no-media", 1), ("no-style", 0)):
        measured(client, "<p>text</p>", simulation, head=head)
        assert style_of(client, "p", "color") == f"rgb({colour}, {colour}, {colour})"


def test_gmail_prefixes_classes_and_knows_no_scheme(client: Client) -> None:
    head = (
        "<title>t</title><style>.a{color:#010101} [data-ogsc] .a, p[class]{color:#020202}"
        "@media (prefers-color-scheme:light){.a{color:#030303}} body{color:#040404}</style>"
        "<style>@media screen{@font-face{font-family:x;src:url(x)}} .a{color:#050505}</style>"
    )
    measured(client, '<p class="a" id="b">text</p>', "gmail", head=head)
    assert style_of(client, "p", "color") == "rgb(1, 1, 1)"
    assert client.page.locator("#m_8_b.m_8_a").count() == 1
    assert client.page.title() == ""


def test_gmail_drops_style_beyond_its_limit(client: Client) -> None:
    head = f"<style>p{{color:#010101}}</style><style>p{{color:#020202}}{' ' * 16384}</style>"
    measured(client, "<p>text</p>", "gmail", head=head)
    assert style_of(client, "p", "color") == "rgb(1, 1, 1)"


def test_partial_inversion_leaves_dark_backgrounds_and_full_does_not(client: Client) -> None:
    body = (
        '<blockquote style="background:#ffffff"><p style="color:#16222c">a</p></blockquote>'
        '<b style="background:#16222c;color:#fff">c</b>'
    )
    for simulation, light in (("gmail-android-dark", False), ("gmail-ios-dark", True)):
        assert [fault for fault in faults(client, body, simulation) if fault.startswith("contrast")] == []
        assert style_of(client, "blockquote", "background-color") == "rgb(27, 27, 27)"
        found = [int(part) for part in style_of(client, "b", "background-color")[4:-1].split(",")]
        assert (min(found) > 220) == light
        assert light or found == [22, 34, 44]


def test_outlook_com_makes_white_grey_where_the_mail_has_no_rule_of_its_own(client: Client) -> None:
    head = "<style>[data-ogsc] .own { background-color: #111b22 !important }</style>"
    measured(
        client,
        '<div style="background:#fff">a</div><p class="own" style="background:#fff">b</p>',
        "outlook-com-dark",
        head=head,
    )
    assert style_of(client, "div", "background-color") == "rgb(51, 51, 51)"
    assert style_of(client, "p", "background-color") == "rgb(17, 27, 34)"


def test_word_ignores_what_it_does_not_know(client: Client) -> None:
    body = (
        '<div style="padding:9px;margin:9px;color:#010101!important">a</div>'
        '<p style="margin:9px auto 9px;padding:9px;max-width:9px;width:50px">b</p>'
        '<table><tr><td style="padding:9px;mso-padding-alt:3px 4px">c</td></tr></table>'
        '<a style="display:inline-block">d</a><p style="mso-hide:all">e</p>'
        "<!--[if mso]><i>word</i><![endif]--><!--[if !mso]><!--><u>others</u><!--<![endif]-->"
    )
    measured(client, body, "outlook-windows", width=680)
    assert style_of(client, "div", "padding") == style_of(client, "div", "margin") == "0px"
    assert style_of(client, "div", "color") == "rgb(0, 0, 0)"
    assert style_of(client, "p", "max-width") == "none"
    assert style_of(client, "p", "padding") == "0px"
    assert style_of(client, "td", "padding") == "3px 4px"
    assert style_of(client, "a", "display") == "inline"
    assert client.page.locator("i, u").all_inner_texts() == ["word"]


def test_text_is_doubled_once(client: Client) -> None:
    measured(client, '<div style="font-size:20px;line-height:30px"><p>text</p></div>', "text-200")
    assert (style_of(client, "p", "font-size"), style_of(client, "p", "line-height")) == ("40px", "60px")


def test_pictures_and_sizes_are_taken_away(client: Client) -> None:
    shown = documents()["2026-11-21-evening"]
    loaded = "() => [...document.images].filter((each) => each.naturalWidth).length"
    for simulation, pictures in (("plain", True), ("images-off", False)):
        assert bool(client.show(shown, SIMULATIONS[simulation], 375).evaluate(loaded)) == pictures
    client.show(shown, SIMULATIONS["no-sizes"], 375)
    assert client.page.locator("[width], [height]").count() == 0


def test_scarce_declarations_are_removed_and_others_are_not(client: Client) -> None:
    head = "<style>p{text-wrap:balance;color:#010101;overflow-wrap:anywhere}</style>"
    body = (
        '<p style="hyphens:auto;text-underline-offset:3px;margin:0">a</p>'
        '<b style="word-wrap:break-word">b</b>'
    )
    measured(client, body, "no-scarce", head=head)
    assert style_of(client, "p", "text-wrap") == "wrap"
    assert style_of(client, "p", "overflow-wrap") == "normal"
    assert style_of(client, "p", "color") == "rgb(1, 1, 1)"
    assert client.page.locator("p").get_attribute("style") == "margin:0"
    assert style_of(client, "b", "overflow-wrap") == "break-word"


def test_a_client_from_right_to_left_turns_what_has_no_direction_of_its_own(client: Client) -> None:
    found = measured(client, '<p>loose</p><p dir="ltr">held</p>', "right-to-left")
    assert found["directions"] == ["rtl loose", "ltr held"]


def test_a_rule_without_a_function_is_an_error(client: Client) -> None:
    rule = replace(load_facts().rules["style-removed"], name="unknown")
    unknown: Simulation = replace(SIMULATIONS["plain"], rules=(rule,))
    with pytest.raises(Exception, match="no function does unknown"):
        client.show(documents()["bare"], unknown, 375)


# --- Mailpit's HTML check ---


def test_one_feature_decides_the_html_check(tmp_path: Any, client: Client) -> None:
    data = tmp_path / "caniemail.json"
    data.write_text(
        '{"data": [{"slug": "css-float", "stats": {"a": {"web": {"1": "n", "2": "y"}},'
        '"b": {"web": {"1": "y #1", "2": "y"}}}},'
        '{"slug": "css-margin", "stats": {"a": {"web": {"1": "a #1"}}}}, {"slug": "html-svg", "stats": {}}]}',
        encoding="utf-8",
    )
    support = read_support(data)
    checked = score({"css-float": 4, "css-margin": 1, "html-svg": 3}, 10, support)
    assert (checked.supported, checked.unsupported) == (80.0, 10.0)
    assert checked.sentence == "80.0 % supported (partly: css-float), 10.0 % unsupported (css-float)."
    page = '<p style="float:left;margin-top:1px">a</p><p style="MARGIN : 0">b</p>'
    client.show(
        Shown("page", PAGE.format(head="<style>p{}</style>", body=page), "", {}), SIMULATIONS["plain"], 375
    )
    # style, body and two p; one of them is floating.
    assert check_html(client.page, support).unsupported == pytest.approx(25 * 1 / 4)

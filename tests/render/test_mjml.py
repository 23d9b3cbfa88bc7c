from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mailer.errors import ThemeError
from mailer.render.markers import Markers
from mailer.render.mjml import render_mjml
from mailer.render.theme import MARKERS, Theme
from mailer.render.wellformed import first_fault

Html = Callable[..., str]
NAME = "email/x.mjml"
PAGE = "<mjml><mj-body><mj-section><mj-column>\n{}\n</mj-column></mj-section></mj-body></mjml>"


@pytest.fixture
def html(theme: Callable[..., Theme]) -> Html:
    def rendered(body: str, *, page: str = PAGE, more: dict[str, str] | None = None, **values: Any) -> str:
        opened = theme(**{NAME: page.replace("{}", body), **(more or {})})
        return render_mjml(opened, NAME, {MARKERS: Markers("x"), "language": "en", **values})

    return rendered


def test_mjml_becomes_html(html: Html) -> None:
    page = html("<mj-text>Hello &amp; <b>you</b><br>&nbsp;</mj-text>")
    assert page.lower().startswith("<!doctype html>")
    assert "Hello &amp; <b>you</b>" in page


def test_control_characters_are_left_out(html: Html) -> None:
    assert "ab\tc" in html("<mj-text>{{ word }}</mj-text>", word="a\x00\x0b\x1f\ufffeb\tc\ud800")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<mj-text>\n</b></mj-text>", ":3: </b> stands where <mj-text> is still open"),
        ("<mj-text>\n<b></mj-text>", ":3: </mj-text> stands where <b> is still open"),
        ("<mj-text>\n\n<a href=x>y</a></mj-text>", ':4: the tag "<a href=x>y</a></mj-text>'),
        ('<mj-text>\n<a href="x>y</a></mj-text>', ":3: the tag"),
        ("<mj-text>a\nb < c</mj-text>", ':3: "<" must be written as &lt; here'),
        ("<mj-text><![CDATA[x]]></mj-text>", ':2: "<" must be written as &lt; here ("<![CDATA[x]]>'),
        ("<?xml ?>", ':2: "<" must be written'),
        ("<!-- x", ':2: a comment is not closed by "-->"'),
        ("<mj-text></br></mj-text>", ":2: </br> closes a tag that has no end"),
        ("</mj-column></mj-section></mj-body></mjml></mjml>", ":2: </mjml> stands where nothing is open"),
        ("<b>" * 5000, ":2: tags are nested more than 100 deep"),
        ("{{ nothing }}", ':2: there is no "nothing" here'),
    ],
)
def test_faults_have_the_line_of_the_template(html: Html, body: str, message: str) -> None:
    with pytest.raises(ThemeError) as caught:
        html(body)
    assert f"templates/{NAME}{message}" in str(caught.value)


def test_a_tag_that_is_never_closed_is_told(html: Html) -> None:
    with pytest.raises(ThemeError, match=r"x\.mjml:1: <mjml> is never closed"):
        html("", page="<mjml><mj-body></mj-body>")


def test_the_fault_of_an_included_file_has_the_place_in_that_file(html: Html) -> None:
    with pytest.raises(ThemeError, match=r"^templates/email/part\.mjml:3: "):
        html('{% include "email/part.mjml" %}', more={"email/part.mjml": "<mj-text>\n\na < b</mj-text>"})


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<html></html>", ':1: is not MJML: unexpected token (near "<html></html>")'),
        ("\n", "is not MJML: unable to find mjml element"),
        ("<mjml><mj-body></mj-body></mjml>\nx", "is not MJML: unable to parse"),
        ("\n\n<mjml>中文<mj-body></mj-body></mjml>", ":3: is not MJML"),
        (
            '<mjml><mj-html-attributes><mj-selector path="a"></mj-selector></mj-html-attributes></mjml>',
            "is not MJML",
        ),
    ],
)
def test_what_mrml_refuses_is_a_sentence(html: Html, page: str, message: str) -> None:
    with pytest.raises(ThemeError) as caught:
        html("", page=page)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"templates/{NAME}")


@pytest.mark.parametrize(
    "head",
    [
        "<mj-style>\n@import url(https://x.test/a.css);</mj-style>",
        '<mj-font name="Brand" href="https://x.test/a.css" />',
        '<mj-raw>\n<link rel="stylesheet" href="https://x.test/a.css" /></mj-raw>',
    ],
)
def test_nothing_is_loaded_from_elsewhere(html: Html, head: str) -> None:
    page = (
        f"<mjml><mj-head>{head}</mj-head><mj-body><mj-text font-family='Brand'>x</mj-text></mj-body></mjml>"
    )
    with pytest.raises(ThemeError, match="loads something from another site"):
        html("", page=page)


def test_known_fonts_give_no_link_and_an_article_may_name_an_import(html: Html) -> None:
    page = html('<mj-text font-family="Roboto, Lato">@import and fonts.googleapis.com</mj-text>')
    assert "<link" not in page


def test_mj_include_takes_templates_of_the_theme(html: Html) -> None:
    page = html(
        '<mj-include path="email/part.mjml" />',
        more={"email/part.mjml": "<mj-text>{{ word }}!</mj-text>"},
        word="Hi",
    )
    assert "Hi!" in page


@pytest.mark.parametrize(
    ("path", "part", "message"),
    [
        ("/etc/passwd", "x", f'templates/{NAME}: mj-include: there is no template "/etc/passwd"'),
        ("../../mailer.toml", "x", "mj-include: there is no template"),
        ("email/part.mjml", "<mj-text>\n<b></mj-text>", "templates/email/part.mjml:2: </mj-text> stands"),
        ("email/part.mjml", "{{ nothing }}", 'templates/email/part.mjml:1: there is no "nothing"'),
        ("email/part.mjml", '<mj-column><mj-include path="email/part.mjml" /></mj-column>', "or in a circle"),
        ("email/part.mjml", "\n<mj-head></mj-head>中文<mj-oops>", "templates/email/part.mjml"),
        ("email/part.mjml", "\n\n<mj-style>x</mj-style>", "templates/email/part.mjml:3: is not MJML"),
    ],
)
def test_mj_include_cannot_leave_the_theme(html: Html, path: str, part: str, message: str) -> None:
    with pytest.raises(ThemeError) as caught:
        html(f'<mj-include path="{path}" />', more={"email/part.mjml": part})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "markup",
    [
        "<a><b/></a>",
        "<p>a<br>b<img src='x'></p>",
        "<!--[if mso]><td><![endif]-->",
        '<a title="a > b" hidden href = "x">y</a>',
        "",
        "a > b",
    ],
)
def test_sound_markup_has_no_fault(markup: str) -> None:
    assert first_fault(markup) is None

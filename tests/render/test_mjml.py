from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mailer.errors import ThemeError
from mailer.render.html.inline import inline_styles
from mailer.render.html.mjml import render_mjml
from mailer.render.html.wellformed import first_nesting_fault
from mailer.render.slots.markers import Markers
from mailer.render.theme.theme import MARKERS, Theme

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
        ("<mj-text>\n<!--[if x]y--></mj-text>", ':3: "<!--[if x]y-->" must be written as <!--[if mso]>'),
        ("<mj-text>\n<!--[if mso--></mj-text>", ":3: "),
        ("<mj-text>\n<!--<![endif-->x</mj-text>", ":3: "),
        ("<mj-text>a\nb < c</mj-text>", ':3: "<" must be written as &lt; here'),
        ("<mj-text><![CDATA[x]]></mj-text>", ':2: "<" must be written as &lt; here ("<![CDATA[x]]>'),
        ("<?xml ?>", ':2: "<" must be written'),
        ("<!-- x", ':2: a comment is not closed; add "-->" at the end of the comment'),
        ("<mj-text></br></mj-text>", ":2: </br> must be removed: <br> has no end tag"),
        ("</mj-column></mj-section></mj-body></mjml></mjml>", ":2: </mjml> stands where nothing is open"),
        ("<b>" * 5000, ":2: tags must not be nested more than 100 deep"),
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
        ("<html></html>", ':1: is not valid MJML: unexpected token (near "<html></html>")'),
        ("\n", "is not valid MJML: unable to find mjml element"),
        ("<mjml><mj-body></mj-body></mjml>\nx", "is not valid MJML: unable to parse"),
        ("\n\n<mjml>中文<mj-body></mj-body></mjml>", ':3: the words "中文" are not shown in <mjml>'),
        (
            "<mjml><mj-head>\n<mj-attributes><mj-class color='red' /></mj-attributes></mj-head></mjml>",
            ':2: is not valid MJML: missing attribute "name"',
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
    with pytest.raises(ThemeError, match="loads a file from another site"):
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
        ("email/part.mjml", "\n\n<mj-style>x</mj-style>", "templates/email/part.mjml:3: is not valid MJML"),
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
    assert first_nesting_fault(markup) is None


#: What MRML's debug quoting rewrites, and a line end.
ODD = "图一　港口 C:\\quay \\n 👩‍👩‍👧 ☕️ हिन्दी ภาษา العَرَبِيَّة תּוֹרָה soft\u00adhy nb\u00a0sp 'x'\nb\tc\u2028d"


@pytest.mark.parametrize(
    "body",
    [
        '<mj-image src="https://e.org/a.png" alt="{{ word }}" title="{{ word }}" />',
        '<mj-text><img src="https://e.org/a.png" alt="{{ word }}" title=\'{{ word }}\'></mj-text>',
        '<mj-text><a href="#x" aria-label="{{ word }}" title="{{ word }}">x</a></mj-text>',
        '<mj-table><tr><td title="{{ word }}" abbr="{{ word }}">x</td></tr></mj-table>',
        '<mj-raw><p title="{{ word }}" data-x="{{ word }}">x</p></mj-raw>',
        '<mj-include path="email/größe.mjml" />',
    ],
)
def test_attributes_carry_the_typed_characters(html: Html, body: str) -> None:
    included = {"email/größe.mjml": '<mj-text><b title="{{ word }}" lang="{{ word }}">x</b></mj-text>'}
    page = inline_styles(html(body, more=included, word=ODD))
    assert page.count(f'="{ODD}"') == 2
    assert "\\u{" not in page


def test_a_condition_for_outlook_keeps_its_words_and_its_shape(html: Html) -> None:
    page = html(
        "<mj-raw><!--[if mso]>\n<table title='{{ word }}'>\n<tr><td><![endif]-->\n<p>x</p>\n"
        "<!--[if mso]></td></tr></table><![endif]--></mj-raw>",
        word="全角　C:\\x",
    )
    assert 'title="&#20840;&#35282;&#12288;C:&#92;x"><tr><td><![endif]--><p>x</p><!--[if mso]></td>' in page


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://e.org/路/é?q=日&amp;r=[a]", "https://e.org/%E8%B7%AF/%C3%A9?q=%E6%97%A5&amp;r=[a]"),
        ("https://e.org/हि", "https://e.org/%E0%A4%B9%E0%A4%BF"),
        ("https://e.org/a\u00adb%20c", "https://e.org/a%C2%ADb%20c"),
        ("\n https://e.org/a\n  b\t \n", "https://e.org/a%20%20b"),
        ("https://e.org/a\\b", "https://e.org/a\\b"),
        (" https://e.org/ ", "https://e.org/"),
    ],
)
def test_an_address_is_encoded_once(html: Html, typed: str, address: str) -> None:
    body = f'<mj-text><a href="{typed}">x</a></mj-text><mj-button href="{typed}">x</mj-button>'
    assert inline_styles(html(body)).count(f' href="{address}"') == 2


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("<b>bold</b>\n<i>italic</i>", "<b>bold</b> <i>italic</i>"),
        ('<a href="#x">one</a>\r\n<a href="#y">two</a>', '<a href="#x">one</a> <a href="#y">two</a>'),
        ("<code>x</code>\n\n<s>y</s>", "<code>x</code> <s>y</s>"),
        ("<b>x</b>\n<!-- c -->\n<i>y</i>", "<b>x</b> <!-- c --> <i>y</i>"),
        ("<b>x</b>\n　\n<i>y</i>", "<b>x</b> 　 <i>y</i>"),
        ("<b>x</b>\n\u00a0<i>y</i>", "<b>x</b> \u00a0<i>y</i>"),
        ("<b>\n<i>x</i>\n</b>", "<b> <i>x</i> </b>"),
        ("a\x85b<b>x</b>\x85<i>y</i>", "a b<b>x</b> <i>y</i>"),
        ("<pre><code><b>x</b>\n\n  <i>y</i>\n</code></pre>", None),
        ("<pre><code>\n    a\n\n\tb   c\n</code></pre>", None),
        ("<pre><b>\n</b>\n<b>x</b></pre>", None),
        ("<b>a]]&gt;b</b>", None),
    ],
)
def test_white_space_that_is_read_stays(html: Html, typed: str, read: str | None) -> None:
    assert f">{read or typed}</div>" in inline_styles(html(f"<mj-text>\n<div>{typed}</div>\n</mj-text>"))


def test_white_space_beside_blocks_costs_nothing(html: Html) -> None:
    body = "<mj-text>\n<ul>\n <li>\n<b>x</b>\n</li>\n</ul>\n<p>a<br>\n<i>b</i>\n</p>\n<p>c</p>\n</mj-text>"
    assert "><ul><li><b>x</b></li></ul><p>a<br /><i>b</i></p><p>c</p></div>" in html(body)


def test_what_mrml_would_refuse_is_written_otherwise(html: Html) -> None:
    assert ">a]]&gt;b<" in html("<mj-text>a]]>b</mj-text>")


def test_css_and_styles_are_left_as_they_are(html: Html) -> None:
    page = html(
        '<mj-text padding="1px\n2px" css-class="a\nb" font-family="\'宋体\',\nserif">x</mj-text>',
        page="<mjml><mj-head><mj-style>\n.a::before { content: '\\201C　é' }\n\n/* \\ */\n</mj-style>"
        "<mj-raw><style>\n.b > i { content: '\\a　' }\n</style></mj-raw></mj-head>"
        "<mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>",
    )
    assert ".a::before { content: '\\201C　é' }\n\n/* \\ */" in page
    assert "<style>\n.b > i { content: '\\a　' }\n</style>" in page
    assert "padding:1px 2px;" in page
    assert 'class="a b"' in page
    assert "font-family:'宋体', serif" in inline_styles(page)


@pytest.mark.parametrize(
    "before",
    [
        "<b title='　'>中</b>\n<i>文</i>\n",
        "<b>x</b>\r\n<i>y</i>\r\n",
        "a\x00b\x85c\x01\n\n",
        "<pre>\n<b>x</b>\n\n<i>y</i>\n</pre>\n",
        "<!--[if mso]>\n<b title='\\'></b><![endif]-->\n",
    ],
)
@pytest.mark.parametrize("wrong", ["</s>", "<mj-raw><mj-oops></mj-raw>", "x < y"])
def test_a_fault_behind_what_was_rewritten_has_its_line(html: Html, before: str, wrong: str) -> None:
    with pytest.raises(ThemeError) as caught:
        html("<mj-text>\n{{ before | safe }}\n" + wrong + "</mj-text>", before=before)
    assert f"templates/{NAME}:4: " in str(caught.value)


def test_what_mrml_refuses_behind_what_was_rewritten_has_its_line(html: Html) -> None:
    head = "<mj-title>{{ word }}</mj-title>\n<mj-raw>\n<b title='　\\'>é</b>\n<i>y</i></mj-raw>\n"
    page = f"<mjml><mj-head>{head}<mj-attributes><mj-class color='red' /></mj-attributes></mj-head></mjml>"
    with pytest.raises(ThemeError, match=r'x\.mjml:5: is not valid MJML: .*\(near "mj-class ') as caught:
        html("", page=page, word="中\x01文")
    assert str(caught.value).startswith("templates/")


def test_a_link_without_an_address_becomes_words(html: Html) -> None:
    """A template of an earlier version knows no related entry and no call to action without a URL."""
    page = html(
        '<mj-text><a class="x" href="{{ url }}" title="a href=&quot;">Words</a> '
        '<code>&lt;a href=""></code></mj-text>\n'
        '<mj-button href="{{ url }}">Go</mj-button>',
        url="",
    )
    assert '<a class="x" title="a href=&quot;">Words</a>' in page
    assert 'href=""' not in page.replace('&lt;a href=""', "")
    assert "Go" in page

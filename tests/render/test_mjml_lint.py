"""Slips in a theme that MRML takes without a word are errors at their line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailer.errors import ThemeError
from mailer.render.html.mjml import render_mjml
from mailer.render.html.mjml_lint import lint_mjml
from mailer.render.slots.markers import Markers
from mailer.render.theme.theme import MARKERS, Theme

HEAD = "<mjml><mj-head>\n{}\n</mj-head><mj-body></mj-body></mjml>"
PAGE = "<mjml><mj-body><mj-section><mj-column>\n{}\n</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<mj-txt>x</mj-txt>", 'MJML has no <mj-txt>; did you mean "mj-text"?'),
        ("<mj-text colour='red'>x</mj-text>", '<mj-text> has no attribute colour; did you mean "color"?'),
        ("<mj-text class='a'>x</mj-text>", '<mj-text> has no attribute class; write "css-class"'),
        (
            "<mj-text style='color:red'>x</mj-text>",
            "<mj-text> has no attribute style; write attributes of the element",
        ),
        (
            "<mj-image src='pictures/a.png' alt='a' />",
            '"pictures/a.png" is not a URL that a mail program',
        ),
        ("<mj-text><img src='../a.png' alt='a' /></mj-text>", '"../a.png" is not a URL'),
        ("words", 'the words "words" are not shown in <mj-column>; put them into an mj-text'),
        ("<p>words</p>", "<p> is not shown in <mj-column>; put it into an mj-text"),
        ("<mj-section></mj-section>", "<mj-section> is not shown in <mj-column>; put it into mj-body"),
        ("<mj-divider widht='3px' />", '<mj-divider> has no attribute widht; did you mean "width"?'),
        ("<mj-buton>x</mj-buton>", 'MJML has no <mj-buton>; did you mean "mj-button"?'),
        ("<mjtext>x</mjtext>", 'MJML has no <mjtext>; did you mean "mj-text"?'),
        ("<mj-Text>x</mj-Text>", 'MJML has no <mj-Text>; did you mean "mj-text"?'),
        ("<mj-zzzzzzzzzz />", "MJML has no <mj-zzzzzzzzzz>; see MJML's documentation for its elements"),
        ("<mj-text Color='red'>x</mj-text>", '<mj-text> has no attribute Color; did you mean "color"?'),
        ("<mj-text paddng='0'>x</mj-text>", '<mj-text> has no attribute paddng; did you mean "padding"?'),
        ("<mj-text zzz='0'>x</mj-text>", "<mj-text> has no attribute zzz; remove it"),
        (
            "<mj-text background-url='x'>x</mj-text>",
            "<mj-text> has no attribute background-url; it belongs to mj-wrapper, mj-section and mj-hero",
        ),
        (
            "<mj-spacer src='https://x.test/a.png' />",
            "<mj-spacer> has no attribute src; it belongs to mj-image",
        ),
        ("<mj-image src='logo.png' />", '"logo.png" is not a URL that a mail program'),
        ("<mj-image src='/x.png' />", '"/x.png" is not a URL that a mail program'),
        ("<mj-image src='http:' />", '"http:" is not a URL that a mail program'),
        ("<mj-image src='https:///x.png' />", '"https:///x.png" is not a URL that a mail program'),
        ("<mj-image src='//x.test/x.png' />", '"//x.test/x.png" is not a URL that a mail program'),
        (
            "<mj-image src='https://x.test/a.png' srcset='https://x.test/b.png 2x, c.png 3x' />",
            '"c.png" is not a URL that a mail program',
        ),
        (
            "<mj-carousel><mj-carousel-image src='https://x.test/a' thumbnails-src='b.png' /></mj-carousel>",
            '"b.png" is not a URL that a mail program',
        ),
        (
            "<mj-accordion icon-wrapped-url='a.png'></mj-accordion>",
            '"a.png" is not a URL that a mail program',
        ),
        ("<mj-raw><img src='a.png' alt='a' /></mj-raw>", '"a.png" is not a URL that a mail program'),
        (
            "<mj-text><p><mj-button href='x'>b</mj-button></p></mj-text>",
            "<mj-button> is not shown in <mj-text>; put it into mj-column or mj-hero",
        ),
        ("<mjml></mjml>", "<mjml> is not shown in <mj-column>; remove it"),
    ],
)
def test_a_slip_is_told_at_its_line(theme: Callable[..., Theme], body: str, message: str) -> None:
    opened = theme(**{"email/x.mjml": PAGE.replace("{}", body)})
    with pytest.raises(ThemeError) as caught:
        render_mjml(opened, "email/x.mjml", {MARKERS: Markers("x")})
    assert f"templates/email/x.mjml:2: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("<mj-stlye>a { }</mj-stlye>", 'MJML has no <mj-stlye>; did you mean "mj-style"?'),
        ("<mj-text>x</mj-text>", "<mj-text> is not shown in <mj-head>; put it into mj-column or mj-hero"),
        ("<style>a { }</style>", "<style> is not shown in <mj-head>; put it into an mj-style"),
        ("<meta name='a' />", "<meta> is not shown in <mj-head>; put it into an mj-raw"),
        ("<mj-class name='a' />", "<mj-class> is not shown in <mj-head>; put it into mj-attributes"),
        ("<mj-attributes><mj-txt color='red' /></mj-attributes>", "MJML has no <mj-txt>"),
        (
            "<mj-attributes><mj-text colour='red' /></mj-attributes>",
            '<mj-text> has no attribute colour; did you mean "color"?',
        ),
        (
            "<mj-attributes><mj-class name='a' colour='red' /></mj-attributes>",
            '<mj-class> has no attribute colour; did you mean "color"?',
        ),
        (
            "<mj-attributes><mj-all paddng='0' /></mj-attributes>",
            '<mj-all> has no attribute paddng; did you mean "padding"?',
        ),
        ("<mj-attributes><mj-image src='a.png' /></mj-attributes>", '"a.png" is not a URL'),
        ("<mj-attributes><mj-class name='a' src='a.png' /></mj-attributes>", '"a.png" is not a URL'),
    ],
)
def test_a_slip_in_the_head_is_told_once_at_its_line(
    theme: Callable[..., Theme], head: str, message: str
) -> None:
    opened = theme(**{"email/x.mjml": HEAD.replace("{}", head)})
    with pytest.raises(ThemeError) as caught:
        render_mjml(opened, "email/x.mjml", {MARKERS: Markers("x")})
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"templates/email/x.mjml:2: {message}")


@pytest.mark.parametrize(
    "layout",
    [
        '{% include "email/part.mjml" %}',
        '<mj-include path="email/part.mjml" />',
        '{% from "email/macro.mjml" import part %}{{ part() }}',
    ],
)
def test_a_slip_in_another_file_is_told_at_its_line_there(theme: Callable[..., Theme], layout: str) -> None:
    part = "\n\n<mj-txt colour='red'>x</mj-txt>"
    opened = theme(
        **{
            "email/x.mjml": PAGE.replace("{}", layout),
            "email/part.mjml": part,
            "email/macro.mjml": "{% macro part() %}" + part + "{% endmacro %}",
        }
    )
    with pytest.raises(
        ThemeError, match=r'\.mjml:3: MJML has no <mj-txt>; did you mean "mj-text"\?'
    ) as caught:
        render_mjml(opened, "email/x.mjml", {MARKERS: Markers("x")})
    assert "/x.mjml" not in str(caught.value)


def test_what_mrml_refuses_elsewhere_is_told_beside_the_slips(theme: Callable[..., Theme]) -> None:
    head = "<mj-stlye></mj-stlye>\n<mj-attributes><mj-class color='red' /></mj-attributes>"
    body = HEAD.replace("{}", "<mj-attributes><mj-class color='red' /></mj-attributes>\n<mj-title clr='x' />")
    for page, lines in ((HEAD.replace("{}", head), [2]), (body, [3, 2])):
        opened = theme(**{"email/x.mjml": page})
        with pytest.raises(ThemeError) as caught:
            render_mjml(opened, "email/x.mjml", {MARKERS: Markers("x")})
        assert [problem.line for problem in caught.value.problems] == lines


def test_all_slips_are_told_at_once(theme: Callable[..., Theme]) -> None:
    opened = theme(
        **{"email/x.mjml": PAGE.replace("{}", "<mj-txt>x</mj-txt>\n<mj-text colour='red'>x</mj-text>")}
    )
    with pytest.raises(ThemeError) as caught:
        render_mjml(opened, "email/x.mjml", {MARKERS: Markers("x")})
    assert [problem.line for problem in caught.value.problems] == [2, 3]


@pytest.mark.parametrize(
    "markup",
    [
        "<mjml lang='ar' dir='rtl'><mj-head><mj-attributes><mj-all font-family='x' />"
        "<mj-class name='a' color='red' /><mj-text padding='0' /></mj-attributes>"
        "<mj-style inline='inline'>a{}</mj-style><mj-raw><meta /></mj-raw></mj-head>"
        "<mj-body><mj-wrapper padding='0' gap='1px'><mj-section css-class='x'><mj-group><mj-column>"
        "<mj-table><tr><td colour='x'>b</td></tr></mj-table></mj-column></mj-group></mj-section></mj-wrapper>"
        "</mj-body></mjml>",
        "<mj-image src='https://x.test/a.png' /><mj-image src='images/0123456789abcdef0123.png' />",
        "<mj-text><!-- x --><unknown a='b'>c</unknown></mj-text>",
        "<mj-raw><mj-txt colour='x'>{{ other }}</mj-txt><mj-text><mj-button /></mj-text></mj-raw>",
        "<mj-image src='https://x.test/a.png' srcset='https://x.test/a,b.png 1x,https://x.test/c.png 2x' />",
        "<mj-attributes><mj-class name='a' src='https://x.test/a.png' inner-padding='0' /></mj-attributes>",
        "<mj-column><mj-raw><!--[if mso]><p>x</p><![endif]--></mj-raw><mj-include path='a' /></mj-column>",
    ],
)
def test_what_mjml_has_is_no_slip(markup: str) -> None:
    assert list(lint_mjml(markup)) == []

"""Slips in a theme that MRML takes without a word are errors at their line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailer.errors import ThemeError
from mailer.render.html.mjml import render_mjml
from mailer.render.html.mjml_lint import lint_mjml
from mailer.render.slots.markers import Markers
from mailer.render.theme.theme import MARKERS, Theme

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
    ],
)
def test_a_slip_is_told_at_its_line(theme: Callable[..., Theme], body: str, message: str) -> None:
    opened = theme(**{"email/x.mjml": PAGE.replace("{}", body)})
    with pytest.raises(ThemeError) as caught:
        render_mjml(opened, "email/x.mjml", {MARKERS: Markers("x")})
    assert f"templates/email/x.mjml:2: {message}" in str(caught.value)


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
        "<mj-column><mj-raw><!--[if mso]><p>x</p><![endif]--></mj-raw><mj-include path='a' /></mj-column>",
    ],
)
def test_what_mjml_has_is_no_slip(markup: str) -> None:
    assert list(lint_mjml(markup)) == []

from __future__ import annotations

import socket

import pytest

from mailer.errors import ThemeError
from mailer.render.html.inline import inline_styles

PAGE = """<!doctype html><html lang="zh" xmlns:v="urn:schemas-microsoft-com:vml"><head>
<meta name="color-scheme" content="light dark">
<style>p { color: red } .big { font-size: 20px !important } a:hover { color: blue }</style>
<style>@media (prefers-color-scheme: dark) { .ink { color: #fff !important } }
@media only screen and (min-width:480px) { .half { width:50% !important } }
[data-ogsc] .ink { color: #fff !important } @font-face { font-family: X }
@supports (display: grid) { p { color: green } }</style>
<!--[if mso]><xml><o:OfficeDocumentSettings/></xml><![endif]-->
</head><body><p class="big ink" style="margin:0">中文 &amp; é</p>
<!--[if mso | IE]><table width="600"><tr><td><![endif]--><img src="x" width="149" height="99" alt="">
<a href="https://a.test/?b=1&amp;c={{u}}">x</a></body></html>"""


@pytest.fixture
def inlined() -> str:
    return inline_styles(PAGE)


def test_rules_are_inlined_and_what_cannot_be_stays(inlined: str) -> None:
    assert 'style="color:red; font-size:20px !important; margin:0"' in inlined
    for kept in (
        "<!doctype html>",
        "@media (prefers-color-scheme: dark) { .ink { color: #fff !important } }",
        "@media only screen and (min-width:480px) { .half { width:50% !important } }",
        "[data-ogsc] .ink { color: #fff !important }",
        "@font-face { font-family: X }",
        "@supports (display: grid)",
        "a:hover { color: blue }",
        "<!--[if mso]><xml><o:OfficeDocumentSettings/></xml><![endif]-->",
        '<!--[if mso | IE]><table width="600"><tr><td><![endif]-->',
        'width="149" height="99"',
        'name="color-scheme" content="light dark"',
        'lang="zh"',
        "中文 &amp; é",
        "https://a.test/?b=1&amp;c=",
    ):
        assert kept in inlined, kept


def test_it_is_done_the_same_twice(inlined: str) -> None:
    assert inline_styles(PAGE) == inlined


def test_the_doctype_stands_once_at_the_start(inlined: str) -> None:
    assert inlined.lower().count("<!doctype") == 1
    assert inlined.startswith("<!doctype html>\n")
    assert inline_styles("<html><body>x</body></html>").startswith("<!doctype html>\n<html>")


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    page = PAGE.replace("<style>p", '<style>@import url("http://127.0.0.1:9/x.css"); @\\69mport "y.css"; p')
    page = page.replace("</head>", '<link rel="stylesheet" href="http://127.0.0.1:9/z.css"></head>')
    assert "color:red" in inline_styles(page)
    assert capsys.readouterr() == ("", "")


def test_broken_css_is_quiet_and_broken_html_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert inline_styles("<html><head><style>p { color: }} } ;</style></head><body><p>x</p></body></html>")
    with pytest.raises(ThemeError, match=r"^the style sheets of the theme cannot be inlined: "):
        inline_styles("")
    assert capsys.readouterr() == ("", "")


def test_many_style_sheets_are_not_kept_for_ever() -> None:
    for number in range(1, 110):
        page = f"<html><head><style>p {{ width: {number}px }}</style></head><body><p>x</p></body></html>"
        assert f"width:{number}px" in inline_styles(page)


def test_no_bare_carriage_return_is_left() -> None:
    page = '<html><head></head><body><p title="a&#13;b">c&#13;&#10;d&#13;e</p></body></html>'
    assert inline_styles(page).endswith('<p title="a\nb">c\nd\ne</p></body></html>')


def test_many_blanks_are_inlined_as_they_are() -> None:
    assert f"a{' ' * 60_000}b" in inline_styles(f"{PAGE[:-14]}<pre>a{' ' * 60_000}b</pre></body></html>")

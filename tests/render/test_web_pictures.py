"""A picture of a web page whose address is relative to the page is an error at the template's line."""

from __future__ import annotations

import pytest

from mailer.errors import ThemeError
from mailer.render.html.web_pictures import find_relative_pictures
from tests.render.conftest import WEB, Render


@pytest.mark.parametrize(
    "address", ["logo.png", "pictures/logo.png", "../logo.png", "http:", "file:///a.png"]
)
@pytest.mark.parametrize("tag", ['<img src="{}" alt="">', "<IMG alt='' src={} />", "<p>\n<img\nsrc='{}'>"])
def test_a_relative_picture_is_a_fault(address: str, tag: str) -> None:
    page = "<!doctype html>\n<p>x</p>\n" + tag.replace("{}", address)
    (fault,) = find_relative_pictures(page)
    assert page[fault.offset : fault.offset + 4].lower() == "<img"
    assert fault.message.startswith(f'"{address}" is not a URL that leads to a picture ')


@pytest.mark.parametrize(
    "tag",
    [
        '<img src="https://x.test/a.png">',
        '<img src="/static/a.png">',
        '<img src="//x.test/a.png">',
        '<img src="data:image/png;base64,AA">',
        '<img src="../../images/0123456789abcdef0123.png">',
        '<img src="">',
        "<img src>",
        "<img alt=x>",
        "<script src=a.js></script>",
        '<style>/* <img src="a.png"> */</style><!-- <img src="a.png"> -->',
    ],
)
def test_other_addresses_are_none(tag: str) -> None:
    assert find_relative_pictures(tag) == []


def test_the_error_has_the_line_of_the_partial(render: Render) -> None:
    with pytest.raises(ThemeError) as caught:
        render(
            **{
                "web/morning.html": WEB + '{% include "web/foot.html" %}\n',
                "web/foot.html": "<p>x</p>\n\n<img src='logo.png' alt='x'>\n",
            }
        )
    assert str(caught.value).startswith('templates/web/foot.html:3: "logo.png" is not a URL that leads to')


def test_a_template_that_prints_another_page_each_time_is_named_without_a_line(render: Render) -> None:
    changing = "{{ range(90000) | random }}-{{ range(90000) | random }}<img src='a.png'>"
    with pytest.raises(ThemeError, match=r'^templates/web/morning\.html: "a\.png" is not a URL'):
        render(**{"web/morning.html": WEB + changing})

"""An address is the same ASCII string in the mail, on the web page and in the fields."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.config import Settings
from mailer.issue.load import LoadedIssue, load_issue
from mailer.render.check import check_rendition
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition

FEW = hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
READER = {
    "subscriber.attributes.city": "a/../b?c=d&e#f @evil.example\r\n%00道",
    "links.unsubscribe": "https://x.test/u",
}
_HREF = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')


def written(loaded_from: Path, settings: Settings, **keys: Any) -> tuple[LoadedIssue, Rendition]:
    """An issue of these keys, in the layouts that come with mailer."""
    path = loaded_from / "issues" / "test.yaml"
    path.write_text(
        json.dumps({"edition": "evening", "date": "2026-11-21", "language": "en", **keys}), encoding="utf-8"
    )
    loaded = load_issue(path, settings)
    return loaded, render_variants(loaded, settings, slug="x", variants=(0,))[0]


def hrefs(page: str) -> list[str]:
    """Where the links of a page lead, without those of the theme itself."""
    found = [html.unescape(href) for href in _HREF.findall(page)]
    return [href for href in found if "example.net" in href or href.startswith(("tel:", "webcal:"))]


def test_an_address_is_the_same_everywhere(workspace: Path, settings: Settings) -> None:
    typed = "https://例え.example.net/wiki/हिन्दी?a[]=1&b={x}#道"
    expected = "https://xn--r8jz45g.example.net/wiki/%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80?a%5B%5D=1&b=%7Bx%7D#%E9%81%93"
    loaded, rendition = written(
        workspace,
        settings,
        items=[
            {
                "title": "T",
                "url": typed,
                "body": f"[x]({typed}) <{typed}> {typed}, [y][r]\n\n[r]: {typed}",
                "source": {"name": "S", "url": typed},
            }
        ],
        related=[{"title": "R", "url": typed}],
        call_to_action={"label": "L", "url": typed},
    )
    for page in (rendition.html.fill(READER), rendition.web):
        found = hrefs(page)
        assert len(found) >= 9
        assert set(found) == {expected}
        assert page.count(f">{html.escape(typed)}</a>") == 2  # the words stay as typed
    assert [
        str(each) for each in check_rendition(loaded, rendition, settings) if "address" in str(each)
    ] == []
    assert "Read in full at 例え.example.net" in rendition.web


def test_mail_telephone_and_calendar_addresses_work(workspace: Path, settings: Settings) -> None:
    body = (
        "[a](<mailto:desk@example.net?subject=Hello you&body=A%26B>) [b](<tel:+49 30 1234>) "
        "[c](webcal://example.net/日.ics) www.example.net/a desk@example.net"
    )
    loaded, rendition = written(
        workspace, settings, body=body, call_to_action={"label": "L", "url": "tel:+49 30 1"}
    )
    for page in (rendition.html.fill(READER), rendition.web):
        assert hrefs(page)[:5] == [
            "mailto:desk@example.net?subject=Hello%20you&body=A%26B",
            "tel:+49301234",
            "webcal://example.net/%E6%97%A5.ics",
            "https://www.example.net/a",
            "mailto:desk@example.net",
        ]
        assert "tel:+49301" in hrefs(page)
    assert [
        str(each) for each in check_rendition(loaded, rendition, settings) if each.severity == "error"
    ] == []


def test_a_slot_is_one_piece_of_an_address(workspace: Path, settings: Settings) -> None:
    slot = "{{ subscriber.attributes.city }}"
    url = f"https://example.net/道/{slot}/x?c={slot}#{slot}"
    _, rendition = written(
        workspace, settings, body=f"[x](<{url}>) {url}", items=[{"title": "T", "url": url}]
    )
    filled = "a%2F..%2Fb%3Fc%3Dd%26e%23f%20%40evil.example%0D%0A%2500%E9%81%93"
    expected = f"https://example.net/%E9%81%93/{filled}/x?c={filled}#{filled}"
    assert set(hrefs(rendition.html.fill(READER))) == {expected}
    assert set(hrefs(rendition.html.fill({"subscriber.attributes.city": ".."}))) == {
        "https://example.net/%E9%81%93//x?c=#"
    }


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ({"body": "## A\n\n[x](#heading-1)", "items": [{"title": "T"}]}, ""),
        ({"sections": [{"title": "S", "items": [{"title": "T", "body": "[](#item-1) [](#section-1)"}]}]}, ""),
        ({"items": [{"title": "T", "url": "#item-2"}, {"title": "U"}]}, ""),
        ({"items": [{"title": "T", "body": "a\n\n[x](#item-3)"}]}, "#item-3 leads to nothing in the mail"),
        ({"items": [{"title": "T", "url": "#top"}]}, "#top leads to nothing in the mail and in the web page"),
        ({"body": "[](#related)", "related": [{"title": "R", "url": "tel:11"}]}, "nothing in the mail;"),
    ],
)  # fmt: skip
def test_a_link_within_the_page_leads_to_a_part_of_both_pages(
    workspace: Path, settings: Settings, keys: dict[str, Any], missing: str
) -> None:
    loaded, rendition = written(workspace, settings, **keys)
    found = [str(each) for each in check_rendition(loaded, rendition, settings) if each.severity == "error"]
    assert [missing in each for each in found] == [True] * bool(missing), found
    assert all(re.match(r"issues/test\.yaml:\d+", each) for each in found)
    if "## A" in keys.get("body", ""):
        assert ' id="heading-1"' in rendition.html.fill(READER)
    for page in (rendition.html.fill(READER), rendition.web):
        links = re.findall(r'<a\b[^>]*href="#[^"]*"[^>]*>', page)
        assert not any("_blank" in link for link in links)


_PATH = st.text(st.sampled_from(list("abZ09-._~$&'*+=@") + list("港口éяहिन्दी가ไทยا")), max_size=12)


@FEW
@given(
    st.lists(
        st.tuples(st.sampled_from(["example.net", "例え.example.net", "BÜCHER.example.net"]), _PATH),
        min_size=1,
        max_size=4,
    )
)
def test_generated_addresses_are_the_same_in_mail_page_and_fields(
    workspace: Path, settings: Settings, parts: list[tuple[str, str]]
) -> None:
    typed = [f"https://{host}/p/{path}" for host, path in parts]
    loaded, rendition = written(
        workspace,
        settings,
        items=[{"title": "T", "url": url, "body": f"<{url}> [x](<{url}>)"} for url in typed],
    )
    mail, web = hrefs(rendition.html.fill(READER)), hrefs(rendition.web)
    fields = [item.url for item in loaded.issue.items]
    assert set(mail) == set(web) == set(fields)
    text = rendition.text.fill(READER)
    assert all(str(url) in text for url in fields)
    for url, given_ in zip(fields, typed, strict=True):
        assert url is not None
        assert url.isascii()
        assert url.isprintable()
        assert unquote(url.split("/", 3)[3]) == given_.split("/", 3)[3]

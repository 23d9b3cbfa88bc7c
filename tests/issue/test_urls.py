"""Where a link leads: the same ASCII however it was typed, or one sentence on what is wrong with it."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.issue.values.urls import likely_url_mistakes, normalised_url
from tests.issue.conftest import NAME, Load, Wrong


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTPS://Example.ORG/Page", "https://example.org/Page"),
        ("https://hi.example.org/wiki/हिन्दी", "https://hi.example.org/wiki/%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80"),
        ("https://例え.jp/道", "https://xn--r8jz45g.jp/%E9%81%93"),
        ("http://bücher.example.org:8080/ä?ö=ü#é", "http://xn--bcher-kva.example.org:8080/%C3%A4?%C3%B6=%C3%BC#%C3%A9"),
        ("https://example.org/wiki/Ao_(color)", "https://example.org/wiki/Ao_(color)"),
        ("https://example.org/?a[]=1&b={x}|^`", "https://example.org/?a%5B%5D=1&b=%7Bx%7D%7C%5E%60"),
        ("https://example.org/100%/%zz/%E9%81%93#a#b", "https://example.org/100%25/%25zz/%E9%81%93#a%23b"),
        ("https://example.org/?q=%2Fa+b%26c", "https://example.org/?q=%2Fa+b%26c"),
        ("https://a_b.example.org/", "https://a_b.example.org/"),
        ("https://xn--r8jz45g.jp/", "https://xn--r8jz45g.jp/"),
        ("https://192.0.2.7:443/", "https://192.0.2.7:443/"),
        ("https://[2001:DB8::1]/", "https://[2001:db8::1]/"),
        ("https://example.org/می\u200cخواهم", "https://example.org/%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8%A7%D9%87%D9%85"),
        ("https://example.org/港（町）", "https://example.org/%E6%B8%AF%EF%BC%88%E7%94%BA%EF%BC%89"),
        ("https://example.org/@desk", "https://example.org/@desk"),
        ("webcal://example.org/日.ics", "webcal://example.org/%E6%97%A5.ics"),
        ("mailto:desk@example.org", "mailto:desk@example.org"),
        ("mailto:a@x.org?subject=A b&body=A%26B é", "mailto:a@x.org?subject=A%20b&body=A%26B%20%C3%A9"),
        ("mailto:a+b@例え.jp,c@example.org", "mailto:a+b@xn--r8jz45g.jp,c@example.org"),
        ("mailto:?subject=Read this", "mailto:?subject=Read%20this"),
        ("tel:+49 30 12-34.56", "tel:+4930123456"),
        ("tel:112", "tel:112"),
        ("#item-2", "#item-2"),
        ("#港口", "#%E6%B8%AF%E5%8F%A3"),
        ("https://example.org/s\u00ad", "https://example.org/s%C2%AD"),
        ("https://example.org/你好，世界", "https://example.org/%E4%BD%A0%E5%A5%BD%EF%BC%8C%E4%B8%96%E7%95%8C"),
    ],
)  # fmt: skip
def test_an_address_is_written_as_ascii(typed: str, written: str) -> None:
    assert normalised_url(typed) == written
    assert normalised_url(written) == written


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("https://exa\u200bmple.org/", "holds a zero-width space (U+200B); delete it"),
        ("https://example.org/a\u200bb", "holds a zero-width space (U+200B); delete it, or write %E2%80%8B"),
        ("https://example.org/a\u200db", "holds a zero-width joiner (U+200D)"),
        ("https://example.org/\u202egro", "holds an invisible character (U+202E)"),
        ("https://example.org/a\u00a0b", "holds a no-break space (U+00A0)"),
        ("https://example.org/\u3000", "holds a full-width space (U+3000)"),
        ("\ufeffhttps://example.org/", "holds a byte order mark (U+FEFF)"),
        ("https://example.org/a\u3164", "holds an invisible character (U+3164)"),
        ("https://exa\u00admple.org/", "holds a soft hyphen (U+00AD) in its host"),
        ("https://exa\ufe0fmple.org/", "has an invisible character in its host"),
        ("https://example.org，/a", 'has "，" in its host'),
        ("https://example。org/", 'has "。" in its host'),
        ("https://ｅxample.org/", 'has "ｅ" in its host'),
        ("https://example.org：80/", 'has "：" in its host'),
        ("https：//example.org/", "; write https://example.org/"),
        ("https:／／example.org/", "; write https://example.org/"),
        ("https://example.org/a，", 'ends with "，"; delete it, or write %EF%BC%8C'),
        ("https://example.org/a）", 'ends with "）"; delete it'),
        ("https://example.org/a，https://example.org/b", "contains two URLs; make two links of them"),
        ("https://example.org:65536/", "has the port 65536, but a port must be from 1 to 65535; correct it"),
        ("https://example.org:0/", "has the port 0, but"),
        ("https://example.org:80a/", 'has the port "80a", which is not a number'),
        ("https://example.org:/", 'has the port "", which is not a number'),
        ("https://example..org/", "has a host that has an empty part"),
        ("https://.example.org/", "has a host that has an empty part"),
        ("https://example.org./", "has a host that ends with a full stop"),
        (f"https://{'a' * 64}.org/", "has a host that is too long"),
        (f"https://{'例' * 60}.jp/", "has a host that is too long"),
        ("https://" + "abc." * 64 + "org", "has a host that is too long"),
        ("https://192.0.2.700/", "neither a name nor an IPv4 address"),
        ("https://☕.example.org/", 'has "☕" in its host'),
        ("https://example.org@evil.example/", 'contains a user name before "@"'),
        ("https://user:word@example.org/", 'contains a user name before "@"'),
        ("https:\\\\example.org", 'contains "\\"; write / instead'),
        ("https://example.org\\a", 'contains "\\"; write / instead'),
        ("https:/example.org/a", "must begin with https://; write https://example.org/a"),
        ("https:///example.org/a", "; write https://example.org/a"),
        ("https:example.org", "; write https://example.org"),
        ("https://https://example.org", "begins with https:// twice"),
        ("https://https//example.org", "begins with https:// twice"),
        ("http//example.org", "; write http://example.org"),
        ("htps://example.org", "; write https://example.org"),
        ("htttp://example.org", "; write http://example.org"),
        ("www.example.org", "; write https://www.example.org"),
        ("//example.org/", "; write https://example.org/"),
        ("example.org/a", "; write https://example.org/a"),
        ("desk@example.org", "; write mailto:desk@example.org"),
        ("page.html", "must begin with https://"),
        ("/page", "must begin with https://"),
        ("pictures/a.png", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("JavaScript:alert(1)", "must begin with https://"),
        ("java\tscript:alert(1)", "holds a tab (U+0009)"),
        ("data:text/html,x", "must begin with https://"),
        ("file:///etc/hosts", "must begin with https://"),
        ("ftp://example.org/", "must begin with https://"),
        ("", "must begin with https://"),
        ("#", "must name a part of this issue"),
        ("mailto:desk", "is not an e-mail address: it has no @"),
        ("mailto:a..b@example.org", "is not an e-mail address"),
        ("mailto:desk@example.org?Hello", "holds Hello after the ?; write ?subject=…&body=…"),
        ("tel:+49 (0)30 12", 'holds "(0)"'),
        ("tel:call me", "is not a telephone number"),
        ("https://example.org/" + "a" * 2000, "is longer than 2,000 characters; shorten it"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_sentence(typed: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        normalised_url(typed)
    assert str(caught.value).isprintable()


def test_what_is_probably_a_slip_is_a_doubt() -> None:
    (doubt,) = likely_url_mistakes("https://example.org/a，b")
    assert doubt.startswith(
        '"https://example.org/a，b" continues after "，"; delete what does not belong to the URL'
    )
    assert len(likely_url_mistakes("https://example.org/s\u00ad")) == 1
    assert "write only &" in likely_url_mistakes("https://example.org/?a=1&amp;b=2")[0]
    assert not likely_url_mistakes("https://example.org/港口?a=1#é")
    assert not likely_url_mistakes("mailto:desk@example.org?subject=好，的")


_LABELS = st.sampled_from(["example", "例え", "bücher", "news-7", "हिन्दी", "xn--r8jz45g", "a_b"])
_WORDS = st.text(
    st.sampled_from(list("abcXYZ019-._~!$&'()*+,;=:@[]{}|^`\"") + list("港口道éяğहिन्दी가나ไทยあ·")),
    max_size=12,
)


@given(st.lists(_LABELS, min_size=1, max_size=3), _WORDS, _WORDS, _WORDS, st.sampled_from(["", ":8080"]))
def test_an_address_decodes_to_what_was_typed(
    labels: list[str], path: str, query: str, fragment: str, port: str
) -> None:
    host = ".".join([*labels, "org"])
    typed = f"https://{host}{port}/{path}?{query}#{fragment}"
    written = normalised_url(typed)
    assert written.isascii()
    assert written.isprintable()
    assert not set(' "<>\\^`{|}') & set(written)
    assert normalised_url(written) == written
    parts = urlsplit(written)
    assert idna.decode(parts.netloc.removesuffix(port)) if "_" not in host else True
    assert unquote(written.split("/", 3)[3]) == unquote(f"{path}?{query}#{fragment}")


def test_the_fields_of_an_issue_hold_ascii_addresses(load: Load, head: str) -> None:
    url = "https://例え.jp/道?city={{ subscriber.attributes['home town'] or \"none\" }}&x=é"
    loaded = load(
        head
        + f"items:\n- title: A\n  url: >-\n    {url}\n  source: {{name: B, url: 'https://example.org/é'}}\n"
        "  image: {src: 'https://example.org/图.png', alt: A, url: 'mailto:a@example.org?subject=Hi you'}\n"
        "related: [{title: R, url: '#item-1'}]\n"
        "call_to_action: {label: L, url: '{{ links.preferences }}'}\n"
    )
    (item,) = loaded.issue.items
    assert item.url == url.replace("例え", "xn--r8jz45g").replace("道", "%E9%81%93").replace("é", "%C3%A9")
    assert item.source is not None
    assert item.source.url == "https://example.org/%C3%A9"
    (image,) = item.image
    assert image.src == "https://example.org/%E5%9B%BE.png"
    assert image.url == "mailto:a@example.org?subject=Hi%20you"
    assert loaded.issue.related[0].url == "#item-1"
    assert not loaded.findings


@pytest.mark.parametrize(
    "url",
    [
        "https://{{ subscriber.attributes.host }}/",
        "https://example.org{{ subscriber.attributes.host }}",
        "https://example.org:{{ subscriber.attributes.port }}/",
        "https://{{ subscriber.name }}@example.org/",
        "{{ subscriber.attributes.scheme }}://example.org/",
        "{{ subscriber.attributes.url }}",
        "mailto:{{ subscriber.email }}",
        "tel:{{ subscriber.attributes.number }}",
        "#{{ subscriber.name }}",
        "{{ links.preferences }}?x=1",
        "{{ links.preferences or subscriber.name }}",
    ],
)
def test_a_slot_cannot_lead_elsewhere(wrong: Wrong, head: str, url: str) -> None:
    assert wrong(f'{head}items:\n  - title: a\n    url: "{url}"\n')[0].startswith(f"{NAME}:6:10: url: ")
    found = wrong(f"{head}items:\n  - title: a\n    body: |\n      One\n\n      [x](<{url}>)\n")
    assert len(found) == 1
    assert found[0].startswith(f"{NAME}:9: ")
    assert "slot" in found[0] or "must begin" in found[0] or "must name" in found[0]
    assert "slot0" not in found[0].replace(" ", "")


def test_doubts_about_fields_and_texts_are_warnings_at_their_lines(load: Load, head: str) -> None:
    loaded = load(
        f"{head}items:\n  - title: a\n    url: https://example.org/a，b\n"
        "    body: |\n      One\n\n      [x](https://example.org/a，b)\n"
    )
    assert [str(each).partition(" continues")[0] for each in loaded.findings] == [
        f'{NAME}:6:10: warning: url: "https://example.org/a，b"',
        f'{NAME}:10: warning: the link "https://example.org/a，b"',
    ]

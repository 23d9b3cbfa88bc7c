"""A reader's page is shown, and they can leave, whatever stands in their row of the database."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mailer.audience.subscribers import Subscriber
from mailer.language.reader_language import choose_language, known_locale
from mailer.web.app import create_app
from tests.web.conftest import Browser, Site

HOSTILE = [
    "en@x",
    "en@x\r\nSet-Cookie: a=b",
    "en@\r\n\r\n<h1>",
    "en@\x00",
    "en@\n",
    "zh@中文",
    "en@" + "x" * 30_000,
    "en@../../../../etc/passwd",
    "x" * 30_000,
    "en\r\nX-Other: y",
    "\x00",
    "../../en",
    "en_US.x\r\ny: z",
    "<script>",
    "{{ 1/0 }}",
    "zh@\u202e",
    "\ufeff",
    "root",
    "und",
    "-",
]


def hold(site: Site, person: Subscriber, column: str, value: object) -> None:
    site.db.conn.execute(f"UPDATE subscribers SET {column} = ? WHERE id = ?", (value, person.id))


def walk(site: Site, person: Subscriber) -> None:
    """Each page is a page, and both POSTs do what they say."""
    browser = Browser(create_app(site.settings), raises=False)
    for purpose in "up":
        answer = browser.get(site.link(person, purpose))
        assert answer.status_code == 200, answer.text
        assert "<button" in answer.text
        headers(answer.headers.raw)
    answer = browser.post(site.link(person, "p"), data={"step": "save", "edition": "morning"})
    assert answer.status_code == 200
    headers(answer.headers.raw)
    answer = browser.post(site.link(person), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    headers(answer.headers.raw)
    row = site.db.conn.execute("SELECT status FROM subscribers WHERE id = ?", (person.id,)).fetchone()
    assert row == ("unsubscribed",)


def headers(raw: list[tuple[bytes, bytes]]) -> None:
    for name, value in raw:
        assert len(value) < 2000
        assert all(0x20 <= byte < 0x7F for byte in name + value)
        assert name not in (b"set-cookie", b"x-other")


@pytest.mark.parametrize("language", HOSTILE)
def test_any_language_in_a_row_shows_the_page(site: Site, reader: Subscriber, language: str) -> None:
    hold(site, reader, "language", language)
    walk(site, reader)


@pytest.mark.parametrize("bytes_", [b"\xff\xfe", b"en@\xff", b"zh\x00", b"\x80" * 100])
@pytest.mark.parametrize("column", ["language", "name", "timezone", "tags", "attributes", "domain"])
@pytest.mark.parametrize("as_text", [True, False])
def test_bytes_that_are_no_text_show_the_page(
    site: Site, reader: Subscriber, bytes_: bytes, column: str, as_text: bool
) -> None:
    value = "CAST(? AS TEXT)" if as_text else "?"
    site.db.conn.execute(f"UPDATE subscribers SET {column} = {value} WHERE id = ?", (bytes_, reader.id))
    walk(site, reader)


@pytest.mark.parametrize("column", ["tags", "attributes"])
@pytest.mark.parametrize("text", ["", "{", "null", "5", '"a"', "[1, null]", "[" * 30_000, "{}", "[]", "NULL"])
def test_a_damaged_list_of_tags_or_attributes_shows_the_page(
    site: Site, reader: Subscriber, column: str, text: str
) -> None:
    hold(site, reader, column, text)
    walk(site, reader)


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(
    st.text(max_size=50)
    | st.builds("{}@{}".format, st.sampled_from(["en", "zh", "zh_CN"]), st.text(max_size=50))
)
def test_a_page_is_shown_for_any_language(site: Site, reader: Subscriber, language: str) -> None:
    try:
        hold(site, reader, "language", language)
    except UnicodeEncodeError:
        return
    answer = site.browser.get(site.link(reader))
    assert answer.status_code == 200
    headers(answer.headers.raw)


@given(st.text(max_size=60) | st.builds("en@{}".format, st.text()) | st.binary() | st.none() | st.integers())
def test_a_language_of_a_page_is_a_tag(tag: object) -> None:
    locale = known_locale(tag)
    assert locale is None or str(locale).replace("_", "").isalnum()
    assert choose_language((tag,), ()).isascii()  # type: ignore[arg-type]

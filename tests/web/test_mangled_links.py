"""Links as they arrive after a long way: each takes the right person off, or says that it did not.

`MAILER_TEST_LINKS=10000` walks through as many.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest

from mailer.audience.stable_ids import stable_id_of_subscriber
from mailer.links.urls import Purpose, TokenCodec
from mailer.store.database import writing
from mailer.web.app import create_app
from tests.numbered import numbered
from tests.web.conftest import BASE, NOW, Site

LINKS = int(os.environ.get("MAILER_TEST_LINKS", "2000"))
READERS = 40
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
ADDED = (
    *(".", ")", ",", ";", ">", "%3E", "3D", "=3D", "%3D3D", "&amp;", "&gt;", "'", '"', "%22", " ", "%20"),
    *("\u200b", "?utm_source=x", "&utm_medium=email", "#", "]", "}", "!", "…", "。", "）", "/", "%2F"),
    *("%0D%0A", "*", "_", "-"),
)


def _place(text: str, chance: random.Random) -> int:
    return chance.randrange(len(text) + 1)


def _cut(text: str, chance: random.Random) -> str:
    number = chance.choice((1, 1, 1, 2, 2, 3, 5, 20))
    return chance.choice((text[:-number], text[number:]))


def _lose(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice((1, 1, 2, 2, 3))):
        place = _place(text, chance)
        text = text[:place] + text[place + 1 :]
    return text


def _add(text: str, chance: random.Random) -> str:
    more, place = chance.choice(ADDED), _place(text, chance)
    return chance.choice((text + more, more + text, text[:place] + more + text[place:]))


def _letters(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = _place(text, chance)
        text = text[:place] + chance.choice(LETTERS) + text[place + chance.choice((0, 1)) :]
    return text


def _swap(text: str, chance: random.Random) -> str:
    place = chance.randrange(max(1, len(text) - 1))
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


def _wrap(text: str, chance: random.Random) -> str:
    place = _place(text, chance)
    return text[:place] + chance.choice(("=\r\n", "=\n", "\r\n ", "%3D%0A", " ")) + text[place:]


def _encode(text: str, chance: random.Random) -> str:
    return chance.choice(
        (
            lambda t: "".join(f"%{byte:02x}" for byte in t.encode()),
            lambda t: "".join(f"%25{byte:02X}" for byte in t.encode()),
            lambda t: "".join(f"={byte:02X}" for byte in t.encode()),
            lambda t: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in t),
            lambda t: quote(quote(t)),
        )
    )(text)


WAYS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_cut, _lose, _add, _add, _letters, _swap, _wrap, _encode),
    *(lambda text, _: text.lower(), lambda text, _: text.upper(), lambda text, _: text.swapcase()),
)


@pytest.fixture
def people(site: Site) -> list[int]:
    """Readers, the first half of whom were there before stable ids."""
    with writing(site.db):
        site.db.conn.executemany(
            "INSERT INTO subscribers (address, address_key, joined_at, updated_at) VALUES (?1, ?1, ?2, ?2)",
            [(f"reader{n}@example.org", NOW) for n in range(READERS)],
        )
        site.db.conn.execute("UPDATE numbered_links SET last_subscriber = ?", [READERS // 2])
    return [row[0] for row in site.db.conn.execute("SELECT id FROM subscribers ORDER BY id")]


@dataclass
class Sent:
    """A link as it arrived: whose it is, whether it is of a version up to 0.3.0, and its path."""

    person: int
    old: bool
    path: str


def mangled(site: Site, people: list[int], number: int) -> Iterator[Sent]:
    """So many links of these readers, each changed in one to three ways."""
    chance = random.Random(17)
    (key, *_), tokens = site.settings.signing_keys(), TokenCodec(site.settings.signing_keys())
    ids = {person: stable_id_of_subscriber(site.db, person) for person in people}
    for _ in range(number):
        person, campaign, old = chance.choice(people), chance.randrange(300), chance.random() < 0.3
        token = (
            numbered(key, b"u", person, campaign)
            if old
            else tokens.make(Purpose.UNSUBSCRIBE, ids[person], campaign)
        )
        for _ in range(chance.choice((1, 1, 2, 3))):
            token = chance.choice(WAYS)(token, chance)
        yield Sent(person, old, "/u/" + quote(token, safe=chance.choice(("%/?=&", "/", ""))))


async def walk(site: Site, people: list[int]) -> Counter[str]:
    """POSTs each link, and looks at everybody after each."""
    told: Counter[str] = Counter()
    transport = httpx.ASGITransport(create_app(site.settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        for sent in mangled(site, people, LINKS):
            answer = await client.post(sent.path, data={"List-Unsubscribe": "One-Click"})
            left = site.db.conn.execute("SELECT id FROM subscribers WHERE status <> 'active'").fetchall()
            said = "<h1>You are unsubscribed</h1>" in answer.text
            assert said == (answer.status_code == 200), sent
            if said:
                assert left == [(sent.person,)], sent  # and nobody else
                assert sent.person <= READERS // 2 or not sent.old
                site.db.conn.execute("UPDATE subscribers SET status = 'active' WHERE id = ?", left[0])
            else:
                assert left == [], sent
                assert answer.status_code == 404, sent
                assert "Nothing was changed" in answer.text
            told[("old" if sent.old else "new") if said else "not"] += 1
    return told


def test_mangled_links(site: Site, people: list[int]) -> None:
    told = asyncio.run(walk(site, people))
    assert told.total() == LINKS
    assert told["new"] > LINKS * 0.5  # of some seven tenths
    assert told["old"] > LINKS * 0.07  # of some 0.15; as many more are of nobody
    assert told["not"] > LINKS * 0.2


def test_links_that_were_not_made_here_take_nobody_off(site: Site, people: list[int]) -> None:
    """Well-formed tokens with a wrong signature, also for stable ids that are there."""
    chance, tokens = random.Random(18), TokenCodec(site.settings.signing_keys())
    for number in range(200):
        token = tokens.make(
            Purpose.UNSUBSCRIBE, stable_id_of_subscriber(site.db, chance.choice(people)), number
        )
        forged = (
            token[:22] + "".join(chance.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(17)) + "x"
        )
        assert site.browser.post(f"/u/{forged}").status_code == 404
        guess = hashlib.sha256(token.encode()).hexdigest()[:40]
        assert site.browser.post(f"/u/{guess}").status_code == 404
    assert site.db.conn.execute("SELECT count(*) FROM subscribers WHERE status <> 'active'").fetchone() == (
        0,
    )

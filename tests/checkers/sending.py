"""Sends the sample issues into an outbox, and gets every page of the web application, for the checkers."""

from __future__ import annotations

import email.policy
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from mailer.audience.consent.suppression import suppress
from mailer.audience.subscribers import Subscriber, erase
from mailer.audience.values.address import normalize_address
from mailer.clock import set_clock
from mailer.config import load_settings
from mailer.links.urls import NOBODY
from mailer.services.readers.reader_actions import ReaderActions
from mailer.site import archive_pages
from mailer.site.pages import ReaderPages
from mailer.store.database import open_store
from mailer.web.app import create_app
from tests.cli import run
from tests.desk import copy_repository
from tests.web.conftest import Browser, Site, a_reader

__all__ = ["LANGUAGES", "Sent", "html_of", "pages_of", "send_samples"]

#: The languages of the reader pages that are checked.
LANGUAGES = ("en", "zh")
_SENT_AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
#: One reader with a name and one without, in each language.
_READERS = "email,name,language\n" + "".join(
    f"{language}{number}@example.org,{name},{language}\n"
    for language, name in (("en", "Anna Keller"), ("zh", "林小满"))
    for number, name in enumerate((name, ""))
)
_SAVE = {"step": "save"}
_EDITIONS = ["morning", "evening"]


@dataclass(frozen=True)
class Sent:
    """Holds the workspace after the samples were sent.

    `messages` has every message of the outbox as bytes, by a name of slug and file.
    """

    root: Path
    messages: dict[str, bytes]

    def pictures(self) -> dict[str, bytes]:
        """Returns the pictures of all campaigns by their file name."""
        return {path.name: path.read_bytes() for path in self.root.glob("campaigns/*/images/*")}


@contextmanager
def _time_and_key() -> Iterator[None]:
    """Sets the clock and the secret key, which fixtures of a session cannot take from those of a test."""
    with mock.patch.dict(os.environ, {"MAILER_SECRET_KEY": "a-secret-key-for-tests-only", "NO_COLOR": "1"}):
        set_clock(lambda: _SENT_AT)
        try:
            yield
        finally:
            set_clock(None)


def send_samples(root: Path) -> Sent:
    """Makes a workspace at `root` of the sample issues and sends each of them into its outbox."""
    copy_repository(root, "issues")
    (root / "readers.csv").write_text(_READERS, encoding="utf-8")
    messages: dict[str, bytes] = {}
    with _time_and_key():
        _succeed(root, "subscribers", "import", "readers.csv")
        for issue in sorted((root / "issues").glob("*.yaml")):
            _succeed(root, "send", f"issues/{issue.name}", "--yes", "--transport", f"outbox:out/{issue.stem}")
            for path in sorted((root / "out" / issue.stem).rglob("*.eml")):
                messages[f"{issue.stem}/{path.name}"] = path.read_bytes()
    return Sent(root, messages)


def _succeed(root: Path, *words: str) -> None:
    ran = run(root, *words)
    assert ran.status == 0, ran.out + ran.err


def html_of(message: bytes) -> str:
    """Returns the HTML part of a message, decoded."""
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    part = parsed.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def pages_of(sent: Sent) -> dict[str, str]:
    """Returns the HTML of every page that the web application has, by a name of page and language.

    The readers of the pages are added to the workspace of `sent`.
    """
    with _time_and_key():
        settings = load_settings(sent.root)
        db = open_store(settings.database)
        try:
            site = Site(settings, db, Browser(create_app(settings)))
            pages: dict[str, str] = {}
            for language in LANGUAGES:
                found = {**_pages_of_readers(site, language), **_pages_of_nobody(site, language)}
                pages |= {f"{name} ({language})": html for name, html in found.items()}
            return pages | _pages_of_the_archive(site)
        finally:
            db.close()


def _pages_of_readers(site: Site, language: str) -> dict[str, str]:
    def reader(name: str) -> Subscriber:
        return a_reader(site, f"{name}-{language}@example.org", language)

    stays, leaves, refused = reader("stays"), reader("leaves"), reader("refused")
    suppress(site.db, normalize_address(str(refused.address)).key, "complaint")
    get, post = site.browser.get, site.browser.post
    away = site.link(leaves, "p")
    answers = {
        "unsubscribe": get(site.link(stays)),
        "preferences": get(site.link(stays, "p")),
        "preferences, saved": post(site.link(stays, "p"), data={**_SAVE, "edition": _EDITIONS}),
        "preferences, refused": post(site.link(refused, "p"), data={**_SAVE, "edition": _EDITIONS}),
        "done": post(site.link(leaves), data={"step": "page"}),
        "done, thanks": post(site.link(leaves), data={"step": "reason", "reason": "x"}),
        "preferences, away": get(away),
        "preferences, saved and away": post(away, data=_SAVE),
    }
    with mock.patch.object(ReaderPages, "_render_from_theme", side_effect=ValueError("a broken theme")):
        answers["unsubscribe, plain"] = get(site.link(stays))
        answers["done, plain"] = post(site.link(leaves), data={"step": "page"})
    return _read(answers, 200)


def _pages_of_nobody(site: Site, language: str) -> dict[str, str]:
    headers = {"Accept-Language": language}
    gone = a_reader(site, f"gone-{language}@example.org", language)
    erased = site.link(gone)
    erase(site.db, gone.id)
    get = site.browser.get
    pages = _read({"erased": get(erased, headers=headers)}, 200)
    pages |= _read({"copy": get(site.link(NOBODY), headers=headers)}, 200)
    nobody = {"unknown": site.link(b"stranger"), "incomplete": "/u/x", "not-found": "/nowhere"}
    pages |= _read({name: get(path, headers=headers) for name, path in nobody.items()}, 404)
    pages |= _read({"refused": site.browser.request("PUT", "/u/x", headers=headers)}, 405)
    with mock.patch.object(ReaderActions, "identify_reader", side_effect=OSError("the disk is full")):
        pages |= _read({"unavailable": get("/u/x", headers=headers)}, 503)
    return pages


def _pages_of_the_archive(site: Site) -> dict[str, str]:
    """Returns the home of the archive, the pages that it links to by a query, and those of the issues."""
    get = site.browser.get
    answers = {"archive": get("/archive/")}
    queries = set(re.findall(r'href="(\?[^"]+)"', answers["archive"].text))
    with mock.patch.object(archive_pages, "_PER_PAGE", 1):
        answers |= {f"archive, page {number}": get(f"/archive/?page={number}") for number in (1, 2)}
    answers |= {f"archive, {query}": get(f"/archive/{query}") for query in sorted(queries)}
    slugs = sorted(path.parent.name for path in site.settings.campaigns.glob("*/web.html"))
    answers |= {f"web {slug}": get(f"/archive/{slug}/") for slug in slugs}
    return _read(answers, 200)


def _read(answers: dict[str, Any], status: int) -> dict[str, str]:
    for name, answer in answers.items():
        assert isinstance(answer, httpx.Response)
        assert answer.status_code == status, f"{name}: {answer.text}"
    return {name: answer.text for name, answer in answers.items()}

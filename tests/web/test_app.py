"""The application as a whole: addresses under a path, errors, limits, pages of a workspace's own."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from anyio.to_thread import current_default_thread_limiter
from starlette.exceptions import HTTPException

from mailer.audience.subscribers import Subscriber
from mailer.config import Settings, load_settings
from mailer.errors import ConfigError
from mailer.services.readers.reader_actions import ReaderActions
from mailer.web.app import create_app
from mailer.web.safety import SafetyMiddleware
from tests.web.conftest import Browser, Site


def below(settings: Settings, path: str) -> Settings:
    publication = settings.publication.model_copy(update={"base_url": f"https://example.org{path}"})
    return settings.model_copy(update={"publication": publication})


def test_everything_is_also_found_below_the_path_of_the_base_url(site: Site, reader: Subscriber) -> None:
    browser = Browser(create_app(below(site.settings, "/a/news")))
    for prefix in ("", "/a/news"):
        assert browser.get(prefix + site.link(reader)).status_code == 200
        assert browser.get(prefix + "/healthz").text == "ok\n"
        # Where a proxy takes the path away, the reader's browser still needs it.
        assert browser.get(prefix + "/archive").headers["location"] == "/a/news/archive/"
        assert browser.get(prefix + "/").headers["location"] == "/a/news/archive/"
        assert browser.get(prefix + "/archive/").status_code == 200
        assert browser.get(prefix + "/nothing").status_code == 404
    assert browser.get("/a/news").headers["location"] == "/a/news/archive/"
    assert browser.post("/a/news" + site.link(reader)).status_code == 200
    assert site.now(reader).status == "unsubscribed"


def test_the_path_of_the_base_url_may_be_encoded(site: Site, reader: Subscriber) -> None:
    browser = Browser(create_app(below(site.settings, "/%E5%8C%97/a%20b")))
    assert browser.get("/%E5%8C%97/a%20b/archive").headers["location"] == "/%E5%8C%97/a%20b/archive/"
    assert browser.post("/%E5%8C%97/a%20b" + site.link(reader)).status_code == 200
    assert site.now(reader).status == "unsubscribed"


def test_a_browser_that_asks_for_an_icon_gets_no_error(site: Site) -> None:
    assert site.browser.get("/favicon.ico").status_code == 204


def test_a_method_that_is_not_allowed_names_those_that_are(site: Site, reader: Subscriber) -> None:
    answer = site.browser.request("PUT", site.link(reader))
    assert answer.status_code == 405
    assert "Nothing has changed" in answer.text
    assert sorted(answer.headers["allow"].split(", ")) == ["GET", "HEAD", "POST"]


def test_a_defect_of_ours_is_a_calm_page_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ReaderActions, text: str, purpose: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(ReaderActions, "identify_reader", broken)
    browser = Browser(create_app(site.settings), raises=False)
    answer = browser.get("/u/x")
    assert answer.status_code == 500
    assert "defect" not in answer.text
    assert "Please try again" in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("purpose", ["u", "p"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_no_thread_is_to_be_had_it_is_to_be_tried_again(
    site: Site,
    reader: Subscriber,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    purpose: str,
    method: str,
) -> None:
    def none_left(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    browser = Browser(create_app(site.settings), raises=False)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        answer = browser.request(method, site.link(reader, purpose))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "Please try again in a minute" in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "no more threads" in caplog.text
    assert [record for record in caplog.records if record.exc_info] == []
    assert site.now(reader).status == "active"
    assert browser.request(method, site.link(reader, purpose)).status_code == 200


def test_an_answer_that_was_begun_is_not_begun_again() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("can't start new thread")

    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="start new thread"):
        asyncio.run(SafetyMiddleware(app)({"type": "http"}, None, keep))  # type: ignore[arg-type]
    assert len(sent) == 1


def test_without_a_secret_key_there_is_no_application(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILER_SECRET_KEY")
    with pytest.raises(ConfigError, match="MAILER_SECRET_KEY is not set"):
        create_app(load_settings(workspace))


def own_page(settings: Settings, name: str, text: str) -> None:
    folder = settings.root / "templates/web/pages"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_workspace_may_bring_a_page_of_its_own(site: Site, reader: Subscriber) -> None:
    own_page(site.settings, "unsubscribe.html", "<style>p {}</style><p>Ours, {{ publication.name }}</p>")
    answer = Browser(create_app(site.settings)).get(site.link(reader))
    assert answer.text == "<style>p {}</style><p>Ours, Harbour Brief</p>"
    assert "style-src 'sha256-" in answer.headers["content-security-policy"]
    own_page(site.settings, "unsubscribe.html", "<p>Without style</p>")
    answer = Browser(create_app(site.settings)).get(site.link(reader))
    assert "style-src 'none'" in answer.headers["content-security-policy"]


def test_a_page_that_fails_does_not_keep_anybody_from_leaving(
    site: Site, reader: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    own_page(site.settings, "done.html", "{{ nonsense }}")
    answer = Browser(create_app(site.settings)).post(site.link(reader))
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert "templates/web/pages/done.html: 'nonsense' is undefined" in caplog.text


def test_a_workspace_may_bring_words_of_its_own(site: Site, reader: Subscriber) -> None:
    folder = site.settings.root / "templates/locale/zh/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "web.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "Unsubscribe"\nmsgstr "不再订阅"\n',
        encoding="utf-8",
    )
    site.db.conn.execute("UPDATE subscribers SET language = 'zh'")
    page = Browser(create_app(site.settings)).get(site.link(reader)).text
    assert "不再订阅" in page
    assert "只调整我订阅的刊物" in page  # the others are still there


def test_text_on_a_button_can_be_read_on_any_colour(site: Site, reader: Subscriber) -> None:
    for colour, text in (("#ffff66", "#000000"), ("#112233", "#ffffff")):
        brand = site.settings.brand.model_copy(update={"accent": colour})
        app = create_app(site.settings.model_copy(update={"brand": brand}))
        page = Browser(app).get(site.link(reader)).text
        assert f"--accent: {colour}; --on-accent: {text};" in page


def test_a_body_that_never_ends_is_given_up() -> None:
    errors: list[HTTPException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            while (await receive())["more_body"]:
                pass
        except HTTPException as error:
            errors.append(error)

    async def trickle() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def silence() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def nothing(message: Any) -> None:
        raise AssertionError

    asyncio.run(SafetyMiddleware(app, max_seconds=0.01)({"type": "http"}, silence, nothing))
    asyncio.run(SafetyMiddleware(app, max_bytes=10)({"type": "http"}, trickle, nothing))
    assert [error.status_code for error in errors] == [408, 413]


def test_somebody_who_goes_away_in_the_middle_changes_nothing(site: Site, reader: Subscriber) -> None:
    answers: list[Any] = []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def keep(message: Any) -> None:
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": site.link(reader), "headers": [], "query_string": b""}
    asyncio.run(create_app(site.settings)(scope, gone, keep))
    assert answers[0]["status"] == 400
    assert site.now(reader).status == "active"


def test_who_goes_away_needs_no_thread(site: Site, reader: Subscriber) -> None:
    """A client that opens and closes without end would take the threads in which others are answered."""

    async def ask() -> int:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": site.link(reader),
            "headers": [],
            "query_string": b"",
        }
        current_default_thread_limiter().total_tokens = 1
        async with current_default_thread_limiter():
            await asyncio.wait_for(create_app(site.settings)(scope, receive, send), 5)
        return int(sent[0]["status"])

    assert asyncio.run(ask()) == 400


def test_what_is_not_http_passes_by() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(SafetyMiddleware(app)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]

"""Pages for readers and pages of issues share their partials; a workspace may override any single file."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import shutil
from pathlib import Path

import pytest

from mailer.config import Settings, TextByLanguage
from mailer.issue.load import load_issue
from mailer.language.reader_language import page_translations
from mailer.render.render import render_variants
from mailer.site.pages import Page, ReaderPages
from mailer.web.responses import page_response
from tests.full_issue import ROOT

#: base.html and page.css in short, as a workspace of version 0.5.0 may have them.
EARLIER_BASE = """\
<!doctype html>
<html lang="{{ language }}" dir="{{ dir }}">
<head><title>{% block title %}{% endblock %}</title><style>{% include "page.css" %}</style></head>
<body class="{% block width %}{% endblock %}">
<div class="masthead">{{ bdi(publication.name) }}</div>
<main>{% block content %}{% endblock %}</main>
<footer class="foot"><p>{{ bdi(publication.postal_address) }}</p></footer>
</body>
</html>
"""
EARLIER_CSS = (
    ":root { --on-accent: {{ on_accent }}; --night: {{ on_accent_dark }}; color: {{ brand.ink }}; }\n"
)


def page(settings: Settings, name: str = "unsubscribe", language: str = "en") -> Page:
    return ReaderPages(settings).render_page(name, language, preferences="/p")


def own(settings: Settings, name: str, text: str) -> None:
    path = settings.root / "templates/web" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def web_page(settings: Settings) -> str:
    path = settings.root / "issues/some.yaml"
    path.write_text("edition: morning\ndate: 2026-11-21\nitems: [{title: One}]\n", encoding="utf-8")
    return render_variants(load_issue(path, settings), settings, slug="x", variants=[0])[0].web


def test_both_kinds_of_pages_have_the_same_style_sheet(settings: Settings) -> None:
    mine = page(settings).body.decode()
    issue = web_page(settings)
    for rule in ("--paper:", ".masthead {", ".button, button {", "h1 {", ".foot {"):
        lines = [next(line for line in html.splitlines() if rule in line) for html in (mine, issue)]
        assert lines[0] == lines[1], rule


FRAME = """\
{% macro masthead(logo, archive) %}/* mine */{{ caller() }}{% endmacro %}
{% macro footer() %}{{ caller() }}{% endmacro %}
{% macro named(name) %}{{ name }}{% endmacro %}
"""
TOKENS = (
    (ROOT / "templates/web/tokens.html")
    .read_text("utf-8")
    .replace('"paper": brand.paper,', '"paper": "#123456",', 1)
)


@pytest.mark.parametrize(
    ("name", "text", "mark"),
    [
        ("sheet.html", "/* mine */ body { color: red }", "/* mine */"),
        ("frame.html", FRAME, "/* mine */"),
        ("tokens.html", TOKENS, "--paper: #123456"),
    ],
)
def test_a_partial_of_the_workspace_takes_precedence_in_both(
    settings: Settings, name: str, text: str, mark: str
) -> None:
    own(settings, name, text)
    assert mark in page(settings).body.decode()
    assert mark in web_page(settings)


def test_a_partial_that_fails_is_replaced_on_pages_for_readers(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    own(settings, "sheet.html", "{{ 1 / 0 }}")
    shown = page(settings)
    assert b"<button" in shown.body
    assert b".masthead {" in shown.body
    assert "the built-in page is shown instead" in caplog.text


def test_earlier_versions_of_base_and_style_sheet_work(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    own(settings, "pages/base.html", EARLIER_BASE)
    html = page(settings).body.decode()
    assert '<div class="masthead">Harbour Brief</div>' in html
    assert "body > :is(main, .masthead)" in html
    own(settings, "pages/page.css", EARLIER_CSS)
    shown = page(settings)
    assert "--on-accent: #ffffff; --night: #000000;" in shown.body.decode()
    assert "<button" in shown.body.decode()
    (settings.root / "templates/web/pages/base.html").unlink()
    assert "--on-accent: #ffffff; --night: #000000;" in page(settings).body.decode()
    assert not caplog.records


def test_faces_of_earlier_versions_work(settings: Settings) -> None:
    own(
        settings,
        "fonts.html",
        "{% macro sans(language) %}Mine{% endmacro %}{% macro serif(language) %}Yours{% endmacro %}",
    )
    html = page(settings).body.decode()
    assert "--text: Yours; --plain: Mine; --ui: Mine;" in html


def test_the_policy_allows_the_style_sheet_that_is_sent(settings: Settings) -> None:
    for name in ("unsubscribe", "not-found"):
        shown = page(settings, name)
        (style,) = re.findall("<style>(.*?)</style>", shown.body.decode(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in page_response(shown).headers["content-security-policy"]
        assert " style=" not in shown.body.decode()


def test_the_logo_is_part_of_the_page(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert b"<img" not in page(settings).body
    shutil.copy(ROOT / "issues/pictures/logo.png", settings.root / "logo.png")
    with_logo = settings.model_copy(update={"brand": settings.brand.model_copy(update={"logo": "logo.png"})})
    html = page(with_logo).body.decode()
    assert '<img src="data:image/png;base64,' in html
    assert len(html) < 40_000
    for logo in ("https://example.org/logo.png", "gone.png"):
        brand = settings.brand.model_copy(update={"logo": logo})
        assert b"<img" not in page(settings.model_copy(update={"brand": brand})).body
    assert "brand.logo" in caplog.text


def test_the_list_is_linked_if_there_is_one(settings: Settings) -> None:
    assert b'href="/archive/"' in page(settings, "not-found").body
    base = settings.publication.model_copy(update={"base_url": "https://example.org/news"})
    assert b'href="/news/archive/"' in page(settings.model_copy(update={"publication": base})).body
    closed = {key: e.model_copy(update={"archive": False}) for key, e in settings.editions.items()}
    assert b"archive/" not in page(settings.model_copy(update={"editions": closed}), "not-found").body


def test_the_description_is_shown_in_the_language_of_the_page(settings: Settings) -> None:
    publication = settings.publication.model_copy(
        update={"description": TextByLanguage("News from the quay.")}
    )
    described = settings.model_copy(update={"publication": publication})
    assert "News from the quay." in page(described).body.decode()
    assert "News from the quay." not in page(described, language="zh").body.decode()
    folder = settings.root / "templates/locale/zh/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "web.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "News from the quay."\nmsgstr "码头新闻"\n',
        encoding="utf-8",
    )
    page_translations.cache_clear()
    assert "码头新闻" in page(described, language="zh").body.decode()

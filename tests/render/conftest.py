"""A theme of three tiny templates, so that these tests know nothing of the real design."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailer import theme_files as lookup
from mailer.config import Settings
from mailer.issue.load import LoadedIssue, load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from mailer.render.theme.theme import Theme, open_theme

EMAIL = """\
<mjml lang="{{ language }}" dir="{{ dir }}"><mj-head>
<mj-title>{{ issue.title }}</mj-title><mj-preview>{{ issue.preheader }}</mj-preview>
<mj-attributes><mj-all font-family="Georgia, serif" /></mj-attributes>
</mj-head><mj-body><mj-section><mj-column>
<mj-text><h1>{{ issue.title }}</h1>{{ issue.intro }}
{% for item in issue.items %}
<h2 id="{{ item.anchor }}" title="{{ item.title }}">{{ item.number }} {{ item.title }}</h2>{{ item.body }}
{% endfor %}
{{ issue.body }}</mj-text>
<mj-text><a href="{{ links.unsubscribe }}">{{ _("Unsubscribe") }}</a></mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
TEXT = """\
{{ issue.title }}

{{ issue.intro | wrap }}
{% for item in issue.items %}
{{ item.number }}. {{ item.title }}
{{ item.body | wrap }}
{% endfor %}
{{ issue.body | wrap }}
{{ links.unsubscribe }}
"""
WEB = """\
<!doctype html><html lang="{{ language }}"><title>{{ issue.title }}</title>
<h1>{{ issue.title }}</h1>{{ issue.intro }}
{% for item in issue.items %}<h2>{{ item.title }}</h2>{{ item.body }}{% endfor %}{{ issue.body }}
"""

Write = Callable[..., None]
Load = Callable[..., LoadedIssue]
Render = Callable[..., Rendition]


@pytest.fixture
def theme_files(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes templates of the workspace by name; the theme holds nothing else but three tiny ones."""
    monkeypatch.setattr(lookup, "built_in_theme_folder", lambda: tmp_path / "no-theme")

    def write(**templates: str) -> None:
        for name, text in templates.items():
            path = workspace / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    write(**{"email/morning.mjml": EMAIL, "text/morning.txt": TEXT, "web/morning.html": WEB})
    return write


@pytest.fixture
def load(workspace: Path, settings: Settings) -> Load:
    """Loads an issue of the morning edition from the text of its other keys."""

    def loaded(text: str = "items: [{title: One}]", **also: bytes) -> LoadedIssue:
        path = workspace / "issues" / "test.yaml"
        path.write_text(f"edition: morning\ndate: 2026-11-21\n{text}\n", encoding="utf-8")
        for name, data in also.items():
            (workspace / "issues" / name).write_bytes(data)
        return load_issue(path, settings)

    return loaded


@pytest.fixture
def render(theme_files: Write, load: Load, settings: Settings) -> Render:
    """Renders such an issue with the tiny theme, changed by the templates given."""

    def rendered(text: str = "items: [{title: One}]", *, images: Any = (), **templates: str) -> Rendition:
        theme_files(**templates)
        loaded = load(text, **dict(images))
        return render_variants(loaded, settings, slug="test", variants=(0,))[0]

    return rendered


@pytest.fixture
def theme(theme_files: Write, workspace: Path) -> Callable[..., Theme]:
    """Opens the tiny theme, changed by the templates given."""

    def opened(**templates: str) -> Theme:
        theme_files(**templates)
        return open_theme(workspace)

    return opened

from __future__ import annotations

import dataclasses
from pathlib import Path

from mailer.render.theme.filters import FILTERS
from mailer.render.theme.theme import CONTEXT_NAMES
from mailer.render.views import values as views

DOCUMENT = (Path(__file__).parents[2] / "docs/themes.md").read_text("utf-8")
_JINJA = {"loop", "caller", "range", "dict", "cycler", "joiner", "namespace"}


def test_every_name_of_the_context_is_documented() -> None:
    for name in set(CONTEXT_NAMES) - _JINJA:
        assert f"`{name}" in DOCUMENT or f"{{{{ {name}" in DOCUMENT, name


def test_every_filter_is_documented() -> None:
    for name in FILTERS:
        assert f"| `{name}" in DOCUMENT, name


def test_every_field_of_a_view_is_documented() -> None:
    for name in views.__all__:
        for field in dataclasses.fields(getattr(views, name)):
            if not field.name.startswith("_"):
                assert f".{field.name}`" in DOCUMENT, (name, field.name)

"""docs/mailer-toml.md says what the model says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from mailer.config import load_settings
from mailer.config.environment import OTHER_VARIABLES, keys_with_types, variable_name
from mailer.config.oauth import OAuth
from mailer.config.sections import SECTIONS, Edition
from tools.settings_page import PAGE, page_text

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_in_step_with_the_model() -> None:
    assert page_text() == TEXT, "run `python -m tools.settings_page`"


def test_every_key_and_variable_is_on_the_page() -> None:
    tables: dict[tuple[str, ...], type[BaseModel]] = {
        **{(name,): model for name, model in SECTIONS.items()},
        ("delivery", "oauth"): OAuth,
        ("editions", "<NAME>"): Edition,
    }
    for place, model in tables.items():
        for key, _ in keys_with_types(model):
            assert f"| `{key}` | " in TEXT
            assert f"`{variable_name((*place, key))}`" in TEXT
    for name in OTHER_VARIABLES:
        assert f"| `{name}` | " in TEXT


@pytest.mark.parametrize("example", re.findall(r"`(MAILER_[A-Z_]+)=([^`]+)`", TEXT), ids=lambda each: each[0])
def test_the_examples_work(workspace: Path, example: tuple[str, str]) -> None:
    config = workspace / "mailer.toml"
    config.write_text(config.read_text() + '[editions.late-night]\nname = "Late"\n', encoding="utf-8")
    assert load_settings(workspace, dict([example])) != load_settings(workspace, {})

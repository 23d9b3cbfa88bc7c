"""docs/issues.md shows every key of an issue in an example, and its examples are issues without findings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from pydantic import BaseModel

from mailer.issue import model
from mailer.issue.include import LISTS
from tools.issue_pictures import PAGE, Example, examples, loaded_examples

DOCS = PAGE.parent
_BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def models_of_an_issue() -> list[type[BaseModel]]:
    return [each for each in vars(model).values() if isinstance(each, type) and issubclass(each, BaseModel)]


@pytest.mark.parametrize("key", sorted({key for each in models_of_an_issue() for key in each.model_fields}))
def test_every_key_stands_in_an_example(key: str) -> None:
    assert any(re.search(rf"(^|[\s{{,-]){key}:", block, re.MULTILINE) for block in _BLOCKS), key


def test_every_list_that_includes_is_named() -> None:
    assert all(f"`{name}`" in PAGE.read_text("utf-8") for name in LISTS)


def test_the_examples_with_pictures_have_no_findings(tmp_path: Path) -> None:
    found = list(loaded_examples(tmp_path / "workspace"))
    assert len(found) >= 8
    for example, loaded in found:
        assert loaded.findings == (), example.picture


@pytest.mark.parametrize("example", examples(), ids=lambda example: Path(example.picture).stem)
def test_every_example_has_its_picture(example: Example) -> None:
    with Image.open(DOCS / example.picture) as picture:
        assert picture.width == 562
        assert picture.height > 200


def test_every_picture_belongs_to_an_example() -> None:
    shown = {DOCS / example.picture for example in examples()}
    assert set((DOCS / "pictures/issues").iterdir()) == shown

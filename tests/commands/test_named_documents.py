"""Drafts, and the files of a new workspace, name documents and commands that exist there."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from mailer.commands.loading.table import all_commands
from mailer.issue.schema import issue_schema
from mailer.services.new_workspace import create_workspace
from mailer.theme_files import built_in_file_paths
from tests.cli import run

DAY = dt.date(2026, 11, 21)
ROOT = Path(__file__).parents[2]
#: The path of a document, and a folder of documents.
DOCUMENT = re.compile(r"(?<![\w./-])(?:[\w-]+/)*[\w-]+\.(?:md|json|toml|rst|pdf)\b|\bdocs/[\w./-]*")
COMMAND = re.compile(r"`mailer ([a-z-]+)(?: ([a-z-]+))?")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    create_workspace(tmp_path / "desk", DAY)
    return tmp_path / "desk"


def wrong_names(text: str, workspace: Path) -> list[str]:
    """Returns the documents and commands that a text names and that do not exist."""
    wrong = [name for name in DOCUMENT.findall(text) if not (workspace / name).is_file()]
    known = all_commands()
    for group, command in COMMAND.findall(text):
        found = known.get(group)
        if found is None or (hasattr(found, "commands") and command not in found.commands):
            wrong.append(f"mailer {group} {command}")
    return wrong


@pytest.mark.parametrize("edition", ["morning", "evening", "feature"])
@pytest.mark.parametrize("has_page", [True, False])
def test_a_draft_names_what_the_workspace_has(fresh: Path, edition: str, has_page: bool) -> None:
    if not has_page:
        (fresh / "issues/README.md").unlink()
    ran = run(fresh, "new", edition, "--date", "2026-11-22")
    assert ran.status == 0
    text = (fresh / f"issues/2026-11-22-{edition}.yaml").read_text(encoding="utf-8")
    first = "Every key is explained in issues/README.md" if has_page else "`mailer schema` lists every key"
    assert text.startswith(f"# {first}; `mailer check` tells what is wrong, and where.\n")
    assert wrong_names(text, fresh) == []


def test_every_file_of_a_new_workspace_names_what_is_there(fresh: Path) -> None:
    files = [path for path in fresh.rglob("*") if path.is_file()]
    named = {
        path.relative_to(fresh).as_posix(): wrong_names(path.read_text("utf-8"), fresh) for path in files
    }
    assert {name: wrong for name, wrong in named.items() if wrong} == {}


def test_a_name_that_does_not_exist_is_noticed(fresh: Path) -> None:
    text = "See docs/issues.md, texts.md and mailer.toml; `mailer theme list`, `mailer theme lst`."
    assert wrong_names(text, fresh) == ["docs/issues.md", "texts.md", "mailer theme lst"]


def test_the_page_on_templates_names_files_of_the_theme(fresh: Path) -> None:
    text = (fresh / "templates/README.md").read_text(encoding="utf-8")
    named = re.findall(r"^    templates/(\S+)", text, re.MULTILINE)
    assert len(named) == 3
    assert set(named) <= set(built_in_file_paths())


def test_the_page_on_issues_has_the_examples_of_the_documentation_and_every_key(fresh: Path) -> None:
    text = (fresh / "issues/README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    documented = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/issues.md").read_text("utf-8"), re.DOTALL)
    assert examples == documented[: len(examples)]
    assert len(examples) >= 9
    schema = issue_schema()
    for model in (schema, *schema["$defs"].values()):
        for key in model["properties"]:
            assert re.search(rf"\b{key}:", text), key

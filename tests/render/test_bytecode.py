from __future__ import annotations

import inspect
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest

from mailer.errors import ThemeError
from mailer.render.slots import template_calls
from mailer.render.slots.markers import Markers
from mailer.render.theme import bytecode, filters
from mailer.render.theme import theme as module
from mailer.render.theme.theme import MARKERS, Theme, _ThemeEnvironment
from mailer.theme_files import read_theme

NAME = "web/page.html"


@pytest.fixture
def built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A built-in theme of one template, in a package of its own, where Python writes bytecode."""
    theme = tmp_path / "mailer" / "theme"
    (theme / "web").mkdir(parents=True)
    (theme / NAME).write_text("built-in {{ word }}", "utf-8")
    monkeypatch.setattr("mailer.__file__", str(tmp_path / "mailer" / "__init__.py"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    module._compiled_theme.cache_clear()
    yield theme
    module._compiled_theme.cache_clear()


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of templates that were compiled, in order."""
    names: list[str] = []
    compile_ = _ThemeEnvironment.compile

    def counting(self: Any, source: Any, name: Any = None, *rest: Any, **more: Any) -> Any:
        names.append(name)
        return compile_(self, source, name, *rest, **more)

    monkeypatch.setattr(_ThemeEnvironment, "compile", counting)
    return names


def rendered(root: Path) -> str:
    """The page, as a process renders it that has just started."""
    module._compiled_theme.cache_clear()
    theme: Theme = module.open_theme(root)
    return theme.render(NAME, {MARKERS: Markers("x"), "word": "<b>", "language": "en"})


def files_of(theme: Path) -> list[Path]:
    return sorted((theme / "__pycache__").glob("*")) if (theme / "__pycache__").is_dir() else []


def test_a_built_in_template_is_compiled_once_for_all_processes(
    built_in: Path, tmp_path: Path, compiled: list[str]
) -> None:
    assert rendered(tmp_path) == rendered(tmp_path) == "built-in &lt;b&gt;"
    assert compiled == [NAME]
    assert len(files_of(built_in)) == 1


def test_errors_name_the_line_of_a_template_that_was_not_compiled(
    built_in: Path, tmp_path: Path, compiled: list[str]
) -> None:
    (built_in / NAME).write_text("one\n{{ wordd }}", "utf-8")
    messages = []
    for _ in range(2):
        with pytest.raises(ThemeError) as error:
            rendered(tmp_path)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith(f'(built-in) templates/{NAME}:2: there is no "wordd" here')
    assert compiled == [NAME]


def test_a_changed_template_is_compiled_again(built_in: Path, tmp_path: Path, compiled: list[str]) -> None:
    rendered(tmp_path)
    (built_in / NAME).write_text("changed {{ word }}", "utf-8")
    assert rendered(tmp_path) == "changed &lt;b&gt;"
    assert compiled == [NAME, NAME]
    assert len(files_of(built_in)) == 1


@pytest.mark.parametrize("what", ["jinja2", "mailer", "environment", "filters", "slots"])
def test_another_version_of_the_compiler_compiles_again(
    built_in: Path, tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    rendered(tmp_path)
    if what in ("jinja2", "mailer"):
        monkeypatch.setattr(jinja2 if what == "jinja2" else bytecode, "__version__", "0")
    else:
        changed = {"environment": module, "filters": filters}.get(what, template_calls)
        real = inspect.getsource
        monkeypatch.setattr(inspect, "getsource", lambda each: real(each) + "#" * (each is changed))
        bytecode._digest_of_sources.cache_clear()
    rendered(tmp_path)
    bytecode._digest_of_sources.cache_clear()
    assert compiled == [NAME, NAME]


def test_a_template_of_the_workspace_is_never_kept(
    built_in: Path, tmp_path: Path, compiled: list[str]
) -> None:
    own = tmp_path / "desk" / "templates" / NAME
    own.parent.mkdir(parents=True)
    own.write_text("own {{ word }}", "utf-8")
    for _ in range(2):
        assert rendered(tmp_path / "desk") == "own &lt;b&gt;"
    assert compiled == [NAME, NAME]
    assert files_of(built_in) == []
    assert not list((tmp_path / "desk").rglob("*.pyc"))


def test_a_copy_of_a_built_in_template_uses_its_bytecode(
    built_in: Path, tmp_path: Path, compiled: list[str]
) -> None:
    shutil.copytree(built_in, tmp_path / "desk" / "templates")
    rendered(tmp_path)
    assert rendered(tmp_path / "desk") == "built-in &lt;b&gt;"
    assert compiled == [NAME]


@pytest.mark.parametrize("damage", [b"", b"j2", b"garbage" * 99, None])
def test_damaged_bytecode_is_compiled_again(
    built_in: Path, tmp_path: Path, compiled: list[str], damage: bytes | None
) -> None:
    rendered(tmp_path)
    (kept,) = files_of(built_in)
    kept.write_bytes(kept.read_bytes()[:-30] if damage is None else damage)
    assert rendered(tmp_path) == "built-in &lt;b&gt;"
    assert compiled == [NAME, NAME]
    assert rendered(tmp_path) == "built-in &lt;b&gt;"
    assert compiled == [NAME, NAME]


def test_every_beginning_of_a_file_of_bytecode_is_harmless(built_in: Path, tmp_path: Path) -> None:
    rendered(tmp_path)
    (kept,) = files_of(built_in)
    whole = kept.read_bytes()
    for size in range(len(whole)):
        kept.write_bytes(whole[:size])
        assert rendered(tmp_path) == "built-in &lt;b&gt;", size


def test_a_folder_that_cannot_be_written_is_no_error(
    built_in: Path, tmp_path: Path, compiled: list[str]
) -> None:
    (built_in / "__pycache__").write_text("a file in its place")
    for _ in range(2):
        assert rendered(tmp_path) == "built-in &lt;b&gt;"
    assert compiled == [NAME, NAME]


def test_nothing_is_written_where_python_writes_no_bytecode(
    built_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    rendered(tmp_path)
    assert files_of(built_in) == []


def test_bytecode_is_no_file_of_the_theme(built_in: Path, tmp_path: Path) -> None:
    before = read_theme(tmp_path).digest
    rendered(tmp_path)
    assert read_theme(tmp_path).digest == before

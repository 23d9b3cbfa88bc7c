"""`mailer init` makes a whole workspace, or changes nothing."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.errors import ConfigError, FailureError
from mailer.issue.load import load_issue
from mailer.issue.values.fields import parse_date
from mailer.services import new_workspace
from mailer.services.new_workspace import create_workspace
from tests.cli import run
from tests.syncs import Syncs

DAY = parse_date("2026-11-21")
ISSUE = "issues/2026-11-21-morning.yaml"


@pytest.fixture(autouse=True)
def _key_from_the_file_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("MAILER_SECRET_KEY")
    umask = os.umask(0o022)
    yield
    os.umask(umask)


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_a_new_workspace_has_all_that_is_needed(tmp_path: Path) -> None:
    folder = tmp_path / "far" / "away"
    assert create_workspace(folder, DAY) == ISSUE
    assert {name for name, data in tree(folder).items() if data is not None} == {
        ".env",
        ".gitignore",
        "campaigns/.gitkeep",
        ISSUE,
        "issues/README.md",
        "mailer.toml",
        "templates/README.md",
    }
    settings = load_settings(folder, {})
    assert list(settings.editions) == ["morning", "evening", "feature"]
    assert settings.delivery.transport == "outbox:outbox"
    assert len(settings.signing_keys()[0]) >= 32
    loaded = load_issue(folder / ISSUE, settings)
    assert loaded.issue.date == DAY
    assert len(loaded.issue.items) == 3


def test_the_secret_key_is_random_private_and_ignored_by_git(tmp_path: Path) -> None:
    create_workspace(tmp_path / "a", DAY)
    create_workspace(tmp_path / "b", DAY)
    assert (tmp_path / "a/.env").read_bytes() != (tmp_path / "b/.env").read_bytes()
    assert stat.S_IMODE((tmp_path / "a/.env").stat().st_mode) == 0o600
    assert {".env", ".dkim/"} <= set((tmp_path / "a/.gitignore").read_text("utf-8").splitlines())


def test_the_settings_name_every_key(tmp_path: Path) -> None:
    create_workspace(tmp_path, DAY)
    text = (tmp_path / "mailer.toml").read_text("utf-8")
    settings = load_settings(tmp_path, {})
    for model in (settings.publication, settings.brand, settings.editions["morning"], settings.delivery):
        for name, field in type(model).model_fields.items():
            assert f"{field.alias or name} = " in text, name


def test_it_says_what_to_do_next(tmp_path: Path) -> None:
    ran = run(tmp_path, "init", "desk")
    assert ran.status == 0
    assert ran.out.startswith("A workspace is ready in desk. What to do next:\n  cd desk\n")
    assert "mailer check issues/" in ran.out
    (issue,) = (tmp_path / "desk/issues").glob("*.yaml")
    checked = run(tmp_path / "desk", "check", f"issues/{issue.name}", "--strict")
    assert (checked.status, checked.err) == (0, "")


def test_the_current_folder_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ran = run(tmp_path, "init")
    assert ran.status == 0
    assert ran.out.startswith("A workspace is ready in this folder. What to do next:\n  edit mailer.toml")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_workspace_is_not_made_twice(tmp_path: Path) -> None:
    assert run(tmp_path, "init").status == 0
    before = tree(tmp_path)
    ran = run(tmp_path, "init")
    assert ran.status == 2
    assert ran.err == "mailer: mailer.toml exists already, so this is a workspace; nothing was changed\n"
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", [".env", ".gitignore", "templates/README.md", ISSUE, "campaigns/.gitkeep"])
def test_no_file_is_overwritten(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(
        ConfigError, match="would be overwritten; move it away, or choose another folder"
    ) as caught:
        create_workspace(tmp_path, DAY)
    assert name in str(caught.value)
    assert tree(tmp_path) == before


def test_what_is_no_folder_is_in_the_way_and_so_is_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="file is not a folder; nothing was changed"):
        create_workspace(tmp_path / "file", DAY)
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk/issues").write_text("mine")
    (tmp_path / "desk/.env").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"^issues, \.env in .*desk would be overwritten"):
        create_workspace(tmp_path / "desk", DAY)
    assert not (tmp_path / "elsewhere").exists()
    assert sorted(path.name for path in (tmp_path / "desk").iterdir()) == [".env", "issues"]


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "issues").mkdir()
    real = os.open

    def full(path: Path, *rest: int) -> int:
        if Path(path).name == "mailer.toml":
            raise OSError(28, "No space left on device", str(path))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(
        FailureError, match="no workspace was made: no space left on device; correct that and"
    ):
        create_workspace(tmp_path, DAY)
    assert tree(tmp_path) == {"issues": None}


def test_somebody_elses_file_is_kept_when_it_appears_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def race(path: Path, *rest: int) -> int:
        if Path(path).name == "mailer.toml":
            Path(path).write_text("theirs")
            (Path(path).parent / "issues/theirs.yaml").write_text("theirs")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", race)
    with pytest.raises(ConfigError, match=r"mailer\.toml appeared just now and was left as it is"):
        create_workspace(tmp_path / "desk", DAY)
    assert tree(tmp_path / "desk") == {
        "issues": None,
        "issues/theirs.yaml": b"theirs",
        "mailer.toml": b"theirs",
    }


def test_everything_is_on_disk_before_mailer_toml_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "desk"
    syncs = Syncs(monkeypatch, noting=lambda: set(tree(folder)))
    create_workspace(folder, DAY)
    everything = set(tree(folder))
    rest = {name for name, data in tree(folder).items() if data is not None} - {"mailer.toml"}
    assert sum("mailer.toml" not in noted for noted in syncs.of_files) == len(rest)
    for name in rest:
        assert any(
            name in noted and "mailer.toml" not in noted for noted in syncs.of_folder((folder / name).parent)
        )
    assert syncs.of_folder(folder)[-1] == everything
    assert syncs.of_folder(tmp_path)


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def interrupted(path: Path, *rest: int) -> int:
        if Path(path).name == "mailer.toml":
            raise KeyboardInterrupt
        return real(path, *rest)

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        create_workspace(tmp_path / "desk", DAY)
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(
    ("target", "zone"),
    [
        ("/usr/share/zoneinfo/Asia/Shanghai", "Asia/Shanghai"),
        ("/etc/nothing", "UTC"),
        ("/x/zoneinfo/Mars", "UTC"),
    ],
)
def test_the_machines_time_zone_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, zone: str
) -> None:
    monkeypatch.setattr(Path, "resolve", lambda self: Path(target))
    assert new_workspace._machine_time_zone() == zone


def test_the_first_issue_names_only_commands_that_exist(tmp_path: Path) -> None:
    assert run(tmp_path, "init", "desk").status == 0
    (issue,) = (tmp_path / "desk" / "issues").glob("*.yaml")
    named = re.findall(r"`?\bmailer ([a-z-]+)", issue.read_text("utf-8"))
    assert {"check", "render", "plan", "send", "new"} <= set(named)
    for name in named:
        assert run(tmp_path, name, "--help").status == 0, name

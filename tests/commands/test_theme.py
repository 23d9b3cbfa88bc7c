"""`mailer theme` shows what can be overridden, and copies built-in files without overwriting anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailer import files, theme_files
from mailer.config import load_settings
from mailer.display_text import shortened
from mailer.render.theme.theme import open_theme
from mailer.services.theme import list_theme
from tests.cli import run
from tests.desk import ISSUE, fill

BUILT_IN = theme_files.built_in_file_paths()
MORNING = "email/morning.mjml"


def state_of(workspace: Path, path: str) -> str:
    found: str = {file["path"]: file["state"] for file in run(workspace, "theme", "list", "--json").json}[
        path
    ]
    return found


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_the_list_has_every_built_in_file_once_by_folder_with_a_description(workspace: Path) -> None:
    ran = run(workspace, "theme", "list")
    assert (ran.status, ran.err) == (0, "")
    lines = [line for line in ran.out.splitlines() if line.startswith("  ")]
    assert sorted(line.split()[0] for line in lines) == sorted(BUILT_IN)
    assert all(" built-in " in line for line in lines)
    for line in lines:
        words = line.split("built-in", 1)[1].strip()
        assert words.endswith((".", "…")), line
        assert len(words) > 10
    headings = [line.partition(":")[0] for line in ran.out.splitlines() if not line.startswith("  ")]
    assert headings[:4] == ["email", "text", "web", "locale"]
    assert "`mailer theme export FILE` copies a built-in file into templates/" in ran.out


def test_the_list_covers_what_pages_and_catalogues_are_made_of(workspace: Path) -> None:
    paths = {file.path for file in list_theme(load_settings(workspace))}
    assert {"web/pages/page.css", "web/pages/done.html", "locale/zh/LC_MESSAGES/web.po"} <= paths
    assert {file.name for file in open_theme(workspace).files.all} <= paths


def test_the_list_tells_which_files_are_own_and_whether_they_differ(workspace: Path) -> None:
    own = workspace / "templates/email"
    own.mkdir(parents=True)
    (own / "morning.mjml").write_bytes(BUILT_IN[MORNING].read_bytes().replace(b"\n", b"\r\n"))
    (own / "brief.mjml").write_text("<mjml></mjml>", encoding="utf-8")
    (own / "weekly.mjml").write_text("{#- Our week. With more words. -#}\n<mjml></mjml>", encoding="utf-8")
    (own / "plain.mjml").write_text("<mjml></mjml>", encoding="utf-8")
    (own / "short.mjml").write_text("{# A comment without an end #}", encoding="utf-8")
    lines = {line.split()[0]: line for line in run(workspace, "theme", "list").out.splitlines()}
    assert "  own, equal    Numbered headlines" in lines[MORNING]
    assert "  own, differs  A few short items" in lines["email/brief.mjml"]
    assert lines["email/weekly.mjml"].endswith("  own           Our week.")
    assert lines["email/plain.mjml"].endswith("  own")
    assert lines["email/short.mjml"].endswith("  own           A comment without an end")
    assert "1 own file equals the built-in file and can be deleted" in run(workspace, "theme", "list").out
    assert [
        state_of(workspace, f"email/{name}.mjml") for name in ("morning", "brief", "weekly", "digest")
    ] == [
        "equal",
        "differs",
        "own",
        "built-in",
    ]


def test_a_workspace_whose_templates_are_the_built_in_ones_has_no_own_files(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(workspace, "theme", "new", "templates")
    for module in ("mailer.theme_files", "mailer.services.theme"):
        monkeypatch.setattr(f"{module}.built_in_theme_folder", lambda: workspace / "templates")
    assert state_of(workspace, MORNING) == "built-in"


def test_a_list_of_files_that_cannot_be_read_is_an_error(workspace: Path) -> None:
    (workspace / "templates").write_text("x", encoding="utf-8")
    ran = run(workspace, "theme", "list")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("templates: is a file, not a folder; ")


@pytest.mark.parametrize(
    "written",
    [MORNING, f"templates/{MORNING}", f"./templates/{MORNING}", f"./{MORNING}", "email\\morning.mjml"],
)
def test_a_built_in_file_is_copied(workspace: Path, written: str) -> None:
    ran = run(workspace, "theme", "export", written)
    assert (ran.status, ran.err) == (0, "")
    assert (
        ran.out.splitlines()[0] == f"templates/{MORNING} is your own file now, in place of the built-in one."
    )
    assert "does not follow later versions" in ran.out
    assert (workspace / "templates" / MORNING).read_bytes() == BUILT_IN[MORNING].read_bytes()
    assert tree(workspace / "templates") == {"email", MORNING}
    assert state_of(workspace, MORNING) == "equal"


def test_several_files_are_copied_each_once(workspace: Path) -> None:
    names = ("web/pages/page.css", "email/partials/footer.mjml", "templates/web/pages/page.css")
    ran = run(workspace, "theme", "export", *names, "--json")
    assert ran.status == 0
    assert ran.json == {"exported": ["templates/web/pages/page.css", "templates/email/partials/footer.mjml"]}


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("footer.mjml", 'did you mean "email/partials/footer.mjml"?'),
        ("fotter.mjml", 'did you mean "email/partials/footer.mjml"?'),
        ("email/mornin.mjml", 'did you mean "email/morning.mjml"?'),
        ("email", "`mailer theme list` lists its files"),
        ("../../.ssh/id", "`mailer theme list` lists its files"),
        ("", "`mailer theme list` lists its files"),
        ("x" * 79 + "\nx", "`mailer theme list` lists its files"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_and_nothing_is_copied(
    workspace: Path, name: str, advice: str
) -> None:
    ran = run(workspace, "theme", "export", MORNING, name)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f'mailer: the built-in theme has no file "{shortened(name)}"; {advice}\n'
    assert not (workspace / "templates").exists()


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_nothing_is_ever_overwritten(workspace: Path, kind: str) -> None:
    path = workspace / "templates" / "email" / "brief.mjml"
    path.parent.mkdir(parents=True)
    if kind == "file":
        path.write_text("ours", encoding="utf-8")
    elif kind == "link":
        (workspace / "ours.mjml").write_text("ours", encoding="utf-8")
        path.symlink_to(workspace / "ours.mjml")
    else:
        path.mkdir()
    ran = run(workspace, "theme", "export", MORNING, "email/brief.mjml")
    assert (ran.status, ran.out) == (2, "")
    if kind == "folder":
        assert "templates/email/brief.mjml: is a folder, not a file" in ran.err
    else:
        assert "templates/email/brief.mjml: exists already and was not changed; " in ran.err
        assert path.read_text(encoding="utf-8") == "ours"
    assert not (workspace / "templates" / MORNING).exists()


@pytest.mark.parametrize("link", ["templates", "templates/email"])
def test_no_link_leads_out_of_the_workspace(workspace: Path, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (workspace / link).parent.mkdir(exist_ok=True)
    (workspace / link).symlink_to(outside)
    ran = run(workspace, "theme", "export", MORNING)
    assert (ran.status, list(outside.iterdir())) == (2, [])
    assert "is in a folder outside the workspace, to which a link leads; remove the link" in ran.err
    if link == "templates":
        ran = run(workspace, "theme", "new", "templates")
        assert (ran.status, list(outside.iterdir())) == (2, [])
        assert "templates: is a link to a folder outside the workspace" in ran.err


def test_a_file_in_the_place_of_a_folder_is_told(workspace: Path) -> None:
    (workspace / "templates/email").mkdir(parents=True)
    (workspace / "templates/email/partials").write_text("x", encoding="utf-8")
    ran = run(workspace, "theme", "export", "email/partials/footer.mjml")
    assert ran.status == 2
    assert "templates/email/partials: is a file, not a folder; " in ran.err


@pytest.mark.parametrize("existing", ["nothing", "empty folder", "files that do not count"])
def test_a_new_theme_is_the_whole_built_in_one_and_is_used(workspace: Path, existing: str) -> None:
    fill(workspace, 0)
    before = open_theme(workspace).digest
    if existing != "nothing":
        (workspace / "templates").mkdir()
    if existing == "files that do not count":
        (workspace / "templates/README.md").write_text("ours", encoding="utf-8")
        (workspace / "templates/.gitkeep").touch()
    ran = run(workspace, "theme", "new", "templates")
    assert (ran.status, ran.err) == (0, "")
    assert f"templates has the whole theme now: {len(BUILT_IN)} files" in ran.out
    assert "made from it from now on" in ran.out
    assert "does not follow later versions" in ran.out
    for name, path in BUILT_IN.items():
        assert (workspace / "templates" / name).read_bytes() == path.read_bytes()
    assert {file.state.value for file in list_theme(load_settings(workspace))} == {"equal"}
    own = {file.name for file in open_theme(workspace).files.all if file.path.startswith("templates/")}
    assert own == {name for name in BUILT_IN if not name.endswith(".css")}
    assert run(workspace, "check", ISSUE).status == 0
    assert open_theme(workspace).digest == before
    assert "own files equal the built-in file" in run(workspace, "theme", "list").out


def test_a_new_theme_elsewhere_is_a_copy_that_is_not_used(workspace: Path, tmp_path: Path) -> None:
    (workspace / "issues/deep").mkdir()
    ran = run(workspace / "issues/deep", "theme", "new", "look/next")
    assert ran.status == 0
    assert "look/next has the whole theme now" in ran.out
    assert "It is used once it is the folder templates/ of a workspace." in ran.out
    assert (workspace / "look/next" / MORNING).is_file()
    made = run(workspace, "theme", "new", str(tmp_path / "other"), "--json").json
    assert made["folder"] == str(tmp_path / "other")
    assert made["is_used"] is False
    assert sorted(made["files"]) == sorted(BUILT_IN)
    assert state_of(workspace, MORNING) == "built-in"


@pytest.mark.parametrize("folder", ["templates", ".", "issues"])
def test_a_folder_that_is_not_empty_is_refused(workspace: Path, folder: str) -> None:
    (workspace / folder).mkdir(exist_ok=True)
    (workspace / folder / "ours.txt").write_text("ours", encoding="utf-8")
    before = tree(workspace)
    ran = run(workspace, "theme", "new", folder)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"{folder}: is not empty, and nothing was changed; ")
    assert tree(workspace) == before


@pytest.mark.parametrize("target", ["file", "nowhere"])
def test_what_is_no_folder_is_refused(workspace: Path, target: str) -> None:
    if target == "file":
        (workspace / "look").touch()
    else:
        (workspace / "look").symlink_to("nowhere")
    ran = run(workspace, "theme", "new", "look")
    assert (ran.status, ran.err) == (
        2,
        "look: is not a folder; nothing was changed. Choose another folder\n",
    )


def test_a_folder_below_a_file_is_refused(workspace: Path) -> None:
    (workspace / "look").touch()
    ran = run(workspace, "theme", "new", "look/new/er")
    assert (ran.status, ran.err) == (
        2,
        "look: is not a folder; nothing was changed. Choose another folder\n",
    )


def test_a_disk_that_is_full_leaves_nothing_behind(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = files.sync_folder, []

    def full(folder: Path) -> None:
        calls.append(folder)
        if len(calls) == 20:
            raise OSError(28, "No space left on device", str(folder))
        real(folder)

    monkeypatch.setattr(files, "sync_folder", full)
    before = tree(workspace)
    ran = run(workspace, "theme", "new", "templates")
    assert (ran.status, tree(workspace)) == (1, before)
    assert ran.err == ("templates: nothing was copied: no space left on device; correct that and try again\n")


def test_a_file_that_appears_meanwhile_is_kept(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    path = workspace / "templates" / MORNING

    def race(descriptor: int) -> None:
        if path.parent.is_dir() and not path.exists():
            path.write_text("theirs", encoding="utf-8")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", race)
    ran = run(workspace, "theme", "export", MORNING)
    assert ran.status == 2
    assert ran.err.endswith("morning.mjml appeared just now and was left as it is; nothing was copied\n")
    assert path.read_text(encoding="utf-8") == "theirs"
    assert tree(workspace / "templates") == {"email", MORNING}

"""A campaign's folder: what is written, what comes back, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mailer.archive.campaign import (
    list_campaigns,
    read_manifest,
    read_renditions,
    update_manifest,
)
from mailer.archive.manifest import sha256_hex
from mailer.errors import ArchiveError
from mailer.issue.load import SourceFile
from mailer.render.rendition import Picture
from tests.archive.conftest import Desk, rendition

Tree = Callable[[Path], set[str]]


def test_the_folder_holds_the_issue_as_it_is_named_in_the_workspace_and_all_that_was_made_of_it(
    desk: Desk,
) -> None:
    folder = desk.write()
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == {
        "manifest.json",
        "email.html",
        "email.txt",
        "web.html",
        "images/cranes-1234.png",
        "variants/0.json",
        "issue/issues/evening.yaml",
        "issue/issues/shared/weather.yaml",
        "issue/issues/pictures/cranes.png",
        "issue/logo.png",
    }
    archived = (folder / "issue/issues/evening.yaml").read_bytes()
    assert archived == (desk.settings.root / "issues/evening.yaml").read_bytes()


def test_what_anybody_may_open_holds_nobodys_name_or_link(desk: Desk) -> None:
    folder = desk.write()
    assert (folder / "email.html").read_text() == "<p>Dear reader</p><a href='#'>leave</a>"
    assert (folder / "email.txt").read_text() == "Dear reader"
    assert "/u/" not in (folder / "web.html").read_text()


def test_the_manifest_has_a_hash_of_every_file_and_tells_what_was_sent(desk: Desk) -> None:
    folder = desk.write(manifest={"counts": {"pending": 3}, "plan": {"hash": "p", "variants": {"0": 3}}})
    manifest = read_manifest(folder)
    on_disk = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    del on_disk["manifest.json"]
    assert manifest["files"] == {
        name: sha256_hex(path.read_bytes()) for name, path in sorted(on_disk.items())
    }
    assert manifest["schema"] == 1
    assert manifest["slug"] == folder.name
    assert manifest["issue"] == "issues/evening.yaml"
    assert manifest["issue_digest"] == desk.loaded.digest
    assert manifest["theme"] == "a" * 64
    assert manifest["edition"] == "evening"
    assert manifest["language"] == "en"
    assert manifest["plan"]["hash"] == "p"
    assert manifest["counts"] == {"pending": 3}
    assert manifest["settings"]["publication"]["from"]["address"] == "desk@news.example.org"
    assert "key" not in json.dumps(manifest["settings"])


def test_what_was_rendered_comes_back_with_its_slots_and_pictures(desk: Desk) -> None:
    desk.renditions = {0: rendition(), 1: rendition(1, more="<b>more</b>")}
    assert read_renditions(desk.write()) == desk.renditions


def test_equal_variants_are_written_once_and_come_back_as_one(desk: Desk) -> None:
    one, other = rendition(), rendition(2, more="x")
    desk.renditions = {0: one, 1: one, 2: other, 3: other}
    folder = desk.write()
    assert sorted(p.name for p in (folder / "variants").iterdir()) == ["0.json", "2.json"]
    again = read_renditions(folder)
    assert again == desk.renditions
    assert again[0] is again[1]
    assert again[2] is again[3]


def showing(desk: Desk, archive: bool | str) -> None:
    """Lets the public pages of the evening edition show that."""
    edition = desk.settings.editions["evening"].model_copy(update={"archive": archive})
    editions = {**desk.settings.editions, "evening": edition}
    desk.settings = desk.settings.model_copy(update={"editions": editions})


def test_the_page_shows_what_is_for_everybody_and_the_mail_what_most_readers_get(desk: Desk) -> None:
    desk.renditions = {0: rendition(), 1: rendition(1, more="<b>more</b>"), 2: rendition(2, more="!")}
    plan = {"variants": {"1": 200, "2": 3}}
    folder = desk.write(manifest={"plan": plan})
    assert "more" not in (folder / "web.html").read_text()
    assert "more" in (folder / "email.html").read_text()
    manifest = read_manifest(folder)
    assert (manifest["main"], manifest["public"]) == (1, 0)
    assert [one.public for one in list_campaigns(desk.settings.campaigns)] == [True]


def test_the_page_shows_what_most_readers_get_where_the_edition_says_so(desk: Desk) -> None:
    desk.renditions = {0: rendition(), 1: rendition(1, more="<b>more</b>")}
    showing(desk, "variant")
    folder = desk.write(manifest={"plan": {"variants": {"0": 10, "1": 200}}})
    assert "more" in (folder / "web.html").read_text()
    assert read_manifest(folder)["public"] == 1


def test_there_is_no_page_where_the_edition_says_so(desk: Desk) -> None:
    desk.renditions = {1: rendition(1)}
    showing(desk, False)
    folder = desk.write()
    assert not (folder / "web.html").exists()
    assert read_manifest(folder)["public"] is None
    assert [one.public for one in list_campaigns(desk.settings.campaigns)] == [False]


def test_a_page_for_everybody_is_not_made_of_what_is_for_some(desk: Desk) -> None:
    desk.renditions = {1: rendition(1)}
    with pytest.raises(ArchiveError, match="its public page was not rendered"):
        desk.write()
    assert not desk.folder().exists()


def test_a_folder_that_was_sent_is_never_overwritten(desk: Desk) -> None:
    folder = desk.write()
    update_manifest(folder, {"started_at": "2026-11-21T00:00:00.000000Z", "status": "sent"})
    before = (folder / "manifest.json").read_bytes()
    desk.renditions = {0: rendition(more="other")}
    with pytest.raises(ArchiveError, match=r"^campaigns/2026-11-21-evening already holds a campaign"):
        desk.write()
    assert (folder / "manifest.json").read_bytes() == before
    desk.write(replace=True)
    assert "other" in (folder / "web.html").read_text()


def test_a_folder_of_a_sending_that_never_started_gives_way(desk: Desk) -> None:
    desk.write()
    desk.renditions = {0: rendition(more="other")}
    assert "other" in (desk.write() / "web.html").read_text()


@pytest.mark.parametrize("slug", ["..", ".hidden", "a b", "a\nb", "ü"])
def test_a_name_that_is_none_is_refused(desk: Desk, slug: str, tree: Tree) -> None:
    before = tree(desk.settings.root)
    with pytest.raises(ArchiveError, match="cannot be the name of a campaign"):
        desk.write(slug)
    assert tree(desk.settings.root) == before


@pytest.mark.parametrize("path", ["../escaped.yaml", "/etc/escaped", "a/../../b", "a\\b"])
def test_a_file_that_would_leave_the_folder_is_refused(desk: Desk, path: str, tree: Tree) -> None:
    before = tree(desk.settings.root)
    desk.loaded = replace(desk.loaded, files=(SourceFile(path, b"x"),))
    with pytest.raises(ArchiveError, match="cannot be archived; rename the file"):
        desk.write()
    assert tree(desk.settings.root) == before


def test_a_picture_that_would_leave_the_folder_is_refused(desk: Desk, tree: Tree) -> None:
    before = tree(desk.settings.root)
    desk.renditions = {0: replace(rendition(), pictures=(Picture("../x.png", b"", 1, 1),))}
    with pytest.raises(ArchiveError, match="a published picture must not have this name"):
        desk.write()
    assert tree(desk.settings.root) == before


def test_a_campaign_without_anything_rendered_is_refused(desk: Desk) -> None:
    desk.renditions = {}
    with pytest.raises(ArchiveError, match="it has no renditions"):
        desk.write()


def test_a_full_disk_leaves_nothing_that_looks_like_a_campaign(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mailer.archive.new_folder.os.fsync", full)
    with pytest.raises(
        ArchiveError, match=r"cannot be written: no space left on device\. Nothing was written"
    ):
        desk.write()
    assert list(desk.settings.campaigns.iterdir()) == []


def test_a_death_in_the_middle_leaves_nothing_that_looks_like_a_campaign(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mailer.archive.new_folder._replace_folder", dead)
    monkeypatch.setattr("mailer.archive.new_folder.shutil.rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        desk.write()
    monkeypatch.undo()
    assert [p.name for p in desk.settings.campaigns.iterdir()] != []
    assert list_campaigns(desk.settings.campaigns) == []
    monkeypatch.setenv("MAILER_SECRET_KEY", "x")
    desk.write()
    assert [p.name for p in desk.settings.campaigns.iterdir()] == ["2026-11-21-evening"]


def test_a_logo_that_cannot_be_read_is_one_sentence(desk: Desk) -> None:
    (desk.settings.root / "logo.png").unlink()
    (desk.settings.root / "logo.png").mkdir()
    with pytest.raises(ArchiveError, match=r"^logo\.png: cannot be archived: is a directory"):
        desk.write()


@pytest.mark.parametrize("logo", ["https://example.org/logo.png", "", "gone.png"])
def test_a_logo_that_is_no_file_is_left_out(desk: Desk, logo: str) -> None:
    brand = desk.settings.brand.model_copy(update={"logo": logo})
    desk.settings = desk.settings.model_copy(update={"brand": brand})
    assert sorted(p.name for p in (desk.write() / "issue").iterdir()) == ["issues"]


def test_what_was_changed_is_not_sent(desk: Desk) -> None:
    folder = desk.write()
    path = folder / "variants/0.json"
    path.write_text(path.read_text().replace("Cranes", "Trains"))
    with pytest.raises(ArchiveError, match=r"variants/0\.json: was changed after the campaign was planned"):
        read_renditions(folder)
    path.unlink()
    with pytest.raises(ArchiveError, match=r"variants/0\.json: cannot be read: no such file"):
        read_renditions(folder)


@pytest.mark.parametrize(
    "variants", [None, [], {"0": "../x"}, {"0": "email.html"}, {"x": "variants/0.json"}, {"0": 7}]
)
def test_a_manifest_with_nonsense_for_variants_is_one_sentence(desk: Desk, variants: object) -> None:
    folder = desk.write()
    update_manifest(folder, {"variants": variants})
    with pytest.raises(ArchiveError) as caught:
        read_renditions(folder)
    assert len(caught.value.problems) == 1


def test_the_list_is_newest_first_and_tells_of_damage(desk: Desk) -> None:
    desk.write("b", manifest={"date": "2026-11-20", "started_at": "2026-11-20T01:00:00.000000Z"})
    desk.write("a", manifest={"date": "2026-11-21"})
    desk.write("c", manifest={"date": "2026-11-22"})
    (desk.folder("c") / "manifest.json").write_bytes(b"{")
    (desk.settings.campaigns / ".hidden").mkdir()
    (desk.settings.campaigns / "README.md").write_text("x")
    listed = list_campaigns(desk.settings.campaigns)
    assert [(c.slug, c.started_at, bool(c.problem)) for c in listed] == [
        ("a", None, False),
        ("b", "2026-11-20T01:00:00.000000Z", False),
        ("c", None, True),
    ]
    assert listed[0].subject == "Cranes stand still"
    assert listed[0].edition == "evening"


def test_where_there_is_no_archive_there_are_no_campaigns(tmp_path: Path) -> None:
    assert list_campaigns(tmp_path / "nothing") == []

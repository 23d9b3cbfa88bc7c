"""Is it still what was sent? A changed byte is a fault; a changed theme is only told."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailer.archive.campaign import read_manifest, update_manifest
from mailer.archive.manifest import sha256_hex
from mailer.archive.verify import list_differences, verify_campaign
from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from tests.archive.conftest import Desk, png

EMAIL = """\
<mjml><mj-body><mj-section><mj-column>
<mj-text>{{ issue.title }} from {{ publication.name }} {% if brand.logo %}{{ brand.logo.alt }}{% endif %}
{% for item in issue.items %}<h2>{{ item.title }}</h2>{{ item.body }}{% endfor %}
<a href="{{ links.unsubscribe }}">leave</a></mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
TEXT = "{{ issue.title }}\n{{ links.unsubscribe }}\n"
WEB = "<!doctype html><html><body>{{ issue.title }}{% for item in issue.items %}{{ item.body }}{% endfor %}\n"


@pytest.fixture
def sent(desk: Desk) -> Desk:
    """A campaign that was rendered with a small theme of the workspace's own."""
    theme = desk.settings.root / "templates"
    for name, text in (
        ("email/evening.mjml", EMAIL),
        ("text/evening.txt", TEXT),
        ("web/evening.html", WEB),
    ):
        (theme / name).parent.mkdir(parents=True, exist_ok=True)
        (theme / name).write_text(text)
    issue = desk.settings.root / "issues/evening.yaml"
    issue.write_text(issue.read_text() + '  - title: For a few\n    body: Yes.\n    only: language == "en"\n')
    desk.loaded = load_issue(issue, desk.settings)
    desk.renditions = render_variants(desk.loaded, desk.settings, slug="2026-11-21-evening", variants=(0, 1))
    desk.write()
    return desk


def tampered(folder: Path, name: str, old: str, new: str) -> None:
    """Changes a file, and makes the manifest say that it was always so."""
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    files = {**read_manifest(folder)["files"], name: sha256_hex(path.read_bytes())}
    update_manifest(folder, {"files": files})


def test_a_folder_that_nobody_touched_is_in_order(sent: Desk) -> None:
    assert len(sent.renditions) == 2
    assert sent.renditions[0] is not sent.renditions[1]
    assert list_differences(sent.folder(), sent.settings) == []


def test_the_workspace_may_have_moved_on(sent: Desk) -> None:
    root = sent.settings.root
    shutil.rmtree(root / "issues")
    (root / "logo.png").unlink()
    text = (root / "mailer.toml").read_text()
    (root / "mailer.toml").write_text(
        text.replace("Harbour Brief", "Quay Times") + '[brand]\nink = "#000000"\n'
    )
    assert list_differences(sent.folder(), load_settings(root)) == []


@pytest.mark.parametrize(
    "name", ["email.html", "web.html", "variants/0.json", "issue/issues/evening.yaml", "issue/logo.png"]
)
def test_every_changed_missing_and_new_file_is_named(sent: Desk, name: str) -> None:
    path = sent.folder() / name
    path.write_bytes(path.read_bytes() + b" ")
    (sent.folder() / "email.txt").unlink()
    (sent.folder() / "images/new.png").write_bytes(b"")
    assert list_differences(sent.folder(), sent.settings) == [
        "campaigns/2026-11-21-evening/email.txt is missing",
        "campaigns/2026-11-21-evening/images/new.png was not there when the campaign was sent",
        f"campaigns/2026-11-21-evening/{name} was changed: its SHA-256 is not the one in manifest.json",
    ]


@pytest.mark.parametrize("name", [".manifest.json.tmp", ".manifest.json.0123456789abcdef.tmp"])
def test_what_a_dead_writer_left_of_a_manifest_is_no_fault(sent: Desk, name: str) -> None:
    (sent.folder() / name).write_bytes(b"half a mani")
    assert list_differences(sent.folder(), sent.settings) == []
    update_manifest(sent.folder(), {"status": "sent"})
    assert list_differences(sent.folder(), sent.settings) == []


@pytest.mark.parametrize(
    "name",
    [
        ".email.html.0123456789abcdef.tmp",
        "variants/.manifest.json.0123456789abcdef.tmp",
        ".manifest.json.new.tmp",
        "manifest.json.0123456789abcdef.tmp",
    ],
)
def test_any_other_file_that_was_added_is_a_fault(sent: Desk, name: str) -> None:
    (sent.folder() / name).write_bytes(b"")
    assert list_differences(sent.folder(), sent.settings) == [
        f"campaigns/2026-11-21-evening/{name} was not there when the campaign was sent"
    ]


def test_a_link_under_the_name_of_an_unfinished_manifest_is_a_fault(sent: Desk, tmp_path: Path) -> None:
    (sent.folder() / ".manifest.json.0123456789abcdef.tmp").symlink_to(tmp_path)
    assert len(list_differences(sent.folder(), sent.settings)) == 1


def test_a_link_in_place_of_a_file_is_named(sent: Desk, tmp_path: Path) -> None:
    shutil.copy(sent.folder() / "email.txt", tmp_path / "elsewhere")
    (sent.folder() / "email.txt").unlink()
    (sent.folder() / "email.txt").symlink_to(tmp_path / "elsewhere")
    (sent.folder() / "deeper").symlink_to(tmp_path)
    assert list_differences(sent.folder(), sent.settings) == [
        "campaigns/2026-11-21-evening/deeper was not there when the campaign was sent",
        "campaigns/2026-11-21-evening/email.txt is not a regular file any more",
    ]


def test_a_file_that_cannot_be_read_is_named(sent: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes

    def read(self: Path) -> bytes:
        if self.name == "email.txt":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", read)
    assert list_differences(sent.folder(), sent.settings) == [
        "campaigns/2026-11-21-evening/email.txt cannot be read: permission denied"
    ]


def test_a_renamed_folder_is_named(sent: Desk) -> None:
    sent.folder().rename(sent.folder("other"))
    (finding,) = list_differences(sent.folder("other"), sent.settings)
    assert finding == "campaigns/other belongs to campaign 2026-11-21-evening and was renamed"


def test_a_damaged_manifest_is_one_finding(sent: Desk) -> None:
    (sent.folder() / "manifest.json").write_text("{")
    (finding,) = list_differences(sent.folder(), sent.settings)
    assert finding.startswith("campaigns/2026-11-21-evening/manifest.json: is damaged")


def test_a_changed_rendering_with_a_changed_manifest_is_still_found(sent: Desk) -> None:
    tampered(sent.folder(), "variants/1.json", "For a few", "For all")
    verdict = verify_campaign(sent.folder(), sent.settings)
    assert verdict.notes == ()
    assert verdict.problems == (
        "campaigns/2026-11-21-evening differs from a new rendering of its issue with the same theme; "
        "different: html",
    )


@pytest.mark.parametrize("name", ["email.html", "email.txt", "web.html"])
def test_a_changed_copy_with_a_changed_manifest_is_still_found(sent: Desk, name: str) -> None:
    tampered(sent.folder(), name, "Cranes", "Trains")
    (finding,) = verify_campaign(sent.folder(), sent.settings).problems
    assert finding.startswith(f"campaigns/2026-11-21-evening/{name} is not what was sent")


def test_a_changed_picture_with_a_changed_manifest_is_still_found(sent: Desk) -> None:
    (picture,) = (sent.folder() / "images").iterdir()
    picture.write_bytes(png("green"))
    name = f"images/{picture.name}"
    files = {**read_manifest(sent.folder())["files"], name: sha256_hex(picture.read_bytes())}
    update_manifest(sent.folder(), {"files": files})
    (finding,) = verify_campaign(sent.folder(), sent.settings).problems
    assert finding.endswith("different: pictures")


@pytest.mark.parametrize(
    "change",
    [{"main": 7}, {"main": None}, {"public": 7}, {"public": None}, {"public": 1}, {"variants": None}],
)
def test_a_manifest_that_does_not_know_its_variants_is_found(sent: Desk, change: dict[str, Any]) -> None:
    update_manifest(sent.folder(), change)
    (finding,) = verify_campaign(sent.folder(), sent.settings).problems
    page = change.get("public", 7) != 7
    name = "web.html" if page else "manifest.json"
    assert finding.startswith(f"campaigns/2026-11-21-evening/{name}")


def test_the_page_of_a_campaign_of_before_is_what_most_readers_got(sent: Desk) -> None:
    manifest = read_manifest(sent.folder())
    del manifest["public"]
    (sent.folder() / "manifest.json").write_text(json.dumps(manifest))
    assert list_differences(sent.folder(), sent.settings) == []
    update_manifest(sent.folder(), {"main": 1})
    assert any(
        "web.html is not what was sent" in finding
        for finding in list_differences(sent.folder(), sent.settings)
    )


def test_a_campaign_without_a_page_is_in_order(sent: Desk) -> None:
    edition = sent.settings.editions["evening"].model_copy(update={"archive": False})
    editions = {**sent.settings.editions, "evening": edition}
    settings = sent.settings.model_copy(update={"editions": editions})
    made = replace(sent, settings=settings)
    made.renditions = render_variants(made.loaded, settings, slug="quiet", variants=(1,))
    folder = made.write("quiet")
    assert list_differences(folder, settings) == []


def test_a_changed_issue_with_a_changed_manifest_is_still_found(sent: Desk) -> None:
    tampered(sent.folder(), "issue/issues/evening.yaml", "Cranes stand still", "Cranes at work")
    (finding,) = verify_campaign(sent.folder(), sent.settings).problems
    assert finding.endswith("; different: subject, html, text, web page")


def test_a_theme_that_has_changed_since_is_a_note_and_no_fault(sent: Desk) -> None:
    template = sent.settings.root / "templates/email/evening.mjml"
    template.write_text(template.read_text().replace("leave", "leave us"))
    verdict = verify_campaign(sent.folder(), sent.settings)
    assert verdict.problems == ()
    (note,) = verdict.notes
    assert "renders differently now because the theme has changed since (it was " in note
    assert note.endswith("No file was changed")
    assert list_differences(sent.folder(), sent.settings) == [note]


def test_a_theme_that_has_changed_without_an_effect_is_not_worth_a_word(sent: Desk) -> None:
    (sent.settings.root / "templates/email/other.mjml").write_text("<mjml></mjml>")
    assert list_differences(sent.folder(), sent.settings) == []


def test_another_version_of_mailer_is_a_note(sent: Desk) -> None:
    tampered(sent.folder(), "variants/1.json", "For a few", "For all")
    update_manifest(sent.folder(), {"mailer": "0.0.1"})
    verdict = verify_campaign(sent.folder(), sent.settings)
    assert verdict.problems == ()
    assert "it was rendered by mailer 0.0.1, and this is" in verdict.notes[0]


def test_a_theme_that_does_not_render_any_more_is_a_note(sent: Desk) -> None:
    (sent.settings.root / "templates/email/evening.mjml").write_text("{{ nonsense }}")
    verdict = verify_campaign(sent.folder(), sent.settings)
    assert verdict.problems == ()
    (note,) = verdict.notes
    assert "could not be rendered again: templates/email/evening.mjml:1" in note
    assert "the theme has changed since" in note
    (sent.settings.root / "templates/email/evening.mjml").write_bytes(b"\xff")
    assert "it is unreadable" in verify_campaign(sent.folder(), sent.settings).notes[0]


@pytest.mark.parametrize("then", [None, {}, {"edition": {}, "publication": {}, "brand": {}}])
def test_a_manifest_without_the_settings_of_then_is_told(sent: Desk, then: Any) -> None:
    update_manifest(sent.folder(), {"settings": then})
    (problem,) = verify_campaign(sent.folder(), sent.settings).problems
    assert "does not hold the settings that the campaign was sent with" in problem


def test_a_full_temporary_folder_is_told(sent: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mailer.archive.verify.shutil.copytree", full)
    (problem,) = verify_campaign(sent.folder(), sent.settings).problems
    assert "the folder could not be copied to be rendered" in problem


def test_verifying_changes_nothing(sent: Desk) -> None:
    def state() -> dict[str, bytes]:
        root = sent.settings.root
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    before = state()
    list_differences(sent.folder(), sent.settings)
    assert state() == before
    assert json.loads(before["campaigns/2026-11-21-evening/manifest.json"])["slug"] == "2026-11-21-evening"

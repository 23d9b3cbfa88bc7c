"""What a campaign's folder says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailer.archive.manifest import is_unstarted_campaign, read_manifest, update_manifest
from mailer.errors import ArchiveError

SOUND: dict[str, Any] = {
    "schema": 1,
    "slug": "x",
    "status": "ready",
    "created_at": "2026-11-21T00:00:00.000000Z",
    "started_at": None,
    "finished_at": None,
    "counts": {},
    "files": {"web.html": "00"},
    "of a later mailer": [1, 2],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "campaigns" / "x"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(SOUND))
    return folder


def test_an_update_keeps_what_it_does_not_know(folder: Path) -> None:
    update_manifest(folder, {"status": "sent", "counts": {"accepted": 2}})
    assert read_manifest(folder) == {**SOUND, "status": "sent", "counts": {"accepted": 2}}
    assert [p.name for p in folder.iterdir()] == ["manifest.json"]


def test_a_missing_manifest_is_one_sentence(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(ArchiveError, match=r"^campaigns/x/manifest\.json: is missing; restore"):
        read_manifest(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b"[" * 100_000,
        json.dumps({**SOUND, "files": {"../../etc/passwd": "00"}}).encode(),
        json.dumps({**SOUND, "files": {"a": 1}}).encode(),
        json.dumps({**SOUND, "files": []}).encode(),
        json.dumps({**SOUND, "slug": 1}).encode(),
        json.dumps({**SOUND, "schema": "1"}).encode(),
        json.dumps({**SOUND, "started_at": 7}).encode(),
    ],
)
def test_a_damaged_manifest_is_one_sentence(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(
        ArchiveError, match=r"^campaigns/x/manifest\.json: is damaged .*restore it from a backup$"
    ):
        read_manifest(folder)
    with pytest.raises(ArchiveError):
        update_manifest(folder, {"status": "sent"})
    assert (folder / "manifest.json").read_bytes() == content


def test_a_manifest_of_a_newer_mailer_says_so(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps({**SOUND, "schema": 2}))
    with pytest.raises(ArchiveError, match="written by a newer mailer"):
        read_manifest(folder)


def test_a_manifest_of_absurd_size_is_not_read(folder: Path) -> None:
    with (folder / "manifest.json").open("r+b") as file:
        file.truncate(40 * 1024 * 1024)
    with pytest.raises(ArchiveError, match="far too large"):
        read_manifest(folder)


def test_a_manifest_that_is_a_folder_is_one_sentence(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()
    with pytest.raises(ArchiveError, match="cannot be read: is a directory"):
        read_manifest(folder)


def test_a_full_disk_keeps_the_old_manifest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mailer.archive.manifest.put_file", full)
    with pytest.raises(ArchiveError, match="cannot be written: no space left on device"):
        update_manifest(folder, {"status": "sent"})
    assert read_manifest(folder) == SOUND


def test_only_a_campaign_that_sent_nothing_is_unstarted(folder: Path) -> None:
    assert is_unstarted_campaign(folder)
    update_manifest(folder, {"started_at": "2026-11-21T00:00:00.000000Z"})
    assert not is_unstarted_campaign(folder)
    (folder / "manifest.json").write_bytes(b"{")
    assert not is_unstarted_campaign(folder)

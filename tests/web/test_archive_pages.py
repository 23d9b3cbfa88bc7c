"""The public archive: what is shown, and what nobody gets to see."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mailer.archive import campaign as campaign_module
from mailer.archive.manifest import read_manifest
from tests.web.conftest import Site

PNG = b"\x89PNG\r\n\x1a\n not really"
WEB = "<!doctype html><title>Cranes</title><p style='color:red'>Cranes stand still"


def archive(site: Site, slug: str = "2026-11-21-evening", **changes: Any) -> Path:
    """A campaign's folder as it stands after a sending."""
    folder = site.settings.campaigns / slug
    (folder / "images").mkdir(parents=True)
    contents = {
        "web.html": WEB.encode(),
        "images/cranes-12.png": PNG,
        "images/notes.txt": b"x",
        "email.html": b"e",
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    manifest = {
        "schema": 1,
        "slug": slug,
        "status": "sent",
        "created_at": "2026-11-21T10:00:00.000000Z",
        "started_at": "2026-11-21T10:00:01.000000Z",
        "finished_at": None,
        "date": "2026-11-21",
        "edition": "evening",
        "language": "en",
        "subject": "Cranes <stand> still",
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        **changes,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_campaign_without_a_public_page_shows_its_pictures_alone(site: Site) -> None:
    archive(site, public=None)
    for path in ("", "/", "/web.html"):
        assert site.browser.get(f"/archive/2026-11-21-evening{path}").status_code == 404
    assert "Cranes" not in site.browser.get("/archive/").text
    assert site.browser.get("/archive/2026-11-21-evening/images/cranes-12.png").content == PNG


def test_the_page_of_a_campaign_is_the_archived_one(site: Site) -> None:
    archive(site)
    answer = site.browser.get("/archive/2026-11-21-evening/")
    assert (answer.status_code, answer.text) == (200, WEB)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script" not in policy
    assert "https://news.example.org" in policy
    assert "noindex" not in answer.headers["x-robots-tag"]


def test_a_page_that_is_known_already_is_not_sent_again(site: Site) -> None:
    archive(site)
    etag = site.browser.get("/archive/2026-11-21-evening/").headers["etag"]
    again = site.browser.get("/archive/2026-11-21-evening/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_picture_may_be_kept_for_ever(site: Site) -> None:
    archive(site)
    answer = site.browser.get("/archive/2026-11-21-evening/images/cranes-12.png")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_address_without_the_last_slash_leads_to_the_one_with_it(site: Site) -> None:
    archive(site)
    answer = site.browser.get("/archive/2026-11-21-evening", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, "/archive/2026-11-21-evening/")
    assert site.browser.get("/archive").headers["location"] == "/archive/"
    assert site.browser.get("/").headers["location"] == "/archive/"


@pytest.mark.parametrize(
    "path",
    [
        "x/",
        "x",
        "../",
        "..%2f",
        "%2e%2e/",
        "2026-11-21-evening/images/../manifest.json",
        "2026-11-21-evening/images/..%2fmanifest.json",
        "2026-11-21-evening/images/%2e%2e%2fmanifest.json",
        "2026-11-21-evening/images/..%5cmanifest.json",
        "2026-11-21-evening/images/other.png",
        "2026-11-21-evening/images/notes.txt",
        "2026-11-21-evening/images/",
        "2026-11-21-evening/images/cranes-12.png%00",
        "2026-11-21-evening/images/%ff.png",
        "2026-11-21-evening/manifest.json",
        "2026-11-21-evening/email.html",
        "2026-11-21-evening/issue/issues/evening.yaml",
        "%00/",
        "a" * 5000 + "/",
    ],
)
def test_everything_else_is_a_calm_404(site: Site, path: str) -> None:
    archive(site)
    answer = site.browser.get(f"/archive/{path}")
    if answer.is_redirect:  # the client itself folds `..` away
        assert path == "../"
        return
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_campaign_that_has_not_started_is_not_public(site: Site) -> None:
    archive(site, started_at=None)
    for path in ("", "/", "/images/cranes-12.png"):
        assert site.browser.get(f"/archive/2026-11-21-evening{path}").status_code == 404
    assert "Cranes" not in site.browser.get("/archive/").text


def test_a_file_that_is_not_what_was_sent_is_not_shown(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    folder = archive(site)
    (folder / "web.html").write_text("something else")
    assert site.browser.get("/archive/2026-11-21-evening/").status_code == 404
    assert "campaigns/2026-11-21-evening/web.html is not what was sent" in caplog.text


def test_a_link_to_elsewhere_and_a_missing_file_are_not_there(site: Site) -> None:
    folder = archive(site)
    (site.settings.root / "secret.png").write_bytes(PNG)
    (folder / "images/cranes-12.png").unlink()
    assert site.browser.get("/archive/2026-11-21-evening/images/cranes-12.png").status_code == 404
    (folder / "images/cranes-12.png").symlink_to(site.settings.root / "secret.png")
    assert site.browser.get("/archive/2026-11-21-evening/images/cranes-12.png").status_code == 404


def test_a_damaged_campaign_does_not_take_the_list_away(site: Site) -> None:
    archive(site)
    archive(site, "damaged")
    (site.settings.campaigns / "damaged/manifest.json").write_text("{")
    answer = site.browser.get("/archive/")
    assert answer.status_code == 200
    assert "damaged" not in answer.text
    assert site.browser.get("/archive/damaged/").status_code == 404


def test_the_list_is_newest_first_with_edition_and_date(site: Site) -> None:
    archive(site, "older", date="2026-11-01", subject="Older")
    archive(site, "odd", date="no date", edition="gone", subject="")
    archive(site)
    page = site.browser.get("/archive/").text
    assert page.index("Cranes &lt;stand&gt; still") < page.index("Older")
    assert 'href="2026-11-21-evening/"' in page
    assert ">Evening Brief</span>" in page
    assert ">November 2026</h2>" in page
    assert '<time datetime="2026-11-21">21</time>' in page
    assert "odd" in page  # without a subject, its name


def test_a_row_has_the_title_and_not_the_subject_that_was_cut(site: Site) -> None:
    archive(
        site, language="zh", title="旺季前夜，海外仓开始挑货", preheader="另有：小包新规", edition="morning"
    )
    page = site.browser.get("/archive/").text
    row = page[page.index("<li>") : page.index("</li>")]
    assert '<div lang="zh">' in row
    assert "旺季前夜，海外仓开始挑货" in row
    assert "：另有：小包新规" in row
    assert "Cranes" not in page


def test_the_list_can_be_filtered_by_edition(site: Site) -> None:
    for number in range(61):
        archive(site, f"m{number:02}", edition="morning", subject=f"Morning {number}")
    assert 'class="filter"' not in site.browser.get("/archive/").text
    archive(site)
    both = site.browser.get("/archive/").text
    assert '<a href="./" aria-current="page">All</a>' in both
    assert 'href="?edition=evening"' in both
    assert 'href="?edition=feature"' not in both  # nothing of it was sent
    evening = site.browser.get("/archive/?edition=evening").text
    assert evening.count("<li>") == 1
    assert re.search(r'<a href="\?edition=evening"[^>]* aria-current="page">', evening)
    assert 'href="?edition=morning&amp;page=2"' in site.browser.get("/archive/?edition=morning").text
    for wrong in ("feature", "nothing", "../x", "<b>"):
        assert site.browser.get(f"/archive/?edition={quote(wrong)}").status_code == 404


def test_a_manifest_that_changes_is_read_again(site: Site) -> None:
    folder = archive(site, started_at=None)
    assert site.browser.get("/archive/2026-11-21-evening/").status_code == 404
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "started_at": "2026-11-21T10:00:01Z"}))
    assert site.browser.get("/archive/2026-11-21-evening/").status_code == 200
    assert site.browser.get("/archive/2026-11-21-evening/").status_code == 200


def test_a_long_list_has_pages(site: Site) -> None:
    for number in range(61):
        archive(site, f"c{number:02}", subject=f"Subject {number:02}", date=f"20{number + 10}-01-01")
    first, second = site.browser.get("/archive/").text, site.browser.get("/archive/?page=2").text
    assert first.count("<li>") == 60
    assert 'href="?page=2"' in first
    assert "Subject 00" in second
    assert 'href="?page=1"' in second
    for wrong in ("0", "3", "-1", "x", "²", "9" * 50, quote("\x00")):
        assert site.browser.get(f"/archive/?page={wrong}").status_code == 404


def test_an_empty_archive_says_so(site: Site) -> None:
    assert "Nothing has been sent yet" in site.browser.get("/archive/").text


def test_the_list_reads_only_what_has_changed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(folder: Path) -> dict[str, Any]:
        read.append(folder.name)
        return read_manifest(folder)

    monkeypatch.setattr(campaign_module, "read_manifest", counted)
    first = archive(site)
    archive(site, "2026-11-22-evening", subject="Second")
    broken = archive(site, "2026-11-23-evening", subject="Third")
    (broken / "manifest.json").write_text("{")
    for _ in range(3):
        shown = site.browser.get("/archive/").text
        assert "Second" in shown
        assert "Third" not in shown
    assert sorted(read) == ["2026-11-21-evening", "2026-11-22-evening", "2026-11-23-evening"]
    manifest = json.loads((first / "manifest.json").read_text())
    (first / "manifest.json").write_text(json.dumps({**manifest, "subject": "Another word"}))
    assert "Another word" in site.browser.get("/archive/").text
    assert read[3:] == ["2026-11-21-evening"]
    shutil.rmtree(first)
    assert "Another word" not in site.browser.get("/archive/").text
    (broken / "manifest.json").unlink()
    assert "Second" in site.browser.get("/archive/").text

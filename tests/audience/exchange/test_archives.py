"""A zip archive of lists, and what a hostile one does not do."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import pytest

from mailer.audience.exchange.files import zip_archive as archive_module
from mailer.audience.exchange.files.zip_archive import is_exclusion_list_name
from mailer.audience.people import find
from mailer.config import load_settings
from mailer.store.database import open_store
from tests.cli import Ran, run

SUBSCRIBED = "Email Address,First Name\nann@example.org,Ann\nbob@example.org,Bob\nzoe@example.org,Zoë\n"
UNSUBSCRIBED = "Email Address,First Name,status\nbob@example.org,Bob,unsubscribed\n"
CLEANED = "Email Address,First Name,status\ncid@example.org,Cid,bounced\n"


def packed(workspace: Path, members: dict[str, str | bytes], name: str = "audience.zip") -> Path:
    path = workspace / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def status_of(workspace: Path, address: str) -> str | None:
    db = open_store(load_settings(workspace).database)
    try:
        person = find(db, address)
        return person.status if person else None
    finally:
        db.close()


def import_of(workspace: Path, *words: str) -> Ran:
    return run(workspace, "subscribers", "import", *words)


def test_every_list_of_the_archive_is_read_those_who_left_first(workspace: Path) -> None:
    packed(
        workspace,
        {
            "export/cleaned_members_export_1.csv": CLEANED,
            "export/unsubscribed_members_export_1.csv": UNSUBSCRIBED,
            "export/subscribed_members_export_1.csv": SUBSCRIBED.encode("utf-16"),
            "__MACOSX/export/._subscribed_members_export_1.csv": b"\x00\x05\x16\x07",
            "export/.DS_Store": b"\x00",
            "export/readme.html": "<p>",
            "export/empty.csv": b"",
        },
    )
    ran = import_of(workspace, "audience.zip")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "audience.zip/export/cleaned_members_export_1.csv: 1 row",
        "read as a Mailchimp export of cleaned members",
        '  status: "bounced" → bounced, 1 row',
        "  added               1  rows 2",
        "audience.zip/export/unsubscribed_members_export_1.csv: 1 row",
        "read as a Mailchimp export of unsubscribed members",
        '  status: "unsubscribed" → unsubscribed, 1 row',
        "  added               1  rows 2",
        "audience.zip/export/subscribed_members_export_1.csv: 3 rows",
        "  added               2  rows 2, 4",
        "  kept                1  rows 3",
        "row 3: bob@example.org: kept as unsubscribed",
        "audience.zip: 5 rows in 3 lists",
        "  added               4",
        "  kept                1",
        "Left out, because it is not a list: export/readme.html",
        "Left out, because it is not a list: export/empty.csv",
    ]
    assert status_of(workspace, "ann@example.org") == "active"
    assert status_of(workspace, "bob@example.org") == "unsubscribed"
    assert status_of(workspace, "cid@example.org") == "bounced"
    assert not [path for path in workspace.iterdir() if path.suffix == ".csv"]


def test_the_report_of_an_archive_as_json(workspace: Path) -> None:
    packed(workspace, {"b.csv": UNSUBSCRIBED, "a.csv": SUBSCRIBED + "bad,\n", "x.pdf": b"%PDF"})
    ran = import_of(workspace, "audience.zip", "--json")
    assert (ran.status, ran.err) == (1, "")
    document = json.loads(ran.out)
    assert {key: value for key, value in document.items() if key != "lists"} == {
        "file": "audience.zip", "rows": 5, "added": 3, "updated": 0, "unchanged": 0, "kept": 1, "refused": 1,
        "left_out": ["x.pdf"],
    }  # fmt: skip
    assert [one["file"] for one in document["lists"]] == ["audience.zip/b.csv", "audience.zip/a.csv"]
    assert document["lists"][1]["refused_file"] == "audience.2.refused.csv"
    assert (workspace / "audience.2.refused.csv").stat().st_mode & 0o077 == 0


def test_refused_rows_of_each_list_have_a_file_of_their_own(workspace: Path) -> None:
    packed(workspace, {"a.csv": "email\nbad\n", "b.csv": "email\nworse\n"})
    assert import_of(workspace, "audience.zip", "--refused", "why.csv").status == 1
    assert "bad" in (workspace / "why.1.csv").read_text("utf-8-sig")
    assert "worse" in (workspace / "why.2.csv").read_text("utf-8-sig")


def test_one_list_that_cannot_be_used_keeps_the_whole_archive_out(workspace: Path) -> None:
    """Else people who are in the list of those who left would be in and active."""
    packed(workspace, {"subscribed.csv": SUBSCRIBED, "unsubscribed.csv": "nothing,here\n1,2\n"})
    ran = import_of(workspace, "audience.zip")
    assert ran.status == 2
    assert ran.err.startswith("audience.zip/unsubscribed.csv:1: no column holds the address")
    assert status_of(workspace, "ann@example.org") is None


def test_a_list_that_may_say_who_has_left_keeps_the_whole_archive_out(workspace: Path) -> None:
    packed(workspace, {"a.csv": SUBSCRIBED, "b.csv": "email,Opt-out\ncid@example.org,yes\n"})
    ran = import_of(workspace, "audience.zip")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith('audience.zip/b.csv:1: the column "Opt-out" seems to tell who has left')
    assert status_of(workspace, "ann@example.org") is None
    assert import_of(workspace, "audience.zip", "--map", "Opt-out=status").status == 0
    assert status_of(workspace, "ann@example.org") == "active"
    assert status_of(workspace, "cid@example.org") == "unsubscribed"


def test_mailchimps_lists_are_known_by_their_names(workspace: Path) -> None:
    rows = "Email Address,First Name\n{}@example.org,A\n"
    kinds = {"subscribed": "active", "unsubscribed": "unsubscribed", "cleaned": "bounced"}
    kinds["nonsubscribed"] = "unsubscribed"
    packed(workspace, {f"{kind}_members_export_ab.csv": rows.format(kind) for kind in kinds})
    assert import_of(workspace, "audience.zip").status == 0
    assert {kind: status_of(workspace, f"{kind}@example.org") for kind in kinds} == kinds


def test_an_archive_is_known_by_its_content(workspace: Path) -> None:
    packed(workspace, {"a.csv": SUBSCRIBED}, "export.csv")
    assert import_of(workspace, "export.csv").status == 0
    assert status_of(workspace, "ann@example.org") == "active"


def test_a_spreadsheet_is_no_archive_of_lists(workspace: Path) -> None:
    for name, member in (("list.xlsx", "[Content_Types].xml"), ("list.ods", "mimetype")):
        packed(workspace, {member: "x", "a.csv": SUBSCRIBED}, name)
        ran = import_of(workspace, name)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err == (
            f"{name}: is a spreadsheet or a zip archive, not a CSV file; save the list as CSV (UTF-8)\n"
        )


@pytest.mark.parametrize(
    "name", ["../../evil.csv", "/tmp/evil.csv", "C:\\evil.csv", "a\x1b[2Jb.csv", "x" * 300 + ".csv"]
)
def test_names_in_an_archive_are_no_paths(workspace: Path, name: str) -> None:
    before = {path for path in workspace.parent.rglob("*") if "subscribers.db" not in path.name}
    packed(workspace, {name: "email\nbad\nann@example.org\n"})
    ran = import_of(workspace, "audience.zip")
    assert ran.status == 1
    assert "\x1b" not in ran.out
    after = {path for path in workspace.parent.rglob("*") if "subscribers.db" not in path.name}
    assert {path.name for path in after - before} == {"audience.zip", "audience.1.refused.csv"}


def test_a_bomb_is_refused_before_it_is_unpacked(workspace: Path) -> None:
    packed(workspace, {"a.csv": SUBSCRIBED, "bomb.csv": b"\x00" * 40_000_000})
    ran = import_of(workspace, "audience.zip")
    assert (ran.status, ran.err) == (
        2,
        "audience.zip/bomb.csv: unpacks to more than 300 times its size, as no list does; remove it\n",
    )
    assert status_of(workspace, "ann@example.org") is None


def test_an_archive_that_is_too_large_is_refused(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(workspace, {"a.csv": SUBSCRIBED})
    with monkeypatch.context() as patched:
        patched.setattr(archive_module, "MAX_SIZE", 50)
        assert "audience.zip: unpacks to more than" in import_of(workspace, "audience.zip").err
    packed(workspace, {f"{number}.csv": "email\n" for number in range(201)})
    assert "audience.zip: holds more than 200 lists" in import_of(workspace, "audience.zip").err
    packed(workspace, {f"{number}.txt": "" for number in range(1001)})
    ran = import_of(workspace, "audience.zip")
    assert (ran.status, ran.err) == (
        2,
        "audience.zip: has more than 1,000 files; unpack it and import the lists among them\n",
    )


def test_an_archive_without_a_list_is_refused(workspace: Path) -> None:
    packed(workspace, {"a.html": "x"})
    ran = import_of(workspace, "audience.zip")
    assert (ran.status, ran.err) == (2, "audience.zip: holds no CSV file; name an archive with lists\n")


def test_an_encrypted_list_is_refused(workspace: Path) -> None:
    path = packed(workspace, {"a.csv": SUBSCRIBED})
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(signature) + place] |= 1
    path.write_bytes(content)
    ran = import_of(workspace, "audience.zip")
    assert (ran.status, ran.err) == (
        2,
        "audience.zip/a.csv: is encrypted; unpack the archive with its password and import its files\n",
    )


def test_a_damaged_archive_is_refused(workspace: Path) -> None:
    whole = packed(workspace, {"a.csv": SUBSCRIBED * 50, "b.csv": UNSUBSCRIBED}).read_bytes()
    damaged = [whole[: len(whole) // 2], whole[:40] + b"\xff" * 30 + whole[70:], b"PK\x03\x04" + b"x" * 100]
    damaged.append(whole.replace(b"PK\x01\x02", b"PK\x09\x09"))
    place = whole.find(b"PK\x01\x02")
    damaged.append(whole[: place + 16] + struct.pack("<L", 0) + whole[place + 20 :])  # another checksum
    damaged.append(whole[: place + 24] + struct.pack("<L", 99) + whole[place + 28 :])  # another size
    for content in damaged:
        (workspace / "audience.zip").write_bytes(content)
        ran = import_of(workspace, "audience.zip")
        assert ran.status == 2, content
        assert "is damaged; download or copy it again" in ran.err
        assert status_of(workspace, "ann@example.org") is None


def test_an_unknown_compression_is_refused(workspace: Path) -> None:
    path = workspace / "audience.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", SUBSCRIBED)
    ran = import_of(workspace, "audience.zip")
    assert (ran.status, "is compressed with an unsupported method" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "name",
    ["unsubscribed_members_export_a1.csv", "cleaned_members.csv", "Cleaned.csv", "bounces.csv",
     "opt-outs.csv", "audience/unsubscribers.csv", "退订.csv", "Suppressed Contacts.csv",
     "blocklist.csv", "complaints.csv"],
)  # fmt: skip
def test_names_of_lists_of_those_who_left(name: str) -> None:
    assert is_exclusion_list_name(name)


@pytest.mark.parametrize(
    "name",
    ["subscribed_members_export_a1.csv", "nonsubscribed.csv", "transactional.csv", "unsubscribed/all.csv",
     "members.csv", "Blockchain.csv"],
)  # fmt: skip
def test_names_of_other_lists(name: str) -> None:
    assert not is_exclusion_list_name(name)


def test_an_archive_comes_through_standard_input_too(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = packed(workspace, {"a.csv": SUBSCRIBED}).read_bytes()

    class Input:
        buffer = io.BytesIO(content)

        @staticmethod
        def isatty() -> bool:
            return False

    monkeypatch.setattr("mailer.audience.exchange.sources.sys.stdin", Input())
    from mailer.audience.exchange.sources import STANDARD_INPUT, open_sources

    settings = load_settings(workspace)
    with open_sources(STANDARD_INPUT, settings) as sources:
        assert [source.name for source in sources.lists] == ["standard input/a.csv"]

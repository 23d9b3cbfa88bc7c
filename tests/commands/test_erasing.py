"""`subscribers erase` names the operator's files that hold the address, and says what it looked at."""

from __future__ import annotations

import base64
import gzip
import quopri
import zipfile
from pathlib import Path

import pytest

from mailer.audience.spellings import AddressSpellings
from mailer.audience.values.address import normalize_address
from mailer.services.readers.traces import search_files
from tests.cli import Ran, run

ANN = "ann.o'neil+news@example.org"


@pytest.fixture
def desk(workspace: Path) -> Path:
    for address in (ANN, "bob@example.org", "eve@example.org"):
        assert run(workspace, "subscribers", "add", address).status == 0
    return workspace


def erase(desk: Path, address: str = ANN, *more: str) -> Ran:
    return run(desk, "subscribers", "erase", address, "--yes", *more)


def eml(body: bytes, encoding: str, to: str = "somebody@example.org") -> bytes:
    return f"To: {to}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


LONG = f"Dear reader, this went to {ANN}, as you asked for it when you signed up for the paper."
HOLDING = {
    "lists/january.csv": f"email\n{ANN}\n".encode(),
    "list.refused.csv": f"reason,email\nbad,{ANN.upper()}\n".encode(),
    "utf-16.csv": f"email,name\nbob@example.org,Bob\n{ANN},Ann\n".encode("utf-16"),
    "outbox/1.eml": eml(b"Hello", "7bit", ANN),
    "outbox/2.eml": eml(
        quopri.encodestring(LONG.replace("@", "@\n").replace("@\n", "@").encode()), "quoted-printable"
    ),
    "outbox/3.eml": eml(base64.encodebytes(LONG.encode()), "base64"),
    "links.txt": b"https://example.org/?e=ann.o%27neil%2Bnews%40example.org&x=1\n",
    "page.html": b"<a href='mailto:ann.o&#39;neil+news&#64;example.org'>",
    "data.json": b'{"to": "ann.o\\u0027neil+news@example.org"}',
    "backup.db.gz": gzip.compress(b"SQLite format 3\0 and so on" + ANN.encode() + ANN.encode()),
    "return-path.log": b"bounce-ann.o'neil+news=example.org@lists.example.net",
}
HARMLESS = {
    "others.csv": b"email\nbob@example.org\njoann.o'neil+news@example.org\nann.o'neil+news@example.org.uk\n",
    "random.bin": bytes(range(256)) * 64,
}


def named(ran: Ran) -> set[str]:
    """The files that it names."""
    return {line.strip() for line in ran.err.splitlines() if line.startswith("  ")}


@pytest.fixture
def files(desk: Path) -> Path:
    for name, data in {**HOLDING, **HARMLESS}.items():
        (desk / name).parent.mkdir(parents=True, exist_ok=True)
        (desk / name).write_bytes(data)
    with zipfile.ZipFile(desk / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("subscribed.csv", f"Email Address\n{ANN}\n")
    return desk


def test_each_file_that_holds_the_address_is_named_and_none_is_changed(files: Path) -> None:
    ran = erase(files)
    assert ran.status == 0
    assert named(ran) == {*HOLDING, "export.zip"}
    for name, data in {**HOLDING, **HARMLESS}.items():
        assert (files / name).read_bytes() == data


def test_a_script_gets_the_number_and_no_search(files: Path) -> None:
    ran = erase(files, ANN, "--json")
    assert (ran.status, ran.err, ran.json) == (0, "", {"erased": 1})


def test_they_are_told_by_folder(files: Path) -> None:
    for number in range(10, 40):
        (files / "outbox" / f"{number}.eml").write_bytes(HOLDING["outbox/1.eml"])
    ran = erase(files)
    assert ran.status == 0
    assert ran.err.startswith(
        "mailer: warning: these files of yours contain the address; remove it from them, or delete them:\n"
    )
    assert {"lists/january.csv", "33 files in outbox/"} <= named(ran)
    assert "\nSearched " in ran.err


def test_an_address_of_before_is_searched_for_too(desk: Path) -> None:
    (desk / "old.csv").write_text(f"email\n{ANN}\n")
    assert run(desk, "subscribers", "change-address", ANN, "zoe@example.com").status == 0
    ran = erase(desk, "zoe@example.com")
    assert (ran.status, named(ran)) == (0, {"old.csv"})
    assert "contain the address, or an earlier one of this person; remove it from them" in ran.err


def test_where_there_is_none_that_is_said(desk: Path) -> None:
    ran = erase(desk)
    assert ran.status == 0
    assert ran.out == f"{ANN} is erased (number 1), and no import can add the address again.\n"
    assert "in the workspace (0.0 MB), and none contains the address.\n" in ran.err
    assert ran.err.count("\n") == 1


def test_what_is_not_looked_into_is_named(desk: Path) -> None:
    (desk / ".git").mkdir()
    (desk / ".git" / "x").write_text(ANN)
    (desk / "elsewhere").symlink_to(desk.parent)
    (desk / "broken.zip").write_bytes(b"PK\x03\x04 no zip")
    ran = erase(desk)
    assert ran.status == 0
    assert "Not searched: .git, broken.zip, elsewhere.\n" in ran.err


def test_the_search_is_bounded_and_says_so(files: Path) -> None:
    spellings = AddressSpellings(normalize_address(ANN))
    few = search_files(spellings, files, max_bytes=100)
    assert not few.whole
    assert few.looked_at < 8
    clock = iter(range(1000))
    short = search_files(spellings, files, seconds=2.5, clock=lambda: float(next(clock)))
    assert not short.whole
    assert search_files(spellings, files).whole


def test_an_address_at_the_edge_of_a_piece_is_found(desk: Path) -> None:
    for name in desk.glob("subscribers.db*"):
        name.unlink()
    for shift in range(0, 30, 7):
        (desk / "large.csv").write_bytes(
            b"x" * ((1 << 20) - shift) + b"," + ANN.encode() + b"," + b"y" * 5000
        )
        found = search_files(AddressSpellings(normalize_address(ANN)), desk)
        assert found.files == ("large.csv",)


@pytest.mark.parametrize("shift", range(4))
def test_an_address_deep_in_a_long_attachment_is_found(desk: Path, shift: int) -> None:
    body = b"x" * (2_000_000 + shift) + LONG.encode() + b"y" * 5000
    (desk / "large.eml").write_bytes(b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(body))
    assert "large.eml" in search_files(AddressSpellings(normalize_address(ANN)), desk).files


@pytest.mark.parametrize(
    ("address", "spelled"),
    [
        ("Juergen@bücher.example.org", "juergen@BÜcher.example.org"),
        ("li@xn--bcher-kva.example.org", "li@bücher.example.org"),
        ("li@bücher.example.org", "LI@XN--BCHER-KVA.example.org"),
        ("jürgen@example.org", "JÜRGEN@example.org"),
        ("jürgen@example.org", "ju\u0308rgen@example.org"),
    ],
)
def test_spellings_by_case_and_idn_form(desk: Path, address: str, spelled: str) -> None:
    assert run(desk, "subscribers", "add", address).status == 0
    (desk / "list.txt").write_text(f"to: {spelled};\n", encoding="utf-8")
    ran = erase(desk, address)
    assert named(ran) == {"list.txt"}


# -- twice, or nobody -------------------------------------------------------------------------


def test_erasing_twice_removes_what_came_back(desk: Path) -> None:
    assert erase(desk, "bob@example.org").status == 0
    log = desk / ".mailer" / "errors" / "x.log"
    log.parent.mkdir(parents=True)
    log.write_text("bob@example.org\n")
    assert run(desk, "subscribers", "add", "eve@example.org", "--attribute", "by=bob@example.org").status == 0
    ran = erase(desk, "BOB@example.org")
    assert ran.status == 0
    assert "BOB@example.org was erased before; data that had come back since then is removed.\n" in ran.out
    assert "bob" not in log.read_text()
    assert run(desk, "subscribers", "show", "eve@example.org", "--json").json["attributes"] == {
        "by": "[erased]"
    }
    assert erase(desk, "bob@example.org", "--json").json["erased"] is None


def test_an_address_that_nobody_ever_had_is_refused_and_changes_nothing(desk: Path) -> None:
    ran = erase(desk, "nobody@example.org")
    assert ran.status == 2
    assert ran.err == (
        "mailer: nobody@example.org is not a subscriber; `mailer subscribers list` shows who is\n"
    )
    assert run(desk, "subscribers", "add", "nobody@example.org").status == 0


def test_who_was_suppressed_and_never_a_subscriber_is_refused_too(desk: Path) -> None:
    assert run(desk, "subscribers", "suppress", "nobody@example.org").status == 0
    assert erase(desk, "nobody@example.org").status == 2


def test_an_import_after_an_erasure_brings_nobody_back(desk: Path) -> None:
    erase(desk, "bob@example.org")
    (desk / "list.csv").write_text("email\nbob@example.org\n")
    run(desk, "subscribers", "import", "list.csv")
    assert run(desk, "subscribers", "show", "bob@example.org").status == 2


def test_without_yes_nothing_is_erased_where_nobody_is_asked(desk: Path) -> None:
    ran = run(desk, "subscribers", "erase", "bob@example.org")
    assert ran.status == 2
    assert "add --yes to erase bob@example.org for good" in ran.err
    assert run(desk, "subscribers", "show", "bob@example.org").status == 0
    assert run(desk, "subscribers", "erase", "bob@example.org", answer="n\n").status in (0, 1)
    assert run(desk, "subscribers", "show", "bob@example.org").status == 0
    assert run(desk, "subscribers", "erase", "bob@example.org", answer="y\n").status == 0

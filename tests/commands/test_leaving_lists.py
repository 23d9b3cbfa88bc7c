"""Everybody in a file is taken off, or put on the suppression list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import Ran, run

pytestmark = pytest.mark.desk(readers="email\nann@example.org\nbo@example.org\ncy@example.org\n")


def states(desk: Path) -> dict[str, str]:
    people = run(desk, "subscribers", "list", "--json").json
    return {person["address"]: person["status"] for person in people}


def take(desk: Path, data: bytes, *words: str, command: str = "unsubscribe") -> Ran:
    (desk / "gone.txt").write_bytes(data)
    return run(desk, "subscribers", command, "--file", "gone.txt", *words)


PLAIN = "ann@example.org\nCy@Example.org\n"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\n\n ann@example.org \n\ncy@example.org\n\n",
        b'"ann@example.org"\n"cy@example.org"\n',
        b"Ann Able <ann@example.org>\nCy <cy@example.org>\n",
        b"ann@example.org, cy@example.org\n",
        b"ann@example.org;Ann\ncy@example.org,Cy\n",
        b"ann@example.org,Ann Able\ncy@example.org,Cy\n",
        b'ann@example.org,"Ann ""Able\ncy@example.org,Cy\n',
        b"email\nann@example.org\ncy@example.org\n",
        b"Name;E-Mail\nAnn;ann@example.org\nCy;cy@example.org\n",
        b"sep=;\nName;E-Mail\nAnn;ann@example.org\nCy;cy@example.org\n",
        "姓名,邮箱\n安,ann@example.org\n西,cy@example.org\n".encode("gb18030"),
        b"Subscriber,Since\nann@example.org,2020\ncy@example.org,2021\n",
        b'email,note\nann@example.org,"over\ntwo lines, bo@example.org"\ncy@example.org,\n',
        b"email\nann@example.org\nann@example.org\nANN@example.org\ncy@example.org\n",
    ],
)
def test_a_list_of_any_kind_takes_off_those_in_it_and_no_others(desk: Path, data: bytes) -> None:
    ran = take(desk, data, "--json")
    assert (ran.status, ran.err) == (0, "")
    assert (ran.json["changed"], ran.json["unchanged"]) == (2, 0)
    assert (ran.json["unknown"], ran.json["unreadable"]) == ([], [])
    assert states(desk) == {
        "ann@example.org": "unsubscribed",
        "bo@example.org": "active",
        "cy@example.org": "unsubscribed",
    }


def test_it_says_how_many_and_who_was_not_known(desk: Path) -> None:
    run(desk, "subscribers", "unsubscribe", "bo@example.org")
    ran = take(desk, b"ann@example.org\nbo@example.org\nzoe@example.org\n", "--reason", "by letter")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "gone.txt: 3 lines",
        "  now off everything                  1",
        "  already off everything              1",
        "  not known here                      1",
        "not known here: zoe@example.org",
    ]
    for address in ("ann@example.org", "bo@example.org"):
        assert "by letter" in run(desk, "subscribers", "show", address).out


def test_lines_that_cannot_be_read_are_told_and_the_others_are_done(desk: Path) -> None:
    ran = take(desk, b'ann@example.org\nnobody\n"cy@example.org\nbo@@example.org\n')
    assert ran.status == 1
    assert "line 2: this line has no e-mail address\n" in ran.out
    assert 'line 4: "bo@@example.org" is not an e-mail address' in ran.out
    assert states(desk)["ann@example.org"] == states(desk)["cy@example.org"] == "unsubscribed"
    assert states(desk)["bo@example.org"] == "active"
    told = take(desk, b"nobody\nann@example.org\n", "--json")
    assert told.status == 1
    assert told.json["unreadable"] == [
        {"line": 1, "text": "nobody", "reason": "this line has no e-mail address"}
    ]


def test_a_broken_row_of_a_table_costs_that_row_alone(desk: Path) -> None:
    ran = take(desk, b'email,note\nann@example.org,"open\nbo@example.org,x\ncy@example.org,y\n', "--json")
    assert ran.status == 1
    assert ran.json["changed"] == 2
    assert [line["line"] for line in ran.json["unreadable"]] == [2]
    assert states(desk)["ann@example.org"] == "active"


def test_one_edition_is_left_by_a_list(desk: Path) -> None:
    ran = take(desk, b"ann@example.org\n", "--edition", "morning")
    assert "  now off morning" in ran.out
    shown = run(desk, "subscribers", "show", "ann@example.org", "--json").json
    assert (shown["status"], shown["editions"]) == ("active", ["evening", "feature"])
    assert take(desk, b"ann@example.org\n", "--edition", "mornin").status == 2


def test_a_list_may_come_on_standard_input(desk: Path) -> None:
    ran = run(desk, "subscribers", "unsubscribe", "--file", "-", answer="ann@example.org\nzoe@example.org\n")
    assert ran.status == 0
    assert "standard input: 2 lines" in ran.out
    assert states(desk)["ann@example.org"] == "unsubscribed"
    assert run(desk, "subscribers", "suppress", "--file", "-", "--json", answer="bo@example.org\n").json[
        "changed"
    ] == 1  # fmt: skip


def test_unknown_addresses_are_suppressed_too(desk: Path) -> None:
    ran = take(
        desk, b"ann@example.org\nzoe@example.org\nnobody\n", "--reason", "by letter", command="suppress"
    )
    assert ran.status == 1
    assert ran.out.splitlines()[:4] == [
        "gone.txt: 3 lines",
        "  now suppressed                      2",
        "  not known here                      1",
        "  not readable                        1",
    ]
    ran = run(desk, "subscribers", "add", "zoe@example.org", "--consent", "by phone")
    assert ran.status == 2
    assert "(by letter) and must not get mail again" in ran.err
    (desk / "again.csv").write_text("email\nzoe@example.org\nann@example.org\n")
    assert "kept as suppressed" in run(desk, "subscribers", "import", "again.csv").out
    again = take(desk, b"ann@example.org\nzoe@example.org\n", "--json", command="suppress").json
    assert (again["changed"], again["unchanged"]) == (0, 2)


@pytest.mark.parametrize("command", ["unsubscribe", "suppress"])
@pytest.mark.parametrize(
    ("words", "data", "sentence"),
    [
        ([], None, "name either an address, or a list of them with --file FILE"),
        (["ann@example.org", "--file", "x"], b"bo@example.org\n", "with --file FILE"),
        (["--file", "missing"], None, "missing: there is no such file; check the name"),
        (["--file", "."], None, "is not a file; name a file with a list of addresses"),
        (["--file", "x"], b"name,city\nAnn,Paris\n", 'no column holds the address (found "name", "city")'),
        (["--file", "x"], b"a,b\nann@example.org,bo@example.org\n", "several columns hold addresses"),
        (["--file", "x"], b"PK\x03\x04\x00\x01\x02", "has no e-mail address"),
        (["--file", "x"], b"nobody\nnor this\n", "has no e-mail address"),
    ],
)
def test_a_list_that_cannot_be_used_changes_nothing(
    desk: Path, command: str, words: list[str], data: bytes | None, sentence: str
) -> None:
    if data is not None:
        (desk / "x").write_bytes(data)
    ran = run(desk, "subscribers", command, *words)
    assert (ran.status, ran.out) == (2, "")
    assert sentence in ran.err
    assert set(states(desk).values()) == {"active"}
    assert run(desk, "subscribers", "list", "--status", "suppressed", "--json").json == []


def test_a_reason_that_is_cut_is_told(desk: Path) -> None:
    ran = run(desk, "subscribers", "unsubscribe", "ann@example.org", "--reason", "x" * 600)
    assert (ran.status, ran.err) == (
        0,
        "mailer: warning: the reason is too long; only its first 500 characters are kept\n",
    )


def test_an_empty_list_is_nobody(desk: Path) -> None:
    assert take(desk, b"\n").out == "gone.txt: 0 lines\n"


def test_more_than_a_few_are_counted(desk: Path) -> None:
    ran = take(desk, b"".join(b"x%d@example.org\n" % n for n in range(25)))
    assert "… and 5 more that are not known here\n" in ran.out

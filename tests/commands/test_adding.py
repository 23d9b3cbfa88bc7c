"""What brings a reader back, and what only describes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailer.store.database import open_store
from tests.cli import Ran, run

ANN = "ann@example.org"
Add = Callable[..., Ran]

pytestmark = pytest.mark.desk(
    readers="email,name,tags,editions,company\nann@example.org,Ann,vip;press,morning;evening,Acme\n"
    "bo@example.org,Bo,vip,morning,Acme\n"
)


@pytest.fixture
def add(desk: Path) -> Add:
    return lambda *words: run(desk, "subscribers", "add", *words)


def shown(desk: Path, address: str = ANN) -> dict[str, Any]:
    return run(desk, "subscribers", "show", address, "--json").json


def made(desk: Path, status: str) -> None:
    """Makes Ann so, as it would happen."""
    if status == "suppressed":
        assert run(desk, "subscribers", "suppress", ANN, "--reason", "by letter").status == 0
        return
    (desk / "gone.csv").write_text(f"email,status\n{ANN},{status}\n")
    assert run(desk, "subscribers", "import", "gone.csv").status == 0


def dump(desk: Path) -> list[str]:
    db = open_store(desk / "subscribers.db")
    lines = list(db.conn.iterdump())
    db.close()
    return lines


# -- coming back --------------------------------------------------------------------------------


def test_an_edition_that_was_left_comes_back_by_consent_alone(desk: Path, add: Add) -> None:
    run(desk, "subscribers", "unsubscribe", ANN, "--edition", "morning")
    before = dump(desk)
    ran = add(ANN, "--edition", "morning", "--edition", "feature")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "mailer: ann@example.org has unsubscribed from morning, and only the reader can change that; "
        'if the reader asked for it, say how with --consent "…"\n'
    )
    assert dump(desk) == before
    assert add(ANN, "--edition", "feature").status == 0
    assert shown(desk)["editions"] == ["evening", "feature"]
    assert add(ANN, "--edition", "morning", "--consent", "by phone").status == 0
    assert shown(desk)["editions"] == ["evening", "feature", "morning"]
    assert shown(desk)["consents"][-1]["method"] == "by phone"


def test_who_chose_other_editions_on_their_page_has_left_the_others(desk: Path, add: Add) -> None:
    from mailer.audience.consent.record import Consent
    from mailer.audience.subscribers import set_editions

    db = open_store(desk / "subscribers.db")
    set_editions(db, 1, ["evening"], consent=Consent("2026-01-01T00:00:00.000000Z", "preferences"))
    db.close()
    assert add(ANN, "--edition", "morning").status == 2


@pytest.mark.parametrize("status", ["complained", "suppressed"])
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--edition", "feature"],
        ["--consent", "by phone"],
        ["--consent", "by phone", "--edition", "feature"],
        ["--consent", "by phone", "--force"],
        ["--force"],
        ["--force", "--reason", "they wrote"],
        ["--consent", "by phone", "--reason", "they wrote"],
        ["--consent", "by phone", "--force", "--reason", " "],
    ],
)
def test_a_complaint_and_a_suppression_take_all_three_words(
    desk: Path, add: Add, status: str, words: list[str]
) -> None:
    made(desk, status)
    before = dump(desk)
    ran = add(ANN, *words)
    assert (ran.status, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1
    assert dump(desk) == before


@pytest.mark.parametrize("status", ["complained", "suppressed"])
def test_with_all_three_words_they_come_back_and_the_reason_is_kept(
    desk: Path, add: Add, status: str
) -> None:
    made(desk, status)
    ran = add(ANN, "--consent", "by phone", "--force", "--reason", "pressed the wrong button")
    assert (ran.status, ran.out) == (0, "ann@example.org is updated; reads evening, morning.\n")
    story = shown(desk)
    assert (story["status"], story["suppressed"], story["suppressed_at"]) == ("active", None, None)
    assert story["consents"][-1]["method"] == "by phone"
    assert [
        (one["what"], one["reason"]) for one in story["history"] if one["what"] == "restore"
    ] == [("restore", "pressed the wrong button")]  # fmt: skip
    assert "pressed the wrong button" in run(desk, "subscribers", "show", ANN).out
    (desk / "more.csv").write_text(f"email,company\n{ANN},Other\n")
    assert "updated" in run(desk, "subscribers", "import", "more.csv").out


def test_who_complained_and_is_suppressed_comes_back_at_once(desk: Path, add: Add) -> None:
    made(desk, "complained")
    made(desk, "suppressed")
    assert add(ANN, "--consent", "by phone", "--force", "--reason", "it was me").status == 0
    story = shown(desk)
    assert (story["status"], story["suppressed"]) == ("active", None)
    assert [one["what"] for one in story["history"]].count("restore") == 1


def test_an_erased_reader_comes_back_as_somebody_new(desk: Path, add: Add) -> None:
    assert run(desk, "subscribers", "erase", ANN, "--yes").status == 0
    for words in ([], ["--consent", "by phone"]):
        ran = add(ANN, *words)
        assert ran.status == 2
        assert "has been on the suppression list" in ran.err
    ran = add(ANN, "--consent", "the form", "--force", "--reason", "they signed up again", "--json")
    assert ran.json["added"]
    person = ran.json["subscriber"]
    assert (person["id"], person["name"], person["tags"], person["attributes"]) == (3, "", [], {})
    assert [one["what"] for one in shown(desk)["history"]] == ["restore"]
    assert run(desk, "subscribers", "list", "--status", "erased", "--json").json[0]["address"] is None


def test_what_needs_no_force_is_not_forced(desk: Path, add: Add) -> None:
    words = ("--consent", "by phone", "--force", "--reason", "x")
    for address in (ANN, "new@example.org"):
        before = dump(desk)
        ran = add(address, *words)
        assert ran.status == 2
        assert "can be added without --force" in ran.err
        assert dump(desk) == before
    run(desk, "subscribers", "unsubscribe", ANN)
    assert add(ANN, *words).status == 0


def test_a_preferences_page_never_undoes_a_complaint_of_somebody_who_had_left(desk: Path) -> None:
    from mailer.audience.consent.record import Consent
    from mailer.audience.subscribers import set_editions

    run(desk, "subscribers", "unsubscribe", ANN)
    made(desk, "complained")
    assert shown(desk)["status"] == "complained"
    db = open_store(desk / "subscribers.db")
    assert not set_editions(db, 1, ["morning"], consent=Consent("2026-01-01T00:00:00.000000Z", "preferences"))
    db.close()
    assert shown(desk)["status"] == "complained"


def test_somebody_who_comes_back_to_no_edition_is_told_so(desk: Path, add: Add) -> None:
    (desk / "left.csv").write_text("email,status,editions\ncy@example.org,unsubscribed,\n")
    run(desk, "subscribers", "import", "left.csv")
    ran = add("cy@example.org", "--consent", "by phone")
    assert ran.out == "cy@example.org is updated; reads no edition; add --edition NAME.\n"


# -- an edit is no consent ----------------------------------------------------------------------


def test_an_edit_is_no_consent(desk: Path, add: Add) -> None:
    consents = shown(desk)["consents"]
    for words in (["--name", "Zoe"], ["--language", "en"], ["--tag", "x"], ["--attribute", "a=b"], []):
        assert add(ANN, *words).status == 0
    story = shown(desk)
    assert story["consents"] == consents
    assert story["history"] == []
    assert (story["name"], story["language"], story["tags"]) == ("Zoe", "en", ["x"])


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained", "pending", "suppressed"])
def test_an_edit_brings_nobody_back(desk: Path, add: Add, status: str) -> None:
    if status == "pending":
        db = open_store(desk / "subscribers.db")
        db.conn.execute("UPDATE subscribers SET status = 'pending' WHERE id = 1")
        db.close()
    else:
        made(desk, status)
    before = shown(desk)
    ran = add(ANN, "--name", "Zoe")
    assert ran.status == 0
    if status != "pending":
        assert ran.out == f"ann@example.org is updated; {status}, so nothing is sent to them.\n"
    after = shown(desk)
    same = ("status", "editions", "suppressed", "consents", "history")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert after["name"] == "Zoe"


def test_nothing_to_change_changes_nothing(desk: Path, add: Add) -> None:
    assert add(ANN).out == "ann@example.org is unchanged; reads evening, morning.\n"
    assert add(ANN, "--name", "Ann").out.startswith("ann@example.org is unchanged; ")


def test_a_new_edition_is_recorded_as_consent_of_the_operator(desk: Path, add: Add) -> None:
    assert add(ANN, "--edition", "feature").status == 0
    assert shown(desk)["consents"][-1]["method"] == "operator"


def test_it_says_what_becomes_of_the_other_tags(desk: Path, add: Add) -> None:
    assert add(ANN, "--tag", "member", "--tag", "vip").out.splitlines() == [
        "ann@example.org is updated; reads evening, morning.",
        "Tags: member, vip (no longer: press).",
    ]
    ran = add(ANN, "--add-tag", "press", "--add-tag", "VIP", "--json")
    assert ran.json["subscriber"]["tags"] == ["member", "vip", "press"]
    assert ran.json["cleared"] == {"tags": [], "attributes": []}


def test_tags_and_attributes_are_cleared(desk: Path, add: Add) -> None:
    add(ANN, "--attribute", "city=Paris", "--attribute", "Job Title=Editor")
    ran = add(ANN, "--no-tag", "VIP", "--no-attribute", "company", "--no-attribute", "nothing")
    assert ran.out.splitlines()[1:] == ["Tags: press (no longer: vip).", "Cleared: company."]
    assert shown(desk)["attributes"] == {"city": "Paris", "Job Title": "Editor"}
    assert add(ANN, "--attribute", "city=").status == 0
    assert add(ANN, "--no-attribute", "Job Title").status == 0
    assert shown(desk)["attributes"] == {}
    add(ANN, "--attribute", "a=b")
    ran = add(ANN, "--no-tags", "--no-attributes", "--add-tag", "new", "--attribute", "c=d", "--json")
    assert ran.json["subscriber"]["tags"] == ["new"]
    assert ran.json["subscriber"]["attributes"] == {"c": "d"}
    assert ran.json["cleared"] == {"tags": ["press"], "attributes": ["a"]}


def test_a_column_of_a_list_is_cleared_by_the_name_that_it_had_there(desk: Path, add: Add) -> None:
    (desk / "more.csv").write_text(f"email,Company Size\n{ANN},12\n")
    run(desk, "subscribers", "import", "more.csv")
    assert shown(desk)["attributes"] == {"company": "Acme", "company_size": "12"}
    add(ANN, "--no-attribute", "Company Size")
    assert shown(desk)["attributes"] == {"company": "Acme"}


def test_a_whole_segment_is_cleared(desk: Path, add: Add) -> None:
    run(desk, "subscribers", "unsubscribe", "bo@example.org")
    ran = add("--segment", '"vip" in tags', "--no-tag", "vip", "--no-attribute", "company")
    assert (ran.status, ran.out) == (0, "2 people are in the segment; 2 of them are changed.\n")
    for address, tags in ((ANN, ["press"]), ("bo@example.org", [])):
        person = shown(desk, address)
        assert (person["tags"], person["attributes"]) == (tags, {})
    assert shown(desk, "bo@example.org")["status"] == "unsubscribed"
    again = add("--segment", 'status != "erased"', "--no-tag", "vip", "--add-tag", "press", "--json")
    assert again.json == {"segment": 'status != "erased"', "matched": 2, "changed": 1}


def test_a_segment_of_many_is_changed_in_batches(desk: Path, add: Add) -> None:
    rows = "".join(f"r{n}@example.org,x\n" for n in range(1200))
    (desk / "many.csv").write_text("email,tags\n" + rows)
    run(desk, "subscribers", "import", "many.csv")
    assert add("--segment", '"x" in tags', "--no-tags", "--json").json["changed"] == 1200
    assert run(desk, "subscribers", "list", "--segment", '"x" in tags', "--json").json == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "name either an address, or a segment with --segment EXPR"),
        ([ANN, "--segment", '"vip" in tags'], "name either an address"),
        (["--segment", '"vip" in tags'], "add an option that says what to change"),
        (["--segment", '"vip" in tags', "--tag", "x"], "--tag cannot be used with --segment"),
        (["--segment", '"vip" in tags', "--name", "x"], "all other options need one ADDRESS"),
        (["--segment", '"vip" in tags', "--no-tags", "--consent", "x"], "all other options need one ADDRESS"),
        (["--segment", '"vip" in tags', "--no-tags", "--edition", "morning"], "need one ADDRESS"),
        (["--segment", "vip in tags", "--no-tags"], "segment:8"),
        ([ANN, "--force"], "--force needs --consent"),
        ([ANN, "--reason", "x"], "--reason can only be used with --force"),
    ],
)
def test_options_that_do_not_go_together_change_nothing(
    desk: Path, add: Add, words: list[str], sentence: str
) -> None:
    before = dump(desk)
    ran = add(*words)
    assert (ran.status, ran.out) == (2, "")
    assert sentence in ran.err
    assert dump(desk) == before


def test_too_many_tags_in_a_segment_change_nobody(desk: Path, add: Add) -> None:
    add(ANN, *(word for n in range(100) for word in ("--tag", f"t{n}")))
    before = dump(desk)
    assert add("--segment", 'status == "active"', "--add-tag", "more").status == 2
    assert dump(desk) == before


# -- the suppressed are known -------------------------------------------------------------------


def test_the_suppressed_are_listed_as_such(desk: Path) -> None:
    made(desk, "suppressed")

    def listed(*words: str) -> list[str]:
        return [person["address"] for person in run(desk, "subscribers", "list", *words, "--json").json]

    assert listed("--status", "suppressed") == [ANN]
    assert listed("--status", "active") == ["bo@example.org"]
    for words in ("suppressed", "suppressed == true", "suppressed != false", 'status == "suppressed"'):
        assert listed("--segment", words) == [ANN]
    for words in ("not suppressed", "suppressed == false", 'status == "active"', 'status != "suppressed"'):
        assert listed("--segment", words) == ["bo@example.org"]
    assert " suppressed " in run(desk, "subscribers", "list").out
    run(desk, "subscribers", "unsubscribe", ANN)
    assert listed("--status", "suppressed") == listed("--status", "unsubscribed") == [ANN]
    assert run(desk, "subscribers", "list", "--status", "suppresed").status == 2


def test_an_export_tells_of_the_suppressed_and_is_read_back(desk: Path, tmp_path: Path) -> None:
    made(desk, "suppressed")
    assert run(desk, "subscribers", "export", "-o", "out.csv").status == 0
    assert "by letter" in (desk / "out.csv").read_text("utf-8")
    other = tmp_path / "other"
    (other / "issues").mkdir(parents=True)
    (other / "mailer.toml").write_text((desk / "mailer.toml").read_text())
    (other / "out.csv").write_text((desk / "out.csv").read_text("utf-8-sig"))
    assert run(other, "subscribers", "import", "out.csv").status == 0
    assert [
        p["address"] for p in run(other, "subscribers", "list", "--status", "suppressed", "--json").json
    ] == [ANN]
    assert [p["address"] for p in run(other, "subscribers", "list", "--status", "active", "--json").json] == [
        "bo@example.org"
    ]
    assert shown(other)["suppressed"] == shown(desk)["suppressed"]
    assert "unchanged           2" in run(other, "subscribers", "import", "out.csv").out
    ran = run(desk, "subscribers", "export", "--status", "suppressed", "-o", "some.csv")
    assert ran.out == "1 people are in some.csv.\n"


@pytest.mark.parametrize(
    ("cell", "suppressed", "status"),
    [("yes", True, 0), ("2025-03-04", True, 0), ("", False, 0), ("no", False, 0), ("perhaps", False, 1)],
)
def test_a_cell_that_speaks_of_suppression_is_believed_or_refused(
    desk: Path, cell: str, suppressed: bool, status: int
) -> None:
    (desk / "more.csv").write_text(f"email,suppressed_at\nnew@example.org,{cell}\n{ANN},{cell}\n")
    assert run(desk, "subscribers", "import", "more.csv").status == status
    assert (shown(desk)["suppressed"] is not None) == suppressed
    if status:
        assert run(desk, "subscribers", "show", "new@example.org").status == 2
    else:
        assert (shown(desk, "new@example.org")["suppressed"] is not None) == suppressed

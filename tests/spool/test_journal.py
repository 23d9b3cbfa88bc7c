"""The journal says after a kill what was on the wire, and admits what it cannot know."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mailer.spool.journal import (
    Journal,
    has_text_about_erased_people,
    read_begun_claims,
    read_journal,
    read_run_token,
    remove_text_about_erased_people,
)
from mailer.store import machine
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause

ACCEPTED = Outcome(OutcomeKind.ACCEPTED)
REFUSED = Outcome(OutcomeKind.REJECTED, "id-7", "550 5.1.1 no such\nuser «é»")


def test_what_was_begun_and_finished_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "j"
    journal = Journal(path)
    gone = replace(REFUSED, cause=Cause.ADDRESS)
    journal.note_begun_deliveries([(1, 1), (2, 1), (3, 2), (4, 1)])
    journal.note_outcomes([(1, 1, ACCEPTED), (2, 1, REFUSED), (4, 1, gone)])
    journal.close()
    record = read_journal(path)
    assert record.complete
    assert record.begun == {(1, 1), (2, 1), (3, 2), (4, 1)}
    assert record.outcomes == {(1, 1): ACCEPTED, (2, 1): REFUSED, (4, 1): gone}


def test_a_new_run_starts_with_an_empty_journal(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal(tmp_path / "j")
        assert read_journal(tmp_path / "j").begun == frozenset()
        journal.note_begun_deliveries([(1, 1)])
        journal.close()


def test_a_missing_journal_knows_nothing(tmp_path: Path) -> None:
    record = read_journal(tmp_path / "none")
    assert not record.complete
    assert not record.begun
    assert not record.outcomes


def test_a_journal_of_another_boot_is_not_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "j")
    journal.note_begun_deliveries([(1, 1)])
    journal.note_outcomes([(1, 1, ACCEPTED)])
    journal.close()
    (tmp_path / "boot").write_text("another\n")
    monkeypatch.setattr(machine, "_BOOT_ID", tmp_path / "boot")
    record = read_journal(tmp_path / "j")
    assert not record.complete
    assert record.outcomes == {(1, 1): ACCEPTED}


def test_a_system_without_boot_ids_is_never_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_BOOT_ID", tmp_path / "none")
    Journal(tmp_path / "j").close()
    assert not read_journal(tmp_path / "j").complete


def test_a_line_that_was_not_written_whole_is_not_believed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.note_begun_deliveries([(1, 1), (2, 1)])
    journal.close()
    with (tmp_path / "j").open("ab") as file:
        file.write(b"< 1 1 nonsense \n< 2\n< x y accepted \n< 1 1 rejected [\n< 2 1 accepted ")
    record = read_journal(tmp_path / "j")
    assert record.begun == {(1, 1), (2, 1)}
    assert record.outcomes == {}


def test_a_message_that_is_handed_over_again_has_no_outcome_yet(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.note_begun_deliveries([(1, 1)])
    journal.note_outcomes([(1, 1, ACCEPTED)])
    journal.note_begun_deliveries([(1, 1)])
    journal.close()
    assert read_journal(tmp_path / "j").outcomes == {}


def test_a_full_disk_is_an_error_before_anything_is_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j")
    monkeypatch.setattr(os, "write", lambda descriptor, data: len(data) - 1)
    with pytest.raises(OSError, match="No space left"):
        journal.note_begun_deliveries([(1, 1)])
    journal.close()


def test_only_what_is_asked_for_is_remembered(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.note_begun_deliveries([(1, 1), (2, 1)])
    journal.note_outcomes([(1, 1, ACCEPTED), (2, 1, ACCEPTED)])
    journal.close()
    record = read_journal(tmp_path / "j", {(2, 1)})
    assert record.begun == {(2, 1)}
    assert record.outcomes == {(2, 1): ACCEPTED}


def test_a_line_that_was_cut_short_does_not_swallow_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with (tmp_path / "j").open("ab") as file:
        file.write(b"> 12 1")
    journal.note_begun_deliveries([(13, 1)])
    journal.close()
    assert (13, 1) in read_journal(tmp_path / "j").begun


def test_after_the_end_of_a_run_nobody_can_begin(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.refuse_writes()
    with pytest.raises(OSError, match="the run has ended"):
        journal.note_begun_deliveries([(1, 1)])
    journal.close()
    journal.close()
    with pytest.raises(OSError, match="the run has ended"):
        journal.note_outcomes([(1, 1, ACCEPTED)])
    assert read_journal(tmp_path / "j").begun == frozenset()


def test_a_journal_can_be_emptied(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    before = journal.size
    journal.note_begun_deliveries([(1, 1)])
    assert journal.size > before
    journal.clear()
    assert journal.size == before
    journal.close()
    record = read_journal(tmp_path / "j")
    assert record.complete
    assert not record.begun


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep this")
    (tmp_path / "x.journal").symlink_to("mine")
    with pytest.raises(OSError, match="symbolic links"):
        Journal(tmp_path / "x.journal")
    assert (tmp_path / "mine").read_text() == "keep this"


def test_a_line_whose_words_are_no_list_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    path.write_text("> 1 1\n< 1 1 accepted 7\n< 1 1 accepted {}\n< 1 1 accepted null\n")
    assert read_journal(path).outcomes == {}


def test_what_was_taken_back_was_never_handed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    journal = Journal(path)
    journal.note_begun_deliveries([(1, 1), (2, 1), (3, 1)])
    journal.note_taken_back_deliveries([(1, 1), (2, 1), (3, 1)])
    journal.note_begun_deliveries([(1, 1), (2, 1)])
    journal.note_outcomes([(1, 1, Outcome(OutcomeKind.ACCEPTED))])
    journal.close()
    record = read_journal(path)
    assert record.begun == {(1, 1), (2, 1)}
    assert set(record.outcomes) == {(1, 1)}


# -- the file ----------------------------------------------------------------------------------


def lowest_free_descriptor() -> int:
    """The number that the next file would get."""
    number = os.dup(0)
    os.close(number)
    return number


def test_the_size_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "j"
    for _ in range(2):  # the second one empties what the first has left
        journal = Journal(path, "the run")
        empty = journal.size
        assert path.stat().st_size == empty > 0
        journal.note_begun_deliveries([(1, 1), (2, 1)])
        journal.note_outcomes([(1, 1, REFUSED)])
        assert path.stat().st_size == journal.size > empty
        journal.clear()
        assert path.stat().st_size == journal.size == empty
        assert (read_run_token(path), read_journal(path).complete) == ("the run", True)
        journal.note_begun_deliveries([(3, 1)])
        journal.close()
    assert read_journal(path).begun == {(3, 1)}


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    Journal(tmp_path / "j").close()
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_a_journal_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j", "first")
    first.note_begun_deliveries([(1, 1)])
    free = lowest_free_descriptor()
    with pytest.raises(OSError, match="temporarily unavailable") as caught:
        Journal(tmp_path / "j", "second")
    assert caught.value.filename == str(tmp_path / "j")
    assert lowest_free_descriptor() == free
    assert read_run_token(tmp_path / "j") == "first"
    assert read_journal(tmp_path / "j").begun == {(1, 1)}
    first.close()


def test_a_closed_journal_is_written_to_no_more_and_closes_no_other_file(tmp_path: Path) -> None:
    first = Journal(tmp_path / "first")
    first.close()
    with pytest.raises(OSError, match="the run has ended"):
        first.note_begun_deliveries([(1, 1)])
    second = Journal(tmp_path / "second")
    free = lowest_free_descriptor()
    first.close()
    assert lowest_free_descriptor() == free
    second.note_begun_deliveries([(2, 1)])
    second.close()
    assert read_journal(tmp_path / "second").begun == {(2, 1)}


# -- lines -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [b"> 12 1", b"< 12 1 rejected [", b"- 12"])
def test_a_line_that_was_cut_short_swallows_no_later_one(tmp_path: Path, cut: bytes) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    writes: list[Callable[[], None]] = [
        lambda: journal.note_begun_deliveries([(1, 1), (2, 1)]),
        lambda: journal.note_outcomes([(1, 1, REFUSED)]),
        lambda: journal.note_taken_back_deliveries([(2, 1)]),
    ]
    for write in writes:
        with path.open("ab") as file:
            file.write(cut)
        write()
    journal.close()
    record = read_journal(path)
    assert {(1, 1)} <= record.begun <= {(1, 1), (12, 1)}
    assert record.outcomes == {(1, 1): REFUSED}


@pytest.mark.parametrize(
    "cut", ["> 2 13", "- 1 11", "> 1 11", "< 1 1 accepted ", '< 1 1 rejected ["", ""]x', "boot this!"]
)
def test_of_a_line_that_was_cut_short_nothing_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    path = tmp_path / "j"
    monkeypatch.setattr("mailer.spool.journal.boot_id", lambda: "this")
    path.write_text(f'> 1 1\n< 1 1 rejected ["", "no"]\n{cut}')
    record = read_journal(path)
    assert not record.complete
    assert record.begun == {(1, 1)}
    assert record.outcomes == {(1, 1): Outcome(OutcomeKind.REJECTED, "", "no")}
    assert list(read_begun_claims(path)) == [(1, 1)]


def test_outcomes_and_what_begins_next_are_one_write(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.note_begun_deliveries([(1, 1), (2, 1)])
    journal.note_outcomes([(1, 1, REFUSED), (2, 1, ACCEPTED)], begun=[(3, 1), (4, 2)])
    journal.close()
    record = read_journal(path)
    assert record.begun == {(1, 1), (2, 1), (3, 1), (4, 2)}
    assert record.outcomes == {(1, 1): REFUSED, (2, 1): ACCEPTED}
    assert list(read_begun_claims(path)) == [(1, 1), (2, 1), (3, 1), (4, 2)]


def test_an_outcome_is_the_last_one_and_ends_when_the_delivery_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.note_begun_deliveries([(1, 1), (2, 1)])
    journal.note_outcomes([(1, 1, ACCEPTED), (2, 1, REFUSED)])
    journal.note_outcomes([(2, 1, ACCEPTED)])
    journal.note_taken_back_deliveries([(1, 1)])
    journal.close()
    record = read_journal(path)
    assert record.begun == {(2, 1)}
    assert record.outcomes == {(2, 1): ACCEPTED}


@pytest.mark.parametrize(
    ("outcomes", "accepted"),
    [
        ([], False),
        ([REFUSED], False),
        ([ACCEPTED], True),
        ([Outcome(OutcomeKind.ACCEPTED, "id", "250 ok")], True),
        ([ACCEPTED, REFUSED], True),
        ([REFUSED, ACCEPTED, REFUSED], True),
        ([Outcome(OutcomeKind.UNCERTAIN), Outcome(OutcomeKind.SKIPPED)], False),
    ],
)
@pytest.mark.parametrize("wanted", [None, set(), {(1, 1)}])
def test_whether_any_message_was_accepted(
    tmp_path: Path, outcomes: list[Outcome], accepted: bool, wanted: set[tuple[int, int]] | None
) -> None:
    journal = Journal(tmp_path / "j")
    journal.note_begun_deliveries((number, 1) for number, _ in enumerate(outcomes))
    journal.note_outcomes((number, 1, outcome) for number, outcome in enumerate(outcomes))
    journal.close()
    assert read_journal(tmp_path / "j", wanted).accepted is accepted


def test_only_the_newest_boot_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j"
    monkeypatch.setattr("mailer.spool.journal.boot_id", lambda: "this")
    path.write_text("\nrun x\nboot this\n> 1 1\nboot \n")
    assert not read_journal(path).complete
    path.write_text("\nrun x\nboot other\n> 1 1\nboot this\n")
    assert read_journal(path).complete


def test_what_is_no_line_of_a_journal_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(
        b"> 1 1\n>\n> x y\n> 2\n> 3 1 1\n\xff\xfe 4 1\n? 5 1\nx\r> 6 1\n< 1 1\n- 1\n- x 1\n"
        b'< 1 1 rejected ["", "no", "nowhere"]\n> 7 1\n'
    )
    record = read_journal(path)
    assert (record.complete, record.outcomes, record.accepted) == (False, {}, False)
    assert {(1, 1), (7, 1)} <= record.begun <= {(1, 1), (3, 1), (7, 1)}
    assert list(read_begun_claims(path)) == [(1, 1), (7, 1)]


@pytest.mark.parametrize(
    ("text", "token"),
    [("", ""), ("\nboot this\n", ""), ("\nrun \nboot this\n", ""), ("\nrun a\n> 1 1\nrun b\n", "a")],
)
def test_the_run_of_a_journal(tmp_path: Path, text: str, token: str) -> None:
    (tmp_path / "j").write_text(text)
    assert read_run_token(tmp_path / "j") == token
    assert read_run_token(tmp_path / "none") == ""


# -- words about people who were erased --------------------------------------------------------


def without_ann(text: str) -> str:
    return text.replace("ann@example.org", "[erased]")


def test_words_about_the_erased_go_and_what_became_of_them_stays(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path, "the run")
    gone = Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 ann@example.org unknown", Cause.ADDRESS)
    shared = Outcome(OutcomeKind.DEFERRED, "", "429 too many, also for ann@example.org")
    plain = Outcome(OutcomeKind.ACCEPTED, "id", "250 ok")
    journal.note_begun_deliveries([(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)])
    journal.note_outcomes([(1, 1, gone), (2, 1, shared), (3, 1, plain), (4, 1, ACCEPTED)])
    journal.note_taken_back_deliveries([(5, 1)])
    journal.note_outcomes([(1, 2, plain)])
    journal.close()
    with path.open("ab") as file:
        file.write(
            b"nonsense about ann@example.org\n< 2 1 rejected [ann@example.org\n< 2 1 rejected ann@exam"
        )
    assert has_text_about_erased_people(path, {1}, without_ann)
    assert remove_text_about_erased_people(path, {1}, without_ann)
    assert not has_text_about_erased_people(path, {1}, without_ann)
    assert not remove_text_about_erased_people(path, {1}, without_ann)
    assert b"ann@" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    record = read_journal(path)
    assert record.complete
    assert read_run_token(path) == "the run"
    assert record.begun == {(1, 1), (2, 1), (3, 1), (4, 1)}
    assert record.outcomes == {
        (1, 1): Outcome(OutcomeKind.REJECTED, cause=Cause.ADDRESS),
        (2, 1): Outcome(OutcomeKind.DEFERRED, "", "429 too many, also for [erased]"),
        (3, 1): plain,
        (4, 1): ACCEPTED,
        (1, 2): ACCEPTED,
    }


def test_a_journal_that_is_not_there_holds_no_words(tmp_path: Path) -> None:
    assert not remove_text_about_erased_people(tmp_path / "none", {1}, without_ann)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"", b""),
        (b"\n", b"\n"),
        (b"run ann@example.org\n", b"run ann@example.org\n"),
        (b"boot b\n", b"boot b\n"),
        (b"> 1 1\n", b"> 1 1\n"),
        (b"> 12 13", b""),  # cut short: it might be 135
        (b"- 1 1\n", b"- 1 1\n"),
        (b"< 1 1\n", b"< 1 1\n"),
        (b"< 1 1 accepted\n", b"< 1 1 accepted\n"),
        (b"< 1 1 accepted \n", b"< 1 1 accepted \n"),
        (b'< 1 1 accepted ["id", "ok"]\n', b"< 1 1 accepted \n"),
        (b'< 1 1 rejected ["", "no", "us"]\n', b'< 1 1 rejected ["", "", "us"]\n'),
        (b'< 2 1 accepted ["id", "ok"]\n', b'< 2 1 accepted ["id", "ok"]\n'),
        (b'< 2 1 accepted ["ann@example.org", ""]\n', b'< 2 1 accepted ["[erased]", ""]\n'),
        (b'< 2 1 rejected ["", "no ann@example.org", "us"]\n', b'< 2 1 rejected ["", "no [erased]", "us"]\n'),
        (b'< 2 1 rejected ["", "no ann@exa', b""),
        (b'< x 1 rejected ["", "no"]\n', b"\n"),
        (b"< 2 1 rejected 7\n", b"\n"),
        (b"< 2 1 rejected [7, 8]\n", b"\n"),
        (b'? 2 1 rejected ["", "no"]\n', b"\n"),
        (b"nonsense\n", b"\n"),
    ],
)
def test_each_line_keeps_what_says_nothing_about_the_erased(tmp_path: Path, line: bytes, kept: bytes) -> None:
    path = tmp_path / "j"
    for before in (b"", b"> 8 1\n"):
        path.write_bytes(before + line)
        assert has_text_about_erased_people(path, {1}, without_ann) is (line != kept)
        assert remove_text_about_erased_people(path, {1}, without_ann) is (line != kept)
        assert path.read_bytes() == before + kept

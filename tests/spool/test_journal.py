"""The journal says after a kill what was on the wire, and admits what it cannot know."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mailer.spool.journal import (
    Journal,
    has_text_about_erased_people,
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

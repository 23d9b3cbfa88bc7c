"""The outbox: files that are whole, named for good, and never elsewhere."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailer.errors import TransportError
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.outbox.transport import Outbox, message_file_name
from tests.transports.outgoing import FakeMessage, messages


@dataclass(frozen=True)
class Named(FakeMessage):
    id: str = "<x@y>"

    @property
    def message_id(self) -> str:
        return self.id


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "out", "out")


def test_a_file_holds_the_message_byte_by_byte(outbox: Outbox) -> None:
    (message,) = messages(1)
    (outcome,) = outbox.channel().send([message])
    assert (outbox.folder / outcome.provider_id).read_bytes() == message.raw()
    assert outcome.provider_id == "2026-11-21-morning.1.eml"


def test_sending_again_replaces_the_file(outbox: Outbox) -> None:
    outbox.channel().send(messages(1))
    outbox.channel().send(messages(1, body=b"Again.\r\n"))
    (path,) = outbox.folder.iterdir()
    assert path.read_bytes().endswith(b"Again.\r\n")


def test_two_test_copies_to_two_addresses_are_two_files(outbox: Outbox) -> None:
    for address in ("a@example.org", "b@example.org"):
        outbox.channel().send([FakeMessage(subscriber_id=0, address=address)])
    assert len(list(outbox.folder.glob("*.eml"))) == 2


@pytest.mark.parametrize(
    "message_id",
    [
        "<../../etc/passwd@x>",
        "<..@x>",
        "<@x>",
        "<a/b\0c@x>",
        "<晨报.1@x>",
        "<" + "a" * 500 + "@x>",
        "",
        "<.x@y>",
    ],
)
def test_a_name_never_leaves_the_folder(message_id: str, outbox: Outbox) -> None:
    message = Named(id=message_id)
    assert outbox.channel().send([message])[0].result is OutcomeKind.ACCEPTED
    (path,) = outbox.folder.iterdir()
    assert path.name == message_file_name(message)
    assert not path.name.startswith(".")
    assert len(path.name) < 200


def test_names_that_look_alike_after_cleaning_stay_apart() -> None:
    names = {message_file_name(Named(id=text)) for text in ("<a/b@x>", "<a?b@x>", "<a_b@x>")}
    assert len(names) == 3


def test_a_folder_that_is_a_file_is_one_sentence(outbox: Outbox) -> None:
    outbox.folder.write_text("I am a file")
    with pytest.raises(TransportError) as caught:
        outbox.channel().send(messages(1))
    assert str(caught.value) == (
        "the outbox out cannot be written: it is a file, not a folder; "
        "move it away or name another folder in outbox:PATH"
    )


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "No space left on device; free some space on its disk, then run this again"),
        (errno.EROFS, "Read-only file system; make the folder writable or name another in outbox:PATH"),
    ],
)
def test_a_full_or_read_only_disk_is_one_sentence_and_leaves_no_draft(
    number: int, advice: str, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(TransportError) as caught:
        outbox.channel().send(messages(1))
    assert str(caught.value) == f"the outbox out cannot be written: {advice}"
    assert not [path for path in outbox.folder.iterdir() if path.suffix != ".eml"]


def test_what_was_written_before_the_disk_filled_stays_accepted(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, []

    def fail_the_third_time(file: int) -> None:
        calls.append(file)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", fail_the_third_time)
    outcomes = outbox.channel().send(messages(4))
    assert [outcome.result for outcome in outcomes] == ["accepted", "accepted", "deferred", "deferred"]
    assert "free some space" in outcomes[3].reason


def test_a_message_is_its_owners_alone(outbox: Outbox) -> None:
    (outcome,) = outbox.channel().send(messages(1))
    assert (outbox.folder / outcome.provider_id).stat().st_mode & 0o777 == 0o600


def test_two_copies_of_one_message_at_once_do_not_mix(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, waiting = Path.replace, [b"Second.\r\n"]
    results: list[Outcome] = []

    def another_comes_between(self: Path, target: Path) -> Path:
        while waiting:  # before the first is put in its place
            results.extend(outbox.channel().send(messages(1, body=waiting.pop())))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", another_comes_between)
    results.extend(outbox.channel().send(messages(1, body=b"First.\r\n")))
    assert [outcome.result for outcome in results] == ["accepted", "accepted"]
    (path,) = outbox.folder.iterdir()
    assert path.read_bytes().endswith(b"First.\r\n")


def test_what_a_dead_run_left_is_removed_by_the_next(outbox: Outbox) -> None:
    outbox.folder.mkdir()
    (outbox.folder / ".2026-11-21-morning.7.eml.0123456789abcdef.tmp").write_bytes(b"half")
    (outcome,) = outbox.channel().send(messages(1))
    assert [path.name for path in outbox.folder.iterdir()] == [outcome.provider_id]

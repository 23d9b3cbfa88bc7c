"""Implements the write-ahead journal of hand-overs, so that few deliveries are uncertain after a crash.

The spool commits in batches, because one synced commit for each message would be slower than the network. The
journal covers the time between two commits: it has one line before each hand-over and one line after it, each
a single `write` to a file that survives the death of the process. After a kill, a claimed delivery

    without a line             was never handed over: it is pending again
    begun, with an outcome     has that outcome
    begun, and taken back      was refused with its whole request, to be sent in another: it is pending again
    begun, without an outcome  was on the wire: it is uncertain

A line survives a kill but not a power cut, because the file is not synced. So the journal records the boot
id; after another boot, a claimed delivery without an outcome is uncertain even if it has no line.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mailer.files import atomically_replaced_file
from mailer.store.machine import boot_id
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause

__all__ = [
    "Journal",
    "JournalContent",
    "read_begun_claims",
    "remove_text_about_erased_people",
    "has_text_about_erased_people",
    "read_run_token",
    "read_journal",
]


@dataclass(frozen=True, slots=True)
class JournalContent:
    """Holds what a journal says about claims. A claim is identified by (subscriber id, attempt).

    `begun` has the claims whose hand-over began, and `outcomes` the outcome of each claim that has one.
    `complete` is True if the journal was written since the machine was last started. `accepted` is True if
    any message of the run was accepted, even one whose claim was not asked for.
    """

    complete: bool
    begun: frozenset[tuple[int, int]]
    outcomes: dict[tuple[int, int], Outcome]
    accepted: bool


class Journal:
    """Writes the journal of one run. Several threads may write to the journal: each call is one append.

    `run` is the random token of the run. The database stores the same token, so that a journal can be matched
    with its run.
    """

    def __init__(self, path: Path, run: str = "") -> None:
        self._head = f"\nrun {run}\nboot {boot_id()}\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)
        self._lock = threading.Lock()
        self._sealed = False
        self.size = 0
        try:
            # The journal is locked, too: if the lock file is removed, `campaign_lock` finds this lock.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            self._write(self._head)
        except OSError as error:
            self.close()
            raise OSError(error.errno, error.strerror, str(path)) from None

    def note_begun_deliveries(self, deliveries: Iterable[tuple[int, int]]) -> None:
        """Records that these deliveries (subscriber id, attempt) are about to be handed over.

        If OSError is raised, the caller must not hand them over.
        """
        self._write("\n" + _begun_delivery_lines(deliveries))

    def note_outcomes(
        self, outcomes: Iterable[tuple[int, int, Outcome]], *, begun: Iterable[tuple[int, int]] = ()
    ) -> None:
        """Records these (subscriber id, attempt, outcome) and, in the same write, that the deliveries in
        `begun`, as (subscriber id, attempt), are about to be handed over."""
        lines = ["\n"]  # ends a line of an earlier write that was cut short
        last: Outcome | None = None
        end = ""
        for subscriber, attempt, outcome in outcomes:
            if outcome is not last:  # the deliveries of one request share an outcome
                words = json.dumps(_outcome_fields(outcome)) if outcome != _PLAIN else ""
                last, end = outcome, f"{outcome.result.value} {words}\n"
            lines.append(f"< {subscriber} {attempt} {end}")
        lines.append(_begun_delivery_lines(begun))
        self._write("".join(lines))

    def note_taken_back_deliveries(self, deliveries: Iterable[tuple[int, int]]) -> None:
        """Records that these deliveries (subscriber id, attempt) were begun but certainly not handed over."""
        self._write("\n" + "".join(f"- {subscriber} {attempt}\n" for subscriber, attempt in deliveries))

    def clear(self) -> None:
        """Empties the journal. The caller must first commit the journal's outcomes to the spool."""
        os.ftruncate(self._descriptor, 0)
        self.size = 0
        self._write(self._head)

    def refuse_writes(self) -> None:
        """Makes all further writes to the journal raise OSError, because the open claims are about to be
        settled."""
        with self._lock:
            self._sealed = True

    def close(self) -> None:
        """Closes the file and keeps its content, which the next run reads."""
        with self._lock:
            self._sealed = True
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, text: str) -> None:
        data = text.encode("utf-8")
        with self._lock:
            if self._sealed:
                raise OSError(errno.EBADF, "the run has ended", "journal")
            written = os.write(self._descriptor, data)
            self.size += written
        if written != len(data):
            raise OSError(errno.ENOSPC, "No space left on device", "journal")


def _begun_delivery_lines(deliveries: Iterable[tuple[int, int]]) -> str:
    return "".join(f"> {subscriber} {attempt}\n" for subscriber, attempt in deliveries)


_PLAIN = Outcome(OutcomeKind.ACCEPTED)


def _outcome_fields(outcome: Outcome) -> list[str]:
    """Returns the provider id, the reason and, if there is one, the cause of an outcome."""
    words = [outcome.provider_id, outcome.reason]
    return words if outcome.cause is None else [*words, outcome.cause.value]


def read_journal(path: Path, wanted_claims: Collection[tuple[int, int]] | None = None) -> JournalContent:
    """Reads what the last run recorded about the claims (subscriber id, attempt) in `wanted_claims`, or about
    all claims if `wanted_claims` is None.

    `complete` is False if the journal does not exist or was written before the machine was last started.
    Memory use depends only on the number of wanted claims.
    """
    begun: set[tuple[int, int]] = set()
    outcomes: dict[tuple[int, int], Outcome] = {}
    complete = accepted = False
    for line in _read_lines(path):
        kind, _, rest = line.partition(" ")
        if kind == "boot":
            complete = bool(rest) and rest == boot_id()
            continue
        fields = rest.split(" ", 3)
        try:
            key = (int(fields[0]), int(fields[1]))
            accepted = accepted or (kind == "<" and fields[2] == OutcomeKind.ACCEPTED.value)
            if wanted_claims is not None and key not in wanted_claims:
                continue
            if kind == ">":
                begun.add(key)
                outcomes.pop(key, None)
            elif kind == "-":
                begun.discard(key)
                outcomes.pop(key, None)
            elif kind == "<":
                provider_id, reason, *cause = json.loads(fields[3]) if fields[3] else ("", "")
                outcomes[key] = Outcome(
                    OutcomeKind(fields[2]), provider_id, reason, Cause(cause[0]) if cause else None
                )
        except (ValueError, IndexError, TypeError):
            continue
    return JournalContent(complete, frozenset(begun), outcomes, accepted)


def read_run_token(path: Path) -> str:
    """Returns the token of the run that wrote a journal; empty if the journal has none or does not exist."""
    for line in _read_lines(path):
        kind, _, rest = line.partition(" ")
        if kind == "run":
            return rest
    return ""


def read_begun_claims(path: Path) -> Iterator[tuple[int, int]]:
    """Yields each claim (subscriber id, attempt) whose hand-over began according to the journal.

    This includes a journal that was written before the machine was last started.
    """
    for line in _read_lines(path):
        kind, _, rest = line.partition(" ")
        if kind == ">":
            try:
                subscriber, attempt = map(int, rest.split(" "))
            except ValueError:
                continue
            yield subscriber, attempt


def has_text_about_erased_people(
    path: Path, erased_ids: Collection[int], redact: Callable[[str], str]
) -> bool:
    """Returns whether a journal has server replies about erased subscribers, or replies to other people that
    contain addresses of erased subscribers.

    `erased_ids` holds the ids of the erased subscribers, and `redact` removes their addresses from a text.
    May be called while a run writes to the journal.
    """
    return any(line != kept for line, kept in _redacted_lines(path, erased_ids, redact))


def remove_text_about_erased_people(
    path: Path, erased_ids: Collection[int], redact: Callable[[str], str]
) -> bool:
    """Removes from a journal all text that `has_text_about_erased_people` finds, and keeps the outcomes.

    Returns whether anything was removed. The caller must hold the campaign's lock. Raises OSError, with the
    journal unchanged, if the journal cannot be written.
    """
    if not has_text_about_erased_people(path, erased_ids, redact):
        return False
    with atomically_replaced_file(path, mode=0o600, encoding="utf-8") as file:
        for _, kept in _redacted_lines(path, erased_ids, redact):
            file.write(kept)
    return True


def _redacted_lines(
    path: Path, erased_ids: Collection[int], redact: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Yields each line of a journal, paired with the same line without text about erased subscribers.

    The second is empty if the line was cut short by a crash.
    """
    for line in _read_lines(path, only_complete=False):
        yield line, _redacted_line(line[:-1], erased_ids, redact) + "\n" if line.endswith("\n") else ""


def _redacted_line(line: str, erased_ids: Collection[int], redact: Callable[[str], str]) -> str:
    kind, _, rest = line.partition(" ")
    fields = rest.split(" ", 3)
    if kind != "<" or len(fields) < 4 or not fields[3]:
        return line if kind in ("", "run", "boot", ">", "-", "<") else ""
    try:
        provider_id, reason, *cause = json.loads(fields[3])
        about_erased = int(fields[0]) in erased_ids
        words = ["", ""] if about_erased else [redact(provider_id), redact(reason)]
    except (ValueError, TypeError, AttributeError):
        return ""  # the line is damaged
    if words == [provider_id, reason]:
        return line
    return f"< {' '.join(fields[:3])} {json.dumps([*words, *cause]) if cause or any(words) else ''}"


def _read_lines(path: Path, *, only_complete: bool = True) -> Iterator[str]:
    """Yields the lines of the file. A line without a newline at its end was cut short by a crash.

    If `only_complete` is True, only complete lines are yielded, without their newlines; else all lines are
    yielded, with their newlines.
    """
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for line in file:
                if not only_complete:
                    yield line
                elif line.endswith("\n"):
                    yield line[:-1]
    except FileNotFoundError:
        return

"""Implements `mailer send --test`, which sends marked copies of an issue without a campaign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.commands.context import emit_json, say
from mailer.errors import InputError, Problem, TransportError
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.planning.test_copy import SentTestCopy, count_readers_of_variant, send_test_copies
from mailer.services.workspace import Workspace
from mailer.transports.base import OutcomeKind

__all__ = ["check_test_options", "send_and_print_test_copies"]


def check_test_options(*, has_time: bool, has_plan_hash: bool) -> None:
    """Raises InputError if `--test` is used with a time of sending or with the hash of a plan."""
    if has_time:
        raise InputError("--test sends one copy now; leave --at and --at-local out")
    if has_plan_hash:
        raise InputError("--test sends one copy without a plan; leave --plan out")


def send_and_print_test_copies(
    workspace: Workspace, prepared: PreparedIssue, addresses: Sequence[str], *, as_json: bool
) -> None:
    """Sends a test copy to each address and prints the results. Raises TransportError for a refused copy."""
    copies = send_test_copies(workspace, prepared, addresses)
    accepted = [copy for copy in copies if copy.outcome.result is OutcomeKind.ACCEPTED]
    if as_json:
        documents = [_json_of_copy(copy) for copy in copies]
        emit_json({**(documents[0] if len(documents) == 1 else {}), "copies": documents})
    elif accepted:
        for copy in accepted:
            say(f"A test copy was sent to {copy.address} by {prepared.plan.transport}.")
        for line in dict.fromkeys(line for copy in accepted for line in _lines_about_copy(prepared, copy)):
            say(line)
        say("No campaign was made.")
    problems = [
        Problem(f"the test copy to {copy.address} was {copy.outcome.result.value}: {copy.outcome.reason}")
        for copy in copies
        if copy not in accepted
    ]
    if problems:
        raise TransportError.from_problems(problems)


def _lines_about_copy(prepared: PreparedIssue, copy: SentTestCopy) -> Iterator[str]:
    """Yields lines about whose data a copy contains, and about how many readers get the same content."""
    segment = bool(prepared.plan.segment)
    same, total = count_readers_of_variant(prepared, copy.variant), prepared.plan.recipients
    if copy.own:
        items = f", and the items for this reader (variant {copy.variant})" if _has_variants(prepared) else ""
        values = f"this reader's name, language and attributes{items}"
        yield f"{copy.address} is on the list: the copy has {values}."
    elif copy.values == "reader":
        yield (
            f"{copy.address} is on the list and not in the segment: the copy has this reader's name, "
            "language and attributes, and the items that most readers in the segment get."
        )
    if segment:
        yield f"The copy is what {same:,} of the {total:,} readers in the segment get."


def _has_variants(prepared: PreparedIssue) -> bool:
    return bool(prepared.selection.only)


def _json_of_copy(copy: SentTestCopy) -> dict[str, object]:
    return {
        "test": copy.address,
        "result": copy.outcome.result.value,
        "reason": copy.outcome.reason,
        "values": copy.values,
        "variant": copy.variant,
        "own": copy.own,
    }

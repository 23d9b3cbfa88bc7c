"""Prints the progress and the result of a run as text."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mailer.campaign.campaign import Campaign
from mailer.campaign.delivery_state import STATES
from mailer.campaign.status import Status
from mailer.campaign.times import format_time
from mailer.commands.context import say, warn
from mailer.config import Settings
from mailer.delivery.progress import Progress as RunProgress
from mailer.display_text import without_control_characters
from mailer.services.campaigns.advice import advice_on_failed_deliveries
from mailer.services.campaigns.frozen_settings import changed_sender_note
from mailer.services.database.moved import moved_database_note
from mailer.spool.values import ReasonGroup

if TYPE_CHECKING:
    from sqlite_utils import Database

    from mailer.services.sending.freeze import ChangesSincePlan
    from mailer.services.sending.result import SendResult

__all__ = [
    "say_state_counts",
    "say_failure_reasons",
    "say_result",
    "say_changes_since_plan",
    "warn_of_moved_database",
    "show_progress",
]

#: Without a terminal, progress is printed each time that this many seconds have passed.
_LINE_SECONDS = 10.0


def say_state_counts(counts: dict[str, int]) -> None:
    """Prints a line for each delivery state, with the number of deliveries; a state without any is left out.

    `counts` holds the number of deliveries by state.
    """
    for state in STATES:
        if counts[state]:
            say(f"  {state:<10} {counts[state]:>9,}")


def say_failure_reasons(reasons: Iterable[ReasonGroup], campaign: Campaign) -> None:
    """Prints the reasons why deliveries failed, each with advice and with the answers of servers."""
    for reason in reasons:
        advice = advice_on_failed_deliveries(reason, campaign)
        say(f"  {reason.number:,} {reason.state}{f': {advice}' if advice else ''}")
        told = 0
        for words in reason.words:
            example = "e.g. " if words.varies else ""
            say(f"    {words.number:,} {reason.state}: {example}{words.text or 'no reason was given'}")
            told += words.number
        if told < reason.number:
            say(f"    {reason.number - told:,} {reason.state} with other answers")


def warn_of_moved_database(db: Database, settings: Settings) -> None:
    """Prints a warning if, since the last run, the database was moved or another copy of it was used."""
    sentence = moved_database_note(db, settings)
    if sentence:
        warn(sentence)


def _handed_over_sentence(message_count: int, transport: str) -> str:
    """Returns a text such as `2 messages were handed to smtp://mx.example.org`."""
    return (
        f"{message_count:,} {'message was' if message_count == 1 else 'messages were'} handed to {transport}"
    )


def _say_result_of_scheduled_campaign(settings: Settings, result: SendResult) -> None:
    """Prints how much of a scheduled campaign was sent, and when the campaign continues."""
    if result.progress is not None:
        say(f"{_handed_over_sentence(result.progress.handed_over_count, result.campaign.transport)}.")
        say_state_counts(dict(result.counts))
    from mailer.services.planning.schedule import waiting_campaign_note

    waits = waiting_campaign_note(result.campaign, settings.publication.zone)
    say(f"{waits[0].upper()}{waits[1:]}.")


def say_result(settings: Settings, result: SendResult) -> None:
    """Prints the result of a run, and what to do next."""
    campaign, counts, progress = result.campaign, result.counts, result.progress
    issue = campaign.issue
    if known := result.recovered.summary(campaign.slug):
        say(f"{known[0].upper()}{known[1:]}.")
    if progress is None and result.is_complete:
        say(f"There is nothing to do: {campaign.slug} was sent to {counts['accepted']:,} readers already.")
        return
    if campaign.status is Status.SCHEDULED:
        _say_result_of_scheduled_campaign(settings, result)
        return
    if campaign.status is Status.HELD and progress is None:
        pass
    elif progress is None:
        say(f"There is nothing to send: every delivery of {campaign.slug} was tried.")
    else:
        handed = progress.handed_over_count
        rate = f" ({handed / progress.seconds:,.0f} a second)" if progress.seconds else ""
        say(f"{_handed_over_sentence(handed, campaign.transport)} in {progress.seconds:.1f} s{rate}.")
    say(f"Campaign {campaign.slug} is {campaign.status}:")
    say_state_counts(dict(counts))
    say_failure_reasons(result.reasons, campaign)
    if campaign.status is Status.PAUSED:
        itself = f"paused itself: {campaign.status_note}" if campaign.status_note else "is paused"
        say(f"The campaign {itself}. `mailer campaigns resume {campaign.slug}` continues it.")
    elif campaign.status is Status.HELD:
        say(f"The campaign is held: {campaign.status_note}.")
        now = f"`mailer campaigns resume {campaign.slug}` sends the rest now, " if campaign.held_until else ""
        say(f"{now}`mailer campaigns cancel {campaign.slug}` drops it.")
    elif campaign.status is Status.CANCELLED:
        say("The campaign was cancelled; what it has not sent stays unsent.")
    elif progress is not None and progress.stopped_by == "signal":
        say(f"The run was stopped. `mailer send {issue}` continues where the run stopped.")
    elif progress is not None and progress.stopped_by == "pace":
        say(f"{progress.note[0].upper()}{progress.note[1:]}.")
    elif result.next_try and campaign.held_until:
        _say_deferred_deliveries(settings, result)
    elif counts["pending"] or counts["deferred"]:
        say(f"Some deliveries are left. `mailer send {issue}` tries them again.")
    if counts["uncertain"]:
        _say_uncertain_deliveries(campaign, counts["uncertain"])
    free = not any(counts[state] for state in ("accepted", "uncertain", "sending"))
    if note := changed_sender_note(settings, campaign, counts, reached_nobody=free):
        say(note)
    say(f"The archive is {(settings.campaigns / campaign.slug).relative_to(settings.root)}/.")


def _say_uncertain_deliveries(campaign: Campaign, delivery_count: int) -> None:
    """Prints the number of uncertain deliveries, and the commands that settle these deliveries."""
    messages = "1 message" if delivery_count == 1 else f"{delivery_count:,} messages"
    say(
        f"{messages} may or may not have arrived, and {'is' if delivery_count == 1 else 'are'} held. "
        f"`mailer campaigns resolve {campaign.slug} --assume-sent` (or --resend) settles "
        f"{'it' if delivery_count == 1 else 'them'}."
    )


def _say_deferred_deliveries(settings: Settings, result: SendResult) -> None:
    """Prints how many deliveries are deferred, and when and by which command they are retried."""
    campaign, number = result.campaign, result.counts["deferred"]
    first = format_time(campaign.held_until, settings.publication.zone)
    hours = settings.delivery.retry_for.total_seconds() / 3600
    say(
        f"{number:,} deferred {'delivery is' if number == 1 else 'deliveries are'} tried again by a running "
        f"`mailer serve`, or by `mailer run-due` (for cron), from {first} on, for up to {hours:,.4g} hours "
        f"in all. `mailer send {campaign.issue}` tries at once."
    )


def say_changes_since_plan(changes: ChangesSincePlan) -> None:
    """Prints how many readers have joined or left since the plan was made; if none, prints nothing."""

    def planned_readers_phrase(reader_count: int) -> str:
        return f"{reader_count:,} planned {'reader has' if reader_count == 1 else 'readers have'}"

    def skipped_phrase(reader_count: int) -> str:
        return f"and {'is' if reader_count == 1 else 'are'} skipped."

    if changes.left:
        say(f"{planned_readers_phrase(changes.left)} left since {skipped_phrase(changes.left)}")
    if changes.received:
        readers = planned_readers_phrase(changes.received)
        say(f"{readers} received the issue by another campaign {skipped_phrase(changes.received)}")
    if changes.joined:
        noun = "reader has" if changes.joined == 1 else "readers have"
        say(f"{changes.joined:,} {noun} joined since the plan and will not get it.")


@contextmanager
def show_progress(delivery_count: int, *, quiet: bool) -> Iterator[Callable[[RunProgress], None]]:
    """Shows the progress of a run in the `with` block: a bar on a terminal, otherwise a line every 10 s.

    Yields the function to call each time the progress changes. `delivery_count` is the number of deliveries
    of the run. If `quiet` is True, nothing is printed.
    """
    noted = ""

    def show_note_once(progress: RunProgress, print_note: Callable[[str], object]) -> None:
        nonlocal noted
        if progress.note and progress.note != noted:
            noted = progress.note
            print_note(without_control_characters(f"Held: {noted}. Ctrl-C leaves it held."))

    if sys.stderr.isatty() and not quiet:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("send", total=delivery_count, rate="")

            def update_bar(progress: RunProgress) -> None:
                rate = progress.settled_count / progress.seconds if progress.seconds else 0.0
                bar.update(task, completed=progress.settled_count, rate=f"{rate:,.0f}/s")
                show_note_once(progress, lambda line: bar.console.print(line, markup=False, highlight=False))

            yield update_bar
        return
    last_printed = time.monotonic()

    def print_progress_line(progress: RunProgress) -> None:
        nonlocal last_printed
        if not quiet:
            show_note_once(progress, partial(say, err=True))
        if progress.note:
            return
        if not quiet and time.monotonic() - last_printed >= _LINE_SECONDS:
            last_printed = time.monotonic()
            say(_progress_line(progress, delivery_count), err=True)

    yield print_progress_line


def _progress_line(progress: RunProgress, delivery_count: int) -> str:
    """Returns the line about the progress of a run of `delivery_count` deliveries."""
    done, deferred = progress.settled_count, progress.outcomes.get("deferred", 0)
    rate = done / progress.seconds if progress.seconds else 0.0
    left = max(0, delivery_count - done) / rate if rate else 0.0
    waiting = f" ({deferred:,} deferred)" if deferred else ""
    return f"{done:,} of {delivery_count:,}{waiting}, {rate:,.0f} a second, about {left:,.0f} s left"

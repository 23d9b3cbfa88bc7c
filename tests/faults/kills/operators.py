"""An operator who runs commands on one issue at random moments, some of them at once, until it is through.

Every command may be killed at a random moment. After a cancel, a further campaign of the same issue goes to
everybody that is left, by a segment that each reader is in.
"""

from __future__ import annotations

import random
import signal
import time

from tests.faults.kills.audit import Audit
from tests.faults.kills.books import compare, compare_with_folder
from tests.faults.kills.harness import SLUG, Campaign, Desk, Process
from tests.faults.kills.moments import wait_for_a_moment

__all__ = ["Operator"]

_CANCEL, _PAUSE = ("cancel",), ("pause",)
_RESUME, _RETRY = ("resume",), ("retry",)
_RESEND, _ASSUME = ("resolve", "--resend"), ("resolve", "--assume-sent")
_SEND = ("send",)
#: Commands that hand over messages, so that some may be on the wire when they are killed.
_RUNS = (_SEND, _RESUME, _RETRY, _RESEND)
#: What is started beside a command that sends, and what is started while none does.
_BESIDE = [*4 * [_SEND], *3 * [_PAUSE], *3 * [_CANCEL], *2 * [_RESUME], _RETRY, _RESEND, _ASSUME]
_BETWEEN = [*2 * [_PAUSE], *3 * [_CANCEL], *2 * [_RESEND], _ASSUME]
#: Each of them is refused for a cancelled campaign, or has nothing to send.
_POKES = [_RESUME, _RETRY, _RESEND, _PAUSE, _CANCEL]
_OPEN = ("pending", "sending", "deferred")
_ROUNDS = 12
_NOBODY = "no reader would get this issue"


class Operator:
    """One operator at one desk, until `wanted` commands were killed or the issue is through."""

    def __init__(self, desk: Desk, chance: random.Random, *, readers: int, wanted: int) -> None:
        self._desk = desk
        self._chance = chance
        self._readers = readers
        self._wanted = wanted
        self._cancelled = 0
        self._hard = 0
        self._cancel_killed = False

    @property
    def _slug(self) -> str:
        """Returns the name of the campaign that is sent, or that the next `send` will make."""
        return f"{SLUG}-{self._cancelled + 1}" if self._cancelled else SLUG

    @property
    def bound(self) -> int:
        """Returns how often a delivery may have become uncertain: the messages on the wire at SIGKILLs."""
        return self._hard * self._desk.log.most_at_once

    def see_it_through(self) -> None:
        """Works, finishes and compares the books; a difference is told with what was started."""
        audit = Audit(self._desk.root / "subscribers.db")
        try:
            self.work()
            self.finish()
            compare(self._desk, audit, readers=self._readers, bound=self.bound)
        except AssertionError as error:
            error.add_note("\n".join(self._desk.story))
            raise

    def work(self) -> None:
        """Runs and kills commands."""
        while self._desk.tally.kills < self._wanted:
            campaign = self._go_on_with()
            if campaign and campaign.status == "sent":
                return
            if _NOBODY in self._run_and_disturb(campaign):
                return
            if self._campaign() and self._chance.random() < 0.4:
                self._between()

    def finish(self) -> None:
        """Sends until nothing is left to try; a cancelled campaign is followed by another one."""
        for _ in range(_ROUNDS):
            campaign = self._go_on_with()
            paused = campaign is not None and campaign.status == "paused"
            process = self._start(_RESUME if paused else _SEND)
            self._note(process)
            last = self._go_on_with()
            if last is None:
                assert _NOBODY in process.said, process.said
                return
            counts = self._desk.counts(last.slug)
            if not any(counts[state] for state in _OPEN):
                return
        raise AssertionError(f"it does not get through: {counts}: {process.said}")

    # -- what is started --------------------------------------------------------------------

    def _run_and_disturb(self, campaign: Campaign | None) -> str:
        """Runs a command that sends, others beside it, and ends it by a signal. Returns what it said."""
        how = signal.SIGTERM if self._chance.random() < 0.2 else signal.SIGKILL
        run = self._start(self._run(campaign))
        others = []
        for _ in range(self._chance.choice((0, 1, 1, 2))):
            wait_for_a_moment(self._desk, run, self._chance, self._readers)
            others.append(self._start_shortly(self._chance.choice(_BESIDE)))
        wait_for_a_moment(self._desk, run, self._chance, self._readers)
        run.kill(how)
        for command, process in others:
            self._end(process, signal.SIGKILL, command)
        self._end(run, how, _SEND)
        return run.said

    def _between(self) -> None:
        """Runs a command while no other one does."""
        command, process = self._start_shortly(self._chance.choice(_BETWEEN))
        self._end(process, signal.SIGKILL, command)

    def _run(self, campaign: Campaign | None) -> tuple[str, ...]:
        """Returns a command that sends what is left."""
        if campaign is None:
            return _SEND
        if campaign.status == "paused":
            return _RESUME
        return self._chance.choice([_SEND, _SEND, _SEND, _RESUME, _RETRY])

    def _start_shortly(self, command: tuple[str, ...]) -> tuple[tuple[str, ...], Process]:
        """Starts a command, and kills it after a short time or not at all."""
        process = self._start(command)
        if self._chance.random() < 0.4:
            time.sleep(self._chance.uniform(0, 0.1))
            process.kill()
        return command, process

    def _start(self, command: tuple[str, ...]) -> Process:
        if command == _SEND:
            number = self._cancelled
            return self._desk.send(*(["--segment", f'name != "nobody {number}"'] if number else []))
        verb, *options = command
        return self._desk.start("campaigns", verb, self._slug, *options)

    # -- what became of it ------------------------------------------------------------------

    def _end(self, process: Process, how: signal.Signals, command: tuple[str, ...]) -> None:
        """Waits for the end of a process, and counts it where a signal ended it at work."""
        status = self._note(process)
        killed = status == -how
        if status == 1 and how is signal.SIGTERM:
            campaign = self._campaign()
            killed = campaign is not None and campaign.status == "stopped"
        self._desk.tally.kills += killed
        self._hard += killed and how is signal.SIGKILL and command in _RUNS
        self._cancel_killed |= killed and command == _CANCEL

    def _note(self, process: Process) -> int:
        status = process.wait()
        self._desk.story.append(f"    {process.out.stem.rpartition('-')[2]} ended with {status}")
        return status

    def _campaign(self) -> Campaign | None:
        """Returns the newest campaign; to be called while no command runs."""
        campaigns = self._desk.campaigns()
        return campaigns[-1] if campaigns else None

    def _go_on_with(self) -> Campaign | None:
        """Returns the campaign that is not cancelled, or None where the next `send` makes one."""
        campaign = self._campaign()
        if campaign is None or campaign.status != "cancelled":
            return campaign
        if campaign.slug == self._slug:
            self._after_cancel(campaign)
            self._cancelled += 1
        return None

    def _after_cancel(self, campaign: Campaign) -> None:
        """Checks that a cancelled campaign is over. Where the cancel was killed, it is given once more."""
        desk = self._desk
        if self._cancel_killed:
            self._note(self._start(_CANCEL))
            self._cancel_killed = False
        desk.tally.cancels += 1
        sending = desk.counts(campaign.slug)["sending"]
        desk.tally.left_sending += sending
        assert not sending, f"{campaign.slug} is cancelled, and {sending} are left sending"
        compare_with_folder(desk, campaign)
        before = desk.log.recipients()
        self._note(self._start(self._chance.choice(_POKES)))
        assert desk.log.recipients() == before, f"{campaign.slug} is cancelled, and went on sending"

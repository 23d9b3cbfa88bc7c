"""The wish to stop can come from a signal at any moment."""

from __future__ import annotations

import signal
import threading

from mailer.commands.signals import stop_on_signals
from mailer.transports.stop import StopFlag


def test_a_wait_ends_when_somebody_asks() -> None:
    stop = StopFlag()
    assert not stop.wait(0.01)
    threading.Timer(0.05, stop.set).start()
    assert stop.wait(30)
    assert stop.is_set()
    assert stop.wait(30)


def test_signals_ask_and_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
    assert signal.getsignal(signal.SIGTERM) is before

"""Starts the `mailer` program, whose commands are in mailer/commands."""

from __future__ import annotations

import signal
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program with `arguments`, by default those of the process, and exits.

    Ctrl-C while modules are loaded ends the program without a traceback.
    """
    if by_python := signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from mailer.commands.program import main as run

    if by_python:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run(arguments)


if __name__ == "__main__":
    main()

"""Starts the `mailer` program, whose commands are in mailer/commands."""

from __future__ import annotations

import gc
import signal
from collections.abc import Sequence

__all__ = ["main"]

#: How many new objects Python's cyclic garbage collector waits for. Python's own 700 make it run hundreds of
#: times while modules are imported and an issue is rendered, where it finds nothing: 30 of 600 ms for
#: `mailer check`.
_NEW_OBJECTS_BEFORE_COLLECTION = 50_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program with `arguments`, by default those of the process, and exits.

    Ctrl-C while modules are loaded ends the program without a traceback.
    """
    gc.set_threshold(_NEW_OBJECTS_BEFORE_COLLECTION, *gc.get_threshold()[1:])
    if by_python := signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from mailer.commands.program import main as run

    if by_python:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run(arguments)


if __name__ == "__main__":
    main()

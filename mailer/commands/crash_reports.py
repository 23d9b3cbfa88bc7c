"""Describes an unexpected error in one sentence, and writes a log with the traceback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailer.commands.context import say

__all__ = ["describe_defect", "report_thread_errors", "describe_crash"]

_NO_THREAD = "can't start new thread"


def describe_crash(error: BaseException, folder: Path | None, command: str) -> str:
    """Writes a log of the error that ended a command, and returns a sentence for the operator.

    The sentence has the cause, advice and the path of the log. `folder` is the workspace or a folder in the
    workspace; None stands for the current folder. `command` is the name of the command.
    """
    from mailer.config import find_workspace

    try:
        workspace = find_workspace(folder or Path.cwd())
    except Exception:  # whatever it is, it may not be told instead of the first
        return f"{_cause_and_advice(error)}; no log was written, because there is no workspace here"
    return describe_defect(workspace, error, command)


def describe_defect(workspace: Path, error: BaseException, command: str) -> str:
    """Writes a log of an unexpected error, and returns a sentence with cause, advice and the log's path.

    `workspace` is the folder of the workspace, and `command` the name of the command that met the error.
    """
    from mailer.commands.error_log import write_error_log

    try:
        log = write_error_log(workspace, error, command)
    except Exception as failure:  # no log is a reason to say so, and none to fail again
        why = getattr(failure, "strerror", None) or type(failure).__name__
        return f"{_cause_and_advice(error)}; no log could be written to .mailer/errors: {str(why).lower()}"
    shown = log
    with suppress(OSError, ValueError):  # the current folder may be gone
        shown = log.relative_to(Path.cwd())
    return f"{_cause_and_advice(error)}; {shown} has the traceback, without addresses or values"


@contextmanager
def report_thread_errors(folder: Path | None, command: str) -> Iterator[None]:
    """Within the `with` block, reports errors that end a thread: prints one sentence and writes a log.

    Without this, Python would print the traceback. `folder` is the workspace or a folder in the workspace;
    None stands for the current folder. `command` is the name of the command.
    """

    def report_thread_error(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
            say(f"mailer: {describe_crash(ended.exc_value, folder, command)}", err=True)

    before, threading.excepthook = threading.excepthook, report_thread_error
    try:
        yield
    finally:
        threading.excepthook = before


def _cause_and_advice(error: BaseException) -> str:
    """Returns the cause of the error and advice for the operator, as one text."""
    if isinstance(error, MemoryError):
        return "there was not enough memory; free some memory and run this again"
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return (
            "the system gives this process no more threads; end other programs, or raise the limit of "
            "processes (ulimit -u) or of memory, and run this again"
        )
    return (
        f"a defect in mailer ended this command ({type(error).__name__}); run it again, and if "
        "it fails again, report it with its log"
    )

"""Runs a command and says what it took: seconds, CPU, memory. Prints tables.

CPU is user and system time of the command and all that it started and waited for, as the kernel counts it
(wait4). Memory is the sum over its processes of the most that each held (VmHWM), looked at ten times a
second: the kernel's own maximum would count the memory of the benchmark, which a child has before it
becomes something else.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Failed", "Run", "machine", "median", "run", "script", "started", "table"]

_LOOK_SECONDS = 0.1


class Failed(Exception):
    """A command did not end well; the text says which and what it said."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a command took: wall-clock and CPU seconds, megabytes at most, processes; and what it printed."""

    seconds: float
    cpu: float
    peak: float
    processes: int
    output: str


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    limit: float = 1800.0,
) -> Run:
    """Runs it to its end. Raises Failed where it fails or takes more than `limit` seconds."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        process = subprocess.Popen(
            words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=env, cwd=cwd, start_new_session=True
        )
        peaks: dict[int, int] = {}
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks, over, limit), daemon=True)
        watcher.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end_group(process.pid)
            raise
        finally:
            over.set()
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        out.seek(0)
        output = out.read().decode("utf-8", "replace")
        if process.returncode:
            err.seek(0)
            said = err.read().decode("utf-8", "replace").strip() or output.strip()
            raise Failed(f"{' '.join(words[:4])} … ended with {process.returncode}: {said[-2000:]}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, sum(peaks.values()) / 1024, len(peaks), output)


def _watch(pid: int, peaks: dict[int, int], over: threading.Event, limit: float) -> None:
    """Fills in the peak of each process of the tree, in kilobytes; ends them all after `limit` seconds."""
    until = time.monotonic() + limit
    pause = 0.01
    while not over.wait(pause):
        pause = _LOOK_SECONDS
        for process in _tree(pid):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
                    if line.startswith("VmHWM:"):
                        peaks[process] = int(line.split()[1])
        if time.monotonic() > until:
            _end_group(pid)
            return


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children = (thread / "children").read_text(encoding="utf-8")
            for child in children.split():
                yield from _tree(int(child))


def _end_group(pid: int) -> None:
    """Ends a command and all that it started; each has a process group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


@contextlib.contextmanager
def started(command: Sequence[str | Path], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A process that serves, for as long as the block lasts. Its output is text."""
    process = subprocess.Popen([str(word) for word in command], text=True, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def script(main: Callable[[], None]) -> None:
    """Runs a benchmark as a command. However it ends, what it has started ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Failed as error:
        sys.exit(str(error))


def median(values: Iterable[float]) -> float:
    """The middle of what the rounds took."""
    return statistics.median(values)


def machine() -> str:
    """One line about where this runs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    model = "unknown processor"
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, ledger on {_file_system()}, "
        f"Linux {platform.release()}, Python {platform.python_version()}; load before it began: {load:.1f}"
    )


def _file_system() -> str:
    """The kind of file system that temporary folders are on: syncing costs nothing on some of them."""
    best, kind = "", "an unknown file system"
    place = str(Path(tempfile.gettempdir()).resolve())
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
            _, mounted, this, *_ = line.split()
            if len(mounted) >= len(best) and Path(place).is_relative_to(mounted):
                best, kind = mounted, this
    return kind


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Rows of text under a head; the first column to the left, numbers to the right."""
    if markdown:
        lines = ["| " + " | ".join(line) + " |" for line in (head, *rows)]
        lines.insert(1, "|---|" + "---:|" * (len(head) - 1))
        return "\n".join(lines).replace("|  |", "| |")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))]
        )
        for line in (head, *rows)
    )

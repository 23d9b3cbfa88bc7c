"""Runs the tests of one mutant, each in a process of its own that is forked from this one.

This process has imported what the tests need but for the program and its tests, so that a mutant costs no
more than these. Nothing is written beside the sources. A run is bounded by the processor's time, which does
not depend on what else the machine does; a run that uses none of it for a minute waits for good.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tools.mutants.mutation import Mutant

__all__ = ["Baseline", "Verdict", "measure", "verdicts"]

#: Seconds in which a process that uses no processor at all is taken for one that waits for good.
_STUCK = 60
_MEMORY = 8 * 2**30
_OPTIONS = (
    "-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:pytest_cov",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # of plugins that this process has imported
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the tests of a mutant ended: `killed`, else it survived. `by` says how."""

    mutant: Mutant
    killed: bool
    by: str


@dataclass(slots=True)
class Baseline:
    """The tests of a target as they run on the sources as they are.

    `seconds` is the processor's time of each test in their order, `reached` the tests that ran a line of a
    module, by (path, line); of a line that runs at import, all of them.
    """

    files: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)
    whole: float = 0.0

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that reach the changed statement, the quickest first."""
        found = set().union(*(self.reached.get((mutant.path, line), set()) for line in mutant.lines))
        if "" in found:  # it runs at import
            found = set(self.seconds)
        return sorted(found, key=lambda test: (self.seconds[test], test))


@dataclass(slots=True)
class _Running:
    """A mutant whose tests run: all of the target (`every`), or those that reach it. `folder` is theirs."""

    mutant: Mutant
    every: bool
    folder: str
    ticks: int = -1
    looks_without_progress: int = 0
    _looked: float = 0.0

    def look(self, ticks: int) -> None:
        """Notes once a second whether the process has used the processor since the last look."""
        now = time.monotonic()
        if now - self._looked < 1:
            return
        self._looked = now
        self.looks_without_progress = 0 if ticks != self.ticks else self.looks_without_progress + 1
        self.ticks = ticks


class _Chosen:
    """A pytest plugin: only these tests, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(kept, key=lambda item: self._order[item.nodeid])


class _Measured:
    """A pytest plugin: the processor's time of each test, and the lines that it runs."""

    def __init__(self, coverage: object) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)  # type: ignore[attr-defined]
        before = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.process_time() - before
            self._coverage.switch_context("")  # type: ignore[attr-defined]


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads the changed module in place of the one on disk."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, _: str) -> CodeType:
        return self._code


class _Finder:
    """Finds the changed module, and no other."""

    def __init__(self, root: Path, path: str, code: CodeType) -> None:
        self._file = root / path
        self._name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self._code = code

    def find_spec(
        self, name: str, _path: object = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        loader = _Loader(name, str(self._file), self._code)
        return importlib.util.spec_from_file_location(name, self._file, loader=loader)


def measure(root: Path, sources: Sequence[str], files: Sequence[str]) -> Baseline:
    """Runs the tests of these files once, and imports what they need into this process.

    Raises SystemExit where a test fails.
    """
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(read)
        _measured_child(root, sources, files, write)
    os.close(write)
    with os.fdopen(read, "r", encoding="utf-8") as answer:
        text = answer.read()
    if os.waitpid(process, 0)[1] != 0 or not text:
        raise SystemExit(f"the tests of {', '.join(files)} fail on the sources as they are")
    data = json.loads(text)
    _import(data["modules"])
    reached = {(path, line): set(tests) for path, line, tests in data["reached"]}
    return Baseline(list(files), data["seconds"], reached, data["modules"], sum(data["seconds"].values()))


def _measured_child(root: Path, sources: Sequence[str], files: Sequence[str], write: int) -> None:
    from coverage import Coverage

    _prepare(root)
    before = set(sys.modules)
    coverage = Coverage(data_file=None, include=[str(root / source) for source in sources], config_file=False)
    plugin = _Measured(coverage)
    coverage.start()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        status = pytest.main([*_OPTIONS, f"--basetemp={folder}", *files], plugins=[plugin])
    coverage.stop()
    if status != 0:
        os._exit(1)
    data = coverage.get_data()
    reached = [
        (Path(path).relative_to(root).as_posix(), line, tests)
        for path in data.measured_files()
        for line, tests in data.contexts_by_lineno(path).items()
    ]
    modules = sorted(name for name in set(sys.modules) - before if _is_others(root, name))
    with os.fdopen(write, "w", encoding="utf-8") as answer:
        json.dump({"seconds": plugin.seconds, "reached": reached, "modules": modules}, answer)
    os._exit(0)


def _is_others(root: Path, name: str) -> bool:
    """Whether a module is an installed one: neither of the program nor of its tests or tools."""
    spec = getattr(sys.modules[name], "__spec__", None)
    if spec is None or name.split(".")[0] in ("mailer", "tests", "tools", "cli", "coverage"):
        return False
    origin = spec.origin or ""
    return "site-packages" in origin or not origin.startswith(str(root))


def _import(modules: Iterable[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules:
            try:
                importlib.import_module(name)
            except Exception:  # noqa: S112 - the test imports it then
                continue


def _prepare(root: Path) -> None:
    """Makes the process one in which only the mutant decides how the tests end."""
    import hypothesis

    os.chdir(root)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    random.seed(0)
    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.settings.load_profile("mutants")


def verdicts(
    root: Path, baseline: Baseline, mutants: Sequence[Mutant], jobs: int, told: Callable[[Verdict], None]
) -> list[Verdict]:
    """Runs the tests of each of these mutants, so many at a time; `told` hears of each as it becomes known.

    A mutant that survives the tests that reach it is run with all tests of the target, because what one test
    keeps in a cache hides a line from the next.
    """
    found: dict[tuple[str, str], Verdict] = {}
    waiting = [(mutant, False) for mutant in reversed(mutants)]
    running: dict[int, _Running] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, every = waiting.pop()
            tests = sorted(baseline.seconds) if every else baseline.tests_of(mutant)
            if not tests:
                waiting.append((mutant, True))
                continue
            folder = tempfile.mkdtemp(prefix="mutant-")
            running[_start(root, baseline, mutant, tests, folder)] = _Running(mutant, every, folder)
        process, status = _ended(running)
        run = running.pop(process)
        mutant, every = run.mutant, run.every
        shutil.rmtree(run.folder, ignore_errors=True)
        by = _meaning(status)
        whole = every or len(baseline.tests_of(mutant)) == len(baseline.seconds)
        if not by and not whole:
            waiting.append((mutant, True))
            continue
        verdict = found[mutant.path, mutant.key] = Verdict(mutant, bool(by), by)
        told(verdict)
    return [found[mutant.path, mutant.key] for mutant in mutants]


def _meaning(status: int) -> str:
    """How a process ended, or nothing where all tests passed."""
    if os.WIFSIGNALED(status):
        return "time" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "crash"
    code = os.WEXITSTATUS(status)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise SystemExit("a mutant was run without a test")
    return {0: "", int(pytest.ExitCode.TESTS_FAILED): "test"}.get(code, "import")


def _ended(running: dict[int, _Running]) -> tuple[int, int]:
    """Waits for one of these processes; gives its id and status. Ends those that only wait."""
    while True:
        for process, run in running.items():
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                _kill(process)
                return process, status
            run.look(_processor_ticks(process))
            if run.looks_without_progress > _STUCK:
                _kill(process)
        time.sleep(0.005)


def _processor_ticks(process: int) -> int:
    """How much of the processor's time a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _kill(group: int) -> None:
    """Ends what a run has left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _start(root: Path, baseline: Baseline, mutant: Mutant, tests: Sequence[str], folder: str) -> int:
    process = os.fork()
    if process:
        return process
    try:
        os.setpgid(0, 0)
        _prepare(root)
        limit = int(10 + 5 * sum(baseline.seconds[test] for test in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.meta_path.insert(0, _Finder(root, mutant.path, mutant.compiled()))
        files = sorted({test.partition("::")[0] for test in tests})
        status = pytest.main([*_OPTIONS, f"--basetemp={folder}", *files], plugins=[_Chosen(tests)])
        os._exit(int(status))
    finally:
        os._exit(int(pytest.ExitCode.INTERNAL_ERROR))

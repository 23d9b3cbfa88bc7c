"""One starter for each test process, a desk for each test, and the totals at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.kills.harness import Desk, Starter, Tally, make_workspace
from tests.faults.kills.log import Log
from tests.faults.kills.real_log import REAL, RealLog
from tests.faults.kills.tally import total

_MakeDesk = Callable[..., Desk]


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    warm = tmp_path_factory.mktemp("starter") / "warm"
    make_workspace(warm, readers=1)
    starter = Starter(warm)
    yield starter
    starter.close()


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory, starter: Starter) -> Callable[[int], Path]:
    """Workspaces whose readers are imported, to be copied."""
    made: dict[int, Path] = {}

    def give(readers: int) -> Path:
        if readers not in made:
            root = tmp_path_factory.mktemp("imported") / "workspace"
            make_workspace(root, readers=readers)
            with Log("smtp") as log:
                Desk(root, starter, log).run("subscribers", "import", "readers.csv")
            made[readers] = root
        return made[readers]

    return give


@pytest.fixture
def make_desk(
    tmp_path: Path, starter: Starter, imported: Callable[[int], Path], tally: Tally
) -> Iterator[_MakeDesk]:
    """Makes a desk with readers and a server: `make_desk("smtp", readers=12)`."""
    logs: list[Log] = []

    def make(kind: str, *, readers: int, imports: bool = True, connections: int | None = None) -> Desk:
        root = tmp_path / f"desk{len(logs)}"
        if imports:
            shutil.copytree(imported(readers), root)
        else:
            make_workspace(root, readers=readers)
        logs.append((RealLog if kind in REAL else Log)(kind).__enter__())
        desk = Desk(root, starter, logs[-1], tally=tally)
        desk.connections = connections or desk.connections
        return desk

    yield make
    for log in logs:
        log.__exit__(None)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """What a test adds to the totals."""
    tally = Tally()
    request.node.user_properties.append(("tally", vars(tally)))
    return tally


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was counted over all tests."""
    tallies = [
        values
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
        for name, values in report.user_properties
        if name == "tally" and isinstance(values, dict)
    ]
    for line in total(tallies):
        terminalreporter.write_line(line)

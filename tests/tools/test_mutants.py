"""`make mutants`: which changes are made to a module, how a survivor is told, and how it is explained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants.explanations import explained, problems, targets
from tools.mutants.mutation import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
MODULE = '''\
"""A module."""

from __future__ import annotations

__all__ = ["LIMIT", "fits"]

LIMIT = 3
NAMES = ("one", "two")


def fits(number: int) -> bool:
    """Whether it fits."""
    if not number:
        raise ValueError("no number")
    return 0 < number and number <= LIMIT


def people(edition: str) -> str:
    return f"SELECT id WHERE edition = '{edition}' AND name IS NOT NULL"
'''
#: A module with a mutant of the same name, which a test notices.
OTHER = "LIMIT = 3\n"
TESTS = """\
import pytest
from small import other
from small.module import LIMIT, NAMES, fits, people


def test_it_fits():
    assert fits(1) and not fits(-1) and not fits(5)
    with pytest.raises(ValueError):
        fits(0)


def test_names():
    assert NAMES == ("one", "two")


def test_other():
    assert other.LIMIT == 3


def test_people():
    assert people("x") == "SELECT id WHERE edition = 'x' AND name IS NOT NULL"
"""
SCRIPT = """\
import sys
from pathlib import Path
from tools.mutants.mutation import mutants_of
from tools.mutants.run import measure, verdicts
root = Path(sys.argv[1])
paths = ["small/module.py", "small/other.py"]
baseline = measure(root, paths, ["tests"])
mutants = [mutant for path in paths for mutant in mutants_of(root / path, root)]
for verdict in verdicts(root, baseline, mutants, 2, lambda _: None):
    if not verdict.killed:
        print(f"{verdict.mutant.path}: {verdict.mutant.key}")
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository of one module and its tests."""
    for name, text in {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\nfilterwarnings = ["error"]\n',
        "small/module.py": MODULE,
        "small/other.py": OTHER,
        "tests/test_module.py": TESTS,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def mutants(small: Path) -> list[Mutant]:
    return mutants_of(small / "small/module.py", small)


def test_one_thing_at_a_time_is_changed(mutants: list[Mutant]) -> None:
    assert [mutant.key for mutant in mutants] == [
        "3 -> 4 in LIMIT = 3",
        "'one' -> '' in NAMES = ('one', 'two')",
        "'one' is left out",
        "'two' -> '' in NAMES = ('one', 'two')",
        "'two' is left out",
        "fits: not number -> number",
        "fits: raise ValueError('no number') is left out",
        "fits: return 0 < number and number <= LIMIT -> return None",
        "fits: 0 < number and number <= LIMIT -> number <= LIMIT",
        "fits: 0 < number and number <= LIMIT -> 0 < number",
        "fits: 0 < number -> 0 <= number",
        "fits: 0 -> 1 in 0 < number",
        "fits: number <= LIMIT -> number < LIMIT",
        "people: return f\"SELECT id WHERE edition = '{edition}' AND name IS NOT NULL\" -> return None",
        "people: f\"SELECT id WHERE edition = '{edition}' AND name IS NOT NULL\" -> ''",
        "people: SQL: SELECT id WHERE edition [= -> <>] '",
        "people: SQL: ' [AND -> OR] name IS NOT NULL",
        "people: SQL: ' AND name [IS NOT -> IS] NULL",
    ]


def test_a_change_holds_for_its_own_mutant_alone(mutants: list[Mutant]) -> None:
    values = []
    for mutant in (mutants[0], mutants[2], mutants[0]):
        module: dict[str, object] = {}
        exec(mutant.compiled(), module)
        values.append((module["LIMIT"], module["NAMES"]))
    assert values == [(4, ("one", "two")), (3, ("two",)), (4, ("one", "two"))]


def test_a_mutant_survives_whose_change_no_test_notices(small: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, small], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "small/module.py: 3 -> 4 in LIMIT = 3",
        "small/module.py: fits: 0 < number -> 0 <= number",
        "small/module.py: fits: number <= LIMIT -> number < LIMIT",
    ]
    assert sorted(path.name for path in small.rglob("*.py")) == ["module.py", "other.py", "test_module.py"]
    assert (small / "small/module.py").read_text("utf-8") == MODULE


def test_tests_that_fail_by_themselves_are_told(small: Path) -> None:
    (small / "tests/test_module.py").write_text("def test_it():\n    assert False\n", "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, small], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "the tests of tests fail on the sources as they are\n"


def test_a_survivor_wants_an_explanation_and_an_explanation_a_survivor() -> None:
    tried = [("a.py", "one"), ("a.py", "two"), ("a.py", "three")]
    known = {("a.py", "one"): "why", ("a.py", "two"): "why", ("a.py", "four"): "why", ("b.py", "five"): "why"}
    assert problems(known, tried, [("a.py", "one"), ("a.py", "three")]) == [
        "a.py: four: is no mutant, but explained",
        "a.py: three: survived, and is not explained",
        "a.py: two: is killed now, but explained",
    ]


def test_every_explanation_names_a_mutant_and_gives_a_reason() -> None:
    known = {(mutant.path, mutant.key) for target in targets(ROOT) for mutant in target.mutants(ROOT)}
    assert [entry for entry in explained() if entry not in known] == []
    assert all(len(why.split()) > 3 for why in explained().values())

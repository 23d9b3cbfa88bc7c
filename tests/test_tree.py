"""The tree stays small in each of its parts: files, functions, folders, and where strings may stand."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mailer.campaign.status import Status

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "mailer").rglob("*.py"))
#: A delivery's or a campaign's rows in a statement.
SQL = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:deliveries|campaigns)\b", re.IGNORECASE)
#: Words of SQL in any statement.
ANY_SQL = re.compile(r"\b(?:SELECT\s.+\sFROM|INSERT INTO|UPDATE\s+\w+\s+SET|DELETE FROM)\b", re.DOTALL)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "mailer").as_posix()


def strings(path: Path) -> Iterator[str]:
    """Every string in the code of a file, docstrings aside, with its pieces joined."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
            yield node.value


def test_no_file_has_more_than_300_lines() -> None:
    long = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: number for name, number in long.items() if number > 300} == {}


def test_no_function_has_more_than_50_lines_beside_its_docstring() -> None:
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = node.body[0]
                number = (node.end_lineno or 0) - node.lineno + 1
                if ast.get_docstring(node, clean=False) is not None:
                    number -= (first.end_lineno or 0) - first.lineno + 1
                if number > 50:
                    found.append((name_of(path), node.name, number))
    assert found == []


def test_no_folder_has_more_than_12_modules() -> None:
    number = Counter(path.parent for path in FILES)
    assert {name_of(folder): n for folder, n in number.items() if n > 12} == {}


def test_no_module_is_empty() -> None:
    assert [name_of(path) for path in FILES if not path.read_text(encoding="utf-8").strip()] == []


def test_the_status_of_a_campaign_is_a_string_in_one_place() -> None:
    """`sending`, `sent`, `ready` and `pending` are words of other things, too; the others are not."""
    names = {status.value for status in Status} - {"sending", "sent", "held", "ready", "missed"}
    allowed = ("campaign/", "store/")
    # A run tells what stopped it in the same words as its `Progress.stopped_by`.
    run = {"delivery/loop.py": {"paused"}}
    found = {
        (name_of(path), text)
        for path in FILES
        if not name_of(path).startswith(allowed)
        for text in strings(path)
        if text in names and text not in run.get(name_of(path), set())
    }
    assert found == set()


def test_statements_on_deliveries_stand_in_the_spool() -> None:
    found = {
        name_of(path)
        for path in FILES
        if not name_of(path).startswith(("spool/sqlite/", "store/"))
        for text in strings(path)
        if SQL.search(text)
    }
    assert found == set()


def test_sql_stands_in_store_audience_and_spool() -> None:
    found = {
        name_of(path)
        for path in FILES
        if not name_of(path).startswith(("spool/", "store/", "audience/"))
        for text in strings(path)
        if ANY_SQL.search(text)
    }
    assert found == set()

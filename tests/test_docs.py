"""The pages name files, folders, functions and headings that exist; the walks of flow.md go downwards."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.campaign.delivery_state import State
from mailer.campaign.status import Status
from mailer.commands.loading.lazy import LazyCommand
from mailer.commands.loading.table import all_commands

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_EXTENSIONS = "csv|db|eml|html|ini|jpg|json|md|mjml|pem|png|py|schema|sh|toml|txt|yaml|yml"
#: A file of code: `store/texts.py`, `mailer/store/texts.py`, `driver.py`.
_FILE = re.compile(r"(?<![\w./-])((?:[\w.-]+/)*[\w-]+\.py)(?![\w/])")
#: A function or class of a module: `issue/load.load_issue`, `spool/base.Spool.claim`.
_MEMBER = re.compile(
    rf"(?<![\w./-])((?:[a-z_\d]+/)+[a-z_\d]+)\.(?!(?:{_EXTENSIONS})\b)([A-Za-z_]\w*(?:\.\w+)*)(?![\w/])"
)
#: A function of a package of which no template and no setting has the name: `store.writing`.
_SHORT = re.compile(r"`((?:archive|services|spool|store|transports)\.\w+)(?:\(\))?`")
#: A method: `Spool.claim`, `Journal.__init__`.
_METHOD = re.compile(r"`([A-Z]\w+)\.(?!md`)(_*[a-z]\w*)`")
#: A module that a command runs.
_RUN = re.compile(r"python -m ((?:bench|mailer|tests|tools)(?:\.\w+)*)")
#: A folder below the package: `mailer/spool/`.
_FOLDER = re.compile(r"(?<![\w./-])((?:mailer|tests|tools|bench|templates)/(?:[\w-]+/)*)(?![\w.-])")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
#: Names in examples that a reader is to write.
_EXAMPLES = {"mailer/transports/NAME/driver.py", "tests/transports/places/SOURCE.py", "cli.py"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def is_file(name: str) -> bool:
    """Tells whether a file has this path from the root or from `mailer/`, or this name in any folder."""
    if name in _EXAMPLES or (ROOT / name).is_file() or (ROOT / "mailer" / name).is_file():
        return True
    return "/" not in name and any((ROOT / "mailer").rglob(name))


def members(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Returns the names that a module or class states, each with its own body."""
    found: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = node.body if isinstance(node, ast.ClassDef) else []
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: [] for target in targets if isinstance(target, ast.Name)}
    return found


def is_member(module: str, dotted: str) -> bool:
    for base in (ROOT, ROOT / "mailer"):
        for path in (base / f"{module}.py", base / module / "__init__.py"):
            if path.is_file():
                body = ast.parse(path.read_text(encoding="utf-8")).body
                for name in dotted.split("."):
                    found = members(body)
                    if name not in found:
                        return False
                    body = found[name]
                return True
    return False


@cache
def methods() -> frozenset[tuple[str, str]]:
    """Returns (class, method) of every class of the package."""
    bodies = [ast.parse(path.read_text(encoding="utf-8")).body for path in (ROOT / "mailer").rglob("*.py")]
    return frozenset(
        (name, method)
        for body in bodies
        for name, inner in members(body).items()
        for method in members(inner)
    )


def anchors(page: Path) -> set[str]:
    """Returns the anchors that GitHub gives the headings of a page."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def words_of(page: Path) -> str:
    """Returns the text of a page without the targets of its links, which another test follows."""
    return _LINK.sub("]", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = _FILE.findall(words_of(page))
    named += [f"{module.replace('.', '/')}.py" for module in _RUN.findall(words_of(page))]
    assert sorted({name for name in named if not is_file(name)}) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_function_that_a_page_names_exists(page: Path) -> None:
    named = set(_MEMBER.findall(words_of(page)))
    assert sorted(f"{module}.{name}" for module, name in named if not is_member(module, name)) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_method_that_a_page_names_exists(page: Path) -> None:
    assert sorted(set(_METHOD.findall(words_of(page))) - methods()) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_a_function_with_its_module(page: Path) -> None:
    assert _SHORT.findall(words_of(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_folder_that_a_page_names_exists(page: Path) -> None:
    named = set(_FOLDER.findall(words_of(page)))
    assert sorted(name for name in named if not (ROOT / name).is_dir()) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


#: A command in a code span, or on a line of a code block.
_COMMAND = re.compile(
    r"(?:`|^|&& )(?:\$ )?(?:[\w./-]*/)?(?:mailer|python cli\.py) (?!: )([^`\n#|]+)", re.MULTILINE
)


def commands_of(page: Path) -> set[tuple[str, frozenset[str]]]:
    """Returns the commands that a page shows, each with its options; those of `mailer` itself left out."""
    code = "\n".join(_CODE.findall(page.read_text(encoding="utf-8")))
    found = set()
    for line in _COMMAND.findall(code):
        text = re.sub(r"--workspace \S+", "", line)
        words = text.split()
        if words and re.fullmatch(r"[a-z-]+", words[0]) and not words[0].startswith("-"):
            name = " ".join(words[:2]) if words[0] in ("campaigns", "subscribers", "theme") else words[0]
            found.add((name, frozenset(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))))
    return found


@cache
def options_of(name: str) -> frozenset[str] | None:
    """Returns the options of a command; None where there is no such command."""
    words = name.split()
    command = all_commands().get(words[0])
    if len(words) == 2 and command is not None:
        command = command.commands.get(words[1])
    if command is None:
        return None
    loaded = command.load() if isinstance(command, LazyCommand) else command
    return frozenset(option for parameter in loaded.params for option in parameter.opts) | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_a_page_shows_exists_with_its_options(page: Path) -> None:
    wrong = []
    for name, options in commands_of(page):
        known = options_of(name)
        if known is None or options - known:
            wrong.append((name, sorted(options - (known or frozenset()))))
    assert sorted(wrong) == []


#: A step of a walk: its indentation, and `folder/module.function`.
_STEP = re.compile(r"^( *)([a-z_\d]+(?:/[a-z_\d]+)+)\.([A-Za-z_][\w.]*)", re.MULTILINE)


def walks() -> list[str]:
    """Returns the drawings of the section "Three walks" of flow.md."""
    page = (ROOT / "docs" / "flow.md").read_text(encoding="utf-8")
    section = page.partition("## Three walks\n")[2].partition("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def layers() -> dict[str, int]:
    """Returns the number of each package's layer, 0 at the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return {name.strip(): number for number, line in enumerate(names) for name in line.split("|")}


def steps() -> Iterator[tuple[str, str, str]]:
    """Returns (module of the step above, own module, own function) of each step that another one takes."""
    for walk in walks():
        above: list[tuple[int, str]] = []
        for indent, module, function in _STEP.findall(walk):
            while above and above[-1][0] >= len(indent):
                above.pop()
            if above:
                yield above[-1][1], module, function
            above.append((len(indent), module))


def test_the_columns_of_a_delivery_are_those_of_its_table(db: Database) -> None:
    page = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    section = page.partition("### Its columns\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert {"campaign_id", "subscriber_id", *named} == {column.name for column in db["deliveries"].columns}


def test_the_glossary_has_every_state_and_status() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(terms) == sorted([*Status, *State])


def test_the_table_of_folders_names_modules_that_exist() -> None:
    page = (ROOT / "docs" / "flow.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/…]+)/` \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) > 30
    wrong = []
    for folder, cell in rows:
        inside = ROOT / "mailer" / folder.removesuffix("/…")
        for name in re.findall(r"`([a-z_\d]+)`", re.sub(r"\([^)]*\)", "", cell)):
            if not ((inside / f"{name}.py").is_file() or (inside / name).is_dir()):
                wrong.append(f"{folder}/{name}")
    assert wrong == []


def test_the_table_of_layers_is_that_of_the_contract() -> None:
    page = (ROOT / "docs" / "flow.md").read_text(encoding="utf-8")
    section = page.partition("## Layers\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \| ", section, re.MULTILINE)
    drawn = {name: number for number, cell in enumerate(cells) for name in re.findall(r"`(\w+)`", cell)}
    assert drawn == layers()


def test_three_walks_take_at_most_70_lines() -> None:
    assert len(walks()) == 3
    assert sum(len(walk.splitlines()) for walk in walks()) <= 70


def test_no_step_of_a_walk_goes_up() -> None:
    number = layers()
    up = [
        (caller, module)
        for caller, module, _ in steps()
        if number[module.partition("/")[0]] < number[caller.partition("/")[0]]
    ]
    assert up == []


def test_each_step_of_a_walk_is_taken_by_the_one_above_it() -> None:
    """The module of the step above names the function, or the method."""
    not_named = [
        (caller, module, function)
        for caller, module, function in steps()
        if function.rpartition(".")[2] not in (ROOT / "mailer" / f"{caller}.py").read_text(encoding="utf-8")
    ]
    assert not_named == []

"""One contract for every command: exit statuses, one JSON document also for errors, times, `-h`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import run
from tests.clock import Clock
from tests.commands.contract import LEFT, TABLE, lay_out, leaves
from tests.conftest import CONFIG
from tests.servers.smtp import SmtpServer

COMMANDS = dict(leaves())
JSON = [name for name, command in COMMANDS.items() if any("--json" in each.opts for each in command.params)]
KEY = "a-secret-key-for-tests-only-that-doctor-finds-long-enough"
#: A time of the database, or one with any other offset.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\S*")


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("contract") / "workspace"
    (root / "issues").mkdir(parents=True)
    real = CONFIG.replace("news.example.org", "harbourbrief.com").replace("Port Example", "Porto")
    (root / "mailer.toml").write_text(real, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_SECRET_KEY", KEY)
        lay_out(root)
    return root


@pytest.fixture
def desk(laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the workspace for one test."""
    monkeypatch.setenv("MAILER_SECRET_KEY", KEY)
    return Path(shutil.copytree(laid_out, tmp_path / "workspace"))


def wherever(name: str, status: str) -> list[Any]:
    words = getattr(TABLE[name], status) if name in TABLE else None
    return [] if words is None else [pytest.param(name, words, id=f"{name}: {words}")]


def everywhere(status: str, names: Any = COMMANDS) -> list[Any]:
    return [row for name in names for row in wherever(name, status)]


def spoil(desk: Path, name: str) -> None:
    """Makes a command find something that is wrong with the workspace."""
    if name == "doctor":
        (desk / "mailer.toml").write_text(CONFIG, encoding="utf-8")
    if name == "campaigns verify":
        (desk / "campaigns" / LEFT / "email.html").write_text("another", encoding="utf-8")


def state(desk: Path) -> list[Any]:
    """What the database and the folders hold, as the program tells it."""
    return [
        run(desk, "subscribers", "list", "--json").out,
        run(desk, "campaigns", "list", "--json").out,
        sorted(path.name for path in desk.glob("*/*") if path.is_file()),
    ]


def times_of(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        for each in document:
            yield from times_of(each)
    elif isinstance(document, str) and TIME.fullmatch(document):
        yield document


def test_every_command_has_a_row() -> None:
    assert set(COMMANDS) == set(TABLE)


@pytest.mark.parametrize(("name", "words"), everywhere("done"))
def test_what_is_done_ends_with_0_and_people_read_times_in_their_zone(
    desk: Path, name: str, words: str
) -> None:
    ran = run(desk, *name.split(), *words.split())
    assert ran.status == 0, ran.err
    if name != "schema":
        assert not TIME.search(ran.out + ran.err)


@pytest.mark.parametrize(("name", "words"), everywhere("wrong"))
def test_wrong_input_ends_with_2_and_changes_nothing(desk: Path, name: str, words: str) -> None:
    before = state(desk)
    ran = run(desk, *name.split(), *words.split())
    assert ran.status == 2
    assert ran.err
    assert name == "send" or not ran.out  # it shows the plan that nobody confirms
    assert state(desk) == before


@pytest.mark.parametrize(("name", "words"), everywhere("failed"))
def test_what_failed_or_is_left_ends_with_1(desk: Path, name: str, words: str) -> None:
    spoil(desk, name)
    ran = run(desk, *name.split(), *words.split())
    assert ran.status == 1, (ran.out, ran.err)
    assert ran.out + ran.err


@pytest.mark.parametrize("name", COMMANDS)
def test_h_is_help(desk: Path, name: str) -> None:
    short, long = (run(desk, *name.split(), option) for option in ("-h", "--help"))
    assert (short.status, short.out, short.err) == (0, long.out, "")
    assert short.out.startswith(f"Usage: mailer {name} ")


@pytest.mark.parametrize("group", ["", "campaigns", "subscribers", "theme"])
def test_h_is_help_of_a_group_too(desk: Path, group: str) -> None:
    assert run(desk, *group.split(), "-h").out == run(desk, *group.split(), "--help").out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *everywhere("done", JSON),
        *(
            pytest.param(name, words, id=label)
            for name in JSON
            for label, words in TABLE[name].more
        ),
    ],
)  # fmt: skip
def test_json_is_one_document_whose_times_are_utc(desk: Path, name: str, words: str) -> None:
    ran = run(desk, *name.split(), *words.split(), "--json")
    assert ran.status == 0, ran.err
    assert [time for time in times_of(ran.json) if not time.endswith("Z")] == []


@pytest.mark.parametrize(("name", "words"), everywhere("failed", JSON))
def test_json_is_one_document_where_something_failed_or_is_left(desk: Path, name: str, words: str) -> None:
    spoil(desk, name)
    ran = run(desk, *name.split(), *words.split(), "--json")
    assert ran.status == 1
    assert isinstance(ran.json, (dict, list))


@pytest.mark.parametrize(("name", "words"), everywhere("wrong", JSON))
def test_wrong_input_with_json_is_an_error_document_beside_the_sentence(
    desk: Path, name: str, words: str
) -> None:
    ran = run(desk, *name.split(), *words.split(), "--json")
    assert ran.status == 2
    if name == "check":  # what is wrong with an issue is what it was asked for
        assert ran.json["ok"] is False
        return
    error = ran.json["error"]
    assert list(ran.json) == ["error"]
    assert error["exit_status"] == 2
    assert error["problems"]
    for line in error["message"].splitlines():
        assert line in ran.err


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("option", ["--no-such-option", "--json=yes"])
def test_wrong_usage_with_json_is_an_error_document_too(desk: Path, name: str, option: str) -> None:
    ran = run(desk, *name.split(), option, "--json")
    assert ran.status == 2
    assert "Error: " in ran.err
    assert ran.json["error"]["message"] in ran.err


@pytest.mark.parametrize("name", JSON)
def test_outside_a_workspace_there_is_an_error_document(tmp_path: Path, name: str) -> None:
    ran = run(tmp_path, *name.split(), *(TABLE[name].done or "").split(), "--json")
    assert (ran.status, list(ran.json)) == (2, ["error"])
    assert ran.json["error"]["message"] in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_error_names_its_places(desk: Path) -> None:
    ran = run(desk, "plan", "issues/broken.yaml", "--json")
    place = {"path": "issues/broken.yaml", "line": 1, "column": 1, "severity": "error"}
    assert ran.json["error"]["problems"][0] == {**place, "message": "the issue has no date; add date:"}
    assert ran.json["error"]["message"] == ran.err.strip()


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ("subscribers show ann@example.org --json", True),
        ("subscribers restore --reason --json", False),
        ("campaigns show -- --json", False),
        ("nonsense --json", True),
        ("--json", True),
    ],
)
def test_json_is_asked_for_where_the_word_is_an_option(desk: Path, words: str, printed: bool) -> None:
    assert bool(run(desk, *words.split()).out) is printed


def test_an_error_after_the_document_becomes_a_part_of_it(desk: Path) -> None:
    with SmtpServer() as server:
        server.fail("RCPT", "reply", "550 5.1.1 nobody of this name")
        by = ("--transport", server.url, "--test", "ed@example.org")
        ran = run(desk, "send", "issues/feature.yaml", *by, "--json")
    assert ran.status == 1
    assert [copy["result"] for copy in ran.json["copies"]] == ["rejected"]
    assert ran.json["error"]["message"] in ran.err


def test_a_list_that_breaks_off_ends_with_the_error(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(*_: object, **__: object) -> Iterator[object]:
        from mailer.audience.people import Subscriber

        yield Subscriber(1, "ann@example.org")
        raise OSError(5, "Input/output error", "subscribers.db")

    monkeypatch.setattr("mailer.services.subscribers.listing.list_subscribers", half)
    ran = run(desk, "subscribers", "list", "--json")
    assert ran.status == 1
    first, last = ran.json
    assert first["address"] == "ann@example.org"
    assert last["error"]["message"] == "subscribers.db: input/output error; correct that and run this again"


@pytest.mark.parametrize(("stop", "status"), [(KeyboardInterrupt, 130), (EOFError, 1)])
def test_a_command_that_is_stopped_prints_a_document(
    desk: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException], status: int
) -> None:
    def end(*_: object, **__: object) -> None:
        raise stop

    monkeypatch.setattr("mailer.commands.campaigns.campaigns.list_campaign_overviews", end)
    ran = run(desk, "campaigns", "list", "--json")
    assert (ran.status, ran.json["error"]["exit_status"]) == (status, status)
    plain = run(desk, "campaigns", "list")
    assert (plain.status, plain.out) == (status, "")


def test_json_of_errors_holds_nothing_that_a_terminal_obeys(desk: Path) -> None:
    ran = run(desk, "campaigns", "show", "\x1b[2J", "--json")
    assert "\x1b" not in ran.out
    assert json.loads(ran.out)["error"]["exit_status"] == 2


def keys_on_the_page() -> dict[str, tuple[str, list[str]]]:
    """What docs/exit-statuses.md says of each command with `--json`: whether it is a list, and its keys."""
    text = (Path(__file__).parents[2] / "docs/exit-statuses.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (object|list) \| (.+) \|$", text, re.M)
    return {
        name: (kind, re.findall("`([^`]+)`", keys))
        for names, kind, keys in rows
        for name in re.findall("`([^`]+)`", names)
    }


def test_every_json_command_is_on_the_page() -> None:
    assert set(keys_on_the_page()) == {*JSON, *(label for name in JSON for label, _ in TABLE[name].more)}


@pytest.mark.parametrize("label", keys_on_the_page())
def test_the_page_has_the_keys_of_the_document(
    desk: Path, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    name = next(name for name in sorted(JSON, key=len, reverse=True) if label.startswith(name))
    words = dict(TABLE[name].more).get(label, TABLE[name].done)
    if name == "run-due":
        scheduled = run(desk, "send", "issues/feature.yaml", "--at", "08:00", "--yes", "--json").json
        Clock(scheduled["due_at"].rstrip("Z"))
    document = run(desk, *name.split(), *(words or "").split(), "--json").json
    kind = "list" if isinstance(document, list) else "object"
    first = document[0] if kind == "list" else document
    assert keys_on_the_page()[label] == (kind, list(first))

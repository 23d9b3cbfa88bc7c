"""An error that nobody foresaw: one sentence, status 1, and a log that names places and no values."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from mailer.commands import crash_reports as defects
from mailer.commands import error_log
from mailer.commands.error_log import MAX_LOGS, write_error_log
from mailer.services.due.background import Scheduler
from tests.cli import Ran, run
from tests.commands.subprocesses import run_python
from tests.desk import ISSUE, fill

SECRET, NAME, WHO = "s3cret-token", "Ann of the Harbour", "ann@news.example"


def broken(*_: object, **__: object) -> None:
    """A defect whose words and variables hold what is nobody's business."""
    secret, person = SECRET, {"name": NAME, "address": WHO}
    try:
        int(secret + person["name"])
    except ValueError as first:
        raise KeyError(f"{person['address']}: {secret}") from first


def logs(workspace: Path) -> list[Path]:
    return sorted((workspace / ".mailer" / "errors").glob("*"))


@pytest.fixture
def defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailer.commands.campaigns.campaigns.list_campaign_overviews", broken)


def sentence(ran: Ran) -> str:
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    if ran.out:
        assert ran.json["error"]["message"] == ran.err.removeprefix("mailer: ")[:-1]
    return ran.err[:-1]


@pytest.mark.usefixtures("defect")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_it_is_one_sentence_that_names_the_log(workspace: Path, more: tuple[str, ...]) -> None:
    ran = run(workspace, "campaigns", "list", *more)
    assert bool(ran.out) == ("--json" in more)
    told = sentence(ran)
    (log,) = logs(workspace)
    assert told == (
        "mailer: a defect in mailer ended this command (KeyError); run it again, and if it fails "
        "again, report "
        f"it with its log; .mailer/errors/{log.name} has the traceback, without addresses or values"
    )


@pytest.mark.usefixtures("defect")
def test_the_log_names_places_and_holds_no_value(workspace: Path) -> None:
    elsewhere = workspace.parent
    told = sentence(run(elsewhere, "campaigns", "list", "--workspace", str(workspace)))
    (log,) = logs(workspace)
    assert "; workspace/.mailer/errors/" in told
    text = log.read_text(encoding="utf-8")
    for value in (SECRET, NAME, WHO, "example", str(workspace)):
        assert value not in text + told.replace(str(log), "")
    assert text.splitlines()[1] == "mailer campaigns list"
    assert "builtins.KeyError, most recent call last:" in text
    assert "builtins.ValueError, most recent call last:" in text
    assert "mailer/commands/campaigns/campaigns.py, line " in text
    assert "in broken\n    int(secret + person[" in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_an_address_in_the_program_itself_is_masked(workspace: Path) -> None:
    try:
        raise ValueError("x") or "me@news.example"  # type: ignore[misc]
    except ValueError as error:
        text = write_error_log(workspace, error, "send").read_text()
    assert "me@" not in text
    assert "[address]" in text


def test_the_newest_logs_are_kept(workspace: Path) -> None:
    folder = workspace / ".mailer" / "errors"
    folder.mkdir(parents=True, mode=0o755)
    for day in range(10, 10 + MAX_LOGS + 4):
        (folder / f"202601{day}T080000.000000Z-1.log").touch()
    (folder / "notes.txt").touch()
    log = write_error_log(workspace, ValueError(), "")
    kept = [path for path in logs(workspace) if path.suffix == ".log"]
    assert len(kept) == MAX_LOGS
    assert log in kept
    assert kept[0].name.startswith("20260115")
    assert (folder / "notes.txt").exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_log_of_very_many_calls_has_the_first_and_the_last(workspace: Path) -> None:
    def down(number: int) -> None:
        down(number - 1) if number else broken()

    try:
        down(500)
    except KeyError as error:
        lines = write_error_log(workspace, error, "x").read_text().splitlines()
    assert len(lines) < 400
    assert any(line.endswith(" more calls …") for line in lines)
    assert "in test_a_log_of_very_many_calls_has_the_first_and_the_last" in "\n".join(lines)
    assert "in broken" in "\n".join(lines)


@pytest.mark.usefixtures("defect")
def test_where_no_log_can_be_written_it_says_so(workspace: Path) -> None:
    (workspace / ".mailer").write_text("in the way")
    told = sentence(run(workspace, "campaigns", "list"))
    assert told.endswith("; no log could be written to .mailer/errors: not a directory")


@pytest.mark.usefixtures("defect")
def test_a_defect_in_the_log_itself_breaks_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_log, "_error_chain", broken)
    told = sentence(run(workspace, "campaigns", "list"))
    assert told.endswith("; no log could be written to .mailer/errors: keyerror")


def test_outside_a_workspace_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailer.commands.workspace.init.create_workspace", broken)
    told = sentence(run(tmp_path, "init", "desk"))
    assert told.endswith("; no log was written, because there is no workspace here")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "mailer: there was not enough memory; free some memory and run this again; "),
        (RuntimeError("can't start new thread"), "mailer: the system gives this process no more threads; "),
        (RuntimeError("else"), "mailer: a defect in mailer ended this command (RuntimeError); "),
        (RecursionError(), "mailer: a defect in mailer ended this command (RecursionError); "),
        (
            BaseException("a panic in Rust"),
            "mailer: a defect in mailer ended this command (BaseException); ",
        ),
        (
            UnicodeEncodeError("utf-8", NAME, 0, 1, "x"),
            "mailer: a defect in mailer ended this command (Unicode",
        ),
    ],
)
def test_every_kind_of_error_is_told(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, told: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("mailer.commands.campaigns.campaigns.list_campaign_overviews", fail)
    assert sentence(run(workspace, "campaigns", "list")).startswith(told)


def test_ctrl_c_is_no_defect(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mailer.commands.campaigns.campaigns.list_campaign_overviews", interrupt)
    assert run(workspace, "campaigns", "list").status == 130
    assert not (workspace / ".mailer").exists()


def test_an_error_that_ends_a_thread_is_told_too(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hook = threading.excepthook
    with defects.report_thread_errors(workspace, "serve"):
        for target in (broken, lambda: exec("raise SystemExit")):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert threading.excepthook is hook
    assert capsys.readouterr().err.startswith("mailer: a defect in mailer ended this command (KeyError); ")
    assert len(logs(workspace)) == 1


def test_the_schedule_of_serve_tells_a_defect_and_goes_on(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mailer.commands.workspace.serve import _print_unexpected_error
    from mailer.config import load_settings
    from mailer.services.due import background

    again = threading.Event()
    looks: list[int] = []

    def look(*_: object, **__: object) -> list[object]:
        looks.append(1)
        if len(looks) == 1:
            broken()
        again.set()
        return []

    monkeypatch.setattr(background, "send_due_campaigns", look)
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.0)
    settings = load_settings(workspace)
    scheduler = Scheduler(settings, on_defect=lambda error: _print_unexpected_error(settings, error))
    scheduler.start()
    assert again.wait(30)
    scheduler.stop(30)
    err = capsys.readouterr().err
    assert err.startswith(
        "the scheduler continues in a minute: a defect in mailer ended this command (KeyError); "
    )
    assert WHO not in err
    assert "mailer serve" in logs(workspace)[0].read_text()


def test_the_real_command_line_ends_the_same_way(workspace: Path) -> None:
    code = (
        "import cli, mailer.commands.campaigns.campaigns as c\n"
        f"def broken(*_): address = {WHO!r}; raise ZeroDivisionError(address)\n"
        "c.list_campaign_overviews = broken\n"
        "try: cli.main(['campaigns', 'list', '--json'])\n"
        "except SystemExit as ended: print(ended.code)\n"
    )
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run_python(workspace, code)
    (log,) = logs(workspace)
    assert WHO not in log.read_text()


def test_a_finished_json_document_stays_alone_on_standard_output(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, 1)
    monkeypatch.setattr("mailer.services.sending.result.SendResult.to_json", broken)
    ran = run(workspace, "send", ISSUE, "--yes", "--json")
    assert (ran.status, list(ran.json)) == (1, ["error"])
    assert json.loads(run(workspace, "campaigns", "list", "--json").out)[0]["status"] == "sent"


def test_a_workspace_that_cannot_even_be_looked_for_is_told_without_a_traceback(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    ran = run(tmp_path, "--workspace", str(loop), "campaigns", "list")
    assert ran.status in (1, 2)
    assert ran.err.startswith("mailer: ")


@pytest.mark.parametrize("target", ["", ".", "/"])
def test_a_list_is_not_exported_to_a_folder(workspace: Path, target: str) -> None:
    ran = run(workspace, "subscribers", "export", "-o", target)
    assert ran.status == 2
    assert "is a folder; name a file after -o" in ran.err

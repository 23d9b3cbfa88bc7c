"""`new`, `check` and `schema`, as an editor uses them."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from mailer.errors import IssueError, Problem, ThemeError
from mailer.issue.schema import issue_schema
from tests.cli import run
from tests.pictured import png

NAME = "issues/2026-11-21-morning.yaml"
GOOD = """\
edition: morning
date: 2026-11-21
language: en
items:
  - title: Cranes stand still
    body: The harbour rests today.
  - title: For some
    body: Only for some.
    only: language == "en"
"""


def write(workspace: Path, text: str) -> None:
    (workspace / NAME).write_text(text, "utf-8")


def test_a_good_issue_is_ready(workspace: Path) -> None:
    write(workspace, GOOD)
    ran = run(workspace, "check", NAME, "--strict")
    assert (ran.status, ran.out, ran.err) == (0, f"{NAME} is ready to send.\n", "")
    assert run(workspace, "check", NAME, "--json").json == {"issue": NAME, "problems": [], "ok": True}


def test_every_problem_is_a_line_on_standard_error(workspace: Path) -> None:
    write(workspace, "edition: mornin\ndate: 2026-02-30\nbody: x\ntitel: y\n")
    ran = run(workspace, "check", NAME)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.splitlines() == [
        f'{NAME}:1:10: edition: "mornin" is not an edition of mailer.toml; did you mean "morning"?',
        f"{NAME}:2:7: date: 2026-02-30 is not a day of the calendar; write a date such as 2026-11-21",
        f'{NAME}:4:1: "titel" is not a known key here; did you mean "title"?',
    ]


def test_problems_as_json(workspace: Path) -> None:
    write(workspace, "edition: morning\ndate: 2026-11-21\nbody: x\ntitel: y\n")
    ran = run(workspace / "issues", "check", "2026-11-21-morning.yaml", "--json")
    assert (ran.status, ran.err) == (2, "")
    assert ran.json == {
        "issue": NAME,
        "problems": [
            {
                "path": NAME,
                "line": 4,
                "column": 1,
                "severity": "error",
                "message": '"titel" is not a known key here; did you mean "title"?',
            }
        ],
        "ok": False,
    }


def test_an_only_that_is_no_segment_is_told_at_its_place(workspace: Path) -> None:
    write(workspace, GOOD.replace('language == "en"', "languge =="))
    ran = run(workspace, "check", NAME)
    assert ran.status == 2
    assert ran.err.startswith(f"{NAME}:9:11: only: ")


def test_what_only_rendering_finds_is_told_with_the_rest(workspace: Path) -> None:
    write(
        workspace, GOOD.replace("rests", "{{ subscriber.secrets }} rests").replace('language == "en"', "==")
    )
    ran = run(workspace, "check", NAME)
    assert ran.status == 2
    lines = ran.err.splitlines()
    assert any(line.startswith(f"{NAME}:9:11: only: ") for line in lines)
    assert any(line.startswith(f"{NAME}:6") for line in lines)


def test_a_template_that_is_wrong_is_told(workspace: Path) -> None:
    (workspace / "templates/email").mkdir(parents=True)
    (workspace / "templates/email/morning.mjml").write_text("<mjml>{{ nothing }}</mjml>", "utf-8")
    write(workspace, GOOD)
    ran = run(workspace, "check", NAME)
    assert ran.status == 2
    assert "templates/email/morning.mjml:1" in ran.err


def test_a_warning_counts_only_where_it_is_asked_for(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warning = Problem("the mail is large", NAME, 1, 1, "warning")
    monkeypatch.setattr("mailer.render.check.check_rendition", lambda *rest: (warning,))
    write(workspace, GOOD)
    ran = run(workspace, "check", NAME)
    assert (ran.status, ran.out) == (0, f"{NAME} can be sent as it is.\n")
    assert ran.err == f"{NAME}:1:1: warning: the mail is large\n"
    assert run(workspace, "check", NAME, "--strict").status == 2
    assert run(workspace, "check", NAME, "--json").json["ok"] is True
    assert run(workspace, "check", NAME, "--json", "--strict").json["ok"] is False


@pytest.mark.parametrize("name", ["issues/nothing.yaml", "/etc/passwd", "x" * 300])
def test_an_issue_that_is_not_there_is_a_sentence(workspace: Path, name: str) -> None:
    ran = run(workspace, "check", name)
    assert ran.status == 2
    assert len(ran.err.splitlines()) == 1
    assert run(workspace, "check", name, "--json").json["ok"] is False


def test_check_changes_nothing(workspace: Path) -> None:
    write(workspace, GOOD)
    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    run(workspace, "check", NAME)
    assert {path: path.stat().st_mtime_ns for path in workspace.rglob("*")} == before


@pytest.mark.parametrize("edition", ["morning", "evening", "feature"])
def test_a_draft_passes_check(workspace: Path, edition: str) -> None:
    ran = run(workspace, "new", edition, "--date", "2026-11-21")
    name = f"issues/2026-11-21-{edition}.yaml"
    assert ran.status == 0
    assert ran.out.startswith(f"{name} is your draft. `mailer check {name}` reports")
    checked = run(workspace, "check", name)
    assert checked.status == 0
    assert [
        " is left over from the draft; write your own text" in line for line in checked.err.splitlines()
    ] == [True] * len(checked.err.splitlines())
    assert checked.err


def test_a_draft_is_for_today_unless_told(workspace: Path) -> None:
    assert run(workspace, "new", "morning").status == 0
    (path,) = (workspace / "issues").iterdir()
    assert path.name.endswith("-morning.yaml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mornin",), 'mailer: "mornin" is not an edition of mailer.toml; did you mean "morning"?\n'),
        (("morning", "--date", "21.11."), 'mailer: --date: "21.11." is not a date; write it as 2026-11-21\n'),
        (
            ("morning", "--date", "2026-02-30"),
            "mailer: --date: 2026-02-30 is not a day of the calendar; write a date such as",
        ),
    ],
)
def test_a_wrong_draft_is_refused(workspace: Path, words: tuple[str, ...], message: str) -> None:
    ran = run(workspace, "new", *words)
    assert ran.status == 2
    assert ran.err.startswith(message)
    assert list((workspace / "issues").iterdir()) == []


def test_a_draft_never_overwrites(workspace: Path) -> None:
    write(workspace, "mine")
    ran = run(workspace, "new", "morning", "--date", "2026-11-21")
    assert ran.status == 2
    assert (
        ran.err
        == f"{NAME}: exists already and was not changed; edit it, or choose another date with --date\n"
    )
    assert (workspace / NAME).read_text("utf-8") == "mine"


def test_the_schema_needs_no_workspace(tmp_path: Path) -> None:
    ran = run(tmp_path, "schema")
    assert ran.status == 0
    assert json.loads(ran.out) == issue_schema()


@pytest.mark.parametrize("error", [ThemeError, IssueError])
def test_an_error_of_rendering_is_a_problem(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, error: type[ThemeError]
) -> None:
    def fails(*rest: object, **more: object) -> None:
        raise error(Problem("is wrong", "templates/email/morning.mjml", 3))

    monkeypatch.setattr("mailer.render.render.render_mjml", fails)
    write(workspace, GOOD)
    assert run(workspace, "check", NAME).err == "templates/email/morning.mjml:3: is wrong\n"


FAULTY = """\
edition: evenin
date: 2026-11-23
titel: x
intro: Hello {{ first_name }}
sections:
  - title: Tea #1
    items:
      - title: *a
        body: |
          ![](gone.png) {{ nobody }}
      - title: B
        only: language = en
        image: {src: pictures/none.png, alt: x}
        url: ftp://files.example.org
  - title: C
    items:
      - title: D
       body: E
      - titl: F
column:
  title: G
   body: H
call_to_action: {text: x, label: l, url: "https://www.example.org/{{ foo }}"}
notice: "\\q"
"""


def test_check_tells_in_one_run_what_any_stage_finds(workspace: Path) -> None:
    config = workspace / "mailer.toml"
    brand = '\n[brand]\nlogo = "pictures/logo.png"\naccent = "#eeeeee"\n'
    config.write_text(config.read_text("utf-8") + brand, "utf-8")
    for name, text in (("text/issue.txt", "{{ nonsense }}"), ("web/issue.html", "<p>\n{% if %}")):
        (workspace / "templates" / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / "templates" / name).write_text(text)
    write(workspace, FAULTY)
    ran = run(workspace, "check", NAME)
    assert ran.status == 2
    lines = ran.err.splitlines()
    rows = [line.split(":")[1] for line in lines if line.startswith(NAME)]
    assert rows == "1 3 4 6 8 10 10 10 12 13 14 18 19 19 22 23 24".split(), ran.err  # noqa: SIM905
    assert [line for line in lines if not line.startswith(NAME)] == [
        "mailer.toml: brand.logo: pictures/logo.png does not exist; correct the path or add the file",
        "mailer.toml: warning: brand.accent #eeeeee on brand.paper #ffffff has a contrast of 1.2:1; "
        "text must have at least 4.5:1; choose other colours",
        'templates/text/issue.txt:1: there is no "nonsense" here',
        "templates/web/issue.html:2: Expected an expression, got 'end of statement block'",
    ]
    assert len(set(lines)) == len(lines)
    for line in lines:
        paths = re.findall(r"[\w/.-]+\.(?:png|yaml|toml|txt|html)", line)
        assert len(paths) == len({path.split("/")[-1] for path in paths}), line


def test_a_theme_or_a_catalogue_that_is_broken_hides_nothing_of_the_issue(workspace: Path) -> None:
    (workspace / "templates/locale/en/LC_MESSAGES").mkdir(parents=True)
    (workspace / "templates/locale/en/LC_MESSAGES/mailer.po").write_text('msgid "x\n')
    write(workspace, GOOD + "intro: '{{ nobody }}'\n")
    told = run(workspace, "check", NAME).err
    assert "nobody is not known here" in told
    assert "templates/locale/en/LC_MESSAGES/mailer.po:1: is not a valid line of a gettext catalogue" in told
    (workspace / "templates/web").write_text("no folder")
    told = run(workspace, "check", NAME).err
    assert "nobody is not known here" in told
    assert "templates/web: is a file, not a folder" in told


def test_links_within_the_issue_are_not_told_of_a_page_that_could_not_be_made(workspace: Path) -> None:
    (workspace / "templates/web").mkdir(parents=True, exist_ok=True)
    (workspace / "templates/web/issue.html").write_text("<p>\n{% if %}")
    write(workspace, GOOD + "intro: '[down](#item-1)'\n")
    told = run(workspace, "check", NAME).err.splitlines()
    assert told == ["templates/web/issue.html:2: Expected an expression, got 'end of statement block'"]


def test_too_many_pictures_are_one_error(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailer.issue.pictures.limits.MAX_COUNT", 1)
    body = ""
    for number in range(4):
        (workspace / f"issues/{number}.png").write_bytes(png((number + 2, 2)))
        body += f"  ![a]({number}.png)\n\n"
    write(workspace, f"edition: feature\ndate: 2026-11-21\nlanguage: en\nbody: |\n{body}")
    lines = [line for line in run(workspace, "check", NAME).err.splitlines() if "warning" not in line]
    assert lines == [f"{NAME}:7:1: an issue may have 1 pictures at most, 40 MB in all; leave some out"]


def test_a_picture_that_was_cut_off_is_no_fault_of_the_theme(workspace: Path) -> None:
    photo = io.BytesIO()
    Image.effect_noise((400, 400), 60).save(photo, "JPEG")
    (workspace / "issues/b.jpg").write_bytes(photo.getvalue()[:9000])
    items = "items:\n- title: T\n  body: '![b](b.jpg)'\n"
    write(workspace, f"edition: morning\ndate: 2026-11-21\nlanguage: en\n{items}")
    [line] = [line for line in run(workspace, "check", NAME).err.splitlines() if "warning" not in line]
    assert line.startswith(f"{NAME}:6: the picture b.jpg cannot be read to its end")

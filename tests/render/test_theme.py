from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailer import theme_files as lookup
from mailer.errors import ThemeError
from mailer.render.slots.markers import Markers
from mailer.render.theme import theme as module
from mailer.render.theme.theme import MARKERS, Theme, open_theme
from mailer.render.views.values import LinksView
from mailer.theme_files import built_in_theme_folder, check_template_folders, read_theme

Open = Callable[..., Theme]
NAME = "web/page.html"


@pytest.fixture
def context() -> dict[str, Any]:
    return {MARKERS: Markers("x"), "links": LinksView("https://a.test/"), "word": "<b>", "language": "en"}


def test_the_workspace_overrides_single_files(workspace: Path, tmp_path: Path, theme_files: Any) -> None:
    built_in = tmp_path / "no-theme"
    for name, text in (("web/a.html", "built-in a"), ("web/b.html", "built-in b"), ("other/c.html", "c")):
        (built_in / name).parent.mkdir(parents=True, exist_ok=True)
        (built_in / name).write_text(text, "utf-8")
    theme_files(**{"web/b.html": "own b", "web/.hidden.html": "x", "web/notes.md": "x"})
    files = read_theme(workspace)
    assert {name: file.text for name, file in files.templates.items() if name.startswith("web/")} == {
        "web/a.html": "built-in a",
        "web/b.html": "own b",
        "web/morning.html": files.templates["web/morning.html"].text,
    }
    assert files.display_path("web/a.html") == "(built-in) templates/web/a.html"
    assert files.display_path("web/b.html") == "templates/web/b.html"
    assert files.display_path("web/none.html") == "templates/web/none.html"


def test_the_built_in_theme_is_found_in_a_checkout_and_in_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert built_in_theme_folder() == Path(lookup.__file__).parents[1] / "templates"
    (tmp_path / "mailer" / "theme").mkdir(parents=True)
    monkeypatch.setattr("mailer.__file__", str(tmp_path / "mailer" / "__init__.py"))
    assert built_in_theme_folder() == tmp_path / "mailer" / "theme"


def test_a_workspace_that_is_the_checkout_has_each_file_once(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, theme_files: Any
) -> None:
    monkeypatch.setattr(lookup, "built_in_theme_folder", lambda: workspace / "templates")
    assert len(read_theme(workspace).all) == 3


def test_all_files_that_cannot_be_used_are_told_at_once(
    workspace: Path, theme_files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "templates/web/a.html").write_bytes(b"one\ntwo \xff")
    (workspace / "templates/web/b.html").write_bytes(b"x" * 600_000)
    outside = tmp_path / "outside.html"
    outside.write_text("secret", "utf-8")
    (workspace / "templates/web/c.html").symlink_to(outside)
    with pytest.raises(ThemeError) as caught:
        read_theme(workspace)
    assert str(caught.value).split("\n") == [
        "templates/web/a.html:2: is not UTF-8; save it as UTF-8",
        "templates/web/b.html: is larger than 512 KB; make it smaller",
        "templates/web/c.html: is a link to a file outside the workspace; put the file itself there",
    ]
    monkeypatch.setattr(lookup, "MAX_FILES", 2)
    with pytest.raises(ThemeError, match="has more than 2 files"):
        read_theme(workspace)


def test_a_file_that_cannot_be_read_is_told(
    workspace: Path, theme_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ThemeError, match=r"email/morning\.mjml: cannot be read: Permission denied"):
        read_theme(workspace)


def put(path: Path, what: str) -> None:
    """Puts something in the place of a file or folder: a file, a folder, or a link that leads nowhere."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "file":
        path.write_text("x", encoding="utf-8")
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"broken": "not-there", "loop": path.name, "link": "."}[what])


@pytest.mark.parametrize(
    ("name", "what", "said"),
    [
        ("templates", "file", "is a file, not a folder"),
        ("templates", "broken", "is a link to a file that does not exist"),
        ("templates", "loop", "is a link to a file that does not exist"),
        ("templates/email", "file", "is a file, not a folder"),
        ("templates/text", "broken", "is a link to a file that does not exist"),
        ("templates/locale", "pipe", "is a file, not a folder"),
        ("templates/email/partials", "broken", "is a link to a file that does not exist"),
        ("templates/email/partials", "link", "is a link to a folder"),
        ("templates/email/morning.mjml", "broken", "is a link to a file that does not exist"),
        ("templates/email/morning.mjml", "folder", "is a folder, not a file"),
        ("templates/web/issue.html", "pipe", "is not a regular file"),
        ("templates/web/pages/done.html", "broken", "is a link to a file that does not exist"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_and_not_replaced(
    workspace: Path, theme_files: Any, name: str, what: str, said: str
) -> None:
    put(workspace / name, what)
    for look in (read_theme, check_template_folders):
        with pytest.raises(ThemeError) as caught:
            look(workspace)
        assert str(caught.value).startswith(f"{name}: {said}")
        assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("name", ["templates/email", "templates/email/partials"])
def test_a_folder_that_may_not_be_listed_is_refused_too(
    workspace: Path, theme_files: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    listed = Path.iterdir

    def refuse(self: Path) -> Iterator[Path]:
        if self == workspace / name:
            raise PermissionError(13, "Permission denied")
        return listed(self)

    (workspace / "templates/email/partials").mkdir()
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ThemeError, match=f"^{name}: cannot be read: permission denied; let this user"):
        read_theme(workspace)


@pytest.mark.parametrize("name", ["templates", "templates/email"])
def test_a_folder_that_may_not_be_entered_is_refused_too(
    workspace: Path, theme_files: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    looked = Path.stat

    def refuse(self: Path, **more: Any) -> os.stat_result:
        if workspace / name in self.parents:
            raise PermissionError(13, "Permission denied")
        return looked(self, **more)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ThemeError, match=f"^{name}/[a-z./]+: cannot be read: permission denied; let this"):
        read_theme(workspace)


def test_files_that_are_no_templates_may_be_anything(workspace: Path, theme_files: Any) -> None:
    before = read_theme(workspace).digest
    for name in ("email/notes.md", "email/.#morning.mjml", "notes", "web/picture.png"):
        put(workspace / "templates" / name, "broken")
    assert read_theme(workspace).digest == before


def test_a_folder_of_templates_may_be_a_link_within_the_workspace(workspace: Path, theme_files: Any) -> None:
    before = read_theme(workspace).digest
    (workspace / "templates/email").rename(workspace / "mail")
    (workspace / "templates/email").symlink_to("../mail")
    assert read_theme(workspace).digest == before


def test_the_same_files_are_compiled_once_and_changed_ones_again(theme: Open) -> None:
    one = theme()
    assert theme() is one
    other = theme(**{"web/new.html": "x"})
    assert other is not one
    assert other.digest != one.digest


@pytest.mark.parametrize(
    ("name", "text"), [("web/x.html", "&lt;b&gt;"), ("email/x.mjml", "&lt;b&gt;"), ("text/x.txt", "<b>")]
)
def test_html_is_escaped_and_text_is_not(theme: Open, context: dict[str, Any], name: str, text: str) -> None:
    assert theme(**{name: "{{ word }}"}).render(name, context) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("\n{{ wrod }}", ':2: there is no "wrod" here'),
        ("{{ isue }}", ':1: there is no "isue" here; did you mean "issue"?'),
        ("{{ links.archve }}", ':1: there is no "archve" in links; did you mean "archive"?'),
        ("{{ word.nothing }}", ':1: there is no "nothing" in str'),
        ("{{ {}['a b'] }}", ':1: there is no "a b" in dict'),
        ("{{ none.x }}", ':1: there is no "x" in None; test the value first'),
        ("a\n{% if %}", ":2: "),
        ("{% if word %}", ":1: "),
        ("{{ word | nofilter }}", ":1: No filter named"),
        ("{{ word.__class__ }}", ":1: "),
        ("{{ ''.__class__.__mro__ }}", ":1: "),
        (
            '\n{% include "web/pgae.html" %}',
            ':2: there is no template "web/pgae.html"; did you mean "web/page.html"?',
        ),
        (
            '{% include "/etc/passwd" %}',
            ':1: there is no template "/etc/passwd"; the path must begin within templates/',
        ),
        ('{% include "../mailer.toml" %}', ":1: there is no template"),
        ('{% include "web/page.html" %}', "includes or macros call each other without end"),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "without end"),
        ("{{ 1 / 0 }}", ":1: ZeroDivisionError"),
        ("{{ 'x' | fit(3) }}", ":1: TypeError: the filter fit can only be used with a picture"),
        ("{{ 'red' | mix('#000000') }}", ':1: ValueError: "red" is not a colour'),
        ("{% for i in range(100001) %}{% endfor %}", ":1: OverflowError: Range too big"),
        (
            "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}",
            ":1: the loops of the theme must not have more than 100,000 rounds",
        ),
        ("{{ 9 ** 99 }}", ":1: the exponent must not be above 16"),
        ("{{ 10 ** 10 * 10 ** 16 * 2 }}", ":1: "),
        ("{{ [1] * 1000000 }}", ':1: "*" can only be used with numbers'),
        ("{{ 'x' * 1000000 }}", ':1: "*" can only be used with numbers'),
        (
            "{% set x = 'x' * 1000 %}{% for i in range(99999) %}{{ x }}{% endfor %}",
            "must not print more than 2 MB of text",
        ),
        ("{{ lipsum() }}", 'there is no "lipsum" here'),
    ],
)
def test_errors_name_template_and_line(
    theme: Open, context: dict[str, Any], template: str, message: str
) -> None:
    with pytest.raises(ThemeError) as caught:
        theme(**{NAME: template}).render(NAME, context)
    assert str(caught.value).startswith(f"templates/{NAME}:")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_in_an_included_file_names_that_file(theme: Open, context: dict[str, Any]) -> None:
    opened = theme(
        **{
            "web/a.html": '\n{% include "web/b.html" %}',
            "web/b.html": '\n\n{% from "web/c.html" import c %}{{ c() }}',
            "web/c.html": "{% macro c() %}\n\n\n{{ nothing }}{% endmacro %}",
        }
    )
    with pytest.raises(ThemeError, match=r"^templates/web/c\.html:4: there is no"):
        opened.render("web/a.html", context)


def test_arithmetic_and_lines_of_signs_are_possible(theme: Open, context: dict[str, Any]) -> None:
    page = "{{ 3 * 4 }} {{ 2 ** 3 }} {{ 7 % 4 }} {{ '-' * 5 }} {{ '%s!' % word }}"
    assert theme(**{"text/x.txt": page}).render("text/x.txt", context) == "12 8 3 ----- <b>!"


def test_a_layout_without_its_own_text_uses_the_general_one(theme: Open) -> None:
    opened = theme(**{"text/issue.txt": "x", "email/gazette.mjml": "x"})
    assert opened.layout_template("gazette", "text", ".txt") == "text/issue.txt"
    assert opened.layout_template("morning", "text", ".txt") == "text/morning.txt"
    assert opened.layout_template("gazette", "email", ".mjml") == "email/gazette.mjml"


@pytest.mark.parametrize(
    ("layout", "message"),
    [("mornin", 'did you mean the layout "morning"?'), ("zzz", "create it, or name another")],
)
def test_a_layout_that_is_not_there_is_told(theme: Open, layout: str, message: str) -> None:
    with pytest.raises(ThemeError) as caught:
        theme().layout_template(layout, "email", ".mjml")
    assert str(caught.value).startswith(f"templates/email/{layout}.mjml: does not exist; ")
    assert message in str(caught.value)


def test_the_place_of_an_output_is_that_of_the_text_that_gave_it(
    theme: Open, context: dict[str, Any]
) -> None:
    opened = theme(
        **{
            "web/a.html": 'one\n{% include "web/b.html" %}\nthree {{ word }}\n{{ word | upper }}four',
            "web/b.html": "\n\ntwo",
        }
    )
    output = opened.render("web/a.html", context)
    for text, place in (("one", ("a", 1)), ("two", ("b", 3)), ("three", ("a", 3)), ("four", ("a", 4))):
        found = opened.position_of("web/a.html", context, output, output.index(text))
        assert found == (f"templates/web/{place[0]}.html", place[1])
    assert opened.position_of("web/a.html", context, "something else", 0) is None
    assert opened.position_of("web/none.html", context, output, 0) is None
    empty = theme(**{"web/e.html": "{{ word }}"})
    assert empty.position_of("web/e.html", context, "&lt;b&gt;", 0) is None


def test_a_mailer_error_of_the_context_passes_through(theme: Open, context: dict[str, Any]) -> None:
    class Broken:
        @property
        def src(self) -> str:
            raise ThemeError("as it is")

    with pytest.raises(ThemeError, match=r"^as it is$"):
        theme(**{NAME: "{{ word.src }}"}).render(NAME, {**context, "word": Broken()})


def test_templates_can_be_listed(theme: Open) -> None:
    assert sorted(theme().files.templates) == [
        "email/morning.mjml",
        "text/morning.txt",
        "web/morning.html",
    ]


def test_a_template_of_the_built_in_theme_is_always_there(workspace: Path) -> None:
    assert open_theme(workspace).files.all
    assert module.CONTEXT_NAMES

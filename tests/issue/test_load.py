# ruff: noqa: E501 (a table reads better than its folded lines)
"""An issue is loaded whole, or refused with everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.errors import IssueError
from mailer.issue.load import load_issue
from tests.issue.conftest import NAME, Load, Wrong, picture

Write = Callable[[str, str | bytes], Path]

FULL = """\
edition: evening
date: 2026-11-21
title: An evening
subject: What the day was about
preheader: Cranes, rules and tea
intro: Good evening, {{ subscriber.name or "reader" }}.
sections:
  - title: Cross-border
    intro: Two stories.
    only: language == "en"
    items:
      - title: no
        body: |
          **Cranes** stand still.

          They do.
        source: Example Wire
        comment: Hm.
        url: https://www.example.org/a?b=1#c
        image: {src: crane.png, alt: A crane, caption: Still., url: "mailto:desk@example.org"}
        tags: [payments, 2026]
      - title: 12:30:00
        source: {name: Example Wire, url: http://www.example.org/}
        only: '"vip" in tags'
column:
  title: Tea
  byline: The editor
  body: Drink it.
call_to_action: {text: More, label: Go, url: "{{ links.preferences }}"}
related:
  - {title: Elsewhere, url: "https://example.org/?u={{ subscriber.attributes.id or '0' }}"}
tags: [retail]
notice: Small print.
"""


def test_an_issue_with_everything_in_it(load: Load, write: Write) -> None:
    write("issues/crane.png", picture())
    loaded = load(FULL)
    issue = loaded.issue
    assert (issue.title, issue.subject, issue.preheader) == (
        "An evening",
        "What the day was about",
        "Cranes, rules and tea",
    )
    assert issue.language == "en"
    assert issue.intro == 'Good evening, {{ subscriber.name or "reader" }}.'
    first, second = issue.sections[0].items
    assert first.title == "no"
    assert first.body == "**Cranes** stand still.\n\nThey do."
    assert first.source is not None
    assert first.source.name == "Example Wire"
    assert first.tags == ("payments", "2026")
    (image,) = first.image
    assert image.src == "crane.png"
    assert second.title == "12:30:00"
    assert second.source is not None
    assert second.source.url == "http://www.example.org/"
    assert [file.path for file in loaded.files] == [NAME]
    assert [(file.path, file.data) for file in loaded.pictures] == [("issues/crane.png", picture())]


def test_each_key_is_found_where_it_was_written(load: Load, write: Write) -> None:
    write("issues/crane.png", picture())
    loaded = load(FULL)
    assert loaded.path == NAME
    assert loaded.path_and_line_of("sections", 0, "items", 0, "body") == (NAME, 13)
    assert loaded.line_of("sections", 0, "items", 1) == 22
    assert loaded.line_of("sections", 0, "items", 1, "body") is None
    assert loaded.path_and_line_of("sections", 0, "items", 1, "body") == (NAME, 22)
    assert loaded.path_and_line_of("intro")[0] == NAME
    mark = loaded.position_of("sections", 0, "only")
    assert (mark.path, mark.line, mark.column) == (NAME, 10, 11)


def test_the_digest_follows_the_issue_its_includes_and_its_pictures(
    load: Load, write: Write, head: str, settings: Settings
) -> None:
    text = head + "items:\n  - include: a.yaml\n  - title: b\n    image: {src: a.png, alt: a}\n"
    write("issues/a.yaml", "title: a\n")
    write("issues/a.png", picture())
    first = load(text).digest
    assert load(text, "issues/other-name.yaml").digest == first
    write("issues/a.png", picture(size=(5, 5)))
    second = load(text).digest
    write("issues/a.yaml", "title: A\n")
    third = load(text).digest
    assert len({first, second, third, load(text + "notice: x\n").digest}) == 4


def test_everything_that_is_wrong_is_told_at_once(wrong: Wrong, write: Write) -> None:
    write("issues/inc.yaml", "- title: fine\n- titl: x\n  url: ftp://example.org/\n")
    assert wrong(
        """\
        edition: mornin
        date: 2026-02-30
        titel: x
        subject: [a]
        items:
          - title:
            tags: retail
            source: [a]
            image: {src: x.png, alt: ""}
          - include: inc.yaml
          -
          - text
          - {title: a, body: {b: c}}
        column: {body: x, include: y}
        related: {title: a}
        items: []
        """
    ) == [
        f'{NAME}:1:10: edition: "mornin" is not an edition of mailer.toml; did you mean "morning"?',
        f"{NAME}:2:7: date: 2026-02-30 is not a day of the calendar; write a date such as 2026-11-21",
        f'{NAME}:3:1: "titel" is not a known key here; did you mean "title"?',
        f'{NAME}:4:10: a text cannot begin with [; put the whole text in quotes: subject: "[a]"',
        f"{NAME}:6:5: title must not be empty",
        f'{NAME}:7:11: tags must be a list, each entry on a line that begins with "- ", not a text',
        f"{NAME}:8:13: source must be a text or a mapping (key: value), not a list",
        f"{NAME}:9:18: the picture issues/x.png does not exist; correct the path or add the file",
        f"{NAME}:9:30: alt must not be empty",
        f"{NAME}:11:4: this entry of items must be a mapping (key: value), not nothing",
        f"{NAME}:12:5: this entry of items must be a mapping (key: value), not a text",
        f'{NAME}:13:22: body must be a text, not a mapping (key: value); a text with ": " in it, '
        "or that begins with {, needs quotes",
        f'{NAME}:14:19: "include" is not a known key here; "include" may only be an entry of items, sections or '
        "related",
        f'{NAME}:15:10: related must be a list, each entry on a line that begins with "- ", not a mapping '
        "(key: value)",
        f'{NAME}:16:1: the key "items" is written twice; delete this or the one on line 5',
        'issues/inc.yaml:2:3: "titl" is not a known key here; did you mean "title"?',
        "issues/inc.yaml:2:3: this item has no title; add title:",
        'issues/inc.yaml:3:8: url: "ftp://example.org/" must begin with https://, http://, mailto:, tel:, webcal:// or "#" and the name of a part of this issue',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "1:1: is a list; an issue must begin with keys such as edition: and date:"),
        ("just words\n", "1:1: is a text; an issue must begin with keys such as edition: and date:"),
        ("", "1:1: is empty; write at least edition, date and some content"),
        ("edition: morning\nbody: x\n", "1:1: the issue has no date; add date:"),
        ("date: 2026-11-21\nbody: x\n", "1:1: the issue has no edition; add edition:"),
        ("edition: xx\ndate: 2026-11-21\nbody: x\n", '1:10: edition: "xx" is not an edition of mailer.toml; mailer.toml has'),
        ("edition: morning\ndate: 21.11.2026\nbody: x\n", '2:7: date: "21.11.2026" is not a date; write it as 2026-11-21'),
        ("edition: morning\ndate: 2026-11-21T08:00\nbody: x\n", '2:7: date: "2026-11-21T08:00" is not a date'),
        ("edition: morning\ndate: ２０２６-11-21\nbody: x\n", "2:7: date: "),
        ("edition: morning\ndate: 0000-01-01\nbody: x\n", "2:7: date: 0000-01-01 is not a day of the calendar"),
        ("edition: morning\ndate: [2026]\nbody: x\n", "2:7: date must be a date such as 2026-11-21, not a list"),
        ("edition: morning\ndate: 2026-11-21\n", "1:1: the issue has no content; write items, sections or a body"),
        ("edition: morning\ndate: 2026-11-21\nitems: []\nbody: ''\n", "1:1: the issue has no content"),
        ("edition: morning\ndate: 2026-11-21\nbody: x\nlanguage: klingon-x\n", '4:11: language: "klingon-x" is not a language tag'),
        (
            "edition: morning\ndate: 2026-11-21\nitems: [{title: a}]\nsections: [{title: a, items: [{title: b}]}]\n",
            "4:1: an issue must not have both items and sections; move the items into a section",
        ),
        (
            "edition: morning\ndate: 2026-11-21\nsections:\n  - title: a\n",
            "4:5: this section is empty; write items or a body, or delete it",
        ),
        ("edition: morning\ndate: 2026-11-21\nbody: x\ntitle: |\n  a\n  b\n", "4:8: title: must be on one line"),
        ('edition: morning\ndate: 2026-11-21\nbody: x\ntitle: "a\\Lb"\n', "4:8: title: must be on one line"),
        ('edition: morning\ndate: 2026-11-21\nbody: x\nsubject: "a\\eb"\n', "4:10: subject: holds the control character U+001B"),
        ('edition: morning\ndate: 2026-11-21\nbody: "x\\0"\n', "3:7: body: holds the control character U+0000; delete it"),
        ("edition: morning\ndate: 2026-11-21\nbody: x\ntags: ['']\n", "4:8: this entry of tags must not be empty"),
        ("edition: morning\ndate: 2026-11-21\nbody: x\ntags: [' ']\n", "4:8: this entry of tags: must not be empty"),
        ("edition: morning\ndate: 2026-11-21\nbody: x\nitems: [{title: ' '}]\n", "4:10: title must not be empty"),
        ("edition: morning\ndate: 2026-11-21\nbody: x\nonly: x\n", '4:1: "only" is not a known key here; the known keys are edition, date'),
        ("edition: morning\ndate: 2026-11-21\nbody: x\nrelated: [{title: a, url: x, lable: b}]\n", '4:30: "lable" is not a known key here'),
    ],
)  # fmt: skip
def test_a_wrong_issue_is_a_sentence_with_its_place(wrong: Wrong, text: str, message: str) -> None:
    assert any(line.startswith(f"{NAME}:{message}") for line in wrong(text)), wrong(text)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("javascript:alert(1)", "must begin with https://, http://, mailto:, tel:, webcal:// or"),
        ("www.example.org", "; write https://www.example.org"),
        ("//example.org/a", "; write https://example.org/a"),
        ("https://", "needs a host, as in https://example.org/page"),
        ("https:///page", "needs a host, as in https://example.org/page"),
        (
            "https://{{ subscriber.name }}.example.org/",
            "has a slot in its host; write a host that is the same",
        ),
        ("https://[::1", "has a bracket in its host that is not closed; close it"),
        (
            "https://example.org/a b",
            "holds a space; delete what does not belong to the URL, or write %20",
        ),
        ("https://example.org/<b>", 'holds "<"; delete what does not belong to the URL, or write %3C'),
        ("https://example.org/{{ x", "x is not known here"),
        ("mailto:", "needs an e-mail address, as in mailto:desk@example.org"),
        ("mailto://a@example.org", "needs an e-mail address, as in mailto:desk@example.org"),
        (
            "{{ subscriber.name }}",
            "is not a URL; the only slots that can be a whole URL are links such as {{ links.preferences }}",
        ),
        ("data:text/html,x", "must begin with https://, http://, mailto:, tel:, webcal:// or"),
        ("https://example.org/" + "a" * 2000, "url is longer than 2,000 characters; shorten it"),
    ],
)
def test_a_link_goes_to_the_web_or_to_a_mailbox(wrong: Wrong, head: str, url: str, message: str) -> None:
    (line,) = wrong(f"{head}items:\n  - title: a\n    url: '{url}'\n")
    assert line.startswith(f"{NAME}:6:10: ")
    assert message in line


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (5_000_000, f"{NAME}: is larger than 1 MB; make it smaller or split it"),
        (990_000, f"{NAME}:4:7: body is longer than 100,000 characters; shorten it"),
    ],
)
def test_a_huge_file_is_refused(wrong: Wrong, head: str, size: int, message: str) -> None:
    assert wrong(f"{head}body: {'x' * size}\n") == [message]


def test_a_flood_of_problems_is_cut_short(wrong: Wrong, head: str) -> None:
    lines = wrong(head + "body: x\n" + "".join(f"key{i}: x\n" for i in range(150)))
    assert len(lines) == 101
    assert lines[-1] == f"{NAME}: 50 more problems are not shown; correct these first"


def test_bytes_that_are_no_text_are_refused(wrong: Wrong) -> None:
    assert wrong("标题".encode("gbk")) == [
        f"{NAME}:1:1: is not UTF-8 from here on (byte 0xb1); save the file as UTF-8"
    ]
    assert wrong(os.urandom(64) + b"\xff")[0].startswith(f"{NAME}:")


def test_more_than_sixteen_expressions_are_too_many(wrong: Wrong, load: Load, head: str) -> None:
    def text(number: int) -> str:
        return head + "items:\n" + "".join(f"  - {{title: a, only: tag == {i}}}\n" for i in range(number))

    assert load(text(16)).issue.items[15].only == "tag == 15"
    assert wrong(text(17)) == [
        f'{NAME}:1:1: an issue may have at most 16 different "only" expressions; remove some'
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "issues/nothing.yaml",
            "issues/nothing.yaml: does not exist; correct the path, or make a draft with",
        ),
        ("issues/", "issues: is a folder, but must be a file; correct the path"),
        ("/etc/passwd", "/etc/passwd: is outside the workspace"),
        ("../x.yaml", "../x.yaml: does not exist; correct the path"),
        ("issues/link.yaml", "issues/link.yaml: is outside the workspace"),
        ("a\0b", "a?b: cannot be the name of a file; correct it"),
        ("x" * 300, "cannot be the name of a file"),
    ],
)
def test_an_issue_is_a_file_of_the_workspace(
    workspace: Path, settings: Settings, path: str, message: str
) -> None:
    (workspace / "issues/link.yaml").symlink_to("/etc/passwd")
    with pytest.raises(IssueError) as caught:
        load_issue(Path(path), settings)
    assert message in str(caught.value)


def test_a_relative_path_counts_from_here_or_from_the_workspace(
    load: Load, head: str, settings: Settings, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(head + "body: x\n")
    assert load_issue(Path(NAME), settings).path == NAME
    monkeypatch.chdir(workspace / "issues")
    assert load_issue(Path(NAME).relative_to("issues"), settings).path == NAME

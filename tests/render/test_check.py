from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailer.config import Settings, load_settings
from mailer.render.check import check_rendition
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext

LEAVE = Slot(("links.unsubscribe",), "", SlotContext.HREF)
GOOD = "<h1>T</h1><h2>S</h2><img src='x' alt=''><p id='here'><a href='#here'>up</a> <a href='"

Check = Callable[..., list[str]]


@pytest.fixture
def check(theme_files: Any, load: Any, settings: Settings) -> Check:
    def checked(
        html: str = "",
        *,
        text: str = "text",
        subject: str = "Subject",
        config: Settings | None = None,
        slots: bool = True,
    ) -> list[str]:
        rendition = Rendition(
            variant=0,
            language="en",
            subject=RenditionPart((subject,)),
            html=RenditionPart((GOOD, f"'>leave</a>{html}"), (LEAVE,)) if slots else RenditionPart((html,)),
            text=RenditionPart((text, ""), (replace(LEAVE, context=SlotContext.TEXT),))
            if slots
            else RenditionPart((text,)),
            web="",
            theme="",
        )
        return [
            str(problem)
            for problem in check_rendition(
                load("subject: S\nitems: [{title: T}]"), rendition, config or settings
            )
        ]

    return checked


def test_a_good_rendition_has_no_problems(check: Check) -> None:
    assert check() == []
    assert check("<style>{{ a > b }}</style><a name='x'></a>") == []


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        (
            "x" * 85_000,
            "issues/test.yaml: warning: the HTML part has 85 KB; Gmail hides everything after 100 KB",
        ),
        ("报" * 34_000, "issues/test.yaml: the HTML part has 102 KB; Gmail hides everything after 100 KB"),
        ("<img src='a.png'>", "issues/test.yaml: the picture a.png has no alt text"),
        (
            "<a href='https://a.test/'><img src='x' alt=''></a>",
            "warning: the link to https://a.test/ has no text",
        ),
        ("<a href=''></a>", "warning: the link to nowhere has no text"),
        ("<a href='page'>x</a>", 'a link leads to "page"; it must begin with https://'),
        ("<a href='#'>x</a>", 'a link leads to "#"; it must begin'),
        ("<a href='javascript:x'>x</a>", 'a link leads to "javascript:x"'),
        ("<a href='#gone'>x</a>", "warning: the link to #gone leads to nothing in the mail"),
        ("<h4>x</h4><h6>y</h6>", "warning: <h4> stands after <h2>; heading levels must not be skipped"),
    ],
)
def test_what_is_wrong_with_the_html_is_told(check: Check, html: str, problem: str) -> None:
    assert [found for found in check(html) if problem in found], check(html)


def test_links_with_a_picture_or_a_label_have_a_text(check: Check) -> None:
    assert (
        check(
            "<a href='https://a.test'><img src='x' alt='T'></a><a href='https://b.test' aria-label='L'></a>"
        )
        == []
    )


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        (" ", "issues/test.yaml:3: the subject must not be empty"),
        ("港" * 60, "issues/test.yaml:3: warning: the subject takes 120 columns"),
    ],
)
def test_what_is_wrong_with_the_subject_is_told(check: Check, subject: str, problem: str) -> None:
    assert [found for found in check(subject=subject) if problem in found]


def test_what_is_wrong_with_the_text_part_is_told(check: Check) -> None:
    assert ["longer than 998 bytes" in found for found in check(text="报" * 400)] == [True]
    assert [found.rpartition(": ")[2] for found in check("<h1>x</h1>", text=" ", slots=False)] == [
        "the plain-text part is empty; correct the text template of the layout",
        "the HTML part has no unsubscribe link; put links.unsubscribe into its template",
        "the plain-text part has no unsubscribe link; put links.unsubscribe into its template",
    ]


def test_the_first_heading_should_be_of_the_first_level(check: Check) -> None:
    assert any("<h2> stands as the first heading" in found for found in check("<h2>x</h2>", slots=False))


def test_colours_that_cannot_be_read_are_told(check: Check, workspace: Path) -> None:
    path = workspace / "mailer.toml"
    path.write_text(path.read_text("utf-8") + '\n[brand]\naccent = "#ffcc00"\n', "utf-8")
    assert check(config=load_settings(workspace)) == [
        "mailer.toml: warning: brand.accent #ffcc00 on brand.paper #ffffff has a contrast of 1.5:1; "
        "text must have at least 4.5:1; choose other colours"
    ]

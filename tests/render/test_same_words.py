"""The words that a reader sees are those that were typed: in the mail, on the web page and in the text part.

`MAILER_TEST_WORDS=10000` tries as many issues; otherwise 300 are tried.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from mailer.config import Settings
from mailer.issue.load import load_issue
from mailer.render.html.mrml_escapes import EscapedMjml
from mailer.render.render import render_variants
from tests.typed import Field, TypedIssue, issues, tokens

AMOUNT = int(os.environ.get("MAILER_TEST_WORDS", "180"))

_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "code",
        "del",
        "em",
        "font",
        "i",
        "img",
        "kbd",
        "mark",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "u",
    ]
)
_HIDDEN = frozenset(("style", "script", "title"))


class Words(HTMLParser):
    """The words of a page as they are read: blocks and line breaks separate them, inline tags do not."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.stack: list[tuple[str, bool]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.pieces.append(" ")
        if tag in ("br", "img", "hr", "meta", "link", "input", "wbr", "col"):
            return
        ours = "rowlabel" in (dict(attrs).get("class") or "").split()
        self.stack.append((tag, ours or tag in _HIDDEN))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.pieces.append(" ")
        while self.stack and any(each == tag for each, _ in self.stack):
            if self.stack.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if not any(hidden for _, hidden in self.stack):
            self.pieces.append(data)

    @property
    def text(self) -> str:
        """All of the words."""
        return "".join(self.pieces)


class Attributes(HTMLParser):
    """The attributes of each tag of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[list[tuple[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(attrs)


def words_of_text(text: str) -> str:
    """The words of a text part: without addresses, the numbers of lists and what begins a line."""
    text = re.sub(r"(?:https?://|mailto:)[!-~]+", " ", text)
    return re.sub(r"(?m)^(?:\s|[>|•])*(?:[0-9]+\.\s)?", " ", text)


def slices(found: list[str], field: Field) -> list[list[str]]:
    """What stands from each first word of a field to its last one."""
    first, last = field.words[0], field.words[-1]
    starts = [number for number, token in enumerate(found) if token == first]
    return [found[start : found.index(last, start) + 1] for start in starts if last in found[start:]]


def check(workspace: Path, config: Settings, typed: TypedIssue) -> None:
    """Fails where a medium has other words than were typed."""
    path = workspace / "issues" / "typed.yaml"
    path.write_text(typed.yaml, "utf-8")
    rendition = render_variants(load_issue(path, config), config, slug="x", variants=(0,))[0]
    pages = {"mail": Words(rendition.html.fill({})).text, "web": Words(rendition.web).text}
    for name, page in pages.items():
        left = re.search(r"[*`]|~~|\]\[|\]\(", page)
        assert not left, (name, page[max(0, left.start() - 40) : left.end() + 40])
    mail, web = tokens(pages["mail"]), tokens(pages["web"])
    text, subject = tokens(words_of_text(rendition.text.fill({}))), tokens(rendition.subject.fill({}))
    for number, field in enumerate(typed.fields):
        media = {"subject": subject} if number == 0 else {"mail": mail}
        if number > 1:
            media |= {"web": web, "text": text}
        for name, found in media.items():
            said = slices(found, field)
            assert said, (name, field.source)
            for each in said:
                assert each == list(field.words), (name, field.source)


def test_a_line_end_that_mrml_drops_is_noticed(
    workspace: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the hand-over to MRML the words of the mail are others."""
    words = "Qa1zq Qe1zq", "**harbour**\n  [cranes](https://www.example.org/)"
    text = f"edition: morning\ndate: 2026-11-21\nsubject: {words[0]}\nitems: [{{title: T}}]\n"
    text += f"intro: |\n  Qa2zq {words[1]} Qe2zq\n"
    said = (Field(words[0], ("Qa1zq", "Qe1zq")), Field("", ("Qa2zq", "harbour", "cranes", "Qe2zq")))
    typed = TypedIssue(text, "morning", "en", said)
    check(workspace, settings, typed)
    monkeypatch.setattr(EscapedMjml, "of", lambda typed: EscapedMjml(typed, typed, typed))
    with pytest.raises(AssertionError, match="mail"):
        check(workspace, settings, typed)


@settings(
    max_examples=AMOUNT,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(typed=issues())
def test_words_are_the_same_everywhere(workspace: Path, settings: Settings, typed: TypedIssue) -> None:
    check(workspace, settings, typed)


@pytest.mark.parametrize("layout", ["morning", "feature"])
def test_a_text_about_markup_keeps_its_words(workspace: Path, settings: Settings, layout: str) -> None:
    """What is taken out of the HTML of MRML stands in its tags: a text may show the same declarations."""
    shown = '<td class="s" style="word-break:break-word; margin:0 auto; outline:none; color: red">'
    path = workspace / "issues" / "markup.yaml"
    path.write_text(
        f"edition: {layout}\ndate: 2026-11-21\nlanguage: en\ntitle: 'T {shown} t'\n"
        f"intro: 'I `{shown}` i'\nitems:\n"
        f"- title: 'A {shown} b'\n  body: 'B `{shown}` b'\n  comment: |\n    ```\n    {shown}\n    ```\n",
        "utf-8",
    )
    rendition = render_variants(load_issue(path, settings), settings, slug="x", variants=(0,))[0]
    mail, web = rendition.html.fill({}), rendition.web
    for text in (Words(mail).text, Words(web).text, words_of_text(rendition.text.fill({}))):
        assert " ".join(text.split()).count(shown) >= 5
    labels = [dict(attrs).get("aria-label") for attrs in Attributes(mail).found]
    assert f"T {shown} t" in labels

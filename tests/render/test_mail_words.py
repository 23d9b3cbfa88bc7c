"""What stands in a template's text and attributes is what an HTML parser reads in the finished mail."""

from __future__ import annotations

import html
import re
import shutil
import string
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from mjml import mjml2html

from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.render.html import mrml_escapes as handover
from mailer.render.html.inline import inline_styles
from mailer.render.html.mrml_escapes import EscapedMjml
from mailer.render.render import render_variants
from tests.full_issue import ROOT

PAGE = (
    "<mjml><mj-head><mj-title>{title}</mj-title>\n<mj-preview>{title}</mj-preview></mj-head>\n"
    "<mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
)
BLOCKS = set("p ul ol li table tbody tr td th pre blockquote div h2 hr br".split())  # noqa: SIM905
ADDRESSES = ("href", "src")

Event = tuple[Any, ...]


class Reading(HTMLParser):
    """The tags, attribute values and texts of some HTML in order, white space as HTML shows it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[Event] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: _value(name, value or "") for name, value in attrs if name != "style"}
        self.found.append((tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "#text":
            data = self.found.pop()[1] + data
        self.found.append(("#text", data))

    def spot(self, number: int) -> list[Event]:
        """What stands in the element that is marked with a number."""
        start = next(
            i
            for i, e in enumerate(self.found)
            if len(e) == 2 and _marks(e[1]).get("data-spot") == str(number)
        )
        name, depth = self.found[start][0], 0
        for end in range(start, len(self.found)):
            depth += (self.found[end][0] == name) - (self.found[end][0] == f"/{name}")
            if depth == 0:
                return list(_shown(self.found[start + 1 : end]))
        raise AssertionError("the spot has no end")

    def text_of(self, name: str) -> str:
        """The text right behind the first start tag of that name."""
        at = next(i for i, event in enumerate(self.found) if event[0] == name and len(event) == 2)
        event = self.found[at + 1]
        return str(event[1]) if event[0] == "#text" else ""


def _marks(values: Any) -> dict[str, str]:
    return values if isinstance(values, dict) else {}


def _value(name: str, value: str) -> str:
    """An address as browsers read it: no white space around it, no line ends, percent-encoded."""
    if name not in ADDRESSES:
        return value
    return quote(re.sub("[\t\n\r]+", "", value.strip("\t\n\r ")), safe=string.punctuation)


def _shown(events: list[Event]) -> Iterator[Event]:
    """Runs of white space are one space, and none beside a block, except within <pre>."""
    kept = 0
    for index, event in enumerate(events):
        kept += (event[0] == "pre") - (event[0] == "/pre")
        if event[0] == "#text" and not kept:
            text = re.sub("[\t\n\f\r ]+", " ", event[1])
            before = events[index - 1][0] if index else "div"
            after = events[index + 1][0] if index + 1 < len(events) else "div"
            if before.removeprefix("/") in BLOCKS:
                text = text.removeprefix(" ")
            if after.removeprefix("/") in BLOCKS:
                text = text.removesuffix(" ")
            if text:
                yield "#text", text
        else:
            yield event


#: A piece a line.
WORDS = """\
word
Жизнь
港口夜景
ガイド
हिन्दी में
ภาษาไทย
العَرَبِيَّة
תּוֹרָה
한국어
Việt
👩‍👩‍👧
☕️
1️⃣
🇨🇳
\\
\\n
C:\\quay
\\u{3000}
"
'
“q”
<
>
&
]]>
-->
&amp;
&#10;
{{ x }}
{%
[y]
%20
100％
…—·""".splitlines()
SPACES = [
    "\u3000",
    "\u00a0",
    "\u00ad",
    "\u200d",
    "\u200b",
    "\ufe0f",
    "\u2028",
    "\u2029",
    "\u2003",
    "\u202f",
    "\u200f",
]
BREAKS = [
    " ",
    "\n",
    "\t",
    "  ",
    "\n\n",
    "\r\n",
    "\n \n",
    " \n",
    "\n\u3000\n",
    "\n\u00a0",
    "\n\u2003\n",
    "\n\u2028",
]
LETTERS = "aéßЖ中国の가हिغא\u05b8ไ์👍🏽é\u0301ﬁ\ufeff\U000e0067𝒳"
JOINTS = ["", *BREAKS, "\n", "\n", "\n<!-- c -->\n"]
#: Between the entries of lists, rows and cells HTML has no text.
BLANKS = ["", "\n", " ", "\n\n", "\t", "\r\n", "\n<!-- c -->\n"]
MARKS = ("em", "strong", "b", "code", "s", "sub", "kbd", "small", "span", "a")


def attribute(name: str, value: str, single: bool = False) -> str:
    if single:
        return f" {name}='" + value.replace("&", "&amp;").replace("'", "&#39;") + "'"
    return f' {name}="{html.escape(value, quote=False).replace(chr(34), "&quot;")}"'


class Writer:
    """Makes HTML of every kind that may stand in a template. Strategies nested as deep would take minutes."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def value(self) -> str:
        return "".join(self.random.choices([*WORDS, *SPACES, *BREAKS, *LETTERS], k=self.random.randrange(6)))

    def text(self) -> str:
        words = self.random.choices([*WORDS, *SPACES, *LETTERS, " "], k=self.random.randint(1, 4))
        return html.escape("".join(words), quote=False)

    def attributes(self, *names: str) -> str:
        return "".join(attribute(name, self.value(), self.random.random() < 0.3) for name in names)

    def element(self, name: str, inside: str, *attributes: str) -> str:
        return f"<{name}{self.attributes(*attributes)}>{inside}</{name}>"

    def joined(self, part: Callable[[int], str], depth: int, joints: Sequence[str] = JOINTS) -> str:
        pieces = [self.random.choice(joints) + part(depth - 1) for _ in range(self.random.randint(1, 3))]
        return "".join(pieces) + self.random.choice(joints)

    def marked(self, depth: int, marks: tuple[str, ...] = MARKS) -> str:
        if depth <= 0 or self.random.random() < 0.3:
            image = f"<img{self.attributes('alt', 'title', 'src')} />"
            return self.random.choice(
                [self.text(), self.text(), image, "<br>", "<br />", "&nbsp;", "&#12288;"]
            )
        name = self.random.choice(marks)
        inner = tuple(mark for mark in marks if mark not in ("a", name))
        names = {"a": ("href", "title", "aria-label"), "span": ("title", "lang", "class")}.get(name, ())
        return self.element(name, self.joined(lambda d: self.marked(d, inner), depth), *names)

    def inline(self, depth: int = 3) -> str:
        return self.joined(self.marked, depth)

    def rows(self, depth: int = 2) -> str:
        def cell(depth: int) -> str:
            return self.element(self.random.choice(["td", "th"]), self.inline(depth), "title")

        return self.joined(lambda d: self.element("tr", self.joined(cell, d + 1, BLANKS)), depth, BLANKS)

    def item(self, depth: int) -> str:
        inside = self.inline(depth) if self.random.random() < 0.6 else self.joined(self.block, depth)
        return self.element("li", inside)

    def block(self, depth: int = 3) -> str:
        name = self.random.choice(
            ["p", "p", "h2", "pre", "code", "hr", "ul", "ol", "blockquote", "div", "table"]
        )
        if name == "hr":
            return "<hr />"
        if name == "code":
            return self.element("pre", self.element("code", self.random.choice(JOINTS) + self.inline(2)))
        if depth <= 0 or name in ("p", "h2", "pre"):
            return self.element("pre" if name == "pre" else "p", self.inline(depth), "title", "id")
        if name in ("ul", "ol"):
            return self.element(name, self.joined(self.item, depth, BLANKS))
        if name == "table":
            return self.element(name, self.rows())
        return self.element(name, self.joined(self.block, depth), "title")

    def pieces(self) -> dict[str, str]:
        return {
            "title": self.text(),
            "text": self.joined(self.block, 3),
            "button": self.inline(),
            "raw": self.joined(self.block, 3),
            "table": self.rows(),
            "image": self.attributes("alt", "title", "href", "src"),
            "link": self.attributes("href"),
        }


PIECES = st.integers(0, 2**32).map(lambda seed: Writer(Random(seed)).pieces())
MANY = settings(max_examples=100, deadline=None)


def markup_of(pieces: dict[str, str]) -> str:
    body = (
        f'<mj-text>\n<div data-spot="1">{pieces["text"]}</div>\n</mj-text>'
        f'<mj-button{pieces["link"]}><span data-spot="2">{pieces["button"]}</span></mj-button>\n'
        f'<mj-raw><div data-spot="3">{pieces["raw"]}</div></mj-raw>'
        f'<mj-table><tr><td data-spot="4"><table>{pieces["table"]}</table></td></tr></mj-table>\n'
        f"<mj-image{pieces['image']} />"
    )
    return PAGE.format(title=html.escape(pieces["title"], quote=False), body=body)


def read_the_same(pieces: dict[str, str]) -> None:
    typed = markup_of(pieces)
    before = Reading(typed.replace("\r\n", "\n"))
    after = Reading(inline_styles(mjml2html(EscapedMjml.of(typed).text, fonts={})))
    for number in (1, 2, 3, 4):
        # HTML needs no end of an entry before the next one, and an empty entry is written without.
        read = [event for event in after.spot(number) if event[0] not in ("tbody", "/tbody", "/li")]
        expected = [event for event in before.spot(number) if event[0] != "/li"]
        for event, wanted in zip(read, expected, strict=True):
            assert event[:1] == wanted[:1]
            if event[0] == "#text":
                assert event == wanted
            elif len(wanted) == 2:
                assert {name: event[1].get(name) for name in wanted[1]} == wanted[1]
    assert after.text_of("title").split() == before.text_of("mj-title").split()
    (image,) = [event[1] for event in before.found if event[0] == "mj-image"]
    shown = [event[1] for event in after.found if event[0] == "img"][-1]
    assert {name: shown[name] for name in ("alt", "title", "src")} == {
        n: image[n] for n in ("alt", "title", "src")
    }
    links = [event[1]["href"] for event in after.found if event[0] == "a"]
    assert links[-1] == image["href"]
    (button,) = [event[1] for event in before.found if event[0] == "mj-button"]
    assert button["href"] in links


@MANY
@given(PIECES)
def test_every_word_and_value_of_a_template_reaches_the_reader(pieces: dict[str, str]) -> None:
    read_the_same(pieces)


def test_an_empty_entry_of_a_list_may_be_written_without_its_end() -> None:
    read_the_same(Writer(Random(705097)).pieces())


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=30))
def test_any_character_reaches_the_reader(value: str) -> None:
    image = f'<mj-image{attribute("alt", value)}{attribute("title", value, single=True)} src="x.png" />'
    words = html.escape(value, quote=False)
    typed = PAGE.format(title="T", body=f'{image}<mj-text><pre data-spot="1">.{words}</pre></mj-text>')
    read = Reading(inline_styles(mjml2html(EscapedMjml.of(typed).text, fonts={})))
    kept = value.translate(dict.fromkeys([0xFFFE, 0xFFFF]))  # no HTML can hold these
    assert [e[1]["alt"] for e in read.found if e[0] == "img"] == [kept]
    assert [e[1]["title"] for e in read.found if e[0] == "img"] == [kept]
    assert read.text_of("pre") == f".{kept}"


def test_without_the_hand_over_words_and_values_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_edits_that_escape", lambda _text: iter(()))
    few = settings(MANY, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        few(given(PIECES)(read_the_same))()


EMAIL = """\
<mjml><mj-body><mj-section><mj-column><mj-text>
<p title="　{{ subscriber.name }}\\">{{ issue.intro }}</p>
<pre><b>{{ subscriber.name }}</b>
<i>{{ subscriber.email }}</i></pre><a href="https://e.org/é/{{ subscriber.name }}
?q=　">{{ subscriber.name }}</a>
<b title='"'>{{ subscriber.email }}</b>
</mj-text><mj-button href="{{ links.unsubscribe }}">　x</mj-button></mj-column></mj-section></mj-body></mjml>
"""


def test_slots_stand_where_they_were_written(render: Any) -> None:
    intro = '"**{{ subscriber.name or \\"全角　読者\\" }}**\\n*{{ subscriber.email }}*"'
    page = render(f"intro: {intro}\nitems: [{{title: One}}]", **{"email/morning.mjml": EMAIL}).html
    assert [slot.context.value for slot in page.slots] == (
        ["attribute", "html", "html", "html", "html", "url", "html", "html", "href"]
    )
    values = {"subscriber.email": "<a@e.org>", "links.unsubscribe": "https://u.example.org/"}
    filled = page.fill(values)
    assert '<p title="　\\">' in filled
    assert "<strong>全角　読者</strong> <em>&lt;a@e.org&gt;</em>" in filled
    assert "<pre><b></b>\n<i>&lt;a@e.org&gt;</i></pre>" in filled
    assert 'href="https://e.org/%C3%A9/?q=%E3%80%80"' in filled
    assert "</a> <b title='\"'>&lt;a@e.org&gt;</b>" in filled


ISSUE = """\
edition: {edition}
date: 2026-11-23
title: Marks and pictures
items:
  - title: 货轮　靠岸
    url: https://www.example.org/船/हिन्दी
    image: {{src: quay.png, alt: "全角　空格 C:\\\\quay \\\\n 👩‍👩‍👧 ☕️ हिन्दी ไทย العَرَبِيَّة תּוֹרָה", caption: K}}
    body: |
      Today **bold**
      *italic*
      [one](https://www.example.org/1 "标题　\\\\ é")
      [two](https://www.example.org/2)
      `code`
      ~~gone~~
      ![灯　塔&nbsp;x](quay.png)
      end.

      ![全　角
      &nbsp;y](quay.png)

      ```
          indented

      \tlast   one
      ```
"""


@pytest.mark.parametrize("edition", ["morning", "evening", "feature"])
def test_the_built_in_layouts_say_what_the_web_page_says(tmp_path: Path, edition: str) -> None:
    (tmp_path / "issues").mkdir()
    shutil.copy(ROOT / "mailer.toml", tmp_path)
    shutil.copytree(ROOT / "issues" / "pictures", tmp_path / "issues" / "pictures")
    shutil.copy(ROOT / "issues" / "pictures" / "harbour.png", tmp_path / "issues" / "quay.png")
    path = tmp_path / "issues" / "x.yaml"
    path.write_text(ISSUE.format(edition=edition), "utf-8")
    configuration = load_settings(tmp_path)
    found = render_variants(load_issue(path, configuration), configuration, slug="x", variants=[0])[0]
    mail, web = Reading(found.html.fill({})), Reading(found.web)
    for page in (mail, web):
        words = "".join(event[1] for event in page.found if event[0] == "#text")
        assert "Today bold italic one two code gone end." in " ".join(words.split())
        assert "    indented\n\n\tlast   one\n" in words
    for name in ("alt", "title"):
        read, shown = (
            {
                values[name]
                for _, *rest in page.found
                for values in rest
                if isinstance(values, dict) and values.get(name)
            }
            for page in (mail, web)
        )
        assert read == shown
    assert "全角　空格 C:\\quay \\n 👩‍👩‍👧 ☕️ हिन्दी ไทย العَرَبِيَّة תּוֹרָה" in {
        e[1].get("alt") for e in mail.found if e[0] == "img"
    }
    alternatives = {e[1].get("alt") for e in mail.found if e[0] == "img"}
    assert {"灯　塔\u00a0x", "全　角 \u00a0y"} <= alternatives
    addresses = {e[1].get("href") for e in mail.found if e[0] == "a"}
    assert _value("href", "https://www.example.org/船/हिन्दी") in addresses

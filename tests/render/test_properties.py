"""What no value of a reader and no text of an editor can do, tried with many of them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from mailer.config import Settings
from mailer.errors import InputError
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart

EMAIL = """\
<mjml><mj-head><mj-title>{{ subscriber.name }}</mj-title>
<mj-preview>{{ subscriber.name }}</mj-preview></mj-head>
<mj-body><mj-section><mj-column><mj-text>
<p title="{{ subscriber.name }}" lang='{{ subscriber.attributes.a }}'>
{{ subscriber.name }} {{ issue.intro }}</p>
<a href="{{ subscriber.attributes.a }}">x</a>
<a href="https://a.test/?q={{ subscriber.name }}&amp;r=1">y</a>
<a href="{{ links.unsubscribe }}" title="say &quot;{{ subscriber.name }}&quot;">z</a>
<img src="https://a.test/{{ subscriber.name }}.png" alt="{{ subscriber.name }}"/>
</mj-text><mj-button href="{{ subscriber.attributes.a }}">{{ subscriber.name }}</mj-button>
<mj-image src="{{ subscriber.attributes.a }}" alt="{{ subscriber.name }}" />
</mj-column></mj-section></mj-body></mjml>"""

#: A piece a line.
_HOSTILE = """\
"
'
<
>
&
&quot;
</title>
<!--
-->
]]>
javascript:
https://x.test/
{{ subscriber.email }}
{{
{%
<script>alert(1)</script>
slot
`
\\
#
-
**
| a |
|---|
![x](y)
[x](https://a.test)
[x](javascript:y)
```
&#60;b&#62;
<b onclick=x>"""
_BREAKS = ["\r\n", "\n.\r\n", "\n\n", "\0", "\u2028", "\ud800", " ", "﷽", "\t"]
_PIECES = st.one_of(st.sampled_from([*_HOSTILE.splitlines(), *_BREAKS]), st.text(max_size=5))
VALUES = st.lists(_PIECES, max_size=8).map("".join)
#: What YAML cannot hold and what the model of an issue refuses is left out.
_WORDS = [word for word in _HOSTILE.splitlines() if not word.startswith("{{") and "(y)" not in word]
_LETTERS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Co", "Zl", "Zp")), max_size=5
)
LINES = st.lists(st.one_of(st.sampled_from(_WORDS), _LETTERS), min_size=1, max_size=8).map(" ".join)
TEXTS = st.lists(LINES, max_size=5).map("\n".join)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Shape(HTMLParser):
    """The tags and attribute names of a page, in order, and the texts and values apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(("/" + tag,))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!--", data))


def hand_in(root: Path, **keys: Any) -> Path:
    path = root / "issues" / "test.yaml"
    data = {"edition": "morning", "date": "2026-11-21", **keys}
    path.write_text(yaml.safe_dump(data, allow_unicode=False), "utf-8")
    return path


@pytest.fixture
def rendition(theme_files: Any, workspace: Path, settings: Settings) -> Rendition:
    """A page with a slot in every context."""
    slot = '{{ subscriber.name or "you" }}'
    theme_files(
        **{"email/morning.mjml": EMAIL, "text/morning.txt": "{{ issue.intro }}|{{ subscriber.name }}|end"}
    )
    path = hand_in(
        workspace, subject=f"Hi {slot}!", intro=f"*{slot}* [x](https://a.test/{slot})", items=[{"title": "T"}]
    )
    return render_variants(load_issue(path, settings), settings, slug="x", variants=(0,))[0]


@FEW
@given(name=VALUES, attribute=VALUES)
def test_no_value_of_a_reader_leaves_its_place(rendition: Rendition, name: str, attribute: str) -> None:
    harmless = {
        "subscriber.name": "x",
        "subscriber.attributes.a": "https://x.test/",
        "links.unsubscribe": "https://u.test/",
    }
    hostile = {**harmless, "subscriber.name": name, "subscriber.attributes.a": attribute}
    benign, filled = Shape(rendition.html.fill(harmless)), Shape(rendition.html.fill(hostile))
    assert filled.tags == benign.tags
    for (_, attribute_name, value), (_, _, expected) in zip(
        filled.attributes, benign.attributes, strict=True
    ):
        if attribute_name in ("href", "src"):
            assert re.match(r"https?://|#$", value), value
        if attribute_name == "href" and expected.startswith("https://a.test/?q="):
            assert re.fullmatch(r"https://a\.test/\?q=[^&#\"'<> ]*&r=1", value)
    unwrapped = RenditionPart(rendition.text.fragments, rendition.text.slots).fill(hostile)
    assert unwrapped.count("\n") == rendition.text.fill(harmless).count("\n")
    text = rendition.text.fill(hostile)
    assert "".join(text.split()) == "".join(unwrapped.split())
    assert text.endswith("|end\n")
    assert re.search(r"x\s<https://a\.test/[^<>\s]*>\|", text)
    subject = rendition.subject.fill(hostile)
    assert subject.startswith("Hi ")
    assert not re.search("[\x00-\x1f\x7f\u0085\u2028\u2029]", subject)


_TAGS = set(
    "p br strong em s code pre blockquote ul ol li a h2 h3 h4 h5 h6 hr table thead tbody tr th td img".split()  # noqa: SIM905
)
_ATTRIBUTES = set("href title target rel src alt width height class start align id cellpadding".split())  # noqa: SIM905


def rendered(path: Path, settings: Settings) -> Rendition | None:
    """The rendition, or None where the issue is refused in sentences with their places."""
    try:
        loaded = load_issue(path, settings)
        rendition = render_variants(loaded, settings, slug="x", variants=(0,))[0]
        again = render_variants(loaded, settings, slug="x", variants=(0,))[0]
    except InputError as error:
        places = {problem.path for problem in error.problems}
    else:
        assert again == rendition
        return rendition
    assert places == {"issues/test.yaml"}
    return None


@FEW
@given(keys=st.fixed_dictionaries({"intro": VALUES, "title": VALUES, "body": VALUES, "notice": VALUES}))
def test_any_text_of_an_editor_is_rendered_or_refused_in_sentences(
    theme_files: Any, workspace: Path, settings: Settings, keys: dict[str, str]
) -> None:
    rendered(hand_in(workspace, **keys), settings)


@FEW
@given(intro=TEXTS, body=TEXTS, title=LINES)
def test_no_text_of_an_editor_adds_a_tag_that_is_not_allowed(
    theme_files: Any, workspace: Path, settings: Settings, intro: str, body: str, title: str
) -> None:
    page = '<main title="{{ issue.title }}">{{ issue.intro }}{{ issue.body }}</main>'
    theme_files(**{"web/morning.html": page})
    items = [{"title": "T", "body": body}]
    rendition = rendered(
        hand_in(workspace, title=title.strip() or "T", intro=intro, body=body, items=items), settings
    )
    event(f"rendered: {rendition is not None}")
    if rendition is None:
        return
    web = Shape(rendition.web)
    assert web.tags[0] == ("main", "title")
    assert web.tags[-1] == ("/main",)
    for tag, *names in web.tags[1:-1]:
        assert tag.removeprefix("/") in _TAGS
        assert set(names) <= _ATTRIBUTES
    for tag, name, value in web.attributes:
        if name in ("href", "src"):
            assert value.startswith(("https://", "http://", "mailto:")), (tag, value)

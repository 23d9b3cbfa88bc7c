"""Mails of issues, brands and templates that the samples do not have, in simulated clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from mailer.config import load_settings
from mailer.issue.load import load_issue
from tests.conftest import CONFIG
from tools.clients.facts import load_facts
from tools.clients.simulate import Client, clients, faults_of
from tools.screenshots import Shown, shown

pytestmark = pytest.mark.browser

SIMULATIONS = load_facts().simulations
WORD = "Hafenwirtschaftsförderungsausschussvorsitzender"
EDITIONS = "".join(
    f'\n[editions.{layout}]\nname = "{layout.title()} of the quay"\nlayout = "{layout}"\n'
    for layout in ("digest", "brief")
)
ISSUE = f"""\
date: 2026-11-21
language: en
intro: Good morning to [the quay](https://www.example.org/).
sections:
  - title: Ports
    items:
      - {{title: Cranes stand still, body: A quiet day., comment: So it is., source: Example Wire}}
      - title: Ferries rest
        body: The {WORD} and `{WORD}` said so.
        source: {{name: {WORD}, url: "https://www.example.org/"}}
      - {{title: Tugs too, url: "https://www.example.org/tugs", body: For a day.}}
  - title: Rails
    items:
      - {{title: Trains run, image: {{src: wide.png, alt: A train, caption: "{WORD}"}}}}
column: {{title: On tea, byline: Mei Lin, body: Tea is quiet.}}
call_to_action: {{label: Take part, url: "https://www.example.org/survey"}}
related: [{{title: Last week, url: "https://www.example.org/last"}}]
tags: [ports]
"""


@pytest.fixture
def client(browser: Browser) -> Iterator[Client]:
    with clients(browser) as opened:
        yield opened


def mail(
    root: Path, text: str = ISSUE, *, edition: str = "morning", brand: str = "", name: str = "Harbour Brief"
) -> Shown:
    """An issue of a workspace with these settings, and with what templates lie in it already."""
    (root / "issues").mkdir(parents=True, exist_ok=True)
    config = CONFIG.replace('"Harbour Brief"', f'"{name}"', 1).replace(
        "[delivery]", EDITIONS + "\n[delivery]"
    )
    (root / "mailer.toml").write_text(f"{config}\n[brand]\n{brand}", "utf-8")
    Image.new("RGB", (1200, 300), (120, 60, 30)).save(root / "issues" / "wide.png")
    path = root / "issues" / "odd.yaml"
    path.write_text(f"edition: {edition}\n{text}", "utf-8")
    return shown(load_issue(path, load_settings(root)), root)


def faults(client: Client, document: Shown, *checks: str, simulations: str = "plain no-style") -> list[str]:
    """The faults of these kinds at 320 px, each after the name of its simulation."""
    found: list[str] = []
    for key in simulations.split():
        client.show(document, SIMULATIONS[key], 320)
        found += [f"{key}: {fault}" for fault in faults_of(client.measure(320), frozenset(checks))]
    return found


@pytest.mark.parametrize("edition", ["morning", "digest", "brief"])
def test_long_words_break_without_style_elements(tmp_path: Path, client: Client, edition: str) -> None:
    """In compact lines, captions and the sentence of the footer, too."""
    document = mail(tmp_path, edition=edition, name=WORD)
    address = f"{WORD.lower()}@a-department-of-a-ministry.example.org"
    document = Shown("", document.mail.replace("lin@example.org", address), document.web, document.pictures)
    assert faults(client, document, "overflow", "overlap", simulations="plain no-style no-media") == []


@pytest.mark.parametrize("width", [36, 64, 120, 300, 600])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_logo_of_any_width_leaves_room_for_the_names(
    tmp_path: Path, client: Client, width: int, language: str
) -> None:
    text = ISSUE.replace("language: en", f"language: {language}").replace(WORD, "chair")
    document = mail(tmp_path, text, brand=f'logo = "issues/wide.png"\nlogo_width = {width}')
    found = faults(client, document, "overflow", "overlap", "words", simulations="plain no-style no-sizes")
    assert found == []
    client.show(document, SIMULATIONS["plain"], 680)
    assert faults_of(client.measure(680), frozenset(["overflow"])) == []


@pytest.mark.parametrize(
    "brand",
    [
        'accent = "#101010"\naccent_dark = "#202020"\nink = "#000000"\nbackground = "#111111"',
        'accent = "#eeee00"\naccent_dark = "#ffffff"\nink = "#888888"\nbackground = "#ffffff"',
        'accent = "#ff8866"\nink = "#eeeeee"\npaper = "#111111"\nbackground = "#000000"',
        'accent = "#123456"\nink = "#222222"\npaper = "#ffffff"\nbackground = "#808080"',
    ],
)
def test_text_is_legible_in_any_colours_of_a_brand(tmp_path: Path, client: Client, brand: str) -> None:
    document = mail(tmp_path, brand=brand)
    assert faults(client, document, "contrast", simulations="plain dark no-style") == []
    page = Shown("", document.web, "", document.pictures)
    assert faults(client, page, "contrast", simulations="plain dark") == []


def test_headlines_that_stand_alone_in_a_brief_have_room_for_a_thumb(tmp_path: Path, client: Client) -> None:
    items = "".join(
        f'  - {{title: Headline {n}, url: "https://www.example.org/{n}", '
        'source: {name: Wire, url: "https://www.example.org/"}}\n'
        for n in range(4)
    )
    document = mail(tmp_path, f"date: 2026-11-21\nlanguage: en\nitems:\n{items}", edition="brief")
    assert faults(client, document, "targets") == []


def test_the_name_of_a_section_breaks_at_a_comma_in_chinese(tmp_path: Path, client: Client) -> None:
    text = "date: 2026-11-21\nlanguage: zh\nsections:\n"
    for name in ("今天清晨，码头上的人们却说这是最安静的一天", "第二部分，铁路和公路上的人们却都在赶路"):
        text += f"  - {{title: {name}, items: [{{title: 一}}, {{title: 二}}]}}\n"
    for edition in ("digest", "brief"):
        assert faults(client, mail(tmp_path, text, edition=edition), "clauses", simulations="plain") == []


#: What templates of a workspace had in version 0.5.0.
EARLIER_STYLES = """\
<mj-style inline="inline">
h1, h2, h3 { margin: 0; font-weight: 700; }
.label { margin: 0; font-size: 13px; color: {{ brand.accent }}; }
.band .name, .band h1, .band p { color: {{ brand.paper }}; }
.foot a { color: {{ brand.ink }}; }
</mj-style>
<mj-style>
@media (prefers-color-scheme: dark) {
.edge, .edge > table { background: #0e0e10 !important; }
.paper, .paper > table { background: #171718 !important; }
}
</mj-style>
"""
EARLIER_CONTENTS = """\
<mj-text css-class="c" padding="22px 28px 0"><div class="bar"><p class="label">Today</p></div></mj-text>
"""
EARLIER_FOOTER = """\
<mj-section css-class="edge" background-color="{{ brand.background }}"><mj-column>
<mj-text css-class="foot" font-size="14px" color="{{ brand.ink }}">
<p>Why you get this. <a href="{{ links.unsubscribe }}">Unsubscribe</a></p>
</mj-text></mj-column></mj-section>
"""
EARLIER_LAYOUT = """\
{% set numbered = true %}
<mjml>{% include "email/partials/head.mjml" %}
<mj-body css-class="edge" background-color="{{ brand.background }}">
<mj-section css-class="band" background-color="{{ brand.ink }}"><mj-column>
{% include "email/partials/masthead.mjml" %}
<mj-text color="{{ brand.paper }}"><h1>{{ issue.title }}</h1><p class="label">{{ weekday }}</p></mj-text>
</mj-column></mj-section>
<mj-section css-class="paper"><mj-column>{% include "email/partials/contents.mjml" %}
{% include "email/partials/stories.mjml" %}</mj-column></mj-section>
{% include "email/partials/closing.mjml" %}{% include "email/partials/footer.mjml" %}</mj-body></mjml>
"""


@pytest.mark.parametrize(
    "templates",
    [
        {"partials/styles.mjml": EARLIER_STYLES},
        {"partials/contents.mjml": EARLIER_CONTENTS},
        {"partials/footer.mjml": EARLIER_FOOTER},
        {"morning.mjml": EARLIER_LAYOUT},
        {"morning.mjml": EARLIER_LAYOUT, "partials/styles.mjml": EARLIER_STYLES},
    ],
    ids=lambda templates: "+".join(templates),
)
def test_a_template_of_an_earlier_version_hides_no_word(
    tmp_path: Path, client: Client, templates: dict[str, str]
) -> None:
    for name, text in templates.items():
        path = tmp_path / "templates" / "email" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    document = mail(tmp_path)
    found = faults(client, document, "contrast", "overflow", "size", simulations="plain dark no-style")
    assert found == []
    client.show(document, SIMULATIONS["plain"], 320)
    hidden = client.page.evaluate(
        """[...document.querySelectorAll("body a[href], body p, h1, h2, h3")]
           .filter((each) => each.innerText.trim() && !each.getBoundingClientRect().height)
           .map((each) => each.innerText)"""
    )
    assert hidden == []
    assert "Unsubscribe" in client.page.inner_text("body")

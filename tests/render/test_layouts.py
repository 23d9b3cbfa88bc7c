"""The built-in layouts: all that an editor wrote is there, in markup that mail clients and readers need."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mailer.config import Settings, load_settings
from mailer.issue.load import load_issue
from mailer.render.check import check_rendition
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from mailer.render.text.wrap import display_width
from tests.full_issue import FULL_WORDS, ROOT, full_issue

LAYOUTS = ("morning", "evening", "feature")
SAMPLES = sorted((ROOT / "issues").glob("*.yaml"))
READER = {
    "subscriber.name": "林小满",
    "subscriber.email": "lin@example.org",
    "links.unsubscribe": "https://news.example.org/u/one.two",
    "links.preferences": "https://news.example.org/p/one.two",
}


class Page(HTMLParser):
    """What these tests ask about a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.tags if tag in names]

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.tags if attrs.get("id")]

    @property
    def headings(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.tags if re.fullmatch("h[1-6]", tag)]


def rendered(root: Path, path: Path) -> Rendition:
    settings = load_settings(root)
    return render_variants(load_issue(path, settings), settings, slug=path.stem, variants=[0])[0]


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


FULL = [(layout, sections) for layout in LAYOUTS for sections in (False, True)]


@pytest.fixture(scope="module", params=FULL, ids=lambda at: f"{at[0]}-{'sections' if at[1] else 'items'}")
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rendition:
    """The issue with every field, in each layout, once with items and once with sections."""
    layout, sections = request.param
    folder = tmp_path_factory.mktemp("full") / "desk"
    loaded = full_issue(folder, edition=layout, sections=sections)
    settings = load_settings(folder)
    rendition = render_variants(loaded, settings, slug="full", variants=[0])[0]
    assert check_rendition(loaded, rendition, settings) == ()
    return rendition


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda path: path.stem)
def sample(request: pytest.FixtureRequest) -> Rendition:
    return rendered(ROOT, request.param)


@pytest.fixture(scope="module", params=[*FULL, *SAMPLES], ids=str)
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rendition:
    """Each full issue and each sample."""
    if isinstance(request.param, Path):
        return rendered(ROOT, request.param)
    layout, sections = request.param
    folder = tmp_path_factory.mktemp("full") / "desk"
    loaded = full_issue(folder, edition=layout, sections=sections)
    return render_variants(loaded, load_settings(folder), slug="full", variants=[0])[0]


@pytest.mark.parametrize("medium", ["html", "text", "web"])
def test_nothing_that_an_editor_wrote_is_left_out(full: Rendition, medium: str) -> None:
    shown = full.web if medium == "web" else getattr(full, medium).fill(READER)
    assert [word for word in FULL_WORDS if word not in shown] == []


def test_a_section_has_its_title_and_intro_in_every_layout(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "desk"
    loaded = full_issue(folder, edition=layout, sections=True)
    rendition = render_variants(loaded, load_settings(folder), slug="full", variants=[0])[0]
    for shown in (rendition.html.fill(READER), rendition.text.fill(READER), rendition.web):
        assert "Sectiontitle" in shown
        assert "Sectionintro" in shown


@pytest.mark.parametrize("medium", ["html", "web"])
def test_headings_are_in_order_with_one_at_the_top(either: Rendition, medium: str) -> None:
    levels = Page(either.web if medium == "web" else either.html.fill(READER)).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    steps = itertools.pairwise(levels)
    assert all(after <= before + 1 for before, after in steps), levels


@pytest.mark.parametrize("medium", ["html", "web"])
def test_links_within_the_page_lead_somewhere(either: Rendition, medium: str) -> None:
    page = Page(either.web if medium == "web" else either.html.fill(READER))
    inner = [a["href"][1:] for a in page.all("a") if a.get("href", "").startswith("#")]
    assert [name for name in inner if page.ids.count(name) != 1] == []
    assert len(page.ids) == len(set(page.ids))


def test_the_contents_of_a_morning_edition_link_to_each_of_its_ten_stories() -> None:
    page = Page(rendered(ROOT, ROOT / "issues/2026-11-21-morning.yaml").html.fill(READER))
    linked = {a["href"] for a in page.all("a") if a.get("href", "").startswith("#")}
    assert linked == {f"#item-{n}" for n in range(1, 11)}


def test_pictures_have_an_alt_and_whole_numbers_for_sizes(either: Rendition) -> None:
    for image in Page(either.html.fill(READER)).all("img"):
        assert "alt" in image
        assert image["width"].isdecimal()
        assert int(image["width"]) <= 600
        assert image["height"].isdecimal()
        assert image["alt"] or image["width"] == "36", "only the logo, beside its name, says nothing"


def test_layout_tables_say_that_they_are_no_tables(sample: Rendition) -> None:
    html = sample.html.fill(READER)
    visible = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    data = len(re.findall(r"<thead", visible))
    silent = [t for t in Page(visible).all("table") if t.get("role") != "presentation"]
    assert len(silent) == data


def test_language_and_colour_schemes_are_declared(sample: Rendition) -> None:
    page = Page(sample.html.fill(READER))
    (root,) = page.all("html")
    assert root["lang"] == sample.language
    assert root["dir"] == "ltr"
    assert any(div.get("lang") == sample.language and div.get("dir") == "ltr" for div in page.all("div"))
    metas = {meta.get("name"): meta.get("content") for meta in page.all("meta")}
    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"


def test_risky_rules_stand_in_blocks_of_their_own(sample: Rendition) -> None:
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", sample.html.fill(READER), re.DOTALL)
    dark = [block for block in blocks if "prefers-color-scheme" in block]
    ogsc = [block for block in blocks if "[data-ogsc]" in block]
    assert len(dark) == len(ogsc) == 1
    assert dark != ogsc
    for block in (*dark, *ogsc):
        rules = [rule for rule in re.findall(r":[^:{};]+;", block) if "prefers" not in rule]
        assert rules
        assert all("!important" in rule for rule in rules)


def test_no_web_font_and_nothing_but_pictures_is_loaded(sample: Rendition) -> None:
    html = sample.html.fill(READER)
    assert "@import" not in html
    assert "@font-face" not in html
    assert "<link" not in html
    assert "<script" not in html
    sources = {image["src"].rpartition("/")[0] for image in Page(html).all("img")}
    assert sources == {f"https://news.example.org/archive/{_slug(sample)}/images"}


def _slug(rendition: Rendition) -> str:
    found = re.search(r"/archive/([^/\"]+)/", rendition.web)
    assert found
    return found[1]


def test_the_footer_says_who_why_and_how_to_leave(sample: Rendition) -> None:
    for shown in (sample.html.fill(READER), sample.text.fill(READER)):
        assert "12 Quay Street, Floor 3" in shown
        assert "lin@example.org" in shown
        assert READER["links.unsubscribe"] in shown
        assert READER["links.preferences"] in shown
        assert f"https://news.example.org/archive/{_slug(sample)}/" in shown


def test_the_text_part_ends_with_the_way_out(sample: Rendition) -> None:
    text = sample.text.fill(READER)
    assert text.endswith(f"{READER['links.unsubscribe']}\n")
    assert [line for line in text.splitlines() if display_width(line) > 78 and "http" not in line] == []


def test_the_web_page_is_nobodys(sample: Rendition) -> None:
    assert "/u/" not in sample.web
    assert "/p/" not in sample.web
    assert "lin@" not in sample.web
    page = Page(sample.web)
    shared = {meta.get("property"): meta.get("content", "") for meta in page.all("meta")}
    assert shared["og:title"]
    assert shared["og:description"]
    assert shared["og:image"].startswith("https://news.example.org/archive/")
    assert shared["og:url"] == f"https://news.example.org/archive/{_slug(sample)}/"
    assert not page.all("script")


def test_each_sample_is_light_for_gmail(sample: Rendition) -> None:
    assert len(sample.html.fill(READER).encode()) < 80 * 1024


def test_a_chinese_issue_speaks_chinese_throughout(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "desk"
    loaded = full_issue(folder, edition=layout, sections=True, language="zh")
    rendition = render_variants(loaded, load_settings(folder), slug="full", variants=[0])[0]
    for shown in (rendition.html.fill(READER), rendition.text.fill(READER), rendition.web):
        assert not re.search(
            r"\b(Unsubscribe|View in|Source:|Editor.s|Further|Filed|You receive|Read in|All issues"
            r"|Preferences|Web version|In this)\b"
            r"|[0-9] stor(y|ies)",
            shown,
        )


def test_every_word_of_the_theme_is_in_the_chinese_catalogue() -> None:
    used = set()
    for path in (ROOT / "templates").rglob("*"):
        if path.suffix in (".mjml", ".txt", ".html") and "pages" not in path.relative_to(ROOT).parts:
            text = path.read_text(encoding="utf-8")
            used |= set(re.findall(r"""\b(?:_|ngettext)\("((?:[^"])*)\"""", text))
    catalogue = (ROOT / "templates/locale/zh/LC_MESSAGES/mailer.po").read_text(encoding="utf-8")
    assert used
    assert [word for word in sorted(used) if f'msgid "{word}"' not in catalogue] == []


def test_an_edition_does_not_say_its_name_and_date_twice(tmp_path: Path) -> None:
    root = tmp_path / "desk"
    full_issue(root, edition="evening", sections=False)
    path = root / "issues/plain.yaml"
    path.write_text("edition: evening\ndate: 2026-11-21\nitems: [{title: One}]\n", encoding="utf-8")
    html = rendered(root, path).html.fill(READER)
    body = html[html.index("<body") : html.index("One</h2>")]
    assert re.findall(r"<h1[^>]*>([^<]*)</h1>", body) == ["Evening Brief"]
    words = re.sub(r"<[^>]*>", "", body)
    assert [words.count(word) for word in ("Evening Brief", "November 21", "Saturday")] == [1, 1, 1]


def test_a_brand_without_a_logo_has_its_name(tmp_path: Path) -> None:
    root = tmp_path / "desk"
    full_issue(root, edition="morning", sections=False)
    config = root / "mailer.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"^logo = .*$", "", text, flags=re.MULTILINE), encoding="utf-8")
    page = rendered(root, root / "issues/full.yaml")
    assert "Harbour Brief</div></td>" in page.html.fill(READER)
    assert 'width="36"' not in page.html.fill(READER)


def test_a_picture_of_another_site_is_shown_in_its_own_size(tmp_path: Path) -> None:
    root = tmp_path / "desk"
    full_issue(root, edition="morning", sections=False)
    path = root / "issues/far.yaml"
    path.write_text(
        "edition: morning\ndate: 2026-11-21\nitems:\n"
        "  - title: One\n    image: {src: 'https://www.example.org/far.png', alt: Far away}\n",
        encoding="utf-8",
    )
    page = rendered(root, path)
    (far,) = [image for image in Page(page.html.fill(READER)).all("img") if image["alt"] == "Far away"]
    assert "width" not in far
    assert "max-width:100%" in far["style"]
    assert "height" not in far


def test_an_address_is_the_same_in_the_mail_its_text_and_on_the_web(
    workspace: Path, settings: Settings
) -> None:
    path = workspace / "issues" / "addresses.yaml"
    path.write_text(
        "edition: morning\ndate: 2026-11-21\nintro: '[x](https://例え.jp/道?q=[1])'\n"
        "items:\n  - title: One\n    url: https://例え.jp/道?q=[2]&r=100%\n"
        "    source: {name: 例え.jp/港, url: https://例え.jp/港/}\n"
        "call_to_action: {label: Go, url: https://e.test/ä}\n"
        "related: [{title: 'https://e.test/ö', url: https://e.test/ö}, {title: W, url: 'https://www.e.test/w'}]\n",
        encoding="utf-8",
    )
    rendition = render_variants(load_issue(path, settings), settings, slug="x", variants=(0,))[0]
    text = rendition.text.fill(READER)
    for address in (
        "https://xn--r8jz45g.jp/%E9%81%93?q=%5B1%5D",
        "https://xn--r8jz45g.jp/%E9%81%93?q=%5B2%5D&r=100%25",
        "https://xn--r8jz45g.jp/%E6%B8%AF/",
        "https://e.test/%C3%A4",
        "https://e.test/%C3%B6",
        "https://www.e.test/w",
    ):
        found = re.findall(rf"(?:^|[<\s：]){re.escape(address)}(?=[>\s])", text, re.MULTILINE)
        assert len(found) == 1, address
        for html in (rendition.html.fill(READER), rendition.web):
            assert f'href="{address}"'.replace("&", "&amp;") in html, address
    assert "Go\nhttps://e.test/%C3%A4\n" in text
    assert "* https://e.test/%C3%B6\n" in text
    assert "\nhttps://e.test/ö" not in text

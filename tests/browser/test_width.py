"""Tables, code and long words in a real browser: nothing wider than a telephone, no word of a cell broken."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from mailer.config import TextByLanguage, load_settings
from mailer.issue.load import load_issue
from mailer.site.archive_pages import ListedEdition, ListedIssue, ListedMonth
from mailer.site.pages import ReaderPages
from mailer.site.plain_page import plain_page
from tests.conftest import CONFIG
from tools.screenshots import Shown, opened, shown

pytestmark = pytest.mark.browser

WIDTHS = (280, 320, 375, 414, 480, 640, 1280)
LONG = "https://www.example.org/" + "an/address/that/nobody/wants/to/read/aloud/" * 3 + "?campaign=x&medium=y"
WORD = "Hafenverwaltungsgebührenordnungsänderungsantragsformularausgabestelle" * 2

#: What is wrong at the present width: see the tests.
FAULTS = """
() => {
  const wide = [...document.querySelectorAll("body *")].filter((each) => each.checkVisibility()
      && !each.parentElement.closest(".scroll") && each.getBoundingClientRect().width > 0
      && (each.getBoundingClientRect().right > innerWidth + 0.5 || each.getBoundingClientRect().left < -0.5));
  const broken = [];
  for (const cell of document.querySelectorAll("table:has(> thead) :is(th, td)")) {
    if (!cell.checkVisibility()) continue;
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (getComputedStyle(node.parentElement).overflowWrap === "anywhere") continue;
      for (const word of node.data.matchAll(/[^\\s\\u2e80-\\u9fff\\uff00-\\uffef]+( [%€])?/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
        const tops = new Set(boxes.map((box) => Math.round(box.top)));
        if (tops.size > 1) broken.push(word[0]);
      }
    }
  }
  const astray = [];
  for (const table of document.querySelectorAll("table:has(> thead)")) {
    const heads = [...table.querySelectorAll("thead :is(th, td)")]
      .map((each) => getComputedStyle(each).textAlign);
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, number) => {
        const align = getComputedStyle(cell).textAlign;
        if (align !== heads[number]) astray.push([cell.textContent, align, heads[number]]);
      });
    }
  }
  return {
    scroll: document.scrollingElement.scrollWidth,
    wide: wide.map((each) => each.outerHTML.slice(0, 100)),
    broken, astray,
  };
}
"""

FREIGHT = """\
| Berth | Fee | Change | Tonnes | Agent |
|:--|--:|:-:|--:|---|
| Upper Reach – Mole 3 | 2,310.75 | +4.1 % | 23,456,789 | Representations |
| East–West | 77.00 | −12.5 % | 3,456,789 | Tide & Co. |
"""
NARROW = """\
| Tide | Height | Wind |
|:--|--:|:-:|
| 06:10–07:40 | 1.2 m | −3 % |
| low | 12,345 | +0.5 % |
"""
HAN = """\
| 码头 | 单价（美元） | 涨跌 | 吨数 | 备注 |
|:--|--:|--:|--:|---|
| 上湾—三号泊位 | 2,310.75 | +4.1% | 23,456,789 | 因台风改在星期四靠泊，请提前联系代理 |
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("width") / "desk"
    (root / "issues").mkdir(parents=True)
    (root / "mailer.toml").write_text(CONFIG.replace("Harbour Brief", WORD, 1), encoding="utf-8")
    return root


Write = Callable[..., Shown]


@pytest.fixture(scope="module")
def write(desk: Path) -> Write:
    """Renders an issue whose items have these bodies."""

    def made(*bodies: str, language: str = "en", field: str = "body", part: str = "en") -> Shown:
        lines = ["edition: evening", "date: 2026-11-26", f"language: {language}", "title: Widths", "items:"]
        for number, body in enumerate(bodies):
            lines += [f"  - title: Item {number}", f"    language: {part}", f"    {field}: |"]
            lines += ["      " + line for line in body.splitlines()]
        path = desk / "issues" / "widths.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return shown(load_issue(path, load_settings(desk)), desk)

    return made


Faults = Callable[[Page, int], dict[str, Any]]


@pytest.fixture(scope="module")
def faults() -> Faults:
    def found(page: Page, width: int) -> dict[str, Any]:
        page.set_viewport_size({"width": width, "height": 812})
        found: dict[str, Any] = page.evaluate(FAULTS)
        return found

    return found


def check(browser: Browser, faults: Faults, issue: Shown, *media: str) -> None:
    """Nothing is wider than the window, no word of a cell broken, no head astray, at any width."""
    for medium in media or ("mail", "web"):
        with opened(browser, getattr(issue, medium), issue.pictures, width=375, scheme="light") as page:
            for width in WIDTHS:
                if medium == "mail" and width < 320:
                    continue
                found = faults(page, width)
                assert found["wide"] == [], (medium, width)
                assert found["scroll"] <= width, (medium, width)
                assert found["broken"] == [], (medium, width)
                assert found["astray"] == [], (medium, width)


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_heads_stand_over_their_columns_and_no_number_is_broken(
    browser: Browser, faults: Faults, write: Write, language: str
) -> None:
    check(browser, faults, write(FREIGHT, NARROW, HAN, language=language, part=language))


def test_a_cell_of_each_alignment_is_where_it_was_typed(browser: Browser, write: Write) -> None:
    sides = (
        "() => [...document.querySelectorAll('table:has(> thead) tr')].map((row) => [...row.cells].map("
        "(cell) => getComputedStyle(cell).textAlign))"
    )
    table = "| a | b | c | d |\n|:--|:-:|--:|---|\n| x | x | 12 | x |\n"
    for language, mail, web in (
        ("en", ["left", "center", "right", "left"], ["start", "center", "right", "start"]),
        ("ar", ["right", "center", "right", "right"], ["start", "center", "right", "start"]),
    ):
        issue = write(table, part=language)
        for html, wanted in ((issue.mail, mail), (issue.web, web)):
            with opened(browser, html, {}, width=375, scheme="light") as page:
                assert page.evaluate(sides) == [wanted, wanted]


def generated(seed: int) -> str:
    """A table of words, numbers, dates, addresses and Chinese, in one to seven columns."""
    dice = random.Random(seed)
    cells: list[Callable[[], str]] = [
        lambda: f"{dice.choice('+−-')}{dice.random() * 100:.1f}{dice.choice([' %', '%', ' €', ''])}",
        lambda: f"{dice.randrange(10 ** dice.randrange(1, 12)):,}",
        lambda: f"{dice.randrange(10, 24)}:00–{dice.randrange(10, 24)}:30",
        lambda: f"2026-{dice.randrange(10, 13)}-{dice.randrange(10, 29)}",
        lambda: f"No. {dice.randrange(100)}/{dice.randrange(100)}",
        lambda: " ".join(
            "".join(dice.choices("aeimnorstMW", k=dice.randrange(1, 19))) for _ in range(dice.randrange(1, 9))
        ),
        lambda: "well-known **bold-faced WORDS** and `code-in/cells`",
        lambda: "".join(dice.choices("港口运价上调，下湾。（美元）", k=dice.randrange(1, 20))),
        lambda: f"北区{dice.randrange(9999)}箱 up 3.5 % on {dice.randrange(1000)} 000 t",
        lambda: f"https://example.org/{dice.randrange(10**30)}",
        lambda: "한국어 부산항 컨테이너 운임",
        lambda: "",
    ]
    width = dice.randrange(1, 8)
    kinds = dice.choices(cells, k=width)
    rows = [[dice.choice(cells)() for _ in range(width)]]
    rows += [[kind() if dice.random() < 0.8 else dice.choice(cells)() for kind in kinds] for _ in range(3)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "|".join(dice.choices([":--", "--:", ":-:", "---"], k=width)) + "|")
    return "\n".join(lines)


def test_tables_of_any_words_are_whole_at_any_width(browser: Browser, faults: Faults, write: Write) -> None:
    check(browser, faults, write(*(generated(seed) for seed in range(24))))


def test_tables_within_lists_quotations_and_comments_fit_too(
    browser: Browser, faults: Faults, write: Write
) -> None:
    def within(table: str, first: str, rest: str) -> str:
        lines = table.splitlines()
        return "\n".join([first + lines[0], *(rest + line for line in lines[1:])])

    bodies = [
        within(generated(seed), first, rest)
        for seed in range(4)
        for first, rest in (("- ", "  "), ("> ", "> "))
    ]
    check(browser, faults, write(*bodies))
    check(browser, faults, write(*(generated(seed) for seed in range(8)), field="comment"))


LONG_PARTS = f"""\
subject: A day of long words
preheader: None of them matters
tags: ["{WORD[:64]}", "{WORD[:63]}"]
column: {{title: "{WORD}", byline: "{WORD}", body: "{LONG}"}}
call_to_action: {{text: "{WORD}", label: "{WORD}", url: "{LONG}"}}
related: [{{title: "{LONG}", url: "{LONG}"}}, {{title: "{WORD}", url: "{LONG}"}}]
notice: "{WORD}"
intro: "{WORD} [{LONG}]({LONG})"
"""
LONG_BODY = f"""\
# {WORD}

- {WORD}
  - {LONG}

> {WORD}

**{WORD}** and `{WORD}`, [{WORD}]({LONG})

```
{WORD}
\tif x:  {LONG}
```

| {WORD} | {LONG} | third |
|---|--:|---|
| [{LONG}]({LONG}) | **{WORD}** | `{WORD}` |
"""


@pytest.mark.parametrize("edition", ["morning", "evening", "feature"])
def test_long_words_break_wherever_they_stand(
    browser: Browser, faults: Faults, desk: Path, edition: str
) -> None:
    path = desk / "issues" / "long.yaml"
    item = (
        f'- title: "{LONG}"\n  url: "{LONG}"\n  source: {{name: "{WORD}", url: "{LONG}"}}\n'
        f'  tags: ["{WORD[:64]}"]\n'
        f"  comment: |\n    {WORD}\n\n    `{WORD}`\n  body: |\n"
        + "".join(f"    {line}\n" for line in LONG_BODY.splitlines())
    )
    fields = f"items:\n{item}"
    if edition == "evening":
        inside = "".join(f"  {line}\n" for line in fields.splitlines())
        fields = f'sections:\n- title: "{WORD}"\n  intro: "{WORD}"\n{inside}'
        fields += "- title: Other\n  items: [{title: One}]\n"
    elif edition == "feature":
        fields += "body: |\n" + "".join(f"  {line}\n" for line in LONG_BODY.splitlines())
    path.write_text(
        f'edition: {edition}\ndate: 2026-11-26\nlanguage: en\ntitle: "{WORD}"\n{LONG_PARTS}{fields}',
        encoding="utf-8",
    )
    check(browser, faults, shown(load_issue(path, load_settings(desk)), desk), "web", "mail")


def test_code_keeps_its_spaces_and_tabs(browser: Browser, write: Write) -> None:
    code = "if a:\n\tgo(1,  2)\n        stop()   # now"
    issue = write(f"Say `a  b`:\n\n```\n{code}\n```")
    for html in (issue.mail, issue.web):
        with opened(browser, html, {}, width=375, scheme="light") as page:
            assert page.locator("pre").inner_text().rstrip("\n") == code
            assert page.locator("p code").inner_text() == "a  b"


def test_a_wide_table_is_reached_by_the_keyboard(browser: Browser, write: Write) -> None:
    issue = write(FREIGHT)
    with opened(browser, issue.web, {}, width=320, scheme="light") as page:
        region = page.get_by_role("region", name="Berth, Fee, Change, Tonnes, Agent")
        region.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_a_wide_table_has_a_shade_where_it_goes_on(browser: Browser, write: Write) -> None:
    issue = write(FREIGHT)
    with opened(browser, issue.web, {}, width=320, scheme="light") as page:
        shade = "() => getComputedStyle(document.querySelector('.scroll')).backgroundAttachment"
        # The covers move with the table, the shades stay at the sides.
        assert page.evaluate(shade) == "local, local, scroll, scroll"


def test_stacked_rows_are_a_table_again_where_there_is_room(browser: Browser, write: Write) -> None:
    issue = write(FREIGHT)
    seen = "() => ['th', '.rowlabel'].map((each) => document.querySelector(each).checkVisibility())"
    with opened(browser, issue.mail, {}, width=320, scheme="light") as page:
        assert page.evaluate(seen) == [False, True]
        assert "Tonnes: 23,456,789" in page.locator(".data").inner_text()
        page.set_viewport_size({"width": 640, "height": 812})
        assert page.evaluate(seen) == [True, False]


def test_a_stacked_table_is_read_without_media_queries(
    browser: Browser, faults: Faults, write: Write
) -> None:
    bare = re.sub(r"<style.*?</style>", "", write(FREIGHT, HAN, NARROW).mail, flags=re.DOTALL)
    with opened(browser, bare, {}, width=320, scheme="light") as page:
        found = faults(page, 320)
        assert (found["scroll"], found["broken"], found["astray"]) == (320, [], [])
        assert "Fee: 2,310.75" in page.locator(".data").first.inner_text()


def pages(desk: Path) -> Iterator[tuple[str, str]]:
    """Every page for readers, with long words wherever a word of the desk stands."""
    settings = load_settings(desk)
    edition = settings.editions["morning"].model_copy(
        update={"name": TextByLanguage(WORD), "description": TextByLanguage(LONG)}
    )
    publication = settings.publication.model_copy(
        update={"name": TextByLanguage(WORD), "description": TextByLanguage(LONG), "postal_address": WORD}
    )
    settings = settings.model_copy(update={"publication": publication})
    campaign = ListedIssue("s", LONG, WORD, LONG, WORD, "en", None)
    filters = (ListedEdition("morning", WORD, "en"), ListedEdition("evening", WORD, "zh"))
    contexts: dict[str, dict[str, Any]] = {
        "archive": {
            "campaigns": [campaign], "months": [ListedMonth(None, (campaign,))], "newer": 1, "older": 3,
            "edition": "", "filters": filters,
        },
        "preferences": {
            "editions": {"morning": edition}, "chosen": (), "saved": False, "away": False, "refused": True,
            "unsubscribe": "/u",
        },
        "done": {"thanks": False, "preferences": "/p", "longest_reason": 100},
        "unsubscribe": {"preferences": "/p"},
    }  # fmt: skip
    made = ReaderPages(settings)
    for name in ("archive", "preferences", "done", "unsubscribe", "copy", "erased", "incomplete", "unknown"):
        yield name, made.render_page(name, "en", **contexts.get(name, {})).body.decode()
    plain, _ = plain_page("erased", {}, publication, "en", lambda text: f"{text} {LONG}")
    yield "plain", plain


def test_no_page_for_readers_is_wider_than_the_telephone(
    browser: Browser, faults: Faults, desk: Path
) -> None:
    page = browser.new_page()
    try:
        for name, html in pages(desk):
            page.set_content(html)
            for width in (280, 375, 640):
                found = faults(page, width)
                assert found["scroll"] <= width, (name, width)
                assert found["wide"] == [], (name, width)
    finally:
        page.close()

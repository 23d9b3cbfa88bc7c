"""Issues with any of the keys, in all layouts: no word is lost or said twice, and the mail is sound.

`MAILER_TEST_ISSUES=2000` tries as many issues of each layout; otherwise 12 are tried.
"""

from __future__ import annotations

import itertools
import os
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.config import Settings
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from tests.any_issue import AnyIssue
from tests.sent_html import Element, elements, unclosed
from tools.clients.simulate import resolve_mso_conditionals
from tools.screenshots import READER

AMOUNT = int(os.environ.get("MAILER_TEST_ISSUES", "12"))
LAYOUTS = ("morning", "evening", "feature", "brief", "digest")


@pytest.fixture
def layouts(settings: Settings) -> Settings:
    """Settings with an edition of each layout, named after it."""
    evening = settings.editions["evening"]
    editions = {layout: evening.model_copy(update={"layout": layout}) for layout in LAYOUTS}
    return settings.model_copy(update={"editions": editions})


def rendition_of(made: AnyIssue, config: Settings) -> Rendition:
    path = config.root / "issues" / "any.yaml"
    path.write_text(yaml.safe_dump(made.tree, allow_unicode=True, sort_keys=False), "utf-8")
    return render_variants(load_issue(path, config), config, slug="any", variants=(0,))[0]


def has_class(element: Element | None, *names: str) -> bool:
    """Returns whether an element, or one around it, has one of these classes."""
    if element is None:
        return False
    return bool({*names} & {*element.attributes.get("class", "").split()}) or has_class(
        element.parent, *names
    )


def numbers_of(html: str) -> list[int]:
    """The numbers beside the items, in reading order, without those of the contents."""
    found = [each for each in elements(html) if each.tag in ("td", "span") and has_class(each, "n")]
    return [int(each.text) for each in found if each.text.isdecimal() and not has_class(each, "toc")]


def places_of(made: AnyIssue, body: str) -> list[tuple[str, int, int]]:
    """The first and the last place of the words of each item; a headline counts where it stands last."""
    found: dict[str, list[int]] = {}
    for key, word in made.words.items():
        item = re.match(r"(?:sections\.\d+\.)?items\.\d+", key)
        if item and not key.endswith(".tags"):
            found.setdefault(item[0], []).append(body.rindex(word))
    return [(key, min(places), max(places)) for key, places in found.items()]


def check(made: AnyIssue, html: str) -> None:
    """Fails where a word is lost, said twice or out of its place, or where the mail is not sound."""
    assert unclosed(html) == []
    assert unclosed(resolve_mso_conditionals(html, 16)) == []
    levels = [int(each.tag[1]) for each in elements(html) if re.fullmatch("h[1-6]", each.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    numbers = numbers_of(html)
    anew = made.tree.get("numbering") == "by-section"
    assert all(
        after == before + 1 or (anew and after == 1) for before, after in itertools.pairwise(numbers)
    ), numbers
    assert numbers[:1] in ([], [1])
    linked = {each.attributes.get("href") for each in elements(html)}
    assert [url for url in made.urls if url not in linked] == []
    # The words behind the subject, which are hidden, are those of headlines again.
    page = html[html.index("<body") :]
    body = page[page.index("</div>") :]
    told_twice = re.compile(r"(?:items|sections)\.\d+\.title$")
    counts = {key: body.count(word) for key, word in made.words.items()}
    wrong = {
        key: count
        for key, count in counts.items()
        if count != 1 and not (count == 2 and told_twice.search(key)) and key != ".title"
    }
    assert wrong == {}
    places = places_of(made, body)
    assert all(end < start for (_, _, end), (_, start, _) in itertools.pairwise(places)), places


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_key_is_lost_in_any_layout(layouts: Settings, layout: str) -> None:
    @settings(max_examples=AMOUNT, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32))
    def tried(seed: int) -> None:
        made = AnyIssue(seed, layout)
        shown = rendition_of(made, layouts)
        check(made, shown.html.fill(READER))
        for page in (shown.text.fill(READER), shown.web):
            assert [key for key, word in made.words.items() if word not in page] == []
            assert [url for url in made.urls if url not in page] == []

    tried()


def test_a_lost_word_is_noticed(layouts: Settings) -> None:
    made: Any = AnyIssue(1, "evening")
    html = rendition_of(made, layouts).html.fill(READER)
    check(made, html)
    key, word = next((key, word) for key, word in made.words.items() if html.count(word) == 1)
    with pytest.raises(AssertionError, match=re.escape(key)):
        check(made, html.replace(word, "lost"))

"""Captions and pictures in lists, quotations, sentences and cells: the same words in every medium."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailer.render.rendition import Rendition
from tests.pictured import pictured
from tests.render.test_picture_places import rendered

LISTED = """body: |
  - First

    ![a badge](p/badge.png "Of a list")

  > [![a map](p/middle.png)](https://www.example.org/map "Of a quote")
  >
  > and words

  - ![tight](p/badge.png "Of an entry")
"""


def shown(tmp_path: Path, text: str) -> Rendition:
    return rendered(
        pictured(tmp_path / "d", "evening", "items:\n- title: T\n  " + text.replace("\n", "\n  ")),
        tmp_path / "d",
    )


def visible(page: str) -> str:
    return re.sub(r"(?s)<style.*?</style>|<[^>]*>", " ", page)


@pytest.mark.parametrize("caption", ["Of a list", "Of a quote", "Of an entry"])
def test_captions_in_lists_and_quotations_are_read_in_every_medium(tmp_path: Path, caption: str) -> None:
    page = shown(tmp_path, LISTED)
    for words in (visible(page.html.fill({})), visible(page.web), page.text.fill({})):
        assert words.count(caption) == 1
    assert re.search(rf"<small[^>]*>{caption}</small>", page.web)


def test_the_title_of_a_picture_in_a_sentence_is_an_attribute_in_every_medium(tmp_path: Path) -> None:
    page = shown(tmp_path, "body: 'Words ![icon](p/icon.png \"A tip\") go on'\n")
    assert 'title="A tip"' in page.web
    for words in (visible(page.html.fill({})), visible(page.web), page.text.fill({})):
        assert "A tip" not in words
    assert "Words [icon] go on" in page.text.fill({})


def test_the_caption_from_the_title_of_a_link_is_in_the_text_part(tmp_path: Path) -> None:
    page = shown(tmp_path, "body: '[![a map](p/middle.png)](https://www.example.org/map \"Of the link\")'\n")
    assert "[a map] Of the link <https://www.example.org/map>" in page.text.fill({})


def table(cell: str, columns: int, heads: str = "") -> str:
    heads = heads or "|".join(f" C{number} " for number in range(columns))
    return f"body: |\n  |{heads}|\n  |{'---|' * columns}\n  |{(cell + '|') * columns}\n"


@pytest.mark.parametrize(("columns", "stacked"), [(2, False), (8, True)])
def test_a_table_of_pictures_that_keep_their_size_is_stacked_where_it_is_too_wide(
    tmp_path: Path, columns: int, stacked: bool
) -> None:
    html = shown(tmp_path, table("![x](p/badge.png)", columns)).html.fill({})
    assert ('class="data stack' in html) == stacked


def test_a_stacked_cell_of_a_picture_has_the_head_of_its_column(tmp_path: Path) -> None:
    html = shown(tmp_path, table("![x](p/badge.png)", 8)).html.fill({})
    assert html.count('class="rowlabel"') == 7


def test_pictures_of_a_cell_stand_below_each_other_where_they_have_no_room(tmp_path: Path) -> None:
    page = shown(tmp_path, table("![x](p/middle.png) ![y](p/middle.png)", 2))
    for html in (page.html.fill({}), page.web):
        cell = re.findall(r'<td[^>]*>(?=<img[^>]*alt="x")', html)
        assert len(cell) == 2
        assert not any("nowrap" in each for each in cell)


def test_paragraphs_of_a_quotation_are_set_apart(tmp_path: Path) -> None:
    html = shown(tmp_path, "body: |\n  > one\n  >\n  > two\n").html.fill({})
    assert re.findall(r'<p style="[^"]*margin:([^;"]*)[^"]*">(?:one|two)</p>', html) == ["0 0 12px"] * 2
